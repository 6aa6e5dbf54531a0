// Where an experiment is written: its form and text, and its way to and from files. Loaded after the first picture.

import schema from '../../crates/agent-chaos-core/profile.schema.json';
import { editor } from './editor.js';
import { files } from './files.js';
import { toolbar } from './toolbar.js';

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, own: import('./experiments.js').Experiments }} given
 */
export function desk(place, store, { actions, own }) {
  toolbar(place, store, { actions, own, files: files(document.body, store, actions) });
  editor(place, store, { actions, schema, own });
}
