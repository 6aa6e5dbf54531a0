// Unsaved edits outlast a reload of this tab. A link in the address comes first; what was edited before is offered, not forced.

import { unsaved } from '../shared/shelf.js';

/** Waits until somebody has stopped editing. */
const QUIET_MS = 300;

/** The link in the address, if there is one; other parts of the page and guides have addresses too. */
const linked = () => (/^#(?!results$|guide(?:=|$))./.test(location.hash) ? location.hash : '');

/**
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, own: import('./experiments.js').Experiments }} given
 */
export function keeper(store, { actions, own }) {
  const edits = unsaved(() => sessionStorage, linked);
  const found = edits.found();

  /** @param {import('../shared/shelf.js').Unsaved} kept @param {string | null} what @returns {string} */
  function restore(kept, what) {
    const known = (/** @type {string | null} */ name) => (name !== null && own.know(name) ? name : null);
    const { before } = kept;
    if (before) store.update({ before: { ...before, own: known(before.own) } });
    const wrong = actions.take({ preset: kept.preset, profile: kept.profile, own: known(kept.own), view: store.get().view }, what);
    if (wrong) return wrong;
    if (kept.draft !== null) actions.setText(kept.draft);
    return '';
  }
  const say = (/** @type {string} */ words, /** @type {string} */ action, /** @type {() => void} */ act) => actions.say({ words, until: 'edit', action: { words: action, act } });
  // A link that was copied here holds the edits itself.
  if (found && linked() && (found.draft !== null || found.profile !== store.get().check.profile)) {
    say('You had edited this experiment before the page was loaded again; the link has been opened as it is.', 'Bring the edits back', () => {
      actions.say(null);
      const wrong = restore(found, 'bringing the edits back');
      if (wrong) actions.say({ words: `The edits cannot be brought back: ${wrong}.`, until: 'edit' });
    });
  } else if (found && !linked()) {
    const wrong = restore(found, null);
    if (wrong) actions.say({ words: `Edits of before the page was loaded again cannot be read: ${wrong}.`, until: 'edit' });
    else if (found.before) {
      // Where the guide had been left, its card has the same to say.
      if (location.hash !== '') actions.say({ words: 'The page was loaded again. The experiment of the guide is back, and what you had before the guide is still kept: leave the guide to go back to it.', until: 'edit' });
    } else {
      say('Your unsaved edits of before the page was loaded again are back.', 'Start afresh', () => {
        const { own: name, preset } = store.get();
        if (name !== null) own.open(name);
        else actions.choosePreset(preset);
      });
    }
  }

  /** Whether the address holds the present experiment by itself, since its link was copied there. */
  function held() {
    const { copied, check } = store.get();
    return copied !== null && copied.hash === linked() && copied.profile === check.profile;
  }

  let timer = 0;
  let warned = false;
  /** @type {unknown[]} */
  let seen = [];
  function keep() {
    clearTimeout(timer);
    timer = 0;
    const { preset, check, draft, own: name, link, before } = store.get();
    const worth = (own.edited() && link === null && !held()) || draft !== null || before !== null;
    const could = edits.keep(worth ? { preset, profile: check.profile, own: name, draft, before } : null);
    // What is out of sight must not be taken for safe.
    if (!could && before && !warned) {
      warned = true;
      actions.say({ words: 'This browser does not let the page keep what you had before the guide: it is lost when the page is loaded again. Until then, leaving the guide brings it back.', until: 'edit' });
    }
  }
  addEventListener('pagehide', () => { if (timer) keep(); });
  return store.subscribe(({ preset, profile, draft, own: name, owned, link, before }) => {
    const now = [preset, profile, draft, name, owned, link === null, linked(), before];
    if (now.every((one, index) => one === seen[index])) return;
    // What was found for this link stays on offer until there is something else to keep.
    const first = seen.length === 0;
    seen = now;
    if (first && found && linked()) return;
    clearTimeout(timer);
    timer = setTimeout(keep, QUIET_MS);
  });
}
