// Parts that nobody needs for the first run: loaded when the page has come to rest, each where it belongs.

import { element } from './dom.js';

/** The page is taken to be at rest after this, even if it never is. */
const REST_MS = 2000;

/** Resolves when the browser has nothing better to do. */
export const rest = () => new Promise((resolve) => {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(resolve, { timeout: REST_MS });
  else setTimeout(resolve, 200);
});

/**
 * Fills places with parts that come later. Until then the places say that they are loading, and if they cannot be loaded, that.
 * @template T
 * @param {HTMLElement[]} places
 * @param {string} what they are, as a subject in the plural
 * @param {() => Promise<T>} load
 * @param {(parts: T) => void} fill
 */
export function later(places, what, load, fill) {
  const notes = places.map((place) => {
    const note = element('p', { class: 'soft', text: 'Loading …' });
    place.dataset.later = '';
    place.append(note);
    return note;
  });
  const first = notes[0];
  async function go() {
    try {
      const parts = await load();
      for (const note of notes) note.remove();
      for (const place of places) delete place.dataset.later;
      fill(parts);
    } catch (error) {
      console.warn(error);
      for (const note of notes.slice(1)) note.textContent = 'Not loaded.';
      first.setAttribute('role', 'alert');
      first.replaceChildren(`${what} could not be loaded; the rest of the page works without them. Check the connection. `,
        element('button', { type: 'button', onclick: () => {
          first.removeAttribute('role');
          for (const note of notes) note.textContent = 'Loading …';
          void go();
        } }, 'Try again'));
    }
  }
  void rest().then(go);
}
