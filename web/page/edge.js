// The edge of collapse: the value of one field at which half of the runs tip over, with its interval.

import { isCrash, lab, replacements } from '../engine/engine.js';
import { pool } from '../engine/pool.js';
import * as format from '../shared/format.js';
import { element, setText } from './dom.js';
import { legend, sweepChart } from './sweep-chart.js';

/** @typedef {InstanceType<import('../engine/engine.js').Lab['Edge']>} Edge */
/** What the form of the sweep asks for. @typedef {{ profile: string, field: string, path: string, title: string, unit: string, low: number, high: number, first: number, seeds: number }} Asked */

/** What the questions say of one run, for a list of choices. @param {string} words */
const choice = (words) => `a run ${words}${/^(collapses|degrades)$/.test(words) ? ' at some time' : ''}`;

/**
 * @param {HTMLElement} place
 * @param {{ ask: () => Promise<Asked | null>, refuse: (error: unknown) => string, lock: (busy: boolean) => void }} form
 */
export function edge(place, { ask, refuse, lock }) {
  const question = element('select', { id: 'edge-question', 'data-testid': 'edge-question' });
  const find = element('button', { type: 'button', 'data-testid': 'edge-find', onclick: () => void begin() }, 'Find the edge');
  const stop = element('button', { type: 'button', 'data-testid': 'edge-stop', disabled: true, onclick: () => { stopped = true; hands?.stop(); } }, 'Stop');
  const status = element('p', { class: 'small said', role: 'status', 'data-testid': 'edge-status' });
  const told = element('p', { class: 'small soft', 'data-testid': 'edge-told' });
  const problem = element('p', { class: 'problem small', role: 'alert', 'data-testid': 'edge-problem' });
  const sentence = element('p', { class: 'edge-sentence', 'data-testid': 'edge-sentence' });
  const chart = sweepChart(() => {});
  chart.picture.setAttribute('data-testid', 'edge-picture');
  chart.picture.removeAttribute('tabindex');
  const key = element('div', { class: 'sweep-legend small' });
  const result = element('div', { class: 'stack', hidden: true, 'data-testid': 'edge-result' }, sentence,
    element('figure', { class: 'sweep-figure' }, /** @type {any} */ (chart.picture), key));
  place.append(
    element('h3', { text: 'The edge' }),
    element('p', { class: 'soft small', text: 'Where along the first field, between the least and the greatest of its values, half of the seeds tip over. Values are tried by bisection; a logistic curve through all of them gives the point and its 95 % interval.' }),
    element('div', { class: 'row' }, element('div', { class: 'field grow' }, element('label', { for: 'edge-question', text: 'The value from which' }), question), find, stop),
    problem, told, status, result);

  let stopped = false;
  let busy = false;
  /** @type {ReturnType<typeof pool> | null} */
  let hands = null;
  /** @type {Edge | null} */
  let search = null;
  /** @type {Asked | null} */
  let asked = null;
  /** What has been found, with what it was asked of. @type {import('../engine/engine.js').EdgeFound | null} */
  let found = null;
  let filled = false;

  async function fill() {
    const made = await lab();
    if (!filled) question.replaceChildren(...made.edge_questions().map(({ name, words }) => element('option', { value: name }, choice(words))));
    filled = true;
    return made;
  }
  // The questions are the engine's; they are there when somebody comes near.
  new IntersectionObserver((seen, observer) => {
    if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    // Whoever presses the button is told what went wrong.
    void fill().catch(() => {});
  }, { rootMargin: '200px' }).observe(place);

  /** @param {boolean} now */
  function set(now) {
    busy = now;
    lock(now);
    question.disabled = now;
    find.disabled = now;
    stop.disabled = !now;
  }

  async function begin() {
    if (busy) return;
    set(true);
    stopped = false;
    setText(status, 'Loading …');
    setText(told, '');
    setText(problem, '');
    try {
      const made = await fill();
      const what = await ask();
      if (!what) return;
      try { search?.free(); } catch { /* gone with its engine */ }
      search = new made.Edge(what.profile, what.path, what.low, what.high, what.first, what.seeds, question.value);
      asked = what;
      found = null;
      result.hidden = true;
      hands = pool();
      stop.focus();
      await walk(made, search, what);
    } catch (error) {
      setText(status, '');
      if (isCrash(error)) reportError(error);
      else setText(problem, refuse(error));
    } finally {
      hands?.close();
      hands = null;
      const there = document.activeElement === stop;
      set(false);
      if (there) find.focus();
    }
  }

  /** @param {import('../engine/engine.js').Lab} made @param {Edge} mine @param {Asked} what */
  async function walk(made, mine, what) {
    let runs = 0;
    for (let wanted = mine.wanted(); wanted != null; wanted = mine.wanted()) {
      const values = wanted.slice(wanted.indexOf('=') + 1).split(',');
      const step = new made.Sweep(what.profile, [wanted], what.first, what.seeds);
      try {
        setText(status, `Trying ${what.path} = ${values.slice(0, 3).map((value) => Number(Number(value).toPrecision(6))).join(', ')}${values.length > 3 ? ' …' : ''}`);
        const tell = () => setText(told, `${format.count(runs + step.done)} runs; at most ${format.count(Math.max(mine.runs_left - step.done, 0))} still to come.`);
        tell();
        const ended = stopped || !hands ? 'paused' : await hands.go(step, { profile: what.profile, fields: [wanted], first: what.first, seeds: what.seeds }, tell);
        if (search !== mine) return;
        if (ended === 'paused') {
          setText(status, `Stopped after ${format.count(runs + step.done)} runs, before the edge was found.`);
          draw();
          return;
        }
        runs += step.done;
        mine.tell(step);
        draw();
      } finally {
        try { step.free(); } catch { /* gone with its engine */ }
      }
    }
    found = mine.found();
    setText(status, `Done: ${format.count(runs)} runs.`);
    setText(told, '');
    draw();
  }

  function draw() {
    if (!search || !asked) return;
    const { value, share, low, high, runs } = search.tried();
    result.hidden = value.length === 0;
    if (result.hidden) return;
    setText(sentence, found?.sentence ?? 'What has been tried so far:');
    const info = { id: '', points: value.length, seeds: asked.seeds, cells: 0, columns: [], axes: [{ path: asked.path, title: asked.title, unit: asked.unit, values: [...value] }] };
    const place = found?.edge;
    const band = place?.kind === 'at' ? [place.value - place.ci95, place.value + place.ci95] : place?.kind === 'between' ? [place.from, place.to] : null;
    const measure = { label: 'Runs that tip over', unit: '%', write: (/** @type {number} */ one) => format.percent(one, 0), states: false, top: 1, scattered: true };
    const columns = { value: share, low, high, runs };
    chart.draw(info, measure, columns, new Float64Array(value.length).fill(NaN), false, format.unit, `Share of runs that tip over, by ${asked.title}. ${found?.sentence ?? ''}`, band);
    key.replaceChildren(...legend(info, measure, columns, false), ...(band ? [element('span', { class: 'key' }, element('span', { class: 'boundary-key', 'aria-hidden': 'true' }), place?.kind === 'at' ? ' the edge, with its 95 % interval' : ' the edge lies in here')] : []));
  }

  replacements.addEventListener('replaced', () => {
    if (!search) return;
    search = null;
    hands?.close();
    result.hidden = true;
    setText(told, '');
    setText(status, 'The engine failed and has been replaced; look for the edge again.');
  });
  new ResizeObserver(() => { if (!result.hidden) draw(); }).observe(result);

  /** What was wrong with the form is not any more, or not the same. */
  return () => setText(problem, '');
}
