// Where an experiment is written: its form and text, and its way to and from files. Loaded after the first picture.

import { editor } from './editor.js';
import { files } from './files.js';
import { toolbar } from './toolbar.js';

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, schema: any, own: import('./experiments.js').Experiments }} given
 */
export function desk(place, store, { actions, schema, own }) {
  toolbar(place, store, { actions, own, files: files(document.body, store, actions) });
  editor(place, store, { actions, schema, own });
}
