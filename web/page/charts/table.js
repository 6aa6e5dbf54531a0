// A chart as a table: every so many recorded rows, and which.

import { atOrAfter, stride } from '../../shared/decimate.js';
import * as format from '../../shared/format.js';
import { element } from '../dom.js';
import { columnsOf } from './list.js';

/** A longer table is nothing to read; files have every row. */
const MOST_ROWS = 200;

/** @param {import('./scene.js').Scene} scene @returns {HTMLTableElement} */
export function table({ chart, series, window }) {
  const columns = columnsOf(chart);
  const times = /** @type {number[]} */ (series.column('time'));
  const first = atOrAfter(times, window[0]);
  const end = Math.min(atOrAfter(times, window[1] + 1e-9), times.length);
  const every = stride(end - first, MOST_ROWS);
  const rule = end === first ? 'Nothing is recorded yet.'
    : `${every === 1 ? 'All' : `Every ${every}${{ 1: 'st', 2: 'nd', 3: 'rd' }[every % 10] && ![11, 12, 13].includes(every % 100) ? { 1: 'st', 2: 'nd', 3: 'rd' }[every % 10] : 'th'} of`} ${format.count(end - first)} recorded rows${every === 1 ? '' : '; the CSV file has all of them'}.`;
  const head = element('tr', {}, element('th', { scope: 'col', text: 'Time (s)' }), ...columns.map(({ label, unit }) => element('th', { scope: 'col', text: unit && !unit.startsWith('0 ') ? `${label} (${unit})` : label })));
  const body = element('tbody');
  for (let row = first; row < end; row += every) {
    body.append(element('tr', {}, element('th', { scope: 'row', text: format.moment(times[row]) }), ...columns.map(({ column, value }) => element('td', { text: value(series.column(column)[row] ?? null) }))));
  }
  return element('table', {}, element('caption', { text: `${chart.title}. ${rule}` }), element('thead', {}, head), body);
}
