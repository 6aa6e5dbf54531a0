// What the page knows, in one place. Parts subscribe and draw once per picture.

/** @typedef {import('../engine/engine.js').Engine} Engine */
/** @typedef {{ path: string, message: string }} Problem */
/** @typedef {'ready' | 'running' | 'paused' | 'done' | 'error'} Phase */
/** @typedef {{ opened: import('../engine/engine.js').OpenedLink, outcome: import('../shared/outcome.js').Outcome | null }} LinkState */

/**
 * @typedef {object} State
 * @property {Phase} phase
 * @property {string} preset name of the preset the profile builds on
 * @property {any} profile the last good profile, every field
 * @property {import('../engine/engine.js').ProfileCheck} check what the engine said of it
 * @property {Problem[]} problems what is wrong with an edit that was not taken over
 * @property {string | null} draft JSON text that was not taken over
 * @property {number} run number of the present run
 * @property {number} speed virtual seconds per second
 * @property {import('../engine/engine.js').Frame | null} frame the last frame
 * @property {import('../engine/engine.js').Transition[]} transitions
 * @property {import('../engine/engine.js').Report | null} report of a run that has ended
 * @property {string} digest
 * @property {string} failure what went wrong, for the person
 * @property {LinkState | null} link the link this page was opened with
 * @property {{ hash: string, profile: string } | null} copied the link that was copied last, which also stands in the address, and the profile in it
 * @property {import('../shared/view.js').View} view what is shown and what is locked, as the link has it
 * @property {{ text: string, preset: string | null } | null} broken a link that could not be opened, and the preset it names
 * @property {string} note why the run stands where it stands, if somebody wanted it to
 * @property {string} theme
 * @property {number | null} moment a past moment that is looked at, in virtual seconds; null follows the run
 * @property {import('../engine/engine.js').Frame | null} past the run as it was at that moment, found by replay
 * @property {{ words: string, progress: number } | null} working what goes on beside the run and how much of it is done
 * @property {Kept[]} kept runs kept to compare with; the first is the baseline
 * @property {import('../engine/engine.js').Replicated | null} replicated the same experiment under several seeds
 * @property {{ undo: number, redo: number, undoes?: string, redoes?: string, said?: string }} history edits that can be taken back, and made again; what the next ones are, and what has just been done
 * @property {Notice | null} notice something to know that is not a failure
 * @property {string | null} own name of the own experiment that the profile belongs to
 * @property {import('../shared/shelf.js').Listed[]} owned the own experiments
 * @property {import('../shared/shelf.js').Before | null} before what stood here before a guide put its own experiment in its place
 */

/** Said until the next edit, or until the next run. @typedef {{ words: string, until: 'edit' | 'run', action?: { words: string, act: () => void } }} Notice */

/**
 * A run that is kept, to be drawn under the next ones.
 * @typedef {object} Kept
 * @property {number} id
 * @property {string} name
 * @property {string} preset
 * @property {string} profile canonical JSON text
 * @property {import('../engine/engine.js').Report} report
 * @property {import('../shared/series.js').Series} series
 * @property {string} token the colour it is drawn in
 */

/** The moment that everything shows: the past one, else the present. @param {State} state */
export const shown = (state) => (state.moment === null ? state.frame : (state.past ?? state.frame));

/** @param {State} initial */
export function createStore(initial) {
  let state = initial;
  let due = false;
  /** @type {Set<(state: State) => void>} */
  const parts = new Set();
  const draw = () => {
    due = false;
    for (const part of parts) part(state);
  };
  return {
    get: () => state,
    /** @param {Partial<State>} change */
    update(change) {
      state = { ...state, ...change };
      if (due) return;
      due = true;
      // Nothing is drawn in a hidden tab, but what is announced there must not wait for ever.
      if (document.hidden) setTimeout(draw, 100);
      else requestAnimationFrame(draw);
    },
    /** Draws now and at every change. @param {(state: State) => void} part @returns {() => void} */
    subscribe(part) {
      parts.add(part);
      part(state);
      return () => void parts.delete(part);
    },
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */
