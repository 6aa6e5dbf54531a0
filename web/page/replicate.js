// The same experiment under many seeds: one run is one draw of what chance decides.

import { isCrash, lab, replacements } from '../engine/engine.js';
import * as format from '../shared/format.js';
import { plain, reading, signed } from '../shared/kept.js';
import { ASK_EVENTS, MOST_MEMORY, ask } from './conductor.js';
import { element, setText } from './dom.js';
import { ROWS } from './report.js';

/** @typedef {import('../engine/engine.js').Replicated} Replicated */
/** @typedef {Replicated['summary'][string]} Estimate */
/** What was run: of which profile, and against which baseline. @typedef {{ title: string, profile: string, key: string, count: number, baseline: string | null }} Asked */

const LEAST = 2;
const MOST = 200;
/** With fewer runs an interval is rough. */
const ENOUGH = 10;
const STATES = /** @type {const} */ (['STABLE', 'DEGRADED', 'COLLAPSED']);

/** A profile whatever its seed. @param {string} text */
const keyOf = (text) => JSON.stringify({ ...JSON.parse(text), seed: 0 });

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {import('./compare.js').Given} given */
export function replicate(place, store, { actions, engine, presets }) {
  const number = (/** @type {string} */ name, /** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) => element('input', {
    id: `replicate-${name}`, 'data-testid': `replicate-${name}`, type: 'number', inputmode: 'numeric', step: 1, min: least, max: most, value, 'aria-describedby': 'replicate-problem',
    oninput: () => draw(store.get(), true), onkeydown: enter,
  });
  const count = number('count', 10, LEAST, MOST);
  const first = number('first', 1, 0, 2 ** 32 - 1);
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ input) => element('div', { class: 'field' }, element('label', { for: input.id, text: label }), input);
  const too = element('input', { type: 'checkbox', id: 'replicate-too', 'data-testid': 'replicate-too', checked: true, onchange: () => draw(store.get(), true) });
  const tooLabel = element('label', { for: 'replicate-too', class: 'small' });
  const tooRow = element('div', { class: 'row toggle', hidden: true }, too, tooLabel);
  const run = element('button', { type: 'button', 'data-testid': 'replicate', onclick: () => void start() });
  const stop = element('button', { type: 'button', 'data-testid': 'replicate-stop', disabled: true, onclick: () => runs?.pause() }, 'Stop');
  const goOn = element('button', { type: 'button', 'data-testid': 'replicate-on', hidden: true, onclick: () => void play() }, 'Go on');
  const problem = element('p', { id: 'replicate-problem', class: 'problem small', role: 'alert', 'data-testid': 'replicate-problem' });
  const cost = element('p', { class: 'soft small', 'data-testid': 'replicate-cost' });
  const bar = element('progress', { max: 1, value: 0, 'aria-label': 'Progress over all seeds', 'data-testid': 'replicate-progress' });
  const told = element('p', { class: 'small', 'data-testid': 'replicate-told' });
  const way = element('div', { class: 'replicate-way', hidden: true }, bar, told);
  const status = element('p', { class: 'small said', role: 'status', 'data-testid': 'replicate-status' });
  const result = element('div', { class: 'stack', 'data-testid': 'replicated', hidden: true });
  place.append(
    element('h3', { text: 'Many seeds' }),
    element('p', { class: 'soft small', text: 'One run is one seed: one draw of everything that chance decides. Several seeds show how much of a result is chance, as a mean with its 95 % confidence interval, and as a band on the charts.' }),
    element('div', { class: 'row' }, field('Seeds', count), field('First seed', first), run, stop, goOn), tooRow, problem, cost, way, status, result);

  /** @type {InstanceType<import('../engine/engine.js').Lab['Replications']> | null} */
  let runs = null;
  let playing = false;
  let loading = false;
  /** Why nothing came of the last attempt. */
  let failure = '';
  /** What is under way or was stopped. @type {Asked | null} */
  let asked = null;
  /** What is shown. @type {{ asked: Asked, replicated: Replicated } | null} */
  let shown = null;
  /** The profile that was looked at last, and its key. */
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
  /** The kept baseline, if it is another experiment. */
  const baseline = () => {
    const [kept] = store.get().kept;
    return kept && keyOf(kept.profile) !== keyNow() ? kept : null;
  };
  /** What is wrong with the two numbers. @returns {[HTMLInputElement, string] | null} */
  function wrong() {
    const whole = (/** @type {HTMLInputElement} */ input, /** @type {number} */ most) => input.value.trim() !== '' && Number.isInteger(Number(input.value)) && Number(input.value) >= Number(input.min) && Number(input.value) <= most;
    if (!whole(count, MOST)) return [count, `Seeds: a whole number from ${LEAST} to ${MOST} is needed.`];
    const last = 2 ** 32 - Number(count.value);
    return whole(first, last) ? null : [first, `First seed: a whole number from 0 to ${last} is needed.`];
  }
  /** What all runs cost together. @param {string} [other] the baseline's profile */
  function estimate(other) {
    const each = [store.get().check.estimate, ...(other ? [engine.check(other).estimate] : [])];
    return {
      events: Number(count.value) * each.reduce((sum, one) => sum + one.events, 0),
      memory: Math.max(...each.map((one) => one.memory_bytes)),
    };
  }

  /** @param {KeyboardEvent} event */
  function enter(event) {
    if (event.key !== 'Enter') return;
    // The focus moves on to Stop, which the same key would press.
    event.preventDefault();
    void start();
  }

  async function start() {
    if (playing) return;
    const bad = wrong();
    failure = '';
    draw(store.get(), true);
    if (bad) {
      bad[0].focus();
      return;
    }
    const state = store.get();
    const [from, many] = [Number(first.value), Number(count.value)];
    const other = too.checked ? baseline() : null;
    const costs = estimate(other?.profile);
    if (costs.memory > MOST_MEMORY) {
      refuse(`One of these runs would need about ${(costs.memory / 1e9).toFixed(1)} GB of memory; the page runs up to 1 GB. Lower the agents, the rate or the capacity.`);
      return;
    }
    if (costs.events > ASK_EVENTS && !(await ask(costs, `These ${many} seeds have`))) return;
    if (playing || loading) return;
    let next;
    loading = true;
    setText(status, 'Loading …');
    try {
      const { Replications } = await lab();
      next = new Replications(state.check.profile, from, many, other?.profile);
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
    const title = presets.find((one) => one.name === state.preset)?.title ?? state.preset;
    asked = { title, profile: state.check.profile, key: keyOf(state.check.profile), count: many, baseline: other?.name ?? null };
    await play();
  }

  /** @param {string} words */
  function refuse(words) {
    failure = words;
    draw(store.get(), true);
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
    const pressed = [run, goOn, count, first, document.body];
    draw(store.get(), true);
    if (pressed.includes(document.activeElement)) stop.focus();
    try {
      const ended = await mine.play(tell);
      if (runs !== mine) return;
      playing = false;
      tell(mine.progress);
      const replicated = mine.result();
      if (replicated) shown = { asked: what, replicated };
      const done = mine.done;
      if (ended === 'finished') free();
      setText(status, ended === 'finished' ? `Done: ${what.count} seeds.`
        : done ? `Stopped after ${done} of ${what.count} seeds. What they came to is shown.` : 'Stopped before the first seed had ended.');
    } catch (error) {
      if (isCrash(error)) reportError(error);
      else if (runs === mine) fail(error instanceof Error ? error.message : String(error));
      return;
    }
    const stopped = document.activeElement === stop;
    draw(store.get(), true);
    if (stopped) (goOn.hidden ? run : goOn).focus();
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

  /** A mean of whole numbers has places of its own. @param {(value: any) => string} write @returns {(value: number) => string} */
  const ofMean = (write) => (value) => (write === format.count && Math.abs(value) < 100 ? format.number(value, 1) : write(value));

  /**
   * A mean with its half-width, and words below.
   * @param {string} name @param {Estimate | undefined} one @param {(value: number) => string} write @param {number} all @param {string} below
   */
  function cell(name, one, write, all, below) {
    if (!one) return element('td', { 'data-figure': name, text: format.time(null) });
    const width = one.ci95 === null ? '' : ` ± ${signed(one.ci95, write).replace('+', '')}`;
    return element('td', { 'data-figure': name, 'data-mean': one.mean, 'data-half': one.ci95 ?? '', 'data-min': one.min, 'data-max': one.max },
      element('span', { text: `${name === 'paired' ? signed(one.mean, write) : write(one.mean)}${width}` }),
      element('span', { class: 'difference', text: `${below}${one.runs < all ? ` (defined in ${one.runs} of ${all})` : ''}` }));
  }

  /** @param {{ asked: Asked, replicated: Replicated }} what @param {boolean} stale */
  function drawResult({ asked: what, replicated }, stale) {
    const { seeds: [from, to], runs: each, summary, states, baseline: before, paired } = replicated;
    const shares = STATES.filter((state) => states[state].count > 0).map((state) => {
      const { count: of, runs: all, low, high } = states[state];
      return `${state} in ${of} of ${all} seeds, 95 % interval ${format.number(100 * low, 0)} to ${format.number(100 * high, 0)} %`;
    });
    if (states.unresolved.count) shares.push(`without a resolved state in ${states.unresolved.count} of ${states.unresolved.runs}: too short to tell`);
    const mixed = STATES.filter((state) => states[state].count > 0).length > 1;
    const changes = stale ? engine.differences(what.profile, store.get().check.profile).filter(({ path }) => path !== 'seed') : [];
    const heads = ['Measure', 'Mean ± 95 %', ...(paired ? ['Baseline’s mean ± 95 %', 'Difference ± 95 %'] : [])];
    const rows = ROWS.filter(([, path]) => summary[path]).map(([label, path, ofOne]) => {
      const write = ofMean(ofOne);
      const extremes = (/** @type {Estimate | undefined} */ one) => (one ? `${ofOne(one.min)} to ${ofOne(one.max)}` : '');
      const by = paired?.[path];
      return element('tr', { 'data-path': path }, element('th', { scope: 'row', text: label }),
        cell('mean', summary[path], write, each.length, extremes(summary[path])),
        ...(paired ? [cell('baseline', before?.[path], write, each.length, extremes(before?.[path])), cell('paired', by, write, each.length, by ? reading(by) : '')] : []));
    });
    const open = (/** @type {number} */ seed) => element('button', { type: 'button', class: 'quiet', 'data-testid': 'replicate-open', disabled: stale, 'aria-label': `Take seed ${seed}`, onclick: () => { actions.setField('seed', seed); setText(status, `Seed ${seed} is set. Press Run to see this run.`); } }, 'Take this seed');
    const wasOpen = result.querySelector('details')?.open ?? false;
    result.replaceChildren(
      element('h4', { text: `${what.title}: ${each.length === 1 ? `seed ${from}` : `seeds ${from} to ${to}`}${paired ? `, against “${what.baseline}” with the same seeds` : ''}` }),
      ...(stale ? [element('p', { class: 'notice warn', 'data-testid': 'replicated-stale', text: `These seeds belong to the earlier profile (since then ${changes.slice(0, 3).map(({ path, from: was, to: is }) => `${path}: ${plain(was)} → ${plain(is)}`).join('; ')}${changes.length > 3 ? `; and ${changes.length - 3} more fields` : ''}). Their band is not on the charts.` })] : []),
      element('p', { 'data-testid': 'replicated-states' }, ...shares.flatMap((text, index) => [index ? '; ' : '', text]), '.'),
      ...(mixed ? [element('p', { class: 'small', 'data-testid': 'replicated-mixed', text: 'The seeds end in different states: read the shares first. A mean over them is between kinds of runs, and may look like none of them.' })] : []),
      ...(each.length < ENOUGH ? [element('p', { class: 'small', 'data-testid': 'replicated-rough', text: each.length === 1 ? 'A single seed has no interval.' : `With fewer than ${ENOUGH} seeds the intervals are rough.` })] : []),
      element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of the replications' },
        element('table', { 'data-testid': 'replications', 'aria-label': 'Figures over all seeds' }, element('thead', {}, element('tr', {}, ...heads.map((text) => element('th', { scope: 'col', text })))), element('tbody', {}, ...rows))),
      element('p', { class: 'soft small', text: `Below each mean, the least and the most of all seeds. Intervals are of the mean, by Student’s t over seeds${paired ? '; differences are taken seed by seed, which share their draws. Of twenty intervals one misses by chance' : ''}. The band on the charts holds at each moment for itself.` }),
      element('details', { open: wasOpen }, element('summary', { text: 'Seed by seed' }),
        element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of the seeds' }, element('table', { 'data-testid': 'replicated-runs', 'aria-label': 'Seed by seed' },
          element('thead', {}, element('tr', {}, ...['Seed', 'State', 'Worst state', 'Digest', 'Run it'].map((text) => element('th', { scope: 'col', text })))),
          element('tbody', {}, ...each.map((one) => element('tr', {}, element('th', { scope: 'row', text: one.seed }), element('td', { text: one.state ?? '—' }), element('td', { text: one.worst_state ?? '—' }), element('td', { class: 'digest', text: one.digest }), element('td', {}, open(one.seed)))))))),
    );
  }

  /** @param {import('./store.js').State} state @param {boolean} [again] */
  function draw(state, again = false) {
    const key = keyNow();
    const mine = shown?.asked.key === key ? shown.replicated : null;
    if (state.replicated !== mine) store.update({ replicated: mine });
    const now = [state.check, state.kept, shown];
    if (!again && now.every((value, index) => value === drawn[index])) return;
    drawn = now;
    const bad = wrong();
    for (const input of [count, first]) {
      if (bad?.[0] === input) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
    }
    setText(problem, bad?.[1] ?? failure);
    const other = baseline();
    tooRow.hidden = !other;
    setText(tooLabel, other ? `Also the baseline “${other.name}” with the same seeds, for the paired difference` : '');
    setText(run, bad ? 'Run seeds' : `Run ${Number(count.value)} seeds`);
    run.disabled = playing;
    stop.disabled = !playing;
    goOn.hidden = playing || !runs || runs.finished;
    count.disabled = playing;
    first.disabled = playing;
    too.disabled = playing;
    way.hidden = !playing && goOn.hidden;
    setText(cost, bad ? '' : `About ${format.count(estimate(too.checked ? other?.profile : undefined).events)} events in all.`);
    result.hidden = shown === null;
    if (!shown) return;
    const stale = mine === null;
    // Drawn anew only for what it shows, so that nobody loses the place in it.
    const last = [shown, stale, stale && state.check];
    if (last.every((value, index) => value === results[index])) return;
    results = last;
    drawResult(shown, stale);
  }

  const unsubscribe = store.subscribe((state) => draw(state));
  return () => {
    unsubscribe();
    runs?.pause();
  };
}
