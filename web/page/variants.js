// The variants that a link compares its experiment with: run to their ends beside it, and kept.

import { freeToken, plain } from '../shared/kept.js';
import { Series } from '../shared/series.js';

/** @typedef {import('./store.js').Kept} Kept */
/** @typedef {{ name: string, profile: string, events: number }} Variant */

/**
 * What there is to run. @param {import('../engine/engine.js').Engine} engine
 * @param {string} profile @param {string[]} changes of each variant, as a link writes them @returns {Variant[]}
 */
export function variantsOf(engine, profile, changes) {
  return changes.map((one) => {
    const check = engine.check(engine.vary(profile, one));
    const name = engine.differences(profile, check.profile).map(({ path, to }) => `${path} = ${plain(to)}`).join(', ') || 'the same';
    return { name: name.slice(0, 60), profile: check.profile, events: check.estimate.events };
  });
}

/** The columns of a run that may go on. @param {Series} from */
function copied(from) {
  const series = new Series();
  for (const [name, column] of Object.entries(from.columns)) series.columns[name] = [...column];
  return series;
}

/**
 * Runs them one after the other, in slices, and keeps them with the run that they are variants of, which is their baseline.
 * @param {import('../engine/engine.js').Engine} engine
 * @param {Variant[]} variants
 * @param {{ preset: string, profile: string, report: import('../engine/engine.js').Report, series: Series }} base
 * @param {(done: number, of: number) => boolean} goesOn is told how far it is; false gives up
 * @returns {Promise<Kept[] | null>}
 */
export async function runVariants(engine, variants, base, goesOn) {
  // Numbers of their own: those that are kept by hand count up from one.
  /** @type {Kept[]} */
  const kept = [{ id: -1, name: 'as the link has it', preset: base.preset, profile: base.profile, report: base.report, series: copied(base.series), token: freeToken([]) }];
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
      kept.push({ id: -2 - index, name, preset: base.preset, profile, report: run.report(), series, token: freeToken(kept) });
    } finally {
      // A module that has crashed cannot free anything any more.
      try { run.free(); } catch { /* gone with its engine */ }
    }
  }
  return goesOn(variants.length, variants.length) ? kept : null;
}
