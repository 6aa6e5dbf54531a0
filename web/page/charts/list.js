// Which charts there are, in the order in which they teach, and what each of them shows.

import { extremes, nearest, spans } from '../../shared/decimate.js';
import * as format from '../../shared/format.js';
import * as has from '../../shared/mechanisms.js';
import * as timeline from '../../shared/timeline.js';
import { shown } from '../store.js';

/** @typedef {import('../store.js').State} State */
/** @typedef {import('../../shared/series.js').Series} Series */
/** @typedef {import('../../engine/engine.js').Fluid} Fluid */
/** @typedef {{ column: string, label: string, token: string, dash?: number[], width?: number, step?: boolean, when?: (profile: any) => unknown }} Line */
/** @typedef {{ value: number, label: string, token: string, dash?: number[] }} Level */
/** Something that the legend reads beside the lines. @typedef {{ column: string, label: string, token: string, mark: 'ticks' | 'few', value: (value: number | null) => string }} Extra */
/**
 * @typedef {object} Chart
 * @property {string} name
 * @property {string} title
 * @property {string} unit of the axis, short
 * @property {(profile: any) => string} note the trailing window and the unit
 * @property {'rails' | 'lines' | 'phase'} kind
 * @property {(profile: any) => unknown} [when] whether the profile has what it shows; without this it always has
 * @property {Line[]} lines the first is the main one
 * @property {Extra[]} [extras]
 * @property {string[]} [further] columns that only tables and files show
 * @property {(value: number | null) => string} value
 * @property {(state: State, fluid: Fluid | null) => Level[]} [levels]
 * @property {(profile: any) => number | undefined} [most] what the axis reaches at least
 * @property {boolean} [negative] whether values below zero have a place
 * @property {boolean} [predicted] whether the fluid model has something to say
 * @property {(state: State) => string} summary
 */

export const STATES = ['STABLE', 'DEGRADED', 'COLLAPSED'];
const BREAKER = ['CLOSED', 'HALF OPEN', 'OPEN'];

/** A quantile of fewer latencies than this is too low in the mean. */
export const FEW = 100;

/** @param {number | null} value */
const count = (value) => (value === null ? '–' : format.count(value));
/** @param {number | null} value */
const ratio = (value) => (value === null ? '–' : `×${format.number(value)}`);

/** @param {import('../../engine/engine.js').Pool | null | undefined} pool */
const pooled = (pool) => (pool ? `${pool.in_use} of ${pool.size} in use, ${pool.waiting} waiting` : 'none in use');

/** How many connections there are, interventions aside. @param {{ size: number } | null | undefined} rules @returns {Level[]} */
const size = (rules) => (rules ? [{ value: rules.size, label: `${format.count(rules.size)} connections`, token: '--bad' }] : []);

/** @type {Chart[]} */
export const CHARTS = [
  {
    name: 'state', title: 'State', unit: '', kind: 'rails', note: (profile) => (profile.detector.enabled ? 'what the detector says, and what is done and happens' : 'the detector is off'),
    lines: [], further: ['state', 'throttle_delay', 'breaker', 'workers'], value: (value) => (value === null ? '–' : STATES[value]),
    summary: (state) => {
      const { picture } = shown(state) ?? {};
      const parts = [picture?.state ?? 'no state yet', picture && picture.throttle_delay_seconds > 0 ? `the throttle delays agents by ${format.time(picture.throttle_delay_seconds)}` : '', picture?.clients?.breaker ? `breaker ${picture.clients.breaker.toLowerCase().replace('_', ' ')}` : ''];
      return `State over time; now ${parts.filter(Boolean).join(', ')}.`;
    },
  },
  {
    name: 'rates', title: 'Load and work', unit: '1/s', kind: 'lines', note: (profile) => `requests per second, trailing ${profile.telemetry.window_seconds} s`,
    lines: [
      { column: 'goodput', label: 'goodput', token: '--series-3', width: 2 }, { column: 'offered', label: 'λ offered', token: '--series-2', dash: [7, 3] },
      { column: 'accepted', label: 'λ accepted', token: '--series-4', dash: [2, 4] }, { column: 'taken', label: 'μ taken', token: '--series-1', dash: [2, 2] },
    ],
    further: ['throughput'], value: format.rate,
    levels: (_, fluid) => (fluid ? [{ value: fluid.capacity_per_second, label: `capacity at rest ${format.rate(fluid.capacity_per_second)}`, token: '--bad', dash: [1, 3] }] : []),
    summary: (state) => {
      const { picture } = shown(state) ?? {};
      return `Rates over time; now ${format.rate(picture?.offered)} offered, ${format.rate(picture?.taken)} taken, ${format.rate(picture?.goodput)} goodput.`;
    },
  },
  {
    name: 'derivative', title: 'Growth of the queue, dQ/dt', unit: '1/s', kind: 'lines', note: (profile) => `requests per second, over ${profile.telemetry.window_seconds} s`,
    lines: [{ column: 'derivative', label: 'dQ/dt', token: '--series-1', width: 2 }], value: format.rate, negative: true,
    levels: () => [{ value: 0, label: '', token: '--line-strong' }],
    summary: (state) => `Growth of the queue over time; now ${format.rate(shown(state)?.picture.derivative)}.`,
  },
  {
    name: 'queue', title: 'Queue length', unit: 'requests', kind: 'lines', note: () => 'requests waiting, at each tick', predicted: true,
    lines: [{ column: 'queue', label: 'queue', token: '--series-1', step: true, width: 1.75 }, { column: 'queue_max', label: 'peak', token: '--series-2', dash: [2, 3] }],
    extras: [{ column: 'drops', label: 'turned away', token: '--bad', mark: 'ticks', value: count }],
    further: ['queue_min', 'saturation', 'oldest'], value: count,
    levels: ({ profile }) => (profile.queue.capacity === null ? [] : [
      { value: profile.queue.capacity, label: `capacity ${format.count(profile.queue.capacity)}`, token: '--bad' }, { value: 0.85 * profile.queue.capacity, label: '85 %', token: '--warn', dash: [6, 4] },
    ]),
    most: ({ queue }) => queue.capacity ?? undefined,
    summary: (state) => `Queue length over time; now ${shown(state)?.picture.queue ?? 0} of ${state.profile.queue.capacity ?? 'unbounded'}${state.report ? `, at most ${state.report.queue.max} while counted` : ''}.`,
  },
  {
    name: 'latency', title: 'Latency', unit: 's', kind: 'lines', note: (profile) => `seconds from creation to completion, trailing ${profile.telemetry.latency_window_seconds} s; with n below ${FEW}, p95 comes out too low`,
    lines: [
      { column: 'latency_p95', label: 'p95', token: '--series-2', width: 2 }, { column: 'latency_p50', label: 'p50', token: '--series-4', dash: [2, 2] },
      { column: 'latency_p99', label: 'p99', token: '--series-3', dash: [2, 4] }, { column: 'latency_mean', label: 'mean', token: '--series-1', dash: [7, 3] },
    ],
    extras: [{ column: 'latency_samples', label: 'n', token: '--ink-soft', mark: 'few', value: (value) => (value === null ? '–' : `${format.count(value)}${value < FEW ? ', few' : ''}`) }],
    value: format.time,
    levels: ({ profile }) => (profile.client?.timeout_seconds ? [{ value: profile.client.timeout_seconds, label: `client's timeout ${format.time(profile.client.timeout_seconds)}`, token: '--bad' }] : []),
    summary: (state) => `Rolling latency over time: median, 95th and 99th percentile, and mean${state.report?.latency_seconds ? `; of the whole counted time p95 ${format.time(state.report.latency_seconds.p95)}` : ''}.`,
  },
  {
    name: 'amplification', title: 'Attempts per request', unit: 'ratio', kind: 'lines', note: (profile) => `sends for each request created, trailing ${profile.telemetry.window_seconds} s`, when: has.hasClients,
    lines: [{ column: 'amplification', label: 'attempts', token: '--series-1', width: 2 }], value: ratio, most: () => 1.2,
    levels: () => [{ value: 1, label: 'each once', token: '--line-strong', dash: [6, 4] }],
    summary: (state) => `Attempts per request over time${state.report?.clients?.amplification ? `; ${format.number(state.report.clients.amplification)} over the counted time` : ''}.`,
  },
  {
    name: 'phase', title: 'Offered load against goodput', unit: '1/s', kind: 'phase', note: (profile) => `time as a trail, light to dark; trailing ${profile.telemetry.window_seconds} s`,
    lines: [{ column: 'offered', label: 'λ offered', token: '--series-2' }, { column: 'goodput', label: 'goodput', token: '--series-1' }], value: format.rate,
    summary: (state) => {
      const { picture } = shown(state) ?? {};
      return `Goodput over offered load, as a trail through time; now ${format.rate(picture?.goodput)} goodput of ${format.rate(picture?.offered)} offered. A loop means that the way back is another than the way there.`;
    },
  },
  {
    name: 'clients', title: 'What clients send again, and give up on', unit: '1/s', kind: 'lines', note: (profile) => `sends per second, trailing ${profile.telemetry.window_seconds} s`, when: has.hasClients,
    lines: [
      { column: 'timeouts', label: 'timeouts', token: '--series-4', width: 2 },
      { column: 'retries', label: 'retries', token: '--series-2', dash: [6, 3], when: ({ client }) => client?.retry },
    ],
    value: format.rate,
    summary: (state) => {
      const clients = shown(state)?.picture.clients;
      return `Retries and timeouts over time; now ${format.rate(clients?.retries_per_second ?? 0)} sent again, ${format.rate(clients?.timeouts_per_second ?? 0)} timed out.`;
    },
  },
  {
    name: 'connections', title: 'Connections to the server', unit: 'connections', kind: 'lines', note: () => 'connections, at each tick', when: ({ network }) => network?.pool,
    lines: [{ column: 'connections', label: 'in use', token: '--series-1', step: true, width: 1.75 }, { column: 'connections_waiting', label: 'sends waiting', token: '--series-2', dash: [6, 3], step: true }],
    value: count, levels: ({ profile }) => size(profile.network?.pool), most: ({ network }) => network?.pool?.size,
    summary: (state) => `Connections over time; now ${pooled(shown(state)?.picture.network?.pool)}.`,
  },
  {
    name: 'limit', title: 'Concurrency limit', unit: 'requests', kind: 'lines', note: () => 'requests let in at a time, waiting and served', when: ({ admission }) => admission?.limit,
    lines: [{ column: 'limit', label: 'limit', token: '--series-1', width: 2, step: true }],
    value: count,
    summary: (state) => `Concurrency limit over time; now ${count(shown(state)?.picture.admission?.limit ?? null)}.`,
  },
  {
    name: 'removed', title: 'Taken out of the queue unserved', unit: '1/s', kind: 'lines', note: (profile) => `requests per second, by ${has.removers(profile)}, trailing ${profile.telemetry.window_seconds} s`, when: has.removes,
    lines: [{ column: 'removed', label: 'removed', token: '--series-2', width: 2 }],
    value: format.rate,
    summary: (state) => `Requests taken out of the queue over time; now ${format.rate(shown(state)?.picture.removed.per_second ?? 0)}.`,
  },
  {
    name: 'workers', title: 'Workers', unit: 'workers', kind: 'lines', note: () => 'workers, at each tick', when: has.crewChanges,
    lines: [{ column: 'workers', label: 'able to work', token: '--series-1', width: 2, step: true }, { column: 'busy', label: 'busy', token: '--series-3', dash: [2, 2], step: true }],
    value: count, most: ({ workers }) => workers.count,
    summary: (state) => {
      const picture = shown(state)?.picture;
      return `Workers over time; now ${picture?.crew?.able ?? 'all'} able to work, ${picture?.busy ?? 0} busy.`;
    },
  },
  {
    name: 'downstream', title: 'Connections to the downstream dependency', unit: 'connections', kind: 'lines', note: () => 'connections, at each tick', when: ({ downstream }) => downstream?.network.pool,
    lines: [{ column: 'downstream_connections', label: 'in use', token: '--series-1', step: true, width: 1.75 }, { column: 'downstream_waiting', label: 'workers waiting', token: '--series-2', dash: [6, 3], step: true }],
    value: count, levels: ({ profile }) => size(profile.downstream?.network.pool), most: ({ downstream }) => downstream?.network.pool?.size,
    summary: (state) => `Connections to the dependency over time; now ${pooled(shown(state)?.picture.downstream?.pool)}.`,
  },
];

/** The charts of a profile, and their lines. @param {any} profile @returns {Chart[]} */
export const chosen = (profile) => CHARTS.filter(({ when }) => !when || when(profile)).map((chart) => ({ ...chart, lines: chart.lines.filter(({ when }) => !when || when(profile)) }));

/** Units of the columns, for the heads of tables and files; what is not here has the unit of its chart. */
const UNITS = /** @type {Record<string, string>} */ ({
  time: 's', state: '0 STABLE, 1 DEGRADED, 2 COLLAPSED', breaker: '0 closed, 1 half open, 2 open', throttle_delay: 's', workers: 'workers', saturation: 'ratio', oldest: 's', drops: 'requests', latency_samples: 'requests',
});

/** What a table or file of a chart has: its columns with their heads. @param {Chart} chart @returns {{ column: string, label: string, unit: string, value: (value: number | null) => string }[]} */
export function columnsOf(chart) {
  const plain = (/** @type {number | null} */ value) => (value === null ? '–' : String(Number(value.toPrecision(6))));
  /** @type {Record<string, (value: number | null) => string>} */
  const special = { state: (value) => (value === null ? '–' : STATES[value]), breaker: (value) => (value === null ? '–' : BREAKER[value]), throttle_delay: format.time, oldest: format.time, saturation: (value) => format.percent(value, 0) };
  const named = [...chart.lines, ...(chart.extras ?? [])].map(({ column, label }) => ({ column, label, unit: UNITS[column] ?? chart.unit, value: chart.extras?.find((extra) => extra.column === column)?.value ?? chart.value }));
  const further = (chart.further ?? []).map((column) => ({ column, label: column.replaceAll('_', ' '), unit: UNITS[column] ?? chart.unit, value: special[column] ?? (chart.unit === '1/s' ? chart.value : plain) }));
  return [...named, ...further];
}

/** @param {any} profile @returns {import('../../shared/timeline.js').Entry[]} */
export const entriesOf = (profile) => profile.timeline ?? [];

/** The detector's state, as stretches. @param {Series} series */
export function states(series) {
  const state = series.column('state');
  return spans(/** @type {number[]} */ (series.column('time')), series.rows, (row) => state[row] ?? null);
}

/** @typedef {{ from: number, to: number, level: number, label: string }} Bar `level` says how bad it is: 0 to 2 */
/** @typedef {{ name: string, kind: 'state' | 'hatch' | 'entry', bars: () => Bar[], at: (time: number) => string }} Rail */

/** Rows for interventions that last at one time; what finds no row there shares the last. */
const MOST_LANES = 3;

/** Interventions in rows in which no two overlap, by their place in the timeline. @param {any} profile */
function lanes(profile) {
  /** @type {number[]} */
  const free = [];
  /** @type {number[][]} */
  const rows = [];
  const order = entriesOf(profile).map((entry, index) => ({ entry, index })).sort((a, b) => a.entry.at_seconds - b.entry.at_seconds);
  for (const { entry, index } of order) {
    let row = free.findIndex((end) => end <= entry.at_seconds);
    if (row < 0) row = Math.min(free.length, MOST_LANES - 1);
    free[row] = Math.max(free[row] ?? 0, timeline.endOf(entry));
    (rows[row] ??= []).push(index);
  }
  return rows;
}

/** Which rails a profile has: their number follows from it alone. @param {any} profile */
export const railsOf = (profile) => [
  'detector', ...(profile.throttle.enabled && profile.detector.enabled ? ['throttle'] : []), ...(profile.client?.breaker ? ['breaker'] : []),
  ...(profile.faults.crashes || profile.faults.stalls ? ['faults'] : []), ...lanes(profile).map((_, row) => (row ? '' : 'events')),
];

/** The rails of the state strip with what is on them. @param {State} state @param {Series} series @returns {Rail[]} */
export function rails({ profile }, series) {
  const times = /** @type {number[]} */ (series.column('time'));
  const at = (/** @type {string} */ column) => (/** @type {number} */ time) => series.column(column)[nearest(times, time)] ?? null;
  /** @param {string} column @param {(value: number | null) => Omit<Bar, 'from' | 'to'> | null} of @returns {() => Bar[]} */
  const bars = (column, of) => () => {
    const values = series.column(column);
    return spans(times, times.length, (row) => values[row] ?? null).flatMap(({ from, to, value }) => {
      const bar = of(value);
      return bar ? [{ from, to, ...bar }] : [];
    });
  };
  let lane = 0;
  return railsOf(profile).map((name) => {
    switch (name) {
      case 'detector': return { name, kind: 'state', bars: bars('state', (value) => (value === null ? null : { level: value, label: STATES[value] })), at: (time) => (at('state')(time) === null ? '–' : STATES[at('state')(time) ?? 0]) };
      case 'throttle': return { name, kind: 'hatch', bars: bars('throttle_delay', (value) => (value ? { level: 1, label: `delays by ${format.time(value)}` } : null)), at: (time) => (at('throttle_delay')(time) ? `delays by ${format.time(at('throttle_delay')(time))}` : 'at rest') };
      case 'breaker': return { name, kind: 'state', bars: bars('breaker', (value) => (value ? { level: value, label: BREAKER[value] } : null)), at: (time) => BREAKER[at('breaker')(time) ?? 0].toLowerCase() };
      case 'faults': {
        // With an autoscaler the number on duty changes too; then only a pause of all can be told.
        const usual = profile.workers.autoscaler ? 1 : profile.workers.count;
        const fewer = (/** @type {number | null} */ value) => value !== null && value < usual;
        return { name, kind: 'hatch', bars: bars('workers', (value) => (fewer(value) ? { level: 2, label: value === 0 ? 'no worker can work' : `${value} of ${usual} workers` } : null)), at: (time) => (fewer(at('workers')(time)) ? `${at('workers')(time)} workers able` : 'none') };
      }
      default: {
        const members = lanes(profile)[lane++] ?? [];
        const entries = members.map((index) => entriesOf(profile)[index]);
        return {
          name, kind: 'entry', bars: () => entries.map((entry, place) => ({ from: entry.at_seconds, to: timeline.endOf(entry), level: 1, label: `${members[place] + 1}: ${timeline.words(entry)}` })),
          at: (time) => entries.filter((entry) => entry.at_seconds < time && time <= timeline.endOf(entry)).map((entry) => timeline.words(entry)).join(', ') || 'none',
        };
      }
    }
  });
}

/** What an axis of values reaches. @param {Chart} chart @param {State} state @param {[number, number] | null} seen least and greatest of what is drawn @param {Level[]} levels @returns {[number, number]} */
export function reach(chart, state, seen, levels) {
  const [low, high] = seen ?? [0, 1];
  const near = levels.filter(({ value }) => value <= 2.5 * high).map(({ value }) => value);
  const top = Math.max(high, chart.most?.(state.profile) ?? 0, ...near, 0);
  const bottom = chart.negative ? Math.min(low, 0) : 0;
  const room = (top - bottom || 1) * 0.06;
  return [bottom === 0 ? 0 : bottom - room, top + room];
}

/** Least and greatest of several. @param {([number, number] | null)[]} all @returns {[number, number] | null} */
export function union(all) {
  const known = all.filter((one) => one !== null);
  return known.length ? [Math.min(...known.map(([low]) => low)), Math.max(...known.map(([, high]) => high))] : null;
}

export { extremes };
