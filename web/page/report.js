// The report, beside the recorded row where the experiment is a recorded one.

import * as format from '../shared/format.js';
import { read } from '../shared/paths.js';
import { element, setText } from './dom.js';

/** @typedef {import('../engine/engine.js').Report} Report */
/** @type {[string, string, (value: any) => string][]} label, field, how it is written */
const ROWS = [
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
/** Which field of a recorded row's spread goes with a field. */
const SPREAD = /** @type {Record<string, string>} */ ({ 'latency_seconds.mean': 'mean', 'latency_seconds.p95': 'p95', error_rate: 'error_rate' });

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
  const table = element('table', { 'data-testid': 'report', hidden: true, 'aria-label': 'Report of the run' }, element('thead', {}, head), body);
  const evidence = element('div');
  const digest = element('p', { class: 'small' }, 'Digest ', element('span', { class: 'digest', 'data-testid': 'digest' }), element('span', { class: 'soft', text: ' — equal on every machine for this profile and seed.' }));
  const download = element('button', { type: 'button', onclick: () => save(store.get()) }, 'Download report (JSON)');
  const foot = element('div', { class: 'stack', hidden: true }, evidence, digest, element('div', {}, download));
  place.append(empty, caption, element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Report table' }, table), foot);
  /** @type {Report | null} */
  let shown = null;

  return store.subscribe((state) => {
    if (state.report === shown) return;
    shown = state.report;
    empty.hidden = shown !== null;
    table.hidden = shown === null;
    caption.hidden = shown === null;
    foot.hidden = shown === null;
    const digestText = digest.querySelector('.digest');
    if (digestText) setText(digestText, shown?.digest ?? '');
    if (!shown) return;
    const result = shown;
    const preset = presets.find((one) => one.name === state.preset);
    const asRecorded = preset !== undefined && JSON.stringify({ ...JSON.parse(preset.profile), seed: 0 }) === JSON.stringify({ ...state.profile, seed: 0 });
    const row = asRecorded ? recorded.rows.find((/** @type {any} */ one) => one.preset === state.preset) : undefined;
    setText(caption, `Requests created from ${format.moment(result.counted_seconds.from)} to ${format.moment(result.counted_seconds.to)}. Latency is creation to completion, of ${state.profile.telemetry.latency_of === 'completed' ? 'every completed service' : 'good answers'}.`
      + (row ? ` Recorded: ${row.title}. One run differs from the mean over seeds by about the spread of one seed.` : ''));
    head.replaceChildren(...['Measure', 'This run', ...(row ? ['Recorded', 'Spread of one seed'] : [])].map((text) => element('th', { scope: 'col', text })));
    const line = (/** @type {string} */ label, /** @type {string} */ field, /** @type {(value: any) => string} */ write) => {
      const value = read(result, field);
      const cells = [element('td', { 'data-field': field, 'data-value': value ?? '', text: write(value) })];
      if (row) {
        const was = read(row, field);
        cells.push(element('td', { class: 'recorded', text: was === undefined ? '' : write(was) }));
        cells.push(element('td', { class: 'soft', text: SPREAD[field] ? `± ${write(row.spread[SPREAD[field]])}` : '' }));
      }
      return element('tr', {}, element('th', { scope: 'row', text: label }), ...cells);
    };
    const failures = Object.entries(result.failures).filter(([, failed]) => failed > 0);
    body.replaceChildren(
      line('State', 'state', (value) => value ?? '—'),
      ...ROWS.map(([label, field, write]) => line(label, field, write)),
      ...failures.map(([mode]) => line(`Failed by ${mode}`, `failures.${mode}`, format.count)),
    );
    const steps = result.evidence;
    evidence.replaceChildren(element('h3', { text: 'Evidence' }), steps.length
      ? element('ol', { class: 'evidence small', tabindex: 0, 'aria-label': 'Transitions of the detector' }, ...steps.map((step) => element('li', { text: `${step.text}${step.phase === 'warm-up' ? ' (during start-up)' : ''}` })))
      : element('p', { class: 'soft small', text: 'The detector never left STABLE.' }));
  });
}

/** @param {import('./store.js').State} state */
function save({ report, preset }) {
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(report, null, 2)}\n`], { type: 'application/json' }));
  element('a', { href: url, download: `${preset}-${report?.digest ?? 'run'}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
