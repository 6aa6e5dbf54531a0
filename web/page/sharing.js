// The way to the dialogs that make links: loaded when the first of them is asked for.

/** @typedef {{ actions: import('./conductor.js').Actions, engine: import('../engine/engine.js').Engine, presets: import('../engine/engine.js').PresetInfo[] }} Given */

/**
 * @param {'share' | 'task'} which
 * @param {import('./store.js').Store} store
 * @param {Given} given
 */
export async function openDialog(which, store, given) {
  try {
    if (which === 'share') (await import('./share-dialog.js')).shareDialog(store, given);
    else (await import('./task-dialog.js')).taskDialog(store, given);
  } catch (error) {
    console.warn(error);
    given.actions.say({ words: 'This dialog could not be loaded; the link at the end of the page can be copied all the same. Check the connection and try again.', until: 'edit' });
  }
}
