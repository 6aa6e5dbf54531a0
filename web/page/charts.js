// The charts: what the engine recorded, drawn. One time axis and one cursor for all of them.

import uPlot from 'uplot';
import * as format from '../shared/format.js';
import * as has from '../shared/mechanisms.js';
import * as timeline from '../shared/timeline.js';
import { element, setText } from './dom.js';

/** @typedef {import('./store.js').State} State */
/** @typedef {{ column: string, label: string, token: string, dash?: number[], width?: number, step?: boolean, when?: (profile: any) => unknown }} Line */
/**
 * @typedef {object} Chart
 * @property {string} name
 * @property {string} title
 * @property {(profile: any) => string} note the trailing window and the unit
 * @property {(profile: any) => unknown} [when] whether the profile has what it shows; without this it always has
 * @property {Line[]} lines
 * @property {Strip} [strip] words in place of a line
 * @property {(value: number | null) => string} value
 * @property {(profile: any) => number | undefined} [most] what the axis reaches at least
 * @property {(draw: Draw) => void} [over] what is drawn over the lines
 * @property {(state: State) => string} summary
 */
/** States in words: from the best to the worst, each with its colours. @typedef {{ words: string[], tokens: string[], soft: string[] }} Strip */
/** @typedef {{ plot: uPlot, state: State, colour: (token: string) => string }} Draw */

const SYNC = 'time';
const COLOURS = { tokens: ['--good', '--warn', '--bad'], soft: ['--good-soft', '--warn-soft', '--bad-soft'] };
/** @type {Strip} */
const STATES = { words: ['STABLE', 'DEGRADED', 'COLLAPSED'], ...COLOURS };
/** @type {Strip} */
const BREAKER = { words: ['CLOSED', 'HALF OPEN', 'OPEN'], ...COLOURS };
/** So many interventions are named beside the charts. */
const MOST_NAMED = 12;

/** Charts are redrawn no more often than this while a run plays, so that input is never kept waiting. */
const REDRAW_MS = 120;

/** @type {Chart[]} */
const CHARTS = [
  {
    name: 'state', title: 'State', note: () => 'what the detector says',
    lines: [{ column: 'state', label: 'state', token: '--ink-soft', width: 0 }],
    value: (value) => (value === null ? '–' : STATES.words[value]), strip: STATES,
    summary: (state) => `State over time; now ${state.frame?.picture.state ?? 'none'}.`,
  },
  {
    name: 'rates', title: 'Load and work', note: (profile) => `requests per second, trailing ${profile.telemetry.window_seconds} s`,
    lines: [
      { column: 'offered', label: 'λ offered', token: '--series-2' }, { column: 'accepted', label: 'λ accepted', token: '--series-4', dash: [6, 3] },
      { column: 'taken', label: 'μ taken', token: '--series-1', width: 2 }, { column: 'goodput', label: 'goodput', token: '--series-3', dash: [2, 2] },
    ],
    value: format.rate,
    summary: ({ frame }) => `Rates over time; now ${format.rate(frame?.picture.offered)} offered, ${format.rate(frame?.picture.taken)} taken, ${format.rate(frame?.picture.goodput)} goodput.`,
  },
  {
    name: 'derivative', title: 'Growth of the queue, dQ/dt', note: (profile) => `requests per second, over ${profile.telemetry.window_seconds} s`,
    lines: [{ column: 'derivative', label: 'dQ/dt', token: '--series-1' }], value: format.rate, over: zero,
    summary: ({ frame }) => `Growth of the queue over time; now ${format.rate(frame?.picture.derivative)}.`,
  },
  {
    name: 'queue', title: 'Queue length', note: () => 'requests waiting, at each tick',
    lines: [{ column: 'queue', label: 'queue', token: '--series-1', step: true }, { column: 'queue_max', label: 'most since last point', token: '--series-2', dash: [2, 3] }],
    value: (value) => (value === null ? '–' : format.count(value)), over: bounds,
    summary: ({ frame, profile }) => `Queue length over time; now ${frame?.picture.queue ?? 0} of ${profile.queue.capacity ?? 'unbounded'}.`,
  },
  {
    name: 'latency', title: 'Latency', note: (profile) => `creation to completion, trailing ${profile.telemetry.latency_window_seconds} s`,
    lines: [
      { column: 'latency_mean', label: 'mean', token: '--series-1', width: 2 }, { column: 'latency_p50', label: 'p50', token: '--series-4', dash: [2, 2] },
      { column: 'latency_p95', label: 'p95', token: '--series-2', dash: [7, 3] }, { column: 'latency_p99', label: 'p99', token: '--series-3', dash: [2, 4] },
    ],
    value: format.time,
    summary: () => 'Rolling latency over time: mean, median, 95th and 99th percentile.',
  },
  {
    name: 'clients', title: 'What clients send again, and give up on', note: (profile) => `sends per second, trailing ${profile.telemetry.window_seconds} s`, when: has.hasClients,
    lines: [
      { column: 'retries', label: 'retries', token: '--series-2', width: 2, when: ({ client }) => client?.retry },
      { column: 'timeouts', label: 'timeouts', token: '--series-4', dash: [6, 3] },
    ],
    value: format.rate,
    summary: ({ frame }) => `Retries and timeouts over time; now ${format.rate(frame?.picture.clients?.retries_per_second ?? 0)} sent again, ${format.rate(frame?.picture.clients?.timeouts_per_second ?? 0)} timed out.`,
  },
  {
    name: 'breaker', title: 'Circuit breaker', note: () => 'the higher the bar, the less it lets through', when: ({ client }) => client?.breaker,
    lines: [{ column: 'breaker', label: 'breaker', token: '--ink-soft', width: 0 }],
    value: (value) => (value === null ? '–' : BREAKER.words[value]), strip: BREAKER,
    summary: ({ frame }) => `Circuit breaker over time; now ${frame?.picture.clients?.breaker ?? 'closed'}.`,
  },
  {
    name: 'connections', title: 'Connections to the server', note: () => 'connections, at each tick', when: ({ network }) => network?.pool,
    lines: [{ column: 'connections', label: 'in use', token: '--series-1', step: true }, { column: 'connections_waiting', label: 'sends waiting', token: '--series-2', dash: [6, 3], step: true }],
    value: count, over: (draw) => pool(draw, draw.state.profile.network?.pool), most: ({ network }) => network?.pool?.size,
    summary: ({ frame }) => `Connections over time; now ${pooled(frame?.picture.network?.pool)}.`,
  },
  {
    name: 'limit', title: 'Concurrency limit', note: () => 'requests let in at a time, waiting and served', when: ({ admission }) => admission?.limit,
    lines: [{ column: 'limit', label: 'limit', token: '--series-1', width: 2, step: true }],
    value: count,
    summary: ({ frame }) => `Concurrency limit over time; now ${count(frame?.picture.admission?.limit ?? null)}.`,
  },
  {
    name: 'removed', title: 'Taken out of the queue unserved', note: (profile) => `requests per second, by ${has.removers(profile)}, trailing ${profile.telemetry.window_seconds} s`, when: has.removes,
    lines: [{ column: 'removed', label: 'removed', token: '--series-2' }],
    value: format.rate,
    summary: ({ frame }) => `Requests taken out of the queue over time; now ${format.rate(frame?.picture.removed.per_second ?? 0)}.`,
  },
  {
    name: 'workers', title: 'Workers', note: () => 'workers, at each tick', when: has.crewChanges,
    lines: [{ column: 'workers', label: 'able to work', token: '--series-1', width: 2, step: true }, { column: 'busy', label: 'busy', token: '--series-3', dash: [2, 2], step: true }],
    value: count, most: ({ workers }) => workers.count,
    summary: ({ frame }) => `Workers over time; now ${frame?.picture.crew?.able ?? 'all'} able to work, ${frame?.picture.busy ?? 0} busy.`,
  },
  {
    name: 'downstream', title: 'Connections to the downstream dependency', note: () => 'connections, at each tick', when: ({ downstream }) => downstream?.network.pool,
    lines: [{ column: 'downstream_connections', label: 'in use', token: '--series-1', step: true }, { column: 'downstream_waiting', label: 'workers waiting', token: '--series-2', dash: [6, 3], step: true }],
    value: count, over: (draw) => pool(draw, draw.state.profile.downstream?.network.pool), most: ({ downstream }) => downstream?.network.pool?.size,
    summary: ({ frame }) => `Connections to the dependency over time; now ${pooled(frame?.picture.downstream?.pool)}.`,
  },
];

/** @param {number | null} value */
function count(value) {
  return value === null ? '–' : format.count(value);
}

/** @param {import('../engine/engine.js').Pool | null | undefined} pool */
function pooled(pool) {
  return pool ? `${pool.in_use} of ${pool.size} in use, ${pool.waiting} waiting` : 'none in use';
}

/** How many connections there are, interventions aside. @param {Draw} draw @param {{ size: number } | null | undefined} rules */
function pool({ plot, colour }, rules) {
  if (rules) level(plot, rules.size, colour('--bad'), [], `${rules.size} connections`);
}

/** @param {Draw} draw @param {Strip} strip */
function inWords({ plot, colour }, { words, tokens, soft }) {
  const { ctx, bbox } = plot;
  const [times, states] = /** @type {[number[], (number | null)[]]} */ (/** @type {unknown} */ (plot.data));
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = `600 ${12 * scale}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  for (let from = 0; from < times.length;) {
    let to = from;
    while (to < times.length && states[to] === states[from]) to++;
    const state = states[from];
    const left = Math.max(bbox.left, plot.valToPos(from ? times[from - 1] : 0, 'x', true));
    const right = plot.valToPos(times[to - 1], 'x', true);
    if (state !== null) {
      ctx.fillStyle = colour(soft[state]);
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      // A bar as high as the state is bad, so that colour is not the only sign.
      ctx.fillStyle = colour(tokens[state]);
      const height = (bbox.height * (state + 1)) / 6;
      ctx.fillRect(left, bbox.top + bbox.height - height, right - left, height);
      if (right - left > ctx.measureText(words[state]).width + 12 * scale) ctx.fillText(words[state], left + 6 * scale, bbox.top + bbox.height * 0.27);
    }
    from = to;
  }
  ctx.restore();
}

/** @param {Draw} draw */
function zero({ plot, colour }) {
  level(plot, 0, colour('--line-strong'), [], '');
}

/** @param {Draw} draw */
function bounds({ plot, state, colour }) {
  const { capacity } = state.profile.queue;
  if (capacity === null) return;
  level(plot, capacity, colour('--bad'), [], `capacity ${capacity}`);
  level(plot, 0.85 * capacity, colour('--warn'), [6, 4], '85 %');
}

/** A line across the chart. @param {uPlot} plot @param {number} value @param {string} stroke @param {number[]} dash @param {string} label */
function level(plot, value, stroke, dash, label) {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(value, 'y', true);
  if (!(y >= bbox.top - 1 && y <= bbox.top + bbox.height + 1)) return;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.fillStyle = stroke;
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.fillText(label, bbox.left + bbox.width - 4 * devicePixelRatio, y + (value === 0 ? -4 : 13) * devicePixelRatio);
  ctx.restore();
}

/** The warm-up, which is not counted. @param {Draw} draw */
function warmup({ plot, state, colour }) {
  const { ctx, bbox } = plot;
  const until = state.profile.run.warmup_seconds;
  const right = Math.min(plot.valToPos(until, 'x', true), bbox.left + bbox.width);
  if (until === 0 || right <= bbox.left) return;
  ctx.save();
  ctx.fillStyle = colour('--shade');
  ctx.fillRect(bbox.left, bbox.top, right - bbox.left, bbox.height);
  ctx.fillStyle = colour('--ink-soft');
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  if (right - bbox.left > 80 * devicePixelRatio) ctx.fillText('warm-up', right - 5 * devicePixelRatio, bbox.top + 13 * devicePixelRatio);
  ctx.restore();
}

/**
 * Interventions: a hatched band from beginning to end, with its words where they fit, else its number in the list above.
 * @param {Draw} draw @param {boolean} labelled
 */
function bands({ plot, state, colour }, labelled) {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  /** Where the next label of each row may stand. @type {number[]} */
  const rows = [];
  /** Labels come last, so that no band crosses them. @type {[string, number, number, number][]} */
  const labels = [];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `600 ${11 * scale}px system-ui, sans-serif`;
  ctx.textAlign = 'left';
  ctx.lineWidth = scale;
  entriesOf(state.profile).forEach((entry, index) => {
    const left = Math.max(plot.valToPos(entry.at_seconds, 'x', true), bbox.left - 2);
    const right = Math.min(plot.valToPos(Math.min(timeline.endOf(entry), 1e9), 'x', true), bbox.left + bbox.width + 2);
    if (!(right >= bbox.left && left <= bbox.left + bbox.width)) return;
    ctx.fillStyle = colour('--shade');
    ctx.fillRect(left, bbox.top, Math.max(right - left, scale), bbox.height);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour('--hatch');
    ctx.beginPath();
    for (let x = left - bbox.height; x < right; x += 9 * scale) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
    ctx.strokeStyle = colour('--line-strong');
    ctx.setLineDash([4 * scale, 3 * scale]);
    ctx.beginPath();
    for (const x of [left, right]) {
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
    }
    ctx.stroke();
    ctx.setLineDash([]);
    if (!labelled) return;
    const whole = timeline.words(entry);
    const fits = ctx.measureText(whole).width + 8 * scale < right - left;
    const label = fits ? whole : String(index + 1);
    const end = left + ctx.measureText(label).width + 10 * scale;
    let row = rows.findIndex((free) => free <= left);
    if (row < 0) row = rows.length;
    rows[row] = end;
    const y = bbox.top + (13 + 14 * row) * scale;
    if (y > bbox.top + bbox.height) return;
    labels.push([label, left, y, end - left]);
  });
  for (const [label, left, y, width] of labels) {
    ctx.fillStyle = colour('--card');
    ctx.fillRect(left + 2 * scale, y - 10 * scale, width - 5 * scale, 13 * scale);
    ctx.fillStyle = colour('--ink-soft');
    ctx.fillText(label, left + 4 * scale, y);
  }
  ctx.restore();
}

/** @param {any} profile @returns {import('../shared/timeline.js').Entry[]} */
const entriesOf = (profile) => profile.timeline ?? [];

/** The end of the time axis: known before the run only where time alone ends it. @param {State} state */
function horizon({ profile, frame }) {
  const { duration_seconds: duration, max_requests: most, until } = profile.run;
  return most === null && until === 'duration' ? duration : Math.max(frame?.now_seconds ?? 0, 0.5);
}

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {import('../shared/series.js').Series} series
 */
export function charts(place, store, series) {
  const grid = element('div', { class: 'charts' });
  const marks = element('p', { class: 'soft small', 'data-testid': 'interventions', hidden: true });
  place.append(element('p', { class: 'soft small', text: 'Time is virtual, in seconds. Point at a chart to read its values; drag to zoom, double-click to go back.' }), marks, grid);
  /** @type {{ chart: Chart, plot: uPlot, box: HTMLElement, seen: boolean }[]} */
  let drawn = [];
  let style = '';
  let last = 0;
  let timer = 0;
  let next = 0;

  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const one = drawn.find(({ box }) => box === entry.target);
      if (one) one.seen = entry.isIntersecting;
    }
    redraw(true);
  }, { rootMargin: '200px' });
  const resizer = new ResizeObserver(() => {
    for (const { plot, box, chart } of drawn) if (box.clientWidth && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: heightOf(chart) });
  });

  /** @param {Chart} chart */
  const heightOf = (chart) => (chart.strip ? 76 : 190);
  /** The charts of a profile, and their lines. @param {any} profile */
  const chosen = (profile) => CHARTS.filter(({ when }) => !when || when(profile)).map((chart) => ({ ...chart, lines: chart.lines.filter(({ when }) => !when || when(profile)) }));

  function build() {
    for (const { plot, box } of drawn) {
      observer.unobserve(box);
      resizer.unobserve(box);
      plot.destroy();
    }
    const computed = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ token) => computed.getPropertyValue(token).trim();
    const before = [...grid.children];
    drawn = chosen(store.get().profile).map((chart) => {
      const box = element('div', { class: 'plot', role: 'img' });
      const note = element('span', { class: 'soft small' });
      const figure = element('figure', { class: `chart ${chart.strip ? 'strip' : ''}`, 'data-chart': chart.name },
        element('figcaption', {}, element('h3', { text: chart.title }), note), box);
      grid.append(figure);
      const axis = { stroke: colour('--ink-soft'), grid: { stroke: colour('--grid'), width: 1 }, ticks: { stroke: colour('--grid') }, font: '11px system-ui, sans-serif' };
      const draw = () => ({ plot, state: store.get(), colour });
      /** @type {uPlot} */
      const plot = new uPlot({
        width: Math.max(box.clientWidth, 200), height: heightOf(chart),
        cursor: { sync: { key: SYNC }, y: false, drag: { x: true, y: false } },
        scales: { x: { time: false }, y: { range: (_, low, high) => (chart.strip ? [0, 1] : range(chart, low, high, store.get())) } },
        axes: [{ ...axis, size: 28, space: 60 }, { ...axis, size: 54, space: 32, show: true, values: chart.strip ? () => [] : undefined, grid: chart.strip ? { show: false } : axis.grid, ticks: chart.strip ? { show: false } : axis.ticks }],
        series: [
          { label: 't', value: (_, value) => (value === null || value === undefined ? '–' : format.moment(value)) },
          ...chart.lines.map((line) => ({
            label: line.label, stroke: colour(line.token), width: line.width ?? 1.5, dash: line.dash, points: { show: false },
            paths: line.step ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
            value: (/** @type {uPlot} */ _, /** @type {number | null} */ value) => chart.value(value ?? null),
          })),
        ],
        legend: { live: true, show: !chart.strip },
        hooks: { drawAxes: [() => warmup(draw()), () => !chart.strip && bands(draw(), true)], draw: [() => (chart.strip ? (inWords(draw(), chart.strip), bands(draw(), false)) : chart.over?.(draw()))] },
      }, [[], ...chart.lines.map(() => [])], box);
      const one = { chart, plot, box, seen: true };
      setText(note, chart.note(store.get().profile));
      observer.observe(box);
      resizer.observe(box);
      return one;
    });
    for (const figure of before) figure.remove();
  }

  /** @param {boolean} [all] */
  function redraw(all = false) {
    const state = store.get();
    // While it plays, one chart at a time: no task grows long, and each is fresh soon enough.
    const visible = drawn.filter(({ seen }) => seen);
    const now = all ? drawn.filter(({ seen }) => seen || state.phase !== 'running') : visible.length ? [visible[next++ % visible.length]] : [];
    for (const { chart, plot, box } of now) {
      const zoomed = plot.scales.x.max !== undefined && plot.data[0].length > 1 && zooms.has(plot);
      plot.batch(() => {
        plot.setData(/** @type {any} */ ([series.column('time'), ...chart.lines.map(({ column }) => series.column(column))]), false);
        if (zoomed) plot.redraw();
        else plot.setScale('x', { min: 0, max: horizon(state) });
      });
      box.setAttribute('aria-label', chart.summary(state));
      const note = box.previousElementSibling?.querySelector('.small');
      if (note) setText(note, chart.note(state.profile));
    }
  }
  /** @type {WeakSet<uPlot>} */
  const zooms = new WeakSet();
  grid.addEventListener('mouseup', () => setTimeout(() => {
    for (const { plot } of drawn) {
      const { min, max } = plot.scales.x;
      if (min != null && max != null && (min > 0 || max < horizon(store.get()) - 1e-9)) zooms.add(plot);
    }
  }, 0));
  grid.addEventListener('dblclick', () => {
    for (const { plot } of drawn) zooms.delete(plot);
    redraw(true);
  });

  /** What is done when, as text: the numbers are those in the charts. @param {any} profile */
  function tellMarks(profile) {
    const entries = entriesOf(profile);
    marks.hidden = entries.length === 0;
    const named = entries.slice(0, MOST_NAMED).map((entry, index) => `${index + 1}: ${timeline.words(entry)}, ${timeline.when(entry)}`);
    const rest = entries.length - named.length;
    setText(marks, entries.length ? `Hatched, interventions. ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}.` : '');
  }

  const unsubscribe = store.subscribe((state) => {
    const charts = chosen(state.profile).map(({ name, lines }) => `${name} ${lines.length}`);
    const key = `${state.theme} ${matchMedia('(prefers-color-scheme: dark)').matches} ${charts}`;
    tellMarks(state.profile);
    if (key !== style) {
      style = key;
      build();
      redraw(true);
      return;
    }
    clearTimeout(timer);
    if (state.phase !== 'running') {
      redraw(true);
      return;
    }
    const wait = last + REDRAW_MS / drawn.length - performance.now();
    if (wait <= 0) {
      last = performance.now();
      redraw();
    }
  });
  return () => {
    unsubscribe();
    observer.disconnect();
    resizer.disconnect();
    for (const { plot } of drawn) plot.destroy();
  };
}

/** @param {Chart} chart @param {number | null} low @param {number | null} high @param {State} state @returns {[number, number]} */
function range(chart, low, high, state) {
  const top = chart.name === 'queue' && state.profile.queue.capacity !== null ? Math.min(state.profile.queue.capacity, Math.max(high ?? 0, state.profile.queue.capacity)) : Math.max(high ?? 1, chart.most?.(state.profile) ?? -Infinity);
  const bottom = chart.name === 'derivative' ? Math.min(low ?? 0, 0) : 0;
  const room = (Math.max(top, 0) - bottom || 1) * 0.06;
  return [bottom === 0 ? 0 : bottom - room, Math.max(top, 0) + room];
}
