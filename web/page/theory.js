// Theory beside the run: what formulas say of the experiment, and what its runs come to.

import { isCrash, lab, replacements } from '../engine/engine.js';
import * as format from '../shared/format.js';
import { ASK_EVENTS, MOST_MEMORY, ask } from './conductor.js';
import { element, setText } from './dom.js';

/** @typedef {InstanceType<import('../engine/engine.js').Lab['TheoryComparison']>} Comparison */
/** @typedef {NonNullable<ReturnType<Comparison['table']>>} Table */
/** @typedef {Table['rows'][number]} Row */
/** What was run. @typedef {{ title: string, key: string, count: number }} Asked */

const LEAST = 10;
const MOST = 200;
/** Seeds to begin with: enough for an interval, and soon over. */
const USUAL = 20;

/** What came of a comparison, as a word and as a sign beside it. @type {{ [outcome in Row['outcome']]: [string, string] }} */
const OUTCOMES = {
  agrees: ['✓', 'agrees'],
  disagrees: ['✗', 'disagrees'],
  unsettled: ['…', 'unsettled'],
  measured: ['', 'no verdict'],
  does_not_apply: ['', 'does not apply'],
};

/** A profile whatever its seed. @param {string} text */
const keyOf = (text) => JSON.stringify({ ...JSON.parse(text), seed: 0 });

/** A number with its unit. @param {number} value @param {string} unit */
function written(value, unit) {
  if (unit === 'ratio') return format.bound(format.percent(value));
  if (unit === 's') return format.bound(format.time(value));
  const digits = value === 0 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value))) - 1);
  return `${format.number(value, Math.min(digits, 6))}\u00a0${unit.replaceAll('{request}', value === 1 ? 'request' : 'requests')}`;
}

/** A sentence as it stands in a table: its first letter is a capital one, unless it is a symbol. @param {string} text */
const sentence = (text) => `${text.replace(/^[a-z]/, (letter) => letter.toUpperCase())}.`;

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {{ presets: import('../engine/engine.js').PresetInfo[] }} given */
export function theory(place, store, { presets }) {
  const count = element('input', {
    id: 'theory-count', 'data-testid': 'theory-count', type: 'number', inputmode: 'numeric', step: 1, min: LEAST, max: MOST, value: USUAL, 'aria-describedby': 'theory-problem',
    oninput: () => draw(store.get(), true), onkeydown: enter,
  });
  const run = element('button', { type: 'button', 'data-testid': 'theory-run', onclick: () => void start() }, 'Compare with theory');
  const stop = element('button', { type: 'button', 'data-testid': 'theory-stop', disabled: true, onclick: () => runs?.pause() }, 'Stop');
  const goOn = element('button', { type: 'button', 'data-testid': 'theory-on', hidden: true, onclick: () => void play() }, 'Go on');
  const problem = element('p', { id: 'theory-problem', class: 'problem small', role: 'alert', 'data-testid': 'theory-problem' });
  const bar = element('progress', { max: 1, value: 0, 'aria-label': 'Progress over all seeds', 'data-testid': 'theory-progress' });
  const told = element('p', { class: 'small', 'data-testid': 'theory-told' });
  const way = element('div', { class: 'theory-way', hidden: true }, bar, told);
  const status = element('p', { class: 'small said', role: 'status', 'data-testid': 'theory-status' });
  const result = element('div', { class: 'stack', 'data-testid': 'theory', hidden: true });
  place.append(
    element('p', { class: 'soft small', text: 'Queueing theory has formulas for systems that are simple enough. Where one fits this experiment, it stands beside what several seeds come to; where none does, the table says why. Little’s law and the ledgers need no assumptions: they have to hold exactly.' }),
    element('div', { class: 'row' }, element('div', { class: 'field' }, element('label', { for: count.id, text: 'Seeds' }), count), run, stop, goOn),
    problem, way, status, result);

  /** @type {Comparison | null} */
  let runs = null;
  let playing = false;
  /** What studies an experiment is being loaded. */
  let loading = false;
  let failure = '';
  /** @type {Asked | null} */
  let asked = null;
  /** @type {{ asked: Asked, table: Table } | null} */
  let shown = null;
  let known = { text: '', key: '' };
  /** @type {unknown[]} */
  let drawn = [];
  /** @type {unknown[]} */
  let results = [];

  const keyNow = () => {
    const { profile: text } = store.get().check;
    if (known.text !== text) known = { text, key: keyOf(text) };
    return known.key;
  };
  const wrong = () => (count.value.trim() !== '' && Number.isInteger(Number(count.value)) && Number(count.value) >= LEAST && Number(count.value) <= MOST
    ? '' : `Seeds: a whole number from ${LEAST} to ${MOST} is needed. Fewer say too little of how much chance does.`);

  /** @param {KeyboardEvent} event */
  function enter(event) {
    if (event.key !== 'Enter') return;
    // The focus moves on to Stop, which the same key would press.
    event.preventDefault();
    void start();
  }

  /** @param {string} words */
  function refuse(words) {
    failure = words;
    draw(store.get(), true);
  }

  async function start() {
    if (playing || loading) return;
    failure = '';
    draw(store.get(), true);
    if (wrong()) {
      count.focus();
      return;
    }
    const state = store.get();
    const { events, memory_bytes: memory } = state.check.estimate;
    if (memory > MOST_MEMORY) {
      refuse(`One of these runs would need about ${(memory / 1e9).toFixed(1)} GB of memory; the page runs up to 1 GB. Lower the agents, the rate or the capacity.`);
      return;
    }
    const all = { events: Number(count.value) * events, memory };
    if (all.events > ASK_EVENTS && !(await ask(all, `These ${count.value} seeds have`))) return;
    if (playing || loading) return;
    const many = Number(count.value);
    let next;
    loading = true;
    setText(status, 'Loading …');
    try {
      const { TheoryComparison } = await lab();
      next = new TheoryComparison(state.check.profile, 1, many);
    } catch (error) {
      if (isCrash(error)) reportError(error);
      else refuse(error instanceof Error ? error.message : String(error));
      return;
    } finally {
      loading = false;
      setText(status, '');
    }
    free();
    runs = next;
    asked = { title: presets.find((one) => one.name === state.preset)?.title ?? state.preset, key: keyOf(state.check.profile), count: many };
    await play();
  }

  async function play() {
    const mine = runs;
    const what = asked;
    if (!mine || !what || playing) return;
    playing = true;
    setText(status, `Running ${what.count} seeds of ${what.title}.`);
    const since = { at: performance.now(), progress: mine.progress };
    const tell = (/** @type {number} */ progress) => {
      bar.value = progress;
      const taken = (performance.now() - since.at) / 1000;
      const left = ((1 - progress) * taken) / (progress - since.progress);
      setText(told, `${mine.done} of ${what.count} seeds${taken > 0.5 && Number.isFinite(left) ? `, about ${format.span(left)} left` : ''}`);
    };
    tell(mine.progress);
    /** Whatever set it going, which cannot be pressed meanwhile. @type {(Element | null)[]} */
    const pressed = [run, goOn, count, document.body];
    draw(store.get(), true);
    if (pressed.includes(document.activeElement)) stop.focus();
    try {
      const ended = await mine.play(tell);
      if (runs !== mine) return;
      playing = false;
      tell(mine.progress);
      const table = mine.table();
      if (table) shown = { asked: what, table };
      const done = mine.done;
      if (ended === 'finished') free();
      setText(status, ended === 'finished' ? `Done: ${what.count} seeds. ${table ? summary(table) : ''}`
        : table ? `Stopped after ${done} of ${what.count} seeds. What they came to is shown.` : `Stopped after ${done} of ${what.count} seeds: ${LEAST} are needed for a table.`);
    } catch (error) {
      if (isCrash(error)) reportError(error);
      else if (runs === mine) fail(error instanceof Error ? error.message : String(error));
      return;
    }
    const stopped = document.activeElement === stop;
    draw(store.get(), true);
    if (stopped) (goOn.hidden ? run : goOn).focus();
  }

  /** @param {Table} table */
  function summary({ rows }) {
    const of = (/** @type {Row['outcome']} */ outcome) => rows.filter((row) => row.outcome === outcome).length;
    const [agree, not, open] = [of('agrees'), of('disagrees'), of('unsettled')];
    return `${agree} ${agree === 1 ? 'row agrees' : 'rows agree'}, ${not} ${not === 1 ? 'disagrees' : 'disagree'}${open ? `, ${open} unsettled` : ''}.`;
  }

  /** Lets go of what was run. */
  function free() {
    // A module that has crashed cannot free anything any more.
    try { runs?.free(); } catch { /* gone with its engine */ }
    runs = null;
  }

  /** @param {string} words */
  function fail(words) {
    runs = null;
    playing = false;
    failure = `The seeds could not be run to the end: ${words}. What was shown before stays.`;
    setText(status, '');
    draw(store.get(), true);
  }
  // An engine that fails takes every run with it, whoever had it fail; its promises never settle.
  replacements.addEventListener('replaced', () => {
    if (runs) fail('the engine failed and has been replaced');
  });

  /** @param {Row} row */
  function line(row) {
    const { simulated, predicted, unit } = row;
    const [sign, word] = OUTCOMES[row.outcome];
    const half = simulated && simulated.ci95 !== null ? [' ', element('span', { class: 'soft', text: `±\u00a0${written(simulated.ci95, unit)}` })] : [];
    return element('tr', { 'data-row': row.id, 'data-outcome': row.outcome },
      element('th', { scope: 'row' }, element('span', { text: row.name.replace("'", '’') }), element('span', { class: 'soft small', text: row.formula })),
      element('td', { class: `outcome ${row.outcome}` }, ...(sign ? [element('span', { 'aria-hidden': 'true', text: `${sign} ` })] : []), word),
      element('td', { 'data-predicted': predicted ?? '', text: predicted === null ? '—' : `${row.is_bound ? '≤ ' : ''}${written(predicted, unit)}` }),
      element('td', { 'data-simulated': simulated?.mean ?? '' }, ...(simulated ? [element('span', { text: written(simulated.mean, unit) }), ...half] : ['—'])),
      element('td', { class: 'words' }, element('span', { text: format.bound(sentence(row.note)) }), element('span', { class: 'soft small', text: row.source })));
  }

  /** @param {{ asked: Asked, table: Table }} what @param {boolean} stale */
  function drawResult({ asked: what, table }, stale) {
    const apply = table.rows.filter((row) => row.outcome !== 'does_not_apply');
    /** Formulas that do not apply for the same reason. @type {Map<string, string[]>} */
    const reasons = new Map();
    for (const { outcome, note, name } of table.rows) if (outcome === 'does_not_apply') reasons.set(note, [...(reasons.get(note) ?? []), name]);
    const wasOpen = result.querySelector('details')?.open ?? true;
    result.replaceChildren(
      element('h3', { text: `${what.title}: seeds ${table.seeds[0]} to ${table.seeds[1]}` }),
      ...(stale ? [element('p', { class: 'notice warn', 'data-testid': 'theory-stale', text: 'This table belongs to the earlier profile. Compare again to see the present one.' })] : []),
      element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of theory and runs' },
        element('table', { 'data-testid': 'theory-table', 'aria-label': 'Theory beside the runs' },
          element('thead', {}, element('tr', {}, ...['Formula', 'Verdict', 'Predicted', 'Runs, mean ± 95 %', 'In words'].map((text) => element('th', { scope: 'col', text })))),
          element('tbody', {}, ...apply.map(line)))),
      element('p', { class: 'soft small', text: 'A prediction agrees if it lies within the 99.5 % interval of the mean over the runs (Student’s t): of ten that are true, all agree in 19 of 20 tables.' }),
      ...(reasons.size ? [element('details', { open: wasOpen }, element('summary', { text: 'Formulas that do not apply' }),
        element('ul', { 'data-testid': 'theory-not' }, ...[...reasons].map(([why, names]) => element('li', {}, element('strong', { text: names.join('; ') }), `: ${why}.`))))] : []),
    );
  }

  /** @param {import('./store.js').State} state @param {boolean} [again] */
  function draw(state, again = false) {
    const now = [state.check, shown];
    if (!again && now.every((value, index) => value === drawn[index])) return;
    drawn = now;
    const bad = wrong();
    if (bad) count.setAttribute('aria-invalid', 'true');
    else count.removeAttribute('aria-invalid');
    setText(problem, bad || failure);
    run.disabled = playing;
    count.disabled = playing;
    stop.disabled = !playing;
    goOn.hidden = playing || !runs || runs.finished;
    way.hidden = !playing && goOn.hidden;
    result.hidden = shown === null;
    if (!shown) return;
    const stale = shown.asked.key !== keyNow();
    // Drawn anew only for what it shows, so that nobody loses the place in it.
    const last = [shown, stale];
    if (last.every((value, index) => value === results[index])) return;
    results = last;
    drawResult(shown, stale);
  }

  draw(store.get(), true);
  const unsubscribe = store.subscribe((state) => draw(state));
  return () => {
    unsubscribe();
    runs?.pause();
  };
}
