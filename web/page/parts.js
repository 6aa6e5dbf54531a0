// What a link has to say of the page itself: the parts that it shows, and a card for its question and its limits.

import { PARTS, everything, plain, shows } from '../shared/view.js';

/**
 * @param {(id: string) => HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {import('./task.js').Given} given
 */
export function parts(place, store, given) {
  /** @type {import('../shared/view.js').View} */
  let seen = everything();
  let asked = false;
  return store.subscribe(({ view, broken }) => {
    if (view !== seen) {
      seen = view;
      for (const part of PARTS) place(part).hidden = !shows(view, part);
      place('share-open').hidden = !shows(view, 'share');
      // Breaking it stands within the picture.
      const picture = place('picture');
      picture.hidden &&= !shows(view, 'break');
      picture.classList.toggle('bare', !shows(view, 'picture'));
    }
    if (asked || (plain(view) && broken === null)) return;
    asked = true;
    import('./task.js').then(({ task }) => task(place('task'), store, given), (error) => {
      console.warn(error);
      asked = false;
      given.actions.say({ words: 'The part of the page for what this link asks could not be loaded. Reload the page to try again.', until: 'edit' });
    });
  });
}
