// A link to this experiment, with everything in it: seed, overrides, and the result to check against.

import { isCrash } from '../engine/engine.js';
import { element, setText } from './dom.js';
import { openDialog } from './sharing.js';

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {import('./sharing.js').Given} given */
export function share(place, store, given) {
  const { actions } = given;
  const input = element('input', { 'data-testid': 'share-link', readonly: true, 'aria-label': 'Link to this experiment', onfocus: () => input.select() });
  const said = element('p', { class: 'soft small', role: 'status' });
  const copy = element('button', { type: 'button', 'data-testid': 'share', onclick: () => void take() }, 'Copy link');
  place.append(element('p', { class: 'soft small', text: 'The link holds the whole experiment, seed and edits included. Made after a run, it also holds the result, and checks on opening that it reproduces.' }),
    element('div', { class: 'line' }, input, copy), said,
    element('div', { class: 'row' }, element('button', { type: 'button', 'data-testid': 'share-more', onclick: () => void openDialog('share', store, given) }, 'Other forms, QR code …'),
      element('button', { type: 'button', 'data-testid': 'make-task', onclick: () => void openDialog('task', store, given) }, 'Make a task …')));

  async function take() {
    if (!input.value) await make();
    const link = input.value;
    if (!link) return;
    history.replaceState(null, '', link);
    store.update({ copied: { hash: location.hash, profile: made } });
    try {
      await navigator.clipboard.writeText(link);
      setText(said, `Copied, ${link.length} characters. It also stands in the address bar.`);
    } catch {
      // Some hosts do not lend their clipboard.
      input.focus();
      input.select();
      setText(said, 'This browser did not allow copying: the link is selected, copy it from here.');
    }
  }

  let key = '';
  let viewed = store.get().view;
  /** The profile in the link. */
  let made = '';
  /** The link to what the page shows now, unless it shows something else by the time that it is made. */
  async function make() {
    const { report, check } = store.get();
    const [of, seen] = [key, viewed];
    input.value = '';
    try {
      const link = await actions.link();
      if (of !== key || seen !== viewed) return;
      input.value = link;
      made = check.profile;
      setText(said, `${link.length} characters${report ? '' : '; run it first, and the link can check its result'}.`);
    } catch (error) {
      if (of !== key) return;
      setText(said, isCrash(error) ? 'No link: the engine has failed and is being replaced.' : `No link: ${/** @type {Error} */ (error).message}. Copying tries again.`);
    }
  }

  return store.subscribe((state) => {
    if (state.phase === 'running') return;
    const now = `${state.preset} ${state.check.hash} ${state.digest}`;
    if (now === key && state.view === viewed) return;
    key = now;
    viewed = state.view;
    void make();
  });
}
