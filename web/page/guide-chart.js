// The small charts of a guide: the one to look at while a run plays, and the curve of a sweep.

import * as format from '../shared/format.js';
import { FIGURES, written } from '../shared/guide.js';
import { element, svg } from './dom.js';

/** @typedef {{ column: string, label: string, token: string, dash?: string }} Line */
/** @typedef {{ title: string, unit: string, lines: Line[], value: (value: number | null | undefined) => string }} Small */
/** What is drawn of a run: the horizon, and its columns thinned out. @typedef {{ name: string, until: number, capacity: number | null, time: number[], columns: Record<string, (number | null)[]> }} Drawn */

/** @type {Record<string, Small>} */
const SMALL = {
  rates: {
    title: 'Load and work', unit: 'per second', value: format.rate,
    lines: [{ column: 'offered', label: 'offered', token: '--series-2', dash: '7 3' }, { column: 'taken', label: 'taken by workers', token: '--series-1' }, { column: 'goodput', label: 'goodput', token: '--series-3', dash: '2 2' }],
  },
  queue: { title: 'Queue length', unit: 'requests waiting', value: format.count, lines: [{ column: 'queue', label: 'waiting', token: '--series-1' }] },
  latency: { title: 'Latency', unit: 'mean and 95th percentile', value: format.time, lines: [{ column: 'latency_mean', label: 'mean', token: '--series-1' }, { column: 'latency_p95', label: 'p95', token: '--series-2', dash: '7 3' }] },
  clients: { title: 'Sent again, and given up', unit: 'per second', value: format.rate, lines: [{ column: 'retries', label: 'sent again', token: '--series-2' }, { column: 'timeouts', label: 'timed out', token: '--series-4', dash: '7 3' }] },
  workers: { title: 'Workers', unit: 'workers', value: format.count, lines: [{ column: 'workers', label: 'able to work', token: '--series-1' }, { column: 'busy', label: 'busy', token: '--series-3', dash: '2 2' }] },
};

const HEIGHT = 150;
const EDGE = { left: 6, right: 6, top: 18, bottom: 18 };
const MOST_POINTS = 500;

/**
 * What the small chart of this name needs of a run, of which it keeps no reference; what has no small chart is shown by its queue.
 * @param {string} at @param {import('../shared/series.js').Series} series @param {any} profile @returns {Drawn}
 */
export function take(at, series, profile) {
  const name = SMALL[at] ? at : 'queue';
  const rows = series.rows;
  const width = Math.ceil(rows / MOST_POINTS);
  /** @type {number[]} */
  const kept = [];
  // Of each stretch the least and the most of the first line stay, so that no spike is lost.
  const leading = series.column(SMALL[name].lines[0].column);
  for (let from = 0; from < rows; from += width) {
    let low = from, high = from;
    for (let i = from; i < Math.min(from + width, rows); i++) {
      if ((leading[i] ?? Infinity) < (leading[low] ?? Infinity)) low = i;
      if ((leading[i] ?? -Infinity) > (leading[high] ?? -Infinity)) high = i;
    }
    kept.push(...new Set([Math.min(low, high), Math.max(low, high)]));
  }
  const time = series.column('time');
  return {
    name, until: profile.run.duration_seconds, capacity: profile.queue.capacity, time: kept.map((i) => time[i] ?? 0),
    columns: Object.fromEntries(SMALL[name].lines.map(({ column }) => [column, kept.map((i) => series.column(column)[i] ?? null)])),
  };
}

/** A small chart that can be drawn again and again. */
export function small() {
  const title = element('strong', {});
  const unit = element('span', { class: 'soft' });
  const legend = element('span', { class: 'guide-legend' });
  const picture = svg('svg', { role: 'img' });
  const figure = element('figure', { class: 'small-chart' }, element('figcaption', {}, title, ' ', unit, ' ', legend), /** @type {any} */ (picture));
  let shown = '';
  return {
    figure,
    /** @param {Drawn} drawn @param {number | null} [moment] a moment to point at */
    draw(drawn, moment = null) {
      const { name, until, capacity, time, columns } = drawn;
      const chart = SMALL[name];
      if (shown !== name) {
        shown = name;
        title.textContent = chart.title;
        unit.textContent = chart.unit;
        legend.replaceChildren(...(chart.lines.length > 1 ? chart.lines.map(({ label, token, dash }) => key(label, token, dash)) : []));
      }
      const width = Math.max(figure.clientWidth, 240);
      const all = chart.lines.flatMap(({ column }) => columns[column].filter((value) => value !== null));
      const top = Math.max(...all, name === 'queue' ? (capacity ?? 1) : 0) || 1;
      const end = Math.max(until, time.at(-1) ?? 0);
      const x = (/** @type {number} */ at) => EDGE.left + (at / end) * (width - EDGE.left - EDGE.right);
      const y = (/** @type {number} */ value) => HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
      picture.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
      picture.setAttribute('height', String(HEIGHT));
      picture.setAttribute('aria-label', `${chart.title}, from 0 to ${format.number(end, 0)} s. ${chart.lines.map(({ column, label }) => `${label}: at most ${chart.value(most(columns[column]))}, last ${chart.value(last(columns[column]))}`).join('; ')}.`);
      picture.replaceChildren(
        svg('line', { class: 'axis', x1: EDGE.left, x2: width - EDGE.right, y1: y(0), y2: y(0) }),
        svg('line', { class: 'grid', x1: EDGE.left, x2: width - EDGE.right, y1: y(top), y2: y(top) }),
        text(EDGE.left, y(top) - 4, name === 'queue' && top === capacity ? `full: ${format.count(top)}` : chart.value(top)),
        text(EDGE.left, HEIGHT - 4, '0 s'), text(width - EDGE.right, HEIGHT - 4, `${format.number(end, 0)} s`, 'end'),
        ...(moment === null ? [] : [svg('line', { class: 'moment', x1: x(moment), x2: x(moment), y1: y(top), y2: y(0) }), text(x(moment), HEIGHT - 4, `${format.number(moment, 0)} s`, 'middle')]),
        ...chart.lines.map(({ column, token, dash }) => svg('path', { d: path(time.map((at, i) => [x(at), columns[column][i] === null ? null : y(/** @type {number} */ (columns[column][i]))])), fill: 'none', stroke: `var(${token})`, 'stroke-width': 2, 'stroke-dasharray': dash })),
      );
    },
  };
}

/** @param {(number | null)[]} values */
const most = (values) => values.reduce((/** @type {number | null} */ top, value) => (value !== null && (top === null || value > top) ? value : top), null);
/** @param {(number | null)[]} values */
const last = (values) => values.findLast((value) => value !== null) ?? null;

/** @param {number} x @param {number} y @param {string} words @param {string} [anchor] */
function text(x, y, words, anchor = 'start') {
  const made = svg('text', { x, y, 'text-anchor': anchor });
  made.textContent = words;
  return made;
}

/** A path through what is defined. @param {(number | null)[][]} points */
function path(points) {
  let open = false;
  return points.map(([x, y]) => {
    if (y === null) {
      open = false;
      return '';
    }
    const command = `${open ? 'L' : 'M'}${Number(x).toFixed(1)} ${y.toFixed(1)}`;
    open = true;
    return command;
  }).join('');
}

/** @param {string} label @param {string} token @param {string} [dash] @param {number} [shape] */
function key(label, token, dash, shape) {
  const sample = svg('svg', { viewBox: '0 0 26 10', width: 26, height: 10, 'aria-hidden': 'true' },
    svg('line', { x1: 0, x2: 26, y1: 5, y2: 5, stroke: `var(${token})`, 'stroke-width': 2, 'stroke-dasharray': dash }), ...(shape === undefined ? [] : [mark(shape, 13, 5, token)]));
  return element('span', { class: 'key' }, /** @type {any} */ (sample), ` ${label}`);
}

const TOKENS = ['--series-1', '--series-2', '--series-3'];
const DASHES = [undefined, '6 3', '2 3'];

/** Cases differ by shape as much as by colour. @param {number} shape @param {number} x @param {number} y @param {string} token */
function mark(shape, x, y, token) {
  if (shape === 0) return svg('circle', { cx: x, cy: y, r: 3.5, fill: `var(${token})` });
  if (shape === 1) return svg('rect', { x: x - 3.5, y: y - 3.5, width: 7, height: 7, fill: 'var(--card)', stroke: `var(${token})`, 'stroke-width': 2 });
  return svg('path', { d: `M${x} ${y - 4.5}L${x + 4.5} ${y + 3.5}H${x - 4.5}Z`, fill: `var(${token})` });
}

/** @typedef {{ case: number, value: number, seed: number, measured: number | null }} Point */

/**
 * The curve of a sweep, each run a mark and each seed a line, and the same as a table.
 * @param {import('../shared/guide.js').Sweep} sweep
 */
export function curve(sweep) {
  const { values, seeds, cases, measure, label, unit } = sweep;
  const picture = svg('svg', { role: 'img' });
  const table = element('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': 'The curve as a table' });
  const name = FIGURES[measure][0];
  const figure = element('figure', { class: 'small-chart', 'data-testid': 'guide-curve' },
    element('figcaption', {}, element('strong', {}, name), ' ', element('span', { class: 'soft' }, `against ${label.toLowerCase()}${unit && unit !== label.toLowerCase() ? `, ${unit}` : ''}; a mark for each run`), ' ',
      element('span', { class: 'guide-legend' }, ...cases.map((one, index) => key(one.label, TOKENS[index], DASHES[index], index)))),
    /** @type {any} */ (picture),
    element('details', {}, element('summary', {}, 'As a table'), table));
  return {
    figure,
    /** @param {Point[]} points */
    draw(points) {
      const height = 240;
      const edge = { left: 6, right: 14, top: 20, bottom: 34 };
      const width = Math.max(figure.clientWidth, 240);
      const top = Math.max(0, ...points.map(({ measured }) => measured ?? 0)) || 1;
      const [low, high] = [Math.min(0, values[0]), values[values.length - 1]];
      const x = (/** @type {number} */ at) => edge.left + ((at - low) / (high - low)) * (width - edge.left - edge.right);
      const y = (/** @type {number} */ value) => height - edge.bottom - (value / top) * (height - edge.top - edge.bottom);
      picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
      picture.setAttribute('height', String(height));
      const of = (/** @type {number} */ which, /** @type {number} */ value) => points.filter((one) => one.case === which && one.value === value);
      picture.setAttribute('aria-label', `${name} against ${label.toLowerCase()}: ${cases.map((one, which) => `${one.label}: ${values.filter((value) => of(which, value).length).map((value) => `${spread(of(which, value), measure)} at ${value}`).join(', ')}`).join('. ')}.`);
      // Labels below stand apart from each other, however close the values are.
      let free = -Infinity;
      const labels = [...values].reverse().filter((value) => {
        const at = -x(value);
        if (at < free) return false;
        free = at + 34;
        return true;
      });
      picture.replaceChildren(
        svg('line', { class: 'axis', x1: edge.left, x2: width - edge.right, y1: y(0), y2: y(0) }),
        ...[0.5, 1].map((part) => svg('line', { class: 'grid', x1: edge.left, x2: width - edge.right, y1: y(top * part), y2: y(top * part) })),
        ...[0.5, 1].map((part) => text(edge.left, y(top * part) - 4, written(measure, top * part))),
        ...labels.map((value) => text(x(value), height - 18, String(value), 'middle')), text(width - edge.right, height - 3, `${label}${unit && unit !== label.toLowerCase() ? `, ${unit}` : ''}`, 'end'),
        ...cases.flatMap((_, which) => seeds.map((seed) => svg('path', {
          class: 'curve', fill: 'none', stroke: `var(${TOKENS[which]})`, 'stroke-dasharray': DASHES[which],
          d: path(values.map((value) => {
            const found = points.find((one) => one.case === which && one.seed === seed && one.value === value);
            return [x(value), found?.measured == null ? null : y(found.measured)];
          })),
        }))),
        ...points.filter(({ measured }) => measured !== null).map((one) => mark(one.case, x(one.value), y(/** @type {number} */ (one.measured)), TOKENS[one.case])),
      );
      table.replaceChildren(element('table', {},
        element('caption', {}, `${name}, the least and the most of ${seeds.length === 1 ? 'one run' : `${seeds.length} runs`}`),
        element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, label), ...cases.map((one) => element('th', { scope: 'col' }, one.label)))),
        element('tbody', {}, ...values.map((value) => element('tr', {}, element('th', { scope: 'row' }, String(value)), ...cases.map((_, which) => element('td', {}, spread(of(which, value), measure))))))));
    },
  };
}

/** The extremes of some runs, in words. @param {Point[]} points @param {string} measure */
function spread(points, measure) {
  const found = points.map(({ measured }) => measured).filter((value) => value !== null);
  if (!found.length) return '–';
  const [low, high] = [written(measure, Math.min(...found)), written(measure, Math.max(...found))];
  return low === high ? low : `${low} to ${high}`;
}
