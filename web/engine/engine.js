// The only folder that loads the WebAssembly module. A panic leaves its instance unusable, so that
// whoever meets one asks for a fresh one.

import init, * as wasm from '../pkg/agent_chaos_wasm.js';

/** @typedef {import('../pkg/agent_chaos_wasm.js').Frame} Frame */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Report} Report */
/** @typedef {import('../pkg/agent_chaos_wasm.js').PresetInfo} PresetInfo */
/** @typedef {import('../pkg/agent_chaos_wasm.js').ProfileCheck} ProfileCheck */
/** @typedef {import('../pkg/agent_chaos_wasm.js').OpenedLink} OpenedLink */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Transition} Transition */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Episode} Episode */
/** @typedef {import('../pkg/agent_chaos_wasm.js').State} State */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Picture} Picture */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Pool} Pool */
/** @typedef {import('../pkg/agent_chaos_lab.js').Replicated} Replicated */
/** @typedef {import('../pkg/agent_chaos_lab.js').SweepInfo} SweepInfo */
/** @typedef {import('../pkg/agent_chaos_lab.js').EdgeFound} EdgeFound */
/** @typedef {import('../pkg/agent_chaos_lab.js').Hysteresis} Hysteresis */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Fluid} Fluid */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Run} Run */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Search} Search */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Life} Life */
/** @typedef {import('../pkg/agent_chaos_wasm.js').LifeAttempt} LifeAttempt */
/** @typedef {import('../pkg/agent_chaos_wasm.js').Slow} Slow */
/** @typedef {import('../pkg/agent_chaos_wasm.js').RecordColumns} RecordColumns */
/** @typedef {import('../pkg/agent_chaos_wasm.js').RecordFilter} RecordFilter */
/** @typedef {import('../pkg/agent_chaos_wasm.js').RecordNames} RecordNames */
/** @typedef {import('../pkg/agent_chaos_wasm.js').RecordWindow} RecordWindow */
/** @typedef {typeof wasm} Engine */

/** The bytes of the modules, where they are not files beside this one: in a page of a single file. @type {{ engine?: () => Promise<ArrayBuffer>, packing?: () => Promise<ArrayBuffer> }} */
export const supply = {};

/**
 * @returns {Promise<Engine>}
 * @throws {Error} Named `UnsupportedError` where the browser cannot run the module at all.
 */
export async function load() {
  try {
    await init(supply.engine && { module_or_path: supply.engine() });
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    const needed = 'this browser lacks WebAssembly with fixed-width SIMD, which came with Chrome 91, Firefox 89 and Safari 16.4';
    throw Object.assign(new Error(needed, { cause: error }), { name: 'UnsupportedError' });
  }
  return wasm;
}

/** @typedef {{ pack(text: string): string, unpack(packed: string): string }} Packing */
/** @type {Packing | null} */
let packing = null;

async function loadPacking() {
  const own = await import('../pkg/agent_chaos_wasm_pack.js');
  await own.default(supply.packing && { module_or_path: supply.packing() });
  return own;
}

/**
 * Few links are so long that they are packed: what packs them is a module of its own, loaded when the first of
 * them turns up. Then the work is done once more.
 * @template T @param {(packing: Packing) => T} work @returns {Promise<T>}
 */
async function perhapsPacking(work) {
  if (packing) return work(packing);
  let needed = false;
  const late = () => {
    needed = true;
    throw new Error('what packs links is not there yet');
  };
  try {
    return work({ pack: late, unpack: late });
  } catch (error) {
    if (!needed) throw error;
  }
  try {
    packing = await loadPacking();
  } catch (error) {
    throw new Error('The part of the page for long links could not be loaded', { cause: error });
  }
  return work(packing);
}

/** The experiment of a link. @param {string} text a token, or an address with one */
export const readLink = (text) => perhapsPacking(({ unpack }) => wasm.decode_link(text, unpack));

/** The token of a link. @param {string} preset @param {string} profile @param {string} [digest] @param {[string, string][]} [view] how it is to be shown, as `writeView` gives it */
export const writeLink = (preset, profile, digest, view = []) => perhapsPacking(({ pack }) => wasm.encode_link(preset, profile, digest, view, pack));

/** @typedef {typeof import('../pkg/agent_chaos_lab.js')} Lab */
/** @type {Lab | null} */
let studying = null;

/**
 * What studies an experiment beyond one run of it: many seeds, sweeps, theory. A module of its own, loaded when it is first
 * asked for.
 * @returns {Promise<Lab>}
 */
export async function lab() {
  if (studying) return studying;
  try {
    const own = await import('../pkg/agent_chaos_lab.js');
    await own.default();
    studying = own;
    return own;
  } catch (error) {
    throw new Error('the part of the page that studies experiments could not be loaded; check the connection and try again', { cause: error });
  }
}

/** @typedef {typeof import('../pkg/agent_chaos_export.js')} Exporter */
/** @type {Exporter | null} */
let exporting = null;

/** What writes a run in the forms of other tools: a module of its own too. @returns {Promise<Exporter>} */
export async function exporter() {
  if (exporting) return exporting;
  try {
    const own = await import('../pkg/agent_chaos_export.js');
    await own.default();
    exporting = own;
    return own;
  } catch (error) {
    throw new Error('the part of the page that writes files for other tools could not be loaded; check the connection and try again', { cause: error });
  }
}

/** Says `replaced` after every run of an old instance is gone. */
export const replacements = new EventTarget();

/** A fresh instance of the same module; every run of the old one is gone. */
export function replace() {
  wasm.__wbg_reset_state();
  studying?.__wbg_reset_state();
  exporting?.__wbg_reset_state();
  replacements.dispatchEvent(new Event('replaced'));
}

/** Whether an error came out of a crashed engine, not out of what it was asked. @param {unknown} error */
export const isCrash = (error) => error instanceof WebAssembly.RuntimeError;
