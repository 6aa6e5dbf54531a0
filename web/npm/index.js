// The engine alone: experiments in, reports out, in Node.js, in browsers, and through bundlers.

import init, * as wasm from './agent_chaos_wasm.js';
import initPacking, * as packing from './agent_chaos_wasm_pack.js';
import { bytes } from '#bytes';

/** @type {Promise<unknown> | null} */
let loading = null;
/** Loads the engine when it is first needed; again where that failed. */
function ready() {
  loading ??= (async () => {
    const [engine, packer] = await Promise.all([bytes('agent_chaos_wasm_bg.wasm'), bytes('agent_chaos_wasm_pack_bg.wasm')]);
    await Promise.all([init(engine && { module_or_path: engine }), initPacking(packer && { module_or_path: packer })]);
  })().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

const refuse = (field, found, accepted) => Object.assign(new TypeError(`${field}: found ${found}, accepted: ${accepted}`), { field, accepted });

/** The profile of an experiment, as canonical JSON text. */
function profileOf(experiment) {
  if (typeof experiment === 'object' && experiment !== null) return wasm.check(JSON.stringify(experiment)).profile;
  if (typeof experiment !== 'string') throw refuse('experiment', typeof experiment, 'the name of a preset, a link, or a profile');
  const preset = wasm.presets().find(({ name }) => name === experiment);
  if (preset) return preset.profile;
  if (experiment.trimStart().startsWith('{')) return wasm.check(experiment).profile;
  return wasm.decode_link(experiment, packing.unpack).profile;
}

const PATH = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/;
/** A copy of the tree with this value at this path; a number in the path is an entry of a list. */
function write(tree, path, value) {
  const [name, ...rest] = path;
  const copy = Array.isArray(tree) ? [...tree] : { ...tree };
  copy[name] = rest.length ? write(copy[name] ?? (/^\d+$/.test(rest[0]) ? [] : {}), rest, value) : value;
  return copy;
}

function changed(text, set, seed) {
  let profile = JSON.parse(text);
  for (const [path, value] of Object.entries(set)) {
    if (!PATH.test(path)) throw refuse('set', JSON.stringify(path), 'paths of fields, such as workers.count');
    profile = write(profile, path.split('.'), value);
  }
  if (seed !== undefined) profile = { ...profile, seed };
  return wasm.check(JSON.stringify(profile));
}

export async function check(experiment, { set = {}, seed } = {}) {
  await ready();
  return changed(profileOf(experiment), set, seed);
}

export async function run(experiment, { set = {}, seed, speed = Infinity, onFrame, signal } = {}) {
  signal?.throwIfAborted();
  await ready();
  const { profile } = changed(profileOf(experiment), set, seed);
  signal?.throwIfAborted();
  if (typeof speed !== 'number' || !(speed > 0)) throw refuse('speed', String(speed), 'virtual seconds per second, above 0');
  const made = new wasm.Run(profile);
  const stop = () => made.pause();
  signal?.addEventListener('abort', stop);
  try {
    made.speed = speed;
    let failed;
    const ended = await made.play((frame) => {
      try {
        onFrame?.(frame);
      } catch (error) {
        failed ??= { error };
        made.pause();
      }
    });
    if (failed) throw failed.error;
    if (ended !== 'finished') {
      signal?.throwIfAborted();
      throw new Error('the run was paused');
    }
    return made.report();
  } finally {
    signal?.removeEventListener('abort', stop);
    // An engine that has crashed cannot free anything any more; the next run has a fresh one.
    try {
      made.free();
    } catch {
      wasm.__wbg_reset_state();
    }
  }
}

export async function presets() {
  await ready();
  return wasm.presets();
}

export async function schema() {
  await ready();
  return JSON.parse(wasm.schema());
}

export async function link(experiment, { set = {}, seed, preset, report } = {}) {
  await ready();
  const known = typeof experiment === 'string' && wasm.presets().some(({ name }) => name === experiment) ? experiment : undefined;
  const { profile } = changed(profileOf(experiment), set, seed);
  return wasm.encode_link(preset ?? known, profile, report?.digest, [], packing.pack);
}

export async function openLink(text) {
  await ready();
  return wasm.decode_link(text, packing.unpack);
}

export async function version() {
  await ready();
  return { version: wasm.version(), revision: wasm.revision() };
}
