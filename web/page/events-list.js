// The list of events: only the rows in view are in the page, however many there are.

import * as format from '../shared/format.js';
import * as rows from '../shared/rows.js';
import { element, setText } from './dom.js';

/** @typedef {import('../engine/engine.js').RecordWindow} RecordWindow */
/** @typedef {import('../engine/engine.js').RecordColumns} RecordColumns */
/**
 * What the list needs of whoever has the records.
 * @typedef {object} Given
 * @property {import('../engine/engine.js').RecordNames} names
 * @property {(from: number, to: number, place?: number) => RecordWindow | null} read rows of the filtered list
 * @property {(request: number) => void} open a request was chosen
 * @property {(words: string) => void} announce
 * @property {(following: boolean) => void} follow whether the list follows its end has changed
 */

const COLUMNS = ['Time', 'Event', 'Request', 'Agent', 'What'];

/** @param {Given} given */
export function eventList({ names, read, open, announce, follow }) {
  const head = element('div', { role: 'row', 'aria-rowindex': 1, class: 'event-row event-head' }, ...COLUMNS.map((text) => element('span', { role: 'columnheader', class: text.toLowerCase(), text })));
  const body = element('div', { role: 'rowgroup', class: 'event-body' });
  const grid = element('div', {
    role: 'grid', class: 'event-grid', tabindex: 0, 'data-testid': 'events', 'aria-label': 'Events', 'aria-describedby': 'events-keys',
    'aria-colcount': COLUMNS.length, 'aria-rowcount': 1, 'aria-multiselectable': 'true',
    onscroll: scrolled, onkeydown: pressed, onclick: clicked, onfocus: focused,
  }, element('div', { role: 'rowgroup', class: 'event-heads' }, head), body);
  const nothing = element('p', { class: 'event-nothing soft', 'data-testid': 'events-empty' });
  const place = element('div', { class: 'event-list' }, grid, nothing);

  /** @type {HTMLElement[]} rows that are drawn, one after the other */
  const drawn = [];
  /** @type {RecordColumns | null} */
  let columns = null;
  let total = 0;
  let row = 28;
  /** Where this list has scrolled itself to, which is not a person's doing. */
  let expected = 0;
  let following = true;
  /** The record at the top of what is visible, and how far it begins below that. */
  let top = { sequence: 0, offset: 0 };
  /** @type {number | null} the record that the keyboard is at */
  let active = null;
  /** @type {number | null} the request whose life is shown */
  let chosen = null;

  const shape = () => ({ total, row, view: Math.max(row, grid.clientHeight - head.offsetHeight) });

  /** @param {boolean} on */
  function setFollowing(on) {
    if (following === on) return;
    following = on;
    follow(on);
  }

  /** @param {number} to */
  function scroll(to) {
    grid.scrollTop = to;
    expected = grid.scrollTop;
  }

  function scrolled() {
    if (Math.abs(grid.scrollTop - expected) < 1) return;
    expected = grid.scrollTop;
    setFollowing(rows.above(shape(), grid.scrollTop) >= total * row - shape().view - 1);
    draw();
  }

  /** Brings the list up to date with its records. */
  function refresh() {
    const found = read(0, 0, top.sequence);
    total = found?.total ?? 0;
    grid.setAttribute('aria-rowcount', String(total + 1));
    const high = `${rows.height(shape())}px`;
    if (body.style.height !== high) body.style.height = high;
    if (following) scroll(rows.scrollFor(shape(), total * row));
    else if (found) scroll(rows.scrollFor(shape(), found.before * row - top.offset));
    draw();
    return found;
  }

  function draw() {
    const { first, last, offset } = rows.inView(shape(), grid.scrollTop);
    const found = total ? read(first, last) : null;
    columns = found?.columns ?? null;
    const count = columns?.at.length ?? 0;
    if (columns && count) top = { sequence: columns.sequence[0], offset };
    while (drawn.length < count) drawn.push(body.appendChild(makeRow(drawn.length)));
    drawn.forEach((line, index) => {
      line.hidden = index >= count;
      if (columns && index < count) fill(line, columns, index, first, grid.scrollTop + offset + index * row);
    });
    const at = columns ? columns.sequence.indexOf(active ?? -1) : -1;
    if (at >= 0) grid.setAttribute('aria-activedescendant', drawn[at].id);
    else grid.removeAttribute('aria-activedescendant');
  }

  /** @param {number} index */
  function makeRow(index) {
    return element('div', { role: 'row', class: 'event-row', id: `event-${index}` }, ...COLUMNS.map((name) => element('span', { role: 'gridcell', class: name.toLowerCase() })));
  }

  /** @param {HTMLElement} line @param {RecordColumns} from @param {number} index @param {number} first @param {number} y */
  function fill(line, from, index, first, y) {
    const sequence = from.sequence[index];
    const texts = [`${from.at[index].toFixed(4)} s`, names.kinds[from.kind[index]].words, numbered(from.request[index]), numbered(from.agent[index]), from.what[index]];
    texts.forEach((text, cell) => setText(line.children[cell], text));
    line.style.transform = `translateY(${y}px)`;
    line.setAttribute('aria-rowindex', String(first + index + 2));
    line.setAttribute('aria-selected', String(chosen !== null && from.request[index] === chosen));
    line.classList.toggle('failure', from.failure[index] === 1);
    line.classList.toggle('active', sequence === active);
    line.classList.toggle('odd', (first + index) % 2 === 1);
  }

  /** @param {MouseEvent} event */
  function clicked(event) {
    const line = /** @type {HTMLElement} */ (event.target).closest('[role="row"]');
    const index = drawn.findIndex((one) => one === line);
    if (index < 0 || !columns) return;
    active = columns.sequence[index];
    choose(columns.request[index]);
    draw();
  }

  /** @param {number} request */
  function choose(request) {
    if (Number.isNaN(request)) announce('This event is about no single request.');
    else open(request);
  }

  function focused() {
    if (active === null && columns?.at.length) {
      active = columns.sequence[following ? columns.at.length - 1 : 0];
      draw();
    }
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !total) return;
    const found = read(0, 0, active ?? 0);
    if (!found) return;
    const page = Math.max(1, Math.floor(shape().view / row) - 1);
    const at = Math.min(found.before, total - 1);
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: total - 1 };
    if (event.key in moves) {
      event.preventDefault();
      const next = Math.min(Math.max(moves[event.key], 0), total - 1);
      active = read(next, next + 1)?.columns.sequence[0] ?? null;
      setFollowing(next === total - 1);
      scroll(rows.reveal(shape(), grid.scrollTop, next));
      draw();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      const request = read(at, at + 1)?.columns.request[0];
      if (active !== null && request !== undefined) choose(request);
    }
  }

  /** Rows are as high as the style has them, which depends on the width. */
  function measure() {
    if (!drawn.length) drawn.push(body.appendChild(makeRow(0)));
    const [first] = drawn;
    const { hidden } = first;
    first.hidden = false;
    const high = first.offsetHeight;
    first.hidden = hidden;
    if (high > 0) row = high;
    refresh();
  }
  const resized = new ResizeObserver(measure);
  resized.observe(grid);

  return {
    place,
    refresh,
    /** Starts anew: another run, or another filter. */
    reset() {
      [active, top] = [null, { sequence: 0, offset: 0 }];
      setFollowing(true);
    },
    /** @param {boolean} on */
    setFollowing(on) {
      setFollowing(on);
      refresh();
    },
    /** Marks the rows of a request. @param {number | null} request */
    choose(request) {
      chosen = request;
      draw();
    },
    /** Says why there is nothing. @param {string} words */
    explain(words) {
      setText(nothing, words);
      nothing.hidden = words === '';
    },
    focus: () => grid.focus(),
    remove: () => resized.disconnect(),
  };
}

/** @param {number} value */
const numbered = (value) => (Number.isNaN(value) ? '' : format.count(value));
