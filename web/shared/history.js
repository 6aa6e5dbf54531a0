// Edits that can be taken back and made again: plain values in, plain values out.

/**
 * What an edit changes and what coming back restores.
 * @typedef {object} Standing
 * @property {string} preset
 * @property {string} profile canonical JSON text
 * @property {string | null} own name of the own experiment it belongs to
 * @property {string | null} draft JSON text that was not taken over
 * @property {import('./view.js').View} view how it is shown
 */
/** @typedef {{ standing: Standing, what: string }} Step what stood before (to undo) or after (to redo), and the edit's name for people */
/** @typedef {{ undo: Step[], redo: Step[], key: string | null, at: number }} Edits `key` and `at` tell whether the next edit belongs to the last one */

/** Edits of one thing that follow each other within this time are one step. */
export const TOGETHER_MS = 1000;
/** At most so many steps, and so many characters of profiles; the oldest go first. */
export const MOST_STEPS = 100;
export const MOST_CHARACTERS = 20_000_000;

/** @type {Edits} */
export const NONE = { undo: [], redo: [], key: null, at: 0 };

/** @param {Step[]} steps @returns {Step[]} */
function bounded(steps) {
  let characters = 0;
  let first = steps.length;
  while (first > 0 && steps.length - first < MOST_STEPS) {
    const { profile, draft } = steps[first - 1].standing;
    characters += profile.length + (draft?.length ?? 0);
    // The last step is kept however long it is.
    if (characters > MOST_CHARACTERS && first < steps.length) break;
    first -= 1;
  }
  return steps.slice(first);
}

/**
 * Remembers what stood before an edit. Whatever had been undone cannot be made again after that.
 * @param {Edits} edits @param {Standing} before @param {string} what @param {string | null} key edits with one key are one step if they are quick @param {number} now in milliseconds
 * @returns {Edits}
 */
export function record(edits, before, what, key, now) {
  const together = key !== null && key === edits.key && now - edits.at < TOGETHER_MS && edits.redo.length === 0 && edits.undo.length > 0;
  return { undo: together ? edits.undo : bounded([...edits.undo, { standing: before, what }]), redo: [], key, at: now };
}

/** @param {Edits} edits @param {Standing} present @returns {{ edits: Edits, step: Step } | null} */
export function undo(edits, present) {
  const step = edits.undo.at(-1);
  if (!step) return null;
  return { step, edits: { undo: edits.undo.slice(0, -1), redo: [...edits.redo, { standing: present, what: step.what }], key: null, at: 0 } };
}

/** @param {Edits} edits @param {Standing} present @returns {{ edits: Edits, step: Step } | null} */
export function redo(edits, present) {
  const step = edits.redo.at(-1);
  if (!step) return null;
  return { step, edits: { undo: [...edits.undo, { standing: present, what: step.what }], redo: edits.redo.slice(0, -1), key: null, at: 0 } };
}
