// A sweep: one or two fields varied, every point under several seeds, as a curve or a map with the edge of collapse.

import { isCrash, lab, replacements } from '../engine/engine.js';
import { pool } from '../engine/pool.js';
import schema from '../../crates/agent-chaos-core/profile.schema.json';
import * as format from '../shared/format.js';
import { read } from '../shared/paths.js';
import { readSweep, writeSweep } from '../shared/view.js';
import { nodeAt } from '../shared/schema.js';
import { fileName } from '../shared/csv.js';
import { download } from './charts/save.js';
import { ASK_EVENTS, MOST_MEMORY, ask } from './conductor.js';
import { copyText } from './copy.js';
import { element, setText } from './dom.js';
import { edge } from './edge.js';
import { stairs } from './stairs.js';
import { axisName, legend, sweepChart, toSvg } from './sweep-chart.js';

/** @typedef {InstanceType<import('../engine/engine.js').Lab['Sweep']>} Sweep */
/** @typedef {import('../engine/engine.js').SweepInfo} SweepInfo */
/** @typedef {import('./sweep-chart.js').Measure & { name: string, figure?: string, share?: 'COLLAPSED', worst?: boolean }} Choice */
/** What is run, and of what. @typedef {{ title: string, preset: string, profile: string, fields: string[], info: SweepInfo }} Asked */

const MOST_SEEDS = 1000;
/** A picture is drawn anew no more often than this while runs come in. */
const DRAWN_MS = 250;
/** Waits until somebody has stopped typing. */
const TYPED_MS = 300;

const share = (/** @type {number} */ value) => format.percent(value, 0);
const clock = (/** @type {number} */ value) => format.time(value);

/** @type {Choice[]} */
const CHOICES = [
  { name: 'collapse', label: 'Runs that end up COLLAPSED', unit: '%', write: share, states: false, top: 1, share: 'COLLAPSED' },
  { name: 'worst', label: 'Runs that are COLLAPSED at some time', unit: '%', write: share, states: false, top: 1, share: 'COLLAPSED', worst: true },
  { name: 'state', label: 'State, the most frequent', unit: '', write: (value) => ['STABLE', 'DEGRADED', 'COLLAPSED'][value] ?? '–', states: true, top: null },
  { name: 'p95', label: 'Latency, p95', unit: 's', write: clock, states: false, top: null, figure: 'latency_seconds.p95' },
  { name: 'mean', label: 'Latency, mean', unit: 's', write: clock, states: false, top: null, figure: 'latency_seconds.mean' },
  { name: 'errors', label: 'Error rate', unit: '%', write: (value) => format.percent(value, 1), states: false, top: null, figure: 'error_rate' },
  { name: 'goodput', label: 'Goodput', unit: '1/s', write: format.rate, states: false, top: null, figure: 'goodput_per_second' },
  { name: 'throughput', label: 'Throughput', unit: '1/s', write: format.rate, states: false, top: null, figure: 'throughput_per_second' },
  { name: 'queue', label: 'Queue, time average', unit: 'requests', write: (value) => format.number(value, 1), states: false, top: null, figure: 'queue.mean' },
  { name: 'utilization', label: 'Utilization', unit: '%', write: share, states: false, top: 1, figure: 'utilization' },
];

/** The numbers in a profile that can be varied, by path. @param {any} tree @param {string} [before] @returns {string[]} */
function numbers(tree, before = '') {
  return Object.entries(tree ?? {}).flatMap(([name, value]) => {
    const path = before ? `${before}.${name}` : name;
    if (typeof value === 'number') return path === 'seed' || path === 'version' ? [] : [path];
    return value !== null && typeof value === 'object' ? numbers(value, path) : [];
  });
}

/** Round values around what the field has now. @param {number} value @param {any} node */
function around(value, node) {
  const whole = [node?.type].flat().includes('integer');
  const [least, most] = [node?.minimum ?? 0, node?.maximum ?? Infinity];
  const power = 10 ** Math.floor(Math.log10(Math.max(Math.abs(value), 1e-6) / 2));
  const rough = value / 4 / power;
  let step = ([1, 2, 2.5, 5, 10].find((one) => one >= rough) ?? 10) * power;
  if (whole) step = Math.max(1, Math.round(step));
  const from = Math.max(step, least);
  const to = Math.min(step * 8, most);
  const short = (/** @type {number} */ one) => String(Number(one.toPrecision(6)));
  return to > from ? `${short(from)}..${short(to)}:${short(step)}` : short(value);
}

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, presets: import('../engine/engine.js').PresetInfo[] }} given
 */
export function sweep(place, store, { actions, presets }) {
  const list = element('datalist', { id: 'sweep-fields' });
  const typed = () => { failure = ''; look(); };
  const input = (/** @type {string} */ name, /** @type {{ [name: string]: any }} */ more = {}) => element('input', { id: `sweep-${name}`, 'data-testid': `sweep-${name}`, type: 'text', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'sweep-problem', oninput: typed, onkeydown: enter, ...more });
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ one, /** @type {string} */ kind = '') => element('div', { class: `field ${kind}` }, element('label', { for: one.id, text: label }), one);
  const first = { path: input('path', { list: list.id, onchange: () => propose(first) }), values: input('values') };
  const second = { path: input('path-2', { list: list.id, onchange: () => propose(second) }), values: input('values-2') };
  const two = element('input', { type: 'checkbox', id: 'sweep-two', 'data-testid': 'sweep-two', onchange: () => {
    secondRow.hidden = !two.checked;
    if (two.checked && !second.path.value) {
      second.path.value = first.path.value === 'workers.count' ? 'queue.capacity' : 'workers.count';
      propose(second);
    }
    typed();
  } });
  const secondRow = element('div', { class: 'row sweep-axis', hidden: true }, field('Second field', second.path, 'grow'), field('Its values', second.values, 'grow'));
  const seeds = input('seeds', { type: 'number', inputmode: 'numeric', min: 1, max: MOST_SEEDS, step: 1, value: 10 });
  const start = input('seed', { type: 'number', inputmode: 'numeric', min: 0, max: 2 ** 32 - 1, step: 1, value: 1 });
  const run = element('button', { type: 'button', 'data-testid': 'sweep-run', onclick: () => void begin() }, 'Run the sweep');
  const stop = element('button', { type: 'button', 'data-testid': 'sweep-stop', disabled: true, onclick: () => hands?.stop() }, 'Stop');
  const goOn = element('button', { type: 'button', 'data-testid': 'sweep-on', hidden: true, onclick: () => void play() }, 'Go on');
  const copied = element('p', { class: 'small', role: 'status', 'data-testid': 'sweep-copied' });
  const linked = element('input', { type: 'text', readonly: true, hidden: true, 'aria-label': 'Link to this sweep', 'data-testid': 'sweep-link-text', onfocus: () => linked.select() });
  const copy = element('button', { type: 'button', class: 'quiet', 'data-testid': 'sweep-link', onclick: () => void share() }, 'Copy a link to this sweep');
  const problem = element('p', { id: 'sweep-problem', class: 'problem small', role: 'alert', 'data-testid': 'sweep-problem' });
  const plan = element('p', { class: 'soft small', 'data-testid': 'sweep-plan' });
  const bar = element('progress', { max: 1, value: 0, 'aria-label': 'Progress of the sweep', 'data-testid': 'sweep-progress' });
  const told = element('p', { class: 'small', 'data-testid': 'sweep-told' });
  const way = element('div', { class: 'sweep-way', hidden: true }, bar, told);
  const status = element('p', { class: 'small said', role: 'status', 'data-testid': 'sweep-status' });

  const measure = element('select', { id: 'sweep-measure', 'data-testid': 'sweep-measure', onchange: () => { drawResult(); } }, ...CHOICES.map(({ name, label }) => element('option', { value: name }, label)));
  const chart = sweepChart((point) => { pick(point); });
  const key = element('div', { class: 'sweep-legend small', 'data-testid': 'sweep-legend' });
  const picked = element('p', { 'data-testid': 'sweep-picked', role: 'status' });
  const openIt = element('button', { type: 'button', 'data-testid': 'sweep-open', onclick: () => openPoint() }, 'Open this experiment');
  const table = element('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': 'The sweep as a table' });
  const asTable = element('details', { ontoggle: () => { if (asTable.open) drawTable(); } }, element('summary', {}, 'As a table'), table);
  const whose = element('p', { class: 'soft small', 'data-testid': 'sweep-whose' });
  const result = element('div', { class: 'stack sweep-result', 'data-testid': 'sweep-result', hidden: true },
    element('div', { class: 'row' }, field('Show', measure), element('div', { class: 'row sweep-files', role: 'group', 'aria-label': 'The sweep as a file' },
      element('button', { type: 'button', class: 'quiet', 'data-testid': 'sweep-csv', onclick: () => file('csv') }, 'CSV'),
      element('button', { type: 'button', class: 'quiet', 'data-testid': 'sweep-ndjson', onclick: () => file('ndjson') }, 'NDJSON'),
      element('button', { type: 'button', class: 'quiet', 'data-testid': 'sweep-svg', onclick: () => file('svg') }, 'SVG'))),
    whose,
    element('figure', { class: 'sweep-figure' }, /** @type {any} */ (chart.picture), key),
    element('div', { class: 'row sweep-point' }, picked, openIt), asTable);
  place.append(
    element('p', { class: 'soft small', text: 'Vary one field and see a curve, or two and see a map: every point is run under the same seeds. Values are a range with a step (100..800:100), a range with so many values on a logarithmic scale (1..1000:log10), or a list (10, 20, 50).' }),
    element('div', { class: 'row sweep-axis' }, field('Field', first.path, 'grow'), field('Values', first.values, 'grow')),
    element('div', { class: 'row toggle' }, two, element('label', { for: 'sweep-two', class: 'small', text: 'Vary a second field' })), secondRow,
    element('div', { class: 'row' }, field('Seeds for each point', seeds), field('First seed', start), run, stop, goOn, copy),
    linked, copied, problem, plan, way, status, result, list);

  const edges = element('div', { class: 'edge' });
  const steps = element('div', { class: 'edge' });
  place.append(edges, steps);
  /** @type {Sweep | null} */
  let shown = null;
  /** @type {Asked | null} */
  let asked = null;
  /** @type {import('../engine/pool.js').Pool | null} */
  let hands = null;
  /** The same plan, for workers. @type {import('../engine/sweeper.js').Plan | null} */
  let shared = null;
  let playing = false;
  let loading = false;
  let failure = '';
  /** @type {number | null} */
  let point = null;
  let looking = 0;
  let looks = 0;
  let touched = false;
  /** @type {unknown} */
  let listed = null;

  /** @param {{ path: HTMLInputElement, values: HTMLInputElement }} axis */
  function propose(axis) {
    const path = axis.path.value.trim();
    const now = read(store.get().profile, path);
    const node = nodeAt(schema, path.split('.'));
    const value = typeof now === 'number' ? now : (node?.default ?? node?.['x-template']);
    if (typeof value === 'number') axis.values.value = around(value, node);
    typed();
  }

  /** @param {KeyboardEvent} event */
  function enter(event) {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    void begin();
  }

  const fields = () => [first, ...(two.checked ? [second] : [])].map(({ path, values }) => `${path.value.trim()}=${values.value.trim()}`);

  /** @param {string} words @param {HTMLElement} [where] */
  function refuse(words, where) {
    failure = words;
    setText(problem, words);
    setText(plan, '');
    mark(where);
  }

  /** @param {HTMLElement} [where] */
  function mark(where) {
    for (const one of [first.path, first.values, second.path, second.values, seeds, start]) {
      if (one === where) one.setAttribute('aria-invalid', 'true');
      else one.removeAttribute('aria-invalid');
    }
  }

  /** The engine knows fields by their paths; people know them by their titles. @param {SweepInfo} info @returns {SweepInfo} */
  const named = (info) => ({ ...info, axes: info.axes.map((axis) => ({ ...axis, title: nodeAt(schema, axis.path.split('.'))?.title ?? axis.path })) });

  /** Which input an error of the engine is about. @param {any} error */
  function about(error) {
    if (error?.name === 'RangeError') return seeds;
    const path = (error?.field ?? '').split('/').slice(1).join('.');
    const axis = [first, second].find((one) => path && one.path.value.trim().startsWith(path) && one.path.value.trim() === path);
    return axis ? axis.values : first.path;
  }

  /** An empty field is no zero. @param {HTMLInputElement} one */
  const seedOf = (one) => (one.value === '' ? NaN : Number(one.value));

  /** The plan as it stands in the form, or null and what is wrong with it. @returns {Promise<Sweep | null>} */
  async function make() {
    const unnamed = [first, ...(two.checked ? [second] : [])].find(({ path }) => path.value.trim() === '');
    if (unnamed) throw Object.assign(new Error('Name the field to vary, such as agents.count or workers.count.'), { field: '' });
    const { Sweep: Made } = await lab();
    return new Made(store.get().check.profile, fields(), seedOf(start), seedOf(seeds));
  }

  /** Says what would be run, after somebody has stopped typing. */
  function look() {
    touched = true;
    dropLook();
    const mine = looks;
    looking = setTimeout(async () => {
      if (playing || loading) return;
      let made = null;
      try {
        made = await make();
        if (!made || mine !== looks) return;
        const { points, cells, axes, seeds: many } = made.about();
        const { events } = made.cost();
        refuse('');
        setText(plan, `${axes.map(({ path, values }) => `${path}: ${values.slice(0, 4).map(String).join(', ')}${values.length > 4 ? ` … ${values[values.length - 1]} (${values.length} values)` : ''}`).join('; ')}. ${format.count(points)} ${points === 1 ? 'point' : 'points'} under ${many} ${many === 1 ? 'seed' : 'seeds'} each: ${format.count(cells)} runs, about ${events >= 1e6 ? `${format.number(events / 1e6, 1)} million` : format.count(events)} events.`);
      } catch (error) {
        if (mine === looks) said(error);
      } finally {
        free(made);
      }
    }, TYPED_MS);
  }

  /** What has been typed is not looked at any more: something else is said of it. */
  function dropLook() {
    clearTimeout(looking);
    looks++;
  }

  /** @param {unknown} error */
  function said(error) {
    if (isCrash(error)) reportError(error);
    else refuse(error instanceof Error ? `${error.message}` : String(error), about(error));
  }

  /** @param {Sweep | null} one */
  function free(one) {
    // A module that has crashed cannot free anything any more.
    try { one?.free(); } catch { /* gone with its engine */ }
  }

  async function begin() {
    if (playing || loading) return;
    dropLook();
    loading = true;
    setText(status, 'Loading …');
    buttons();
    let made = null;
    try {
      made = await make();
      if (!made) return;
      const info = named(made.about());
      const cost = made.cost();
      if (cost.memory_bytes > MOST_MEMORY) {
        refuse(`One of these runs would need about ${(cost.memory_bytes / 1e9).toFixed(1)} GB of memory; the page runs up to 1 GB. Lower the agents, the rate or the capacity.`);
        return;
      }
      if (cost.events > 25 * ASK_EVENTS && !(await ask({ ...store.get().check.estimate, ...cost }, `These ${format.count(info.cells)} runs have`))) return;
      const state = store.get();
      const title = presets.find((one) => one.name === state.preset)?.title ?? state.preset;
      letGo();
      refuse('');
      asked = { title, preset: state.preset, profile: state.check.profile, fields: fields(), info };
      shown = made;
      made = null;
      point = null;
      hands = pool();
      shared = { profile: asked.profile, fields: asked.fields, first: Number(start.value), seeds: info.seeds };
      hint();
    } catch (error) {
      said(error);
      return;
    } finally {
      free(made);
      loading = false;
      setText(status, '');
      buttons();
    }
    await play();
  }

  function letGo() {
    hands?.close();
    hands = null;
    free(shown);
    shown = null;
    asked = null;
  }

  let drawnAt = 0;
  let due = false;
  /** Rows have come. */
  function came() {
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      drawnAt = performance.now();
      if (!shown) return;
      progress();
      drawResult();
    }, Math.max(0, drawnAt + DRAWN_MS - performance.now()));
  }

  let since = { at: 0, done: 0 };
  function progress() {
    if (!shown || !asked) return;
    const { cells } = asked.info;
    const { done } = shown;
    bar.value = done / cells;
    const taken = (performance.now() - since.at) / 1000;
    const left = ((cells - done) * taken) / (done - since.done);
    setText(told, `${format.count(done)} of ${format.count(cells)} runs${playing && taken > 0.5 && Number.isFinite(left) && done < cells ? `, about ${format.span(left)} left` : ''}${hands?.workers() ? `, in ${hands.workers()} ${hands.workers() === 1 ? 'worker' : 'workers'}` : ''}`);
  }

  async function play() {
    const [mine, what, own, same] = [shown, asked, hands, shared];
    if (!mine || !what || !own || !same || playing) return;
    playing = true;
    since = { at: performance.now(), done: mine.done };
    setText(status, `Running ${format.count(what.info.cells)} runs of ${what.title}.`);
    progress();
    const pressed = [run, goOn, document.body, ...place.querySelectorAll('input')];
    buttons();
    if (pressed.includes(/** @type {any} */ (document.activeElement))) stop.focus();
    try {
      const ended = await own.go(mine, same, came);
      if (shown !== mine) return;
      playing = false;
      const seconds = (performance.now() - since.at) / 1000;
      setText(status, ended === 'finished' ? `Done: ${format.count(what.info.cells)} runs in ${format.span(seconds)}.` : `Stopped after ${format.count(mine.done)} of ${format.count(what.info.cells)} runs. What they came to is shown.`);
      if (ended === 'finished') own.close();
    } catch (error) {
      if (shown !== mine) return;
      playing = false;
      if (isCrash(error)) reportError(error);
      setText(status, '');
      refuse(`A run failed (${error instanceof Error ? error.message : error}). The ${format.count(mine.done)} runs that have ended are kept.`);
    }
    const stopped = document.activeElement === stop;
    progress();
    drawResult();
    buttons();
    if (stopped) (goOn.hidden ? run : goOn).focus();
  }

  function buttons() {
    const open = shown !== null && asked !== null && shown.done < asked.info.cells;
    for (const one of [first.path, first.values, second.path, second.values, seeds, start, two]) one.toggleAttribute('disabled', playing || loading);
    run.disabled = playing || loading;
    edges.toggleAttribute('inert', playing || (loading && searching !== edges));
    steps.toggleAttribute('inert', playing || (loading && searching !== steps));
    stop.disabled = !playing;
    goOn.hidden = playing || loading || !open;
    way.hidden = !(playing || open);
    place.dataset.playing = String(playing);
  }

  // An engine that fails takes the sweep of this page with it; those of workers are their own.
  replacements.addEventListener('replaced', () => {
    if (!shown) return;
    playing = false;
    hands?.close();
    hands = null;
    shown = null;
    result.hidden = true;
    setText(status, '');
    refuse('The engine failed and has been replaced; the sweep is gone with it. Run it again.');
    buttons();
  });

  /** What is drawn of the choice. @returns {{ choice: Choice, columns: import('./sweep-chart.js').Columns, half: Float64Array } | null} */
  function columns() {
    if (!shown || !asked) return null;
    const choice = CHOICES.find((one) => one.name === measure.value) ?? CHOICES[0];
    const collapsed = shown.share('COLLAPSED', false);
    if (choice.states) {
      const value = shown.states(false);
      return { choice, columns: { value, low: null, high: null, runs: collapsed.runs }, half: collapsed.half };
    }
    if (choice.share) {
      const { share: value, low, high, runs } = choice.worst ? shown.share(choice.share, true) : collapsed;
      return { choice, columns: { value, low, high, runs }, half: collapsed.half };
    }
    const { mean: value, low, high, runs } = shown.figure(choice.figure ?? '');
    return { choice, columns: { value, low, high, runs }, half: collapsed.half };
  }

  const unit = format.unit;

  function drawResult() {
    const found = columns();
    result.hidden = !found || !shown || shown.done === 0;
    if (!found || !asked || result.hidden) return;
    const { choice, columns: drawn, half } = found;
    const known = [...half].filter(Number.isFinite);
    const boundary = known.includes(0) && known.includes(1);
    const logarithmic = asked.info.axes.length === 1 && /:\s*log/.test(asked.fields[0]);
    chart.draw(asked.info, choice, drawn, half, logarithmic, unit, summary(choice, drawn, known));
    key.replaceChildren(...legend(asked.info, choice, drawn, boundary));
    chart.mark(point);
    tell();
    if (asTable.open) drawTable();
  }

  /** The picture in a sentence. @param {Choice} choice @param {import('./sweep-chart.js').Columns} drawn @param {number[]} known */
  function summary(choice, { value }, known) {
    if (!asked) return '';
    const { axes } = asked.info;
    const over = axes.map((axis) => `${axisName(axis, unit)} from ${Math.min(...axis.values)} to ${Math.max(...axis.values)}`).join(' and ');
    const finite = [...value].filter(Number.isFinite);
    const ends = !finite.length ? 'nothing yet' : choice.states ? ['STABLE', 'DEGRADED', 'COLLAPSED'].filter((_, i) => finite.includes(i)).join(', ') : `from ${choice.write(Math.min(...finite))} to ${choice.write(Math.max(...finite))}`;
    const collapse = known.length ? `; at ${known.filter((one) => one === 1).length} of ${known.length} points at least half of the runs end up COLLAPSED` : '';
    return `${choice.label} over ${over}: ${ends}${collapse}. Arrow keys move from point to point, Enter opens one.`;
  }

  /** @param {number | null} next */
  function pick(next) {
    point = next;
    chart.mark(point);
    tell();
  }

  /** A value with its interval. @param {Choice} choice @param {import('./sweep-chart.js').Columns} drawn @param {number} at */
  function valued(choice, { value, low, high, runs }, at) {
    if (!Number.isFinite(value[at])) return '–';
    const sure = low && high && Number.isFinite(low[at]) && Number.isFinite(high[at]);
    return `${choice.write(value[at])}${sure ? ` (95 % interval ${choice.write(Math.max(0, low[at]))} to ${choice.write(high[at])}` : ' ('}${sure ? ', ' : ''}${runs[at]} ${runs[at] === 1 ? 'run' : 'runs'})`;
  }

  /** @param {number} at */
  function valuesAt(at) {
    if (!asked) return [];
    const { axes } = asked.info;
    return axes.length === 1 ? [axes[0].values[at]] : [axes[0].values[Math.floor(at / axes[1].values.length)], axes[1].values[at % axes[1].values.length]];
  }

  function tell() {
    const found = columns();
    openIt.hidden = point === null || !found;
    if (point === null || !found || !asked) {
      setText(picked, found ? 'Press on a point to read it, or go through them with the arrow keys.' : '');
      return;
    }
    const named = valuesAt(point).map((value, i) => `${asked?.info.axes[i].path} = ${value}`).join(', ');
    setText(picked, `${named}: ${found.choice.label.toLowerCase()} ${valued(found.choice, found.columns, point)}.`);
  }

  function drawTable() {
    const found = columns();
    if (!found || !asked) return;
    const { info } = asked;
    const { choice, columns: drawn } = found;
    const rows = Array.from({ length: info.points }, (_, at) => element('tr', {}, ...valuesAt(at).map((value) => element('th', { scope: 'row' }, String(value))), element('td', {}, valued(choice, drawn, at))));
    table.replaceChildren(element('table', {}, element('caption', {}, choice.label),
      element('thead', {}, element('tr', {}, ...info.axes.map((axis) => element('th', { scope: 'col' }, axisName(axis, unit))), element('th', { scope: 'col' }, `${choice.label}${choice.unit && choice.unit !== '%' ? `, ${choice.unit}` : ''}`))),
      element('tbody', {}, ...rows)));
  }

  chart.picture.addEventListener('keydown', (event) => {
    const { key: pressed } = /** @type {KeyboardEvent} */ (event);
    if (!asked) return;
    const { axes, points } = asked.info;
    const rows = axes[1]?.values.length ?? 1;
    const at = point ?? 0;
    /** @type {Record<string, number>} */
    const moves = axes.length === 1 ? { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1 } : { ArrowRight: rows, ArrowLeft: -rows, ArrowUp: at % rows < rows - 1 ? 1 : 0, ArrowDown: at % rows > 0 ? -1 : 0 };
    let to = null;
    if (pressed in moves) to = point === null ? 0 : at + moves[pressed];
    else if (pressed === 'Home') to = 0;
    else if (pressed === 'End') to = points - 1;
    else if (pressed === 'Enter' && point !== null) openPoint();
    else if (pressed === 'Escape') pick(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (to !== null && to >= 0 && to < points) pick(to);
  });

  /** A link that brings this sweep with it. */
  async function share() {
    let made = null;
    try {
      made = await make();
      if (!made) return;
      const link = await actions.link({ result: false, view: { ...store.get().view, sweep: writeSweep(fields(), seedOf(start), seedOf(seeds)) } });
      linked.value = link;
      linked.hidden = false;
      setText(copied, await copyText(link, linked, `Copied, ${link.length} characters: the experiment, the fields and the seeds.`));
    } catch (error) {
      said(error);
    } finally {
      free(made);
    }
  }

  /** Fills the form with the sweep of a link. @param {string} text */
  function fill(text) {
    const brought = readSweep(text);
    if (!brought) return;
    const [one, other] = brought.fields;
    [first.path.value, first.values.value] = [one.path, one.values];
    two.checked = Boolean(other);
    secondRow.hidden = !other;
    if (other) [second.path.value, second.values.value] = [other.path, other.values];
    start.value = String(brought.first);
    seeds.value = String(brought.count);
    setText(status, 'The link brought this sweep: run it.');
    typed();
    place.scrollIntoView({ block: 'start' });
  }

  /** Puts the experiment of the picked point, with its first seed, in the place of the present one. */
  function openPoint() {
    if (point === null || !shown || !asked) return;
    try {
      const profile = shown.profile(point * asked.info.seeds);
      const wrong = actions.take({ preset: asked.preset, profile, own: null }, 'opening a point of the sweep');
      if (wrong) refuse(wrong);
      else setText(status, 'Opened above, with the first seed of the sweep; undo brings back what was there.');
    } catch (error) {
      said(error);
    }
  }

  /** @param {'csv' | 'ndjson' | 'svg'} kind */
  function file(kind) {
    if (!shown || !asked) return;
    const name = fileName(['sweep', asked.preset, asked.info.id.slice(0, 8)], kind);
    const text = kind === 'svg' ? toSvg(chart.picture, chart.picture.getAttribute('aria-label') ?? '') : kind === 'csv' ? shown.csv() : shown.ndjson();
    const types = { csv: 'text/csv', ndjson: 'application/x-ndjson', svg: 'image/svg+xml' };
    download(new Blob([text], { type: types[kind] }), name);
  }

  /** Says whose sweep is shown, once the experiment is another. */
  function hint() {
    if (!asked) return;
    const changed = asked.profile !== store.get().check.profile;
    setText(whose, `${asked.title}: ${asked.fields.join(', ')}; seeds ${start.value} to ${Number(start.value) + asked.info.seeds - 1}.${changed ? ' The experiment above has been changed since.' : ''}`);
  }

  /** Which part is at work. @type {HTMLElement | null} */
  let searching = null;
  /** What both parts below ask of the form. @param {HTMLElement} part */
  const form = (part) => ({
    async ask() {
      const { Sweep: Made } = await lab();
      const [field] = fields();
      if (first.path.value.trim() === '') throw Object.assign(new Error('Name the field to vary, such as agents.count or workers.count.'), { field: '' });
      const made = new Made(store.get().check.profile, [field], seedOf(start), seedOf(seeds));
      try {
        const [{ path, title, unit: of, values }] = named(made.about()).axes;
        refuse('');
        return { profile: store.get().check.profile, field, path, title, unit: of, low: Math.min(...values), high: Math.max(...values), first: Number(start.value), seeds: Number(seeds.value) };
      } finally {
        free(made);
      }
    },
    /** Marks what is wrong; the part says it beside its own button. @param {unknown} error */
    refuse(error) {
      mark(about(error));
      return error instanceof Error ? error.message : String(error);
    },
    /** @param {boolean} busy */
    lock(busy) {
      dropLook();
      searching = busy ? part : null;
      loading = busy;
      buttons();
    },
  });
  const clear = [edge(edges, form(edges)), stairs(steps, form(steps))];
  place.addEventListener('input', () => { for (const one of clear) one(); });

  new ResizeObserver(() => { if (shown && !result.hidden) drawResult(); }).observe(result);

  let brought = '';
  return store.subscribe((state) => {
    hint();
    if (state.view.sweep !== brought) {
      brought = state.view.sweep;
      fill(brought);
    }
    if (state.profile === listed) return;
    listed = state.profile;
    list.replaceChildren(...numbers(state.profile).map((path) => element('option', { value: path }, nodeAt(schema, path.split('.'))?.title ?? '')));
    if (!touched) {
      first.path.value = state.profile.agents ? 'agents.count' : state.profile.arrivals?.rate_per_second !== undefined ? 'arrivals.rate_per_second' : 'workers.count';
      const value = read(state.profile, first.path.value);
      if (typeof value === 'number') first.values.value = around(value, nodeAt(schema, first.path.value.split('.')));
    } else look();
  });
}
