// Up and down: whether it matters on which way a load was reached.

import { isCrash, lab, replacements } from '../engine/engine.js';
import * as format from '../shared/format.js';
import { ASK_EVENTS, ask as askFirst } from './conductor.js';
import { element, setText, svg } from './dom.js';
import { sweepChart } from './sweep-chart.js';

/** @typedef {InstanceType<import('../engine/engine.js').Lab['Stairs']>} Stairs */
/** @typedef {import('./edge.js').Asked} Asked */
/** @typedef {'goodput_per_second' | 'error_rate' | 'queue.mean' | 'latency_seconds.p95'} Figure */

/** @type {{ name: Figure, label: string, unit: string, write: (value: number) => string, top: number | null }[]} */
const FIGURES = [
  { name: 'goodput_per_second', label: 'Goodput', unit: '1/s', write: format.rate, top: null },
  { name: 'error_rate', label: 'Error rate', unit: '%', write: (value) => format.percent(value, 1), top: null },
  { name: 'queue.mean', label: 'Queue, time average', unit: 'requests', write: (value) => format.number(value, 1), top: null },
  { name: 'latency_seconds.p95', label: 'Latency, p95', unit: 's', write: format.time, top: null },
];

/**
 * @param {HTMLElement} place
 * @param {{ ask: () => Promise<Asked | null>, refuse: (error: unknown) => string, lock: (busy: boolean) => void }} form
 */
export function stairs(place, { ask, refuse, lock }) {
  const hold = element('input', { id: 'stairs-hold', 'data-testid': 'stairs-hold', type: 'number', inputmode: 'decimal', min: 1, step: 'any', value: 30, 'aria-describedby': 'stairs-problem' });
  const run = element('button', { type: 'button', 'data-testid': 'stairs-run', onclick: () => void begin() }, 'Step up and down');
  const stop = element('button', { type: 'button', 'data-testid': 'stairs-stop', disabled: true, onclick: () => climb?.pause() }, 'Stop');
  const bar = element('progress', { max: 1, value: 0, hidden: true, 'aria-label': 'Progress of the steps' });
  const status = element('p', { class: 'small said', role: 'status', 'data-testid': 'stairs-status' });
  const problem = element('p', { class: 'problem small', role: 'alert', id: 'stairs-problem', 'data-testid': 'stairs-problem' });
  const sentence = element('p', { class: 'edge-sentence', 'data-testid': 'stairs-sentence' });
  const figure = element('select', { id: 'stairs-figure', 'data-testid': 'stairs-figure', onchange: () => draw() }, ...FIGURES.map(({ name, label }) => element('option', { value: name }, label)));
  const chart = sweepChart(() => {});
  chart.picture.setAttribute('data-testid', 'stairs-picture');
  chart.picture.removeAttribute('tabindex');
  const sample = (/** @type {string} */ kind, /** @type {string} */ words) => element('span', { class: 'key' }, /** @type {any} */ (svg('svg', { viewBox: '0 0 26 12', width: 26, height: 12, 'aria-hidden': 'true' },
    svg('rect', { class: `band ${kind}`, x: 0, y: 1, width: 26, height: 10 }), svg('path', { class: `curve ${kind}`, d: 'M0 6H26' }), kind ? svg('rect', { class: `dot ${kind}`, x: 10, y: 3, width: 6, height: 6 }) : svg('circle', { class: 'dot', cx: 13, cy: 6, r: 3 }))), words);
  const body = element('tbody');
  const result = element('div', { class: 'stack', hidden: true, 'data-testid': 'stairs-result' }, sentence,
    element('div', { class: 'row' }, element('div', { class: 'field' }, element('label', { for: 'stairs-figure', text: 'Show' }), figure)),
    element('figure', { class: 'sweep-figure' }, /** @type {any} */ (chart.picture), element('div', { class: 'sweep-legend small' }, sample('', ' on the way up'), sample('beside', ' on the way down; bands: 95 % intervals over the seeds'))),
    element('details', {}, element('summary', {}, 'As a table'), element('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': 'Both ways as a table' },
      element('table', {}, element('thead', {}, element('tr', {}, ...['Value', 'Way up', 'Way down', 'Difference within seeds'].map((text) => element('th', { scope: 'col', text })))), body))));
  place.append(
    element('h3', { text: 'Up and down' }),
    element('p', { class: 'soft small', text: 'The first field is stepped through its values, up from a fresh start and down from the highest, each held for a while. Where both ways differ at one value, the system remembers: hysteresis.' }),
    element('div', { class: 'row' }, element('div', { class: 'field' }, element('label', { for: 'stairs-hold', text: 'Each value held for, s' }), hold), run, stop), problem, bar, status, result);

  let busy = false;
  /** @type {Stairs | null} */
  let climb = null;
  /** @type {Asked | null} */
  let asked = null;
  /** @type {import('../engine/engine.js').Hysteresis | null} */
  let found = null;

  /** @param {boolean} now */
  function set(now) {
    busy = now;
    lock(now);
    hold.disabled = now;
    run.disabled = now;
    stop.disabled = !now;
    bar.hidden = !now;
  }

  async function begin() {
    if (busy) return;
    set(true);
    setText(status, 'Loading …');
    bar.value = 0;
    setText(problem, '');
    hold.removeAttribute('aria-invalid');
    try {
      const { Stairs: Made } = await lab();
      const what = await ask();
      if (!what) return;
      let next = new Made(what.profile, what.field, hold.value === '' ? NaN : Number(hold.value), what.first, what.seeds);
      if (next.events() > 5 * ASK_EVENTS && !(await askFirst(/** @type {any} */ ({ events: next.events() }), 'These steps have'))) {
        next.free();
        setText(status, '');
        return;
      }
      try { climb?.free(); } catch { /* gone with its engine */ }
      climb = next;
      asked = what;
      found = null;
      result.hidden = true;
      stop.focus();
      setText(status, `Stepping ${what.path} up and down, ${what.seeds} ${what.seeds === 1 ? 'seed' : 'seeds'}.`);
      const ended = await next.play((progress) => { bar.value = progress; });
      if (climb !== next) return;
      found = next.result('worst-collapsed');
      setText(status, ended === 'finished' ? 'Done.' : found ? 'Stopped. What the seeds that have been both ways came to is shown.' : 'Stopped before two seeds had been both ways.');
      draw();
    } catch (error) {
      setText(status, '');
      if (isCrash(error)) reportError(error);
      else {
        const held = /** @type {any} */ (error)?.field === '/run/duration_seconds';
        if (held) hold.setAttribute('aria-invalid', 'true');
        setText(problem, refuse(error));
      }
    } finally {
      const there = document.activeElement === stop;
      set(false);
      if (there) run.focus();
    }
  }

  function draw() {
    result.hidden = !found;
    if (!found || !asked) return;
    const choice = FIGURES.find(({ name }) => name === figure.value) ?? FIGURES[0];
    setText(sentence, found.sentence);
    const { levels } = found;
    const column = (/** @type {'up' | 'down'} */ way, /** @type {-1 | 0 | 1} */ side) => Float64Array.from(levels, (level) => {
      const { mean, ci95 } = level[choice.name][way];
      return mean === null ? NaN : side === 0 ? mean : ci95 === null ? NaN : mean + side * ci95;
    });
    const info = { id: '', points: levels.length, seeds: asked.seeds, cells: 0, columns: [], axes: [{ path: asked.path, title: asked.title, unit: asked.unit, values: levels.map(({ value }) => value) }] };
    const columns = { value: column('up', 0), low: column('up', -1), high: column('up', 1), runs: new Float64Array(levels.length), beside: { value: column('down', 0), low: column('down', -1), high: column('down', 1) } };
    chart.draw(info, { ...choice, states: false }, columns, new Float64Array(levels.length).fill(NaN), false, format.unit, `${choice.label} by ${asked.title}, up and down. ${found.sentence}`);
    const cell = (/** @type {import('../engine/engine.js').Hysteresis['levels'][number]} */ level, /** @type {'up' | 'down' | 'difference'} */ way) => {
      const { mean, ci95 } = level[choice.name][way];
      return element('td', {}, mean === null ? '–' : `${choice.write(mean)}${ci95 === null ? '' : ` ± ${choice.write(ci95)}`}`);
    };
    body.replaceChildren(...levels.map((level) => element('tr', {}, element('th', { scope: 'row' }, String(level.value)), cell(level, 'up'), cell(level, 'down'), cell(level, 'difference'))));
  }

  replacements.addEventListener('replaced', () => {
    if (!climb) return;
    climb = null;
    found = null;
    result.hidden = true;
    setText(status, 'The engine failed and has been replaced; step up and down again.');
    set(false);
  });
  new ResizeObserver(() => { if (!result.hidden) draw(); }).observe(result);

  /** What was wrong with the form is not any more, or not the same. */
  return () => setText(problem, '');
}
