// A link to this experiment, with everything in it: seed, overrides, and the result to check against.

import { element, setText } from './dom.js';

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {import('./conductor.js').Actions} actions */
export function share(place, store, actions) {
  const input = element('input', { 'data-testid': 'share-link', readonly: true, 'aria-label': 'Link to this experiment', onfocus: () => input.select() });
  const said = element('p', { class: 'soft small', role: 'status' });
  const copy = element('button', { type: 'button', 'data-testid': 'share', onclick: () => void take() }, 'Copy link');
  place.append(element('p', { class: 'soft small', text: 'The link holds the whole experiment, seed and edits included. Made after a run, it also holds the result, and checks on opening that it reproduces.' }),
    element('div', { class: 'line' }, input, copy), said);

  async function take() {
    history.replaceState(null, '', input.value);
    try {
      await navigator.clipboard.writeText(input.value);
      setText(said, `Copied, ${input.value.length} characters. It also stands in the address bar.`);
    } catch {
      // Some hosts do not lend their clipboard.
      input.focus();
      input.select();
      setText(said, 'This browser did not allow copying: the link is selected, copy it from here.');
    }
  }

  let key = '';
  return store.subscribe((state) => {
    if (state.phase === 'running') return;
    const now = `${state.preset} ${state.check.hash} ${state.digest}`;
    if (now === key) return;
    key = now;
    try {
      input.value = actions.link();
      setText(said, `${input.value.length} characters${state.report ? '' : '; run it first, and the link can check its result'}.`);
    } catch {
      input.value = '';
      setText(said, 'No link: the engine has failed and is being replaced.');
    }
  });
}
