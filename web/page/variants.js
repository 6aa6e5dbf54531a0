// The variants that a link compares its experiment with: run to their ends beside it, and kept.

import { freeToken, plain } from '../shared/kept.js';
import { Series } from '../shared/series.js';

/** @typedef {import('./store.js').Kept} Kept */
/** @typedef {{ name: string, profile: string, events: number }} Variant */

/**
 * What there is to run: the experiment itself first, which is the baseline. @param {import('../engine/engine.js').Engine} engine
 * @param {string} profile @param {string[]} changes of each variant, as a link writes them @returns {Variant[]}
 */
export function variantsOf(engine, profile, changes) {
  return [profile, ...changes.map((one) => engine.vary(profile, one))].map((text, index) => {
    const check = engine.check(text);
    const name = index === 0 ? 'as the link has it' : engine.differences(profile, check.profile).map(({ path, to }) => `${path} = ${plain(to)}`).join(', ') || 'the same again';
    return { name: name.slice(0, 60), profile: check.profile, events: check.estimate.events };
  });
}

/**
 * Runs them one after the other, in slices, and keeps them.
 * @param {import('../engine/engine.js').Engine} engine
 * @param {Variant[]} variants @param {string} preset
 * @param {(done: number, of: number) => boolean} goesOn is told how far it is; false gives up
 * @returns {Promise<Kept[] | null>}
 */
export async function runVariants(engine, variants, preset, goesOn) {
  /** @type {Kept[]} */
  const kept = [];
  for (const [index, { name, profile }] of variants.entries()) {
    if (!goesOn(index, variants.length)) return null;
    const run = new engine.Run(profile);
    try {
      const series = new Series();
      run.speed = Infinity;
      await run.play((frame) => {
        series.append(frame);
        if (!goesOn(index, variants.length)) run.pause();
      });
      if (!run.finished) return null;
      // Numbers of their own: those that are kept by hand count up from one.
      kept.push({ id: -1 - index, name, preset, profile, report: run.report(), series, token: freeToken(kept) });
    } finally {
      // A module that has crashed cannot free anything any more.
      try { run.free(); } catch { /* gone with its engine */ }
    }
  }
  return goesOn(variants.length, variants.length) ? kept : null;
}
