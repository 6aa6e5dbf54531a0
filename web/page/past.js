// The past: a second run of the same profile, replayed up to the moment that somebody looks at. Equal
// profiles give equal runs, so that it is the very moment, not a picture of it.

import { Series } from '../shared/series.js';

/** @typedef {import('../engine/engine.js').Run} Run */
/** @typedef {import('../engine/engine.js').Frame} Frame */
/** A run with what it has shown so far. @typedef {{ run: Run, series: Series, frame: Frame, transitions: import('../engine/engine.js').Transition[] }} Found */

/** So many of the latest records of a run are kept. */
export const WATCHED = { records: 20_000 };

/**
 * Replays a profile up to a moment, as fast as possible.
 * @param {typeof import('../pkg/agent_chaos_wasm.js')} engine @param {string} profile @param {number} seconds
 * @param {(progress: number) => void} tell @param {(run: Run) => void} started is given the run, which can be paused to give up
 * @returns {Promise<Found | null>} null if it was given up
 */
export async function replay(engine, profile, seconds, tell, started) {
  const run = new engine.Run(profile, WATCHED);
  started(run);
  if (await run.seek(seconds, tell) === 'paused') {
    run.free();
    return null;
  }
  const frame = run.frame();
  const series = new Series();
  series.append(frame);
  return { run, series, frame, transitions: frame.transitions };
}

/** @param {typeof import('../pkg/agent_chaos_wasm.js')} engine @param {(progress: number) => void} tell */
export function past(engine, tell) {
  /** @type {Run | null} */
  let run = null;
  /** What the run has shown since it began. @type {Found | null} */
  let found = null;
  /** @type {number | null} */
  let wanted = null;
  /** @type {Promise<Frame | null> | null} */
  let searching = null;

  function forget() {
    wanted = null;
    run?.pause();
    // A module that has crashed cannot free anything any more.
    try { run?.free(); } catch { /* gone with its engine */ }
    run = null;
    found = null;
  }

  /** @param {string} profile @returns {Promise<Frame | null>} */
  async function search(profile) {
    while (wanted !== null) {
      const target = wanted;
      if (!run || run.now_seconds > target) {
        forget();
        wanted = target;
        run = new engine.Run(profile, WATCHED);
      }
      const mine = run;
      const ended = await mine.seek(target, tell);
      if (run !== mine) return null;
      if (ended === 'paused' || wanted !== target) continue;
      wanted = null;
      return look();
    }
    return null;
  }

  /** What the replayed run shows now. */
  function look() {
    if (!run) return null;
    const frame = run.frame();
    found ??= { run, series: new Series(), frame, transitions: [] };
    found.series.append(frame);
    found.frame = frame;
    found.transitions = [...found.transitions, ...frame.transitions];
    return frame;
  }

  return {
    forget,

    /** The replayed run, if there is one. */
    run: () => run,

    /** Finds a moment; the latest call wins. Null if another is wanted, or none. @param {string} profile @param {number} seconds */
    async find(profile, seconds) {
      wanted = seconds;
      if (searching) {
        run?.pause();
        await searching;
        // Whoever waited longest looks whether it is still to be found.
        if (wanted !== seconds) return null;
      }
      searching = search(profile).finally(() => { searching = null; });
      return searching;
    },

    /** Gives up looking; what was found before stays. */
    stop() {
      wanted = null;
      run?.pause();
    },

    /** Hands the replayed run over, to go on from there. @returns {Found | null} */
    take() {
      const taken = found;
      run = null;
      found = null;
      wanted = null;
      return taken;
    },
  };
}
