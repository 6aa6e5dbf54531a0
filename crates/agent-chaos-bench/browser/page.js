// The page in which the module is timed, on its own thread. The driver calls what `bench` has.
//
// Times are in seconds unless their name says otherwise.

import { Series } from '/shared/series.js';

const now = () => performance.now() / 1000;

/** The module's JavaScript side, and what the module itself exports. */
let glue;
let inner;

const load = async (folder) => {
  glue = await import(`${folder}agent_chaos_wasm.js`);
  inner = await glue.default();
};

/** A run to its end without giving way, where the module can; else played at full speed. */
async function run(profile) {
  const started = now();
  const run = new glue.Run(profile);
  const how = typeof run.finish === 'function' ? 'finish' : 'play';
  if (how === 'finish') run.finish();
  else await run.play(() => {});
  const digest = run.digest;
  run.free();
  return { seconds: now() - started, how, digest, memory_bytes: inner.memory.buffer.byteLength };
}

/** The same as the page does it: played, with every frame appended to the columns that are drawn. */
async function play(profile) {
  const started = now();
  const run = new glue.Run(profile);
  const series = new Series();
  let frames = 0;
  await run.play((frame) => {
    frames++;
    series.append(frame);
  });
  run.free();
  return { seconds: now() - started, frames, rows: series.rows };
}

function alone(profile) {
  if (typeof glue.engine_alone !== 'function') throw new Error('not available: the module has no engine_alone()');
  const started = now();
  const requests = glue.engine_alone(profile);
  return { seconds: now() - started, requests };
}

let stop = () => {};

/**
 * Plays until `rest` is called, or does nothing if there is no profile. Meanwhile a message to
 * itself goes round, whose laps tell how long the thread is kept at a time; a timer of 4 ms tells
 * by how much it is late; and key events tell how long they waited. All in milliseconds.
 */
function busy(profile) {
  const laps = [];
  const late = [];
  const keys = [];
  let over = false;
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  port1.onmessage = () => {
    const at = performance.now();
    laps.push(at - last);
    last = at;
    if (!over) port2.postMessage(null);
  };
  port2.postMessage(null);
  let due = performance.now() + 4;
  const timer = setInterval(() => {
    const at = performance.now();
    late.push(Math.max(0, at - due));
    due = at + 4;
  }, 4);
  const onKey = (event) => keys.push(performance.now() - event.timeStamp);
  addEventListener('keydown', onKey);
  const started = performance.now();
  let current = null;
  const played = (async () => {
    while (profile && !over) {
      current = new glue.Run(profile);
      await current.play(() => {});
      current.free();
    }
  })();
  stop = async () => {
    over = true;
    clearInterval(timer);
    removeEventListener('keydown', onKey);
    current?.pause();
    await played;
    port1.close();
    const wall = performance.now() - started;
    // Laps of a thread that is free take microseconds; what is longer is a slice of the run.
    const slices = laps.filter((lap) => lap >= 0.5);
    return { keys, late, slices, share: slices.reduce((sum, lap) => sum + lap, 0) / wall };
  };
}

/** From the bytes to a module that can be called, in seconds. Only the first time counts. */
async function instantiate(folder) {
  const fresh = await import(`${folder}agent_chaos_wasm.js`);
  const bytes = await (await fetch(`${folder}agent_chaos_wasm_bg.wasm`)).arrayBuffer();
  const started = now();
  await fresh.default({ module_or_path: bytes });
  return { seconds: now() - started };
}

window.bench = { load, run, play, alone, busy, rest: () => stop(), instantiate };
