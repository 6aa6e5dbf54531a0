// The share dialog: what the link holds, its forms, where it fits, its QR code.

import { everything, plain } from '../shared/view.js';
import { isCrash } from '../engine/engine.js';
import { element } from './dom.js';
import { openDialog } from './sharing.js';
import { ways } from './ways.js';

/** What an experiment is called where it is linked to. @param {import('./store.js').State} state @param {import('../engine/engine.js').PresetInfo[]} presets */
export const titleOf = ({ preset, own }, presets) => `${own ?? presets.find(({ name }) => name === preset)?.title ?? preset} – Agent Chaos Playground`;

/** @param {import('./store.js').Store} store @param {import('./sharing.js').Given} given */
export function shareDialog(store, given) {
  const { actions, presets } = given;
  const state = store.get();
  const viewed = !plain(state.view);
  const made = ways('share-as');
  const result = element('input', { type: 'checkbox', id: 'share-result', checked: state.report !== null, disabled: state.report === null, onchange: () => void make() });
  const view = element('input', { type: 'checkbox', id: 'share-view', checked: viewed, onchange: () => void make() });
  const dialog = element('dialog', { class: 'sharing', 'aria-labelledby': 'share-dialog-title', 'data-testid': 'share-dialog' },
    element('h2', { id: 'share-dialog-title', tabindex: -1 }, 'Share this experiment'),
    element('p', { class: 'soft small', text: 'The link holds the whole experiment, its seed and every edit. Nothing is stored anywhere else.' }),
    element('label', { class: 'check', for: 'share-result' }, result, element('span', {}, 'With its result, so that opening it tells whether it reproduces',
      state.report ? null : element('span', { class: 'soft' }, ': run it first'))),
    viewed ? element('label', { class: 'check', for: 'share-view' }, view, 'With what it shows, asks and locks') : null,
    state.draft !== null || state.problems.length ? element('p', { class: 'notice warn', text: 'The edit that was refused is not part of it.' }) : null,
    made.place,
    element('div', { class: 'row end foot' }, element('button', { type: 'button', class: 'quiet', onclick: () => {
      dialog.close();
      void openDialog('task', store, given);
    } }, 'Make a task of it …'), element('button', { type: 'button', onclick: () => dialog.close() }, 'Close')));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  /** @type {HTMLElement} */ (dialog.querySelector('h2')).focus();

  let turn = 0;
  async function make() {
    const mine = ++turn;
    try {
      const link = await actions.link({ result: result.checked, view: viewed && view.checked ? store.get().view : everything() });
      if (mine !== turn) return;
      const at = link.indexOf('#');
      made.show({ base: link.slice(0, at), token: link.slice(at + 1), title: titleOf(store.get(), presets) });
    } catch (error) {
      if (mine === turn) made.refuse(isCrash(error) ? 'No link: the engine has failed and is being replaced. Close this and try again.' : `No link: ${error instanceof Error ? error.message : error}.`);
    }
  }
  void make();
}
