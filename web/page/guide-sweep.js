// The runs of a sweep, one after the other, beside the page's own run.

import { changed } from '../shared/guide.js';
import { read } from '../shared/paths.js';

/** @typedef {import('./guide-chart.js').Point} Point */

/** So many events a sweep may have in all. */
const MOST_EVENTS = 60e6;

/**
 * @param {import('../engine/engine.js').Engine} engine
 * @param {import('../shared/guide.js').Step} step
 * @param {string} preset the preset's profile
 */
export function sweepOf(engine, { set, sweep }, preset) {
  if (!sweep) throw new Error('a step without a sweep has no runs');
  const { path, values, seeds, cases, measure } = sweep;
  const base = changed(JSON.parse(preset), set);
  // Every case meets a value before the next value comes, so that curves grow side by side.
  const todo = values.flatMap((value) => cases.flatMap((one, which) => seeds.map((seed) => ({ case: which, value, seed, profile: JSON.stringify(changed(base, one.set, { [path]: value, seed })) }))));
  /** @type {Point[]} */
  const points = [];
  /** @type {import('../engine/engine.js').Run | null} */
  let run = null;
  let stopped = false;

  return {
    points,
    total: todo.length,
    stop() {
      stopped = true;
      run?.pause();
    },
    /**
     * Runs what has not been run yet. @param {() => void} onPoint @returns {Promise<boolean>} whether all of it is done
     */
    async go(onPoint) {
      stopped = false;
      while (points.length < todo.length && !stopped) {
        const { profile, ...which } = todo[points.length];
        run = new engine.Run(profile);
        try {
          run.speed = Infinity;
          if ((await run.play(() => {})) !== 'finished') break;
          const measured = read(run.report(), measure);
          points.push({ ...which, measured: typeof measured === 'number' ? measured : null });
        } finally {
          // A module that has crashed cannot free anything any more.
          try { run.free(); } catch { /* gone with its engine */ }
          run = null;
        }
        onPoint();
      }
      return points.length === todo.length;
    },
  };
}

/**
 * What is wrong with the experiments of a guide, by the engine.
 * @param {import('../engine/engine.js').Engine} engine
 * @param {import('../engine/engine.js').PresetInfo[]} presets
 * @param {import('../shared/guide.js').Guide} guide
 * @param {typeof import('../shared/guide.js').experiments} experiments
 * @returns {import('../shared/guide.js').Problem[]}
 */
export function refused(engine, presets, guide, experiments) {
  /** @type {import('../shared/guide.js').Problem[]} */
  const problems = [];
  /** @type {Map<import('../shared/guide.js').Sweep, number>} */
  const events = new Map();
  const told = new Set();
  for (const { place, preset, changes, sweep } of experiments(guide)) {
    const found = presets.find((one) => one.name === preset);
    if (!found) {
      if (!told.has(preset)) problems.push({ place: place.replace(/\.[^.]+( at .*)?$/, '.preset'), message: `found "${preset}", accepted: ${presets.map((one) => one.name).join(', ')}` });
      told.add(preset);
      continue;
    }
    try {
      const { estimate } = engine.check(JSON.stringify(changed(JSON.parse(found.profile), ...changes)));
      if (!sweep) continue;
      const sum = (events.get(sweep.sweep) ?? 0) + estimate.events * sweep.sweep.seeds.length;
      events.set(sweep.sweep, sum);
      if (sum > MOST_EVENTS && sum - estimate.events * sweep.sweep.seeds.length <= MOST_EVENTS) problems.push({ place: place.replace(/\.cases.*/, ''), message: `all runs together have more than ${MOST_EVENTS / 1e6} million events, accepted: fewer values or seeds, or shorter runs` });
    } catch (error) {
      const errors = /** @type {any} */ (error)?.errors;
      if (!errors) throw error;
      for (const { message } of errors) problems.push({ place, message });
    }
  }
  return problems;
}
