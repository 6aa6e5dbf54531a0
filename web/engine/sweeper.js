// A worker that runs cells of a sweep. It makes the same plan as the page, so that a number says which run is meant.

import init, { Sweep } from '../pkg/agent_chaos_lab.js';

/** @typedef {{ profile: string, fields: string[], first: number, seeds: number }} Plan */
/** @typedef {{ kind: 'plan', plan: Plan } | { kind: 'cells', cells: Uint32Array } | { kind: 'stop' }} ToSweeper */
/** @typedef {{ kind: 'ready' } | { kind: 'rows', rows: string[] } | { kind: 'ended' } | { kind: 'failed', message: string }} FromSweeper */

/** Rows are sent no more often than this, so that the page is not kept busy with them. */
const SENT_MS = 100;

/** @type {Sweep | null} */
let sweep = null;
/** @type {string[]} */
let rows = [];
let sent = 0;

const post = (/** @type {FromSweeper} */ message) => postMessage(message);

function send() {
  if (rows.length) post({ kind: 'rows', rows });
  rows = [];
  sent = performance.now();
}

/** @param {ToSweeper} message */
async function take(message) {
  if (message.kind === 'plan') {
    await init();
    const { profile, fields, first, seeds } = message.plan;
    sweep = new Sweep(profile, fields, first, seeds);
    post({ kind: 'ready' });
  } else if (message.kind === 'stop') sweep?.pause();
  else if (sweep) {
    await sweep.run(message.cells, (row) => {
      rows.push(row);
      if (performance.now() - sent >= SENT_MS) send();
    });
    send();
    post({ kind: 'ended' });
  }
}

addEventListener('message', ({ data }) => {
  take(data).catch((error) => {
    send();
    post({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});
