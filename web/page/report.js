// The report, beside the recorded row where the experiment is a recorded one.

import * as format from '../shared/format.js';
import { signed } from '../shared/kept.js';
import { read } from '../shared/paths.js';
import { exportsRow } from './exports.js';
import { element, setText } from './dom.js';

/** @typedef {import('../engine/engine.js').Report} Report */
/** @type {[string, string, (value: any) => string][]} label, field, how it is written */
export const ROWS = [
  ['Latency, mean', 'latency_seconds.mean', format.time],
  ['Latency, p50', 'latency_seconds.p50', format.time],
  ['Latency, p95', 'latency_seconds.p95', format.time],
  ['Latency, p99', 'latency_seconds.p99', format.time],
  ['Error rate', 'error_rate', format.percent],
  ['Throughput', 'throughput_per_second', format.rate],
  ['Goodput', 'goodput_per_second', format.rate],
  ['Utilization', 'utilization', (value) => format.percent(value, 1)],
  ['Queue, time average', 'queue.mean', (value) => format.number(value, 2)],
  ['Queue, most', 'queue.max', format.count],
  ['Requests created', 'requests.created', format.count],
  ['Requests completed', 'requests.completed', format.count],
  ['Requests failed', 'requests.failed', format.count],
  ['Failures clustering (variance / mean per second)', 'error_clustering_index', format.number],
  ['Time STABLE', 'state_share.STABLE', (value) => format.percent(value, 1)],
  ['Time DEGRADED', 'state_share.DEGRADED', (value) => format.percent(value, 1)],
  ['Time COLLAPSED', 'state_share.COLLAPSED', (value) => format.percent(value, 1)],
];
/** @type {Record<string, string>} */
export const MODES = {
  CONGESTION_FAILURE: 'turned away, or dropped after a wait', WORKER_STARVATION: 'nobody could work', QUEUE_OVERFLOW: 'the queue was full',
  LATENCY_CASCADE: 'its client waited no longer', FAULT_PROPAGATION_SPIKE: 'a fault in service', CIRCUIT_OPEN: 'its client did not send it',
  NETWORK_FAILURE: 'reset, or no answer in time', POOL_EXHAUSTED: 'no connection became free',
};
const sends = (/** @type {any} */ value) => `${format.count(value)} sends`;
const requests = (/** @type {any} */ value) => `${format.count(value)} requests`;
const seconds = (/** @type {any} */ value) => (typeof value === 'number' ? `${format.number(value, value < 100 ? 2 : 0)} s` : format.time(null));
const times = (/** @type {any} */ value) => (typeof value === 'number' ? `× ${format.number(value)}` : format.time(null));
/**
 * What only some profiles have: a table of its own for each.
 * @type {{ field: 'clients' | 'server' | 'worker_seconds', title: string, words: (result: Report) => string, rows: [string, string, (value: any) => string][] }[]}
 */
export const PARTS = [
  {
    field: 'clients', title: 'Clients and network',
    words: ({ clients }) => (clients?.amplification == null ? 'No counted request has been settled.'
      : `Each request was sent ${format.number(clients.amplification)} times in the mean.${clients.retries + clients.hedges > 0 ? ' Every send beyond the first is load on top.' : ''}${clients.refused > 0 ? ` Clients held ${format.count(clients.refused)} sends back.` : ''}`),
    rows: [
      ['Sent', 'sent', sends], ['of these, after a failure (retries)', 'retries', sends], ['of these, copies beside another (hedges)', 'hedges', sends],
      ['Not sent, held back by breaker or throttle', 'refused', sends], ['Answered well, in time', 'answered', sends], ['Answered badly, or no connection', 'errored', sends],
      ['Timed out', 'timed_out', sends], ['Needed no more', 'cancelled', sends], ['Messages lost by the network', 'dropped', (value) => `${format.count(value)} messages`],
      ['Sends per request', 'amplification', times], ['Time until a request is settled, mean', 'settle_seconds.mean', format.time],
      ['Time until a request is settled, p95', 'settle_seconds.p95', format.time], ['Time until a request is settled, p99', 'settle_seconds.p99', format.time],
    ],
  },
  {
    field: 'server', title: 'Server',
    words: ({ server }) => `Of ${sends(server?.arrived)} that reached the server, it turned ${format.count(server?.refused)} away and let ${format.count(server?.admitted)} in; it served ${format.count(server?.completed)} to the end.`,
    rows: [
      ['Arrived', 'arrived', requests], ['Turned away', 'refused', requests], ['Let in', 'admitted', requests],
      ['Taken out of the queue unserved', 'removed', requests], ['Lost in a crash', 'lost', requests], ['Served to the end', 'completed', requests],
    ],
  },
  {
    field: 'worker_seconds', title: 'What came of the workers’ time',
    words: ({ worker_seconds: time }) => `Of ${seconds(time?.on_duty)} on duty, ${seconds(time?.useful)} went into answers that counted, and ${seconds(time?.wasted)} into work that was in vain.`,
    rows: [
      ['On duty', 'on_duty', seconds], ['Useful: behind answers that counted', 'useful', seconds], ['Wasted: nobody waited, bad, lost or under way', 'wasted', seconds],
      ['Idle', 'idle', seconds], ['Stalled', 'stalled', seconds], ['Down', 'down', seconds], ['Work for each second of useful work', 'amplification', times],
    ],
  },
];
/** Which field of a recorded row's spread goes with a field. */
const SPREAD = /** @type {Record<string, string>} */ ({ 'latency_seconds.mean': 'mean', 'latency_seconds.p95': 'p95', error_rate: 'error_rate' });

/** Half an interval: of what is in percent, in percentage points. @param {number} half @param {(value: any) => string} write */
const width = (half, write) => signed(half, write).replace('+', '');

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ presets: import('../engine/engine.js').PresetInfo[], recorded: any }} given
 */
export function report(place, store, { presets, recorded }) {
  const empty = element('p', { class: 'soft', text: 'The report appears when the run has ended.' });
  const head = element('tr');
  const body = element('tbody');
  const caption = element('p', { class: 'soft small', hidden: true });
  const seeds = element('button', { type: 'button', class: 'inline', 'data-testid': 'to-seeds', onclick: toSeeds });
  const one = element('p', { class: 'small', hidden: true }, element('span', { 'data-testid': 'one-seed' }), ' ', seeds);
  const table = element('table', { 'data-testid': 'report', hidden: true, 'aria-label': 'Report of the run' }, element('thead', {}, head), body);
  const digest = element('p', { class: 'small' }, 'Digest ', element('span', { class: 'digest', 'data-testid': 'digest' }), element('span', { class: 'soft', text: ' — equal on every machine for this profile and seed.' }));
  const download = element('button', { type: 'button', onclick: () => save(store.get()) }, 'Download report (JSON)');
  const parts = element('div', { class: 'report-parts' });
  const foot = element('div', { class: 'stack', hidden: true }, parts, digest, exportsRow(store, download));
  place.append(empty, caption, one, element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Report table' }, table), foot);
  /** @type {Report | null} */
  let shown = null;
  /** @type {import('../engine/engine.js').Replicated | null} */
  let many = null;

  return store.subscribe((state) => {
    if (state.report === shown && state.replicated === many) return;
    shown = state.report;
    many = state.replicated;
    empty.hidden = shown !== null;
    table.hidden = shown === null;
    caption.hidden = shown === null;
    one.hidden = shown === null;
    foot.hidden = shown === null;
    const digestText = digest.querySelector('.digest');
    if (digestText) setText(digestText, shown?.digest ?? '');
    if (!shown) return;
    const result = shown;
    const all = many && many.runs.length > 1 ? many : null;
    if (one.firstElementChild) setText(one.firstElementChild, all ? `One run with seed ${result.seed}, beside the mean of seeds ${all.seeds[0]} to ${all.seeds[1]}.` : `One run with seed ${result.seed}. Others differ:`);
    setText(seeds, all ? 'What the seeds came to' : 'run 10 seeds');
    const preset = presets.find((one) => one.name === state.preset);
    const asRecorded = preset !== undefined && JSON.stringify({ ...JSON.parse(preset.profile), seed: 0 }) === JSON.stringify({ ...state.profile, seed: 0 });
    const row = asRecorded ? recorded.rows.find((/** @type {any} */ one) => one.preset === state.preset) : undefined;
    setText(caption, `Requests created from ${format.moment(result.counted_seconds.from)} to ${format.moment(result.counted_seconds.to)}. Latency is creation to completion, of ${state.profile.telemetry.latency_of === 'completed' ? 'every completed service' : 'good answers'}.`
      + (row ? ` Recorded: ${row.title}. One run differs from the mean over seeds by about the spread of one seed.` : ''));
    head.replaceChildren(...['Measure', 'This run', ...(all ? [`Mean of ${all.runs.length} seeds ± 95 %`] : []), ...(row ? ['Recorded', 'Spread of one seed'] : [])].map((text) => element('th', { scope: 'col', text })));
    const line = (/** @type {string} */ label, /** @type {string} */ field, /** @type {(value: any) => string} */ write) => {
      const value = read(result, field);
      const cells = [element('td', { 'data-field': field, 'data-value': value ?? '', text: write(value) })];
      if (all) {
        const mean = all.summary[field];
        cells.push(element('td', { 'data-mean': mean?.mean ?? '', text: mean ? `${write(mean.mean)}${mean.ci95 === null ? '' : ` ± ${width(mean.ci95, write)}`}` : '' }));
      }
      if (row) {
        const was = read(row, field);
        cells.push(element('td', { class: 'recorded', text: was === undefined ? '' : write(was) }));
        cells.push(element('td', { class: 'soft', text: SPREAD[field] ? `± ${width(row.spread[SPREAD[field]], write)}` : '' }));
      }
      return element('tr', {}, element('th', { scope: 'row', text: label }), ...cells);
    };
    const failures = Object.entries(result.failures).filter(([, failed]) => failed > 0);
    body.replaceChildren(
      line('State', 'state', (value) => value ?? '—'),
      ...ROWS.map(([label, field, write]) => line(label, field, write)),
      ...(result.clients ? [line('Requests given up by their clients', 'requests.abandoned', format.count)] : []),
      ...failures.map(([mode]) => line(`Failed by ${mode}${MODES[mode] ? ` (${MODES[mode]})` : ''}`, `failures.${mode}`, format.count)),
    );
    parts.replaceChildren(...PARTS.filter(({ field }) => result[field]).map((part) => partTable(part, result)));
  });
}

/** Goes to where many seeds are run. */
function toSeeds() {
  const count = document.getElementById('replicate-count');
  count?.scrollIntoView({ block: 'center' });
  count?.focus({ preventScroll: true });
}

/** @param {typeof PARTS[number]} part @param {Report} result */
function partTable({ field, title, words, rows }, result) {
  const id = `report-${field}`;
  return element('section', { 'aria-labelledby': id },
    element('h3', { id, text: title }), element('p', { class: 'small', text: words(result) }),
    element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Table: ${title}` },
      element('table', { 'data-testid': id, 'aria-labelledby': id },
        element('thead', {}, element('tr', {}, element('th', { scope: 'col', text: 'In the counted time' }), element('th', { scope: 'col', text: 'This run' }))),
        element('tbody', {}, ...rows.map(([label, name, write]) => {
          const value = read(result, `${field}.${name}`);
          return element('tr', {}, element('th', { scope: 'row', text: label }), element('td', { 'data-field': `${field}.${name}`, 'data-value': value ?? '', text: write(value) }));
        })))));
}

/** @param {import('./store.js').State} state */
function save({ report, preset }) {
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(report, null, 2)}\n`], { type: 'application/json' }));
  element('a', { href: url, download: `${preset}-${report?.digest ?? 'run'}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
