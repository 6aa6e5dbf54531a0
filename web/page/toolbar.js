// At the head of the editor: back and forth, save, open, export; and the keys for undo.

import { element, setText } from './dom.js';

/** Fields with an undo of their own. @param {EventTarget | undefined} target @returns {target is HTMLInputElement | HTMLTextAreaElement} */
const isText = (target) => target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && ['text', 'search', 'number'].includes(target.type));

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, own: import('./experiments.js').Experiments, files: import('./files.js').Files }} given
 */
export function toolbar(place, store, { actions, own, files }) {
  /** @param {string} name @param {string} text @param {() => void} act */
  const button = (name, text, act) => element('button', { type: 'button', 'data-testid': name, onclick: act }, text);
  const undo = button('undo', 'Undo', actions.undo);
  const redo = button('redo', 'Redo', actions.redo);
  const said = element('p', { class: 'soft small', role: 'status', 'data-testid': 'undone' });
  const standing = element('p', { class: 'small standing', 'data-testid': 'standing' });
  place.append(element('div', { class: 'tools', role: 'group', 'aria-label': 'Experiment as a whole' },
    undo, redo, button('save', 'Save', own.save), button('save-as', 'Save as …', own.saveAs),
    button('open-file', 'Open file …', files.pick), button('export', 'Export', files.save), button('manage', 'Your experiments …', () => own.manage())),
  standing, said);

  // What a field held when somebody came to it or when it was last taken over: as long as it holds that, it has nothing of its own to undo.
  let settled = '';
  addEventListener('focusin', ({ target }) => { if (isText(target ?? undefined)) settled = /** @type {HTMLInputElement} */ (target).value; });
  addEventListener('change', ({ target }) => {
    if (!isText(target ?? undefined)) return;
    const field = /** @type {HTMLInputElement} */ (target);
    const { value } = field;
    settled = value;
    // Firefox keeps a field's own steps beyond what was taken over; from here on they are the page's.
    field.value = '';
    field.value = value;
  });
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    const back = key === 'z' && !event.shiftKey;
    if (!back && !(key === 'z' && event.shiftKey) && !(key === 'y' && event.ctrlKey)) return;
    const target = event.composedPath()[0];
    if (isText(target) && !target.readOnly && target.value !== settled) return;
    if (document.querySelector('dialog:modal')) return;
    const { history, draft, problems } = store.get();
    if (back ? history.undo === 0 && draft === null && problems.length === 0 : history.redo === 0) return;
    event.preventDefault();
    if (back) actions.undo();
    else actions.redo();
    // The field shows what holds now with the next picture.
    if (isText(target)) requestAnimationFrame(() => { settled = target.value; });
  });

  return store.subscribe(({ history, draft, problems, own: name, preset }) => {
    const refused = draft !== null || problems.length > 0;
    const [back, forth] = [history.undo > 0 || refused, history.redo > 0];
    // A button that is of no use any more must not take the keyboard with it.
    const focused = document.activeElement;
    undo.disabled = !back;
    redo.disabled = !forth;
    if (focused === undo && !back) redo.focus();
    if (focused === redo && !forth) undo.focus();
    undo.setAttribute('aria-label', refused ? 'Undo the edit that was refused' : `Undo ${history.undoes ?? ''}`.trim());
    redo.setAttribute('aria-label', `Redo ${history.redoes ?? ''}`.trim());
    undo.title = /** @type {string} */ (undo.getAttribute('aria-label'));
    redo.title = /** @type {string} */ (redo.getAttribute('aria-label'));
    setText(said, history.said ?? '');
    const edited = own.edited();
    setText(standing, `${name === null ? preset : `“${name}”`}${edited ? ', edited and not saved' : name === null ? ', as it is' : ', saved'}.${own.allowed() ? '' : ' This browser does not let the page keep anything; Export makes a file.'}`);
  });
}
