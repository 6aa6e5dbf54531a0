// Profiles as files: picked, dropped anywhere on the page, and exported.

import { contents, refusal } from '../shared/file.js';
import { fileName } from '../shared/shelf.js';
import { LOCKED, may } from '../shared/view.js';
import { element, setText } from './dom.js';

/** @typedef {ReturnType<typeof files>} Files */

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {import('./conductor.js').Actions} actions */
export function files(place, store, actions) {
  const tell = (/** @type {string} */ words) => actions.say({ words, until: 'edit' });
  /** Files are taken one after the other, in the order in which they came. */
  let queue = Promise.resolve();

  /** @param {File[]} given */
  function take(given) {
    queue = queue.then(() => read(given));
  }

  /** @param {File[]} given */
  async function read(given) {
    if (!may(store.get().view, 'preset')) return tell(`${LOCKED}: no other experiment can be opened here. Open the task without the limits to do so.`);
    const wrong = refusal(given);
    if (wrong) return tell(wrong);
    const [file] = given;
    let bytes;
    try {
      bytes = new Uint8Array(await file.arrayBuffer());
    } catch {
      return tell(`“${file.name}” could not be read: it may be a folder, or gone. Nothing was changed.`);
    }
    const found = contents(file.name, bytes);
    if ('wrong' in found) return tell(found.wrong);
    const refused = actions.take({ profile: found.profile, own: null }, `opening ${file.name}`);
    if (refused) return tell(`“${file.name}” was not taken over: ${refused}. Nothing was changed.`);
    history.replaceState(null, '', location.pathname + location.search);
    const ended = store.get().notice?.words ?? '';
    tell(`Opened “${file.name}”${found.of === 'report' ? ', which is a report: its profile was taken' : ''}. ${ended}`.trim());
  }

  const input = element('input', { type: 'file', accept: '.json,application/json', hidden: true, 'data-testid': 'file', onchange: () => {
    take([...(input.files ?? [])]);
    // The same file can be opened again.
    input.value = '';
  } });
  const words = element('p');
  const target = element('div', { class: 'drop-target', hidden: true, 'aria-hidden': 'true', 'data-testid': 'drop' }, words);
  place.append(input, target);

  /** Whether this is ours: files, and not over a part that takes files itself. @param {DragEvent} event */
  const ours = (event) => Boolean(event.dataTransfer?.types.includes('Files')) && !(event.target instanceof Element && event.target.closest('#guide'));
  const busy = () => document.querySelector('dialog:modal') !== null;
  // First in line, since an editor under the pointer would insert the file's text.
  addEventListener('dragover', (event) => {
    const over = ours(event);
    target.hidden = !over;
    if (!over) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer) event.dataTransfer.dropEffect = busy() ? 'none' : 'copy';
    setText(words, busy() ? 'Close the dialog first' : 'Drop a profile (.json) to open it');
  }, true);
  addEventListener('dragleave', (event) => {
    // Out of the window, not from one element to the next.
    if (event.relatedTarget === null) target.hidden = true;
  }, true);
  addEventListener('drop', (event) => {
    target.hidden = true;
    if (!ours(event)) return;
    event.preventDefault();
    event.stopPropagation();
    if (!busy()) take([...(event.dataTransfer?.files ?? [])]);
  }, true);

  return {
    pick: () => input.click(),
    /** Makes a file of the last good profile. */
    save() {
      const { own, preset, check, draft } = store.get();
      const name = fileName(own ?? preset);
      const url = URL.createObjectURL(new Blob([check.profile, '\n'], { type: 'application/json' }));
      element('a', { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
      tell(`Exported as “${name}”.${draft === null ? '' : ' The text that was refused is not part of it.'}`);
    },
  };
}
