// What a sweep came to as a picture: a curve with its intervals over one field, a map over two.

import { tick, ticks } from '../shared/zoom.js';
import { element, svg } from './dom.js';

/** @typedef {import('../engine/engine.js').SweepInfo} SweepInfo */
/** @typedef {{ value: Float64Array, low: Float64Array | null, high: Float64Array | null, runs: Float64Array, beside?: { value: Float64Array, low: Float64Array, high: Float64Array } }} Columns what is drawn, by point; `beside` is a second curve */
/** @typedef {{ label: string, unit: string, write: (value: number) => string, states: boolean, top: number | null, scattered?: boolean }} Measure */

const STATES = /** @type {const} */ (['STABLE', 'DEGRADED', 'COLLAPSED']);
const FILLS = ['--good', '--warn', '--bad'];
const EDGE = { left: 58, right: 12, top: 24, bottom: 42 };

/** @param {number} x @param {number} y @param {string} words @param {string} [anchor] @param {{ [name: string]: string }} [more] */
function text(x, y, words, anchor = 'start', more = {}) {
  const made = svg('text', { x: x.toFixed(1), y: y.toFixed(1), 'text-anchor': anchor, ...more });
  made.textContent = words;
  return made;
}

/** Places along an axis whose labels do not touch. @param {number[]} places @param {number} apart @returns {number[]} indices */
function spaced(places, apart) {
  /** @type {number[]} */
  const kept = [];
  for (let i = 0; i < places.length; i++) {
    if (kept.length === 0 || Math.abs(places[i] - places[kept[kept.length - 1]]) >= apart) kept.push(i);
  }
  return kept;
}

/** A field as an axis names it. @param {SweepInfo["axes"][number]} axis @param {(unit: string) => string} written */
export const axisName = ({ title, path, unit }, written) => `${title || path}${unit && written(unit) && written(unit) !== title.toLowerCase() ? `, ${written(unit)}` : ''}`;

/**
 * @param {(point: number) => void} onPick somebody has gone to a point
 */
export function sweepChart(onPick) {
  const picture = svg('svg', { class: 'sweep-picture', role: 'img', tabindex: 0, 'data-testid': 'sweep-picture' });
  const cursor = svg('g', { class: 'sweep-cursor' });
  /** @type {{ info: SweepInfo, place: (point: number) => { x: number, y: number, width: number, height: number }, at: (x: number, y: number) => number } | null} */
  let laid = null;

  picture.addEventListener('pointerdown', (event) => {
    if (!laid) return;
    const box = picture.getBoundingClientRect();
    const { clientX, clientY } = /** @type {PointerEvent} */ (event);
    onPick(laid.at(clientX - box.left, clientY - box.top));
  });

  /** Marks a point. @param {number | null} point */
  function mark(point) {
    if (!laid || point === null) {
      cursor.replaceChildren();
      return;
    }
    const { x, y, width, height } = laid.place(point);
    cursor.replaceChildren(laid.info.axes.length === 1
      ? svg('line', { class: 'cursor', x1: x, x2: x, y1: EDGE.top, y2: y })
      : svg('rect', { class: 'cursor', x, y, width, height }));
  }

  /**
   * @param {SweepInfo} info @param {Measure} measure @param {Columns} columns @param {Float64Array} half 1 where at least half of the runs collapse
   * @param {boolean} logarithmic @param {(unit: string) => string} unit @param {string} summary @param {number[] | null} [band] where the edge lies on a curve, if that is known
   */
  function draw(info, measure, columns, half, logarithmic, unit, summary, band = null) {
    const width = Math.max(Math.round(picture.parentElement?.clientWidth ?? 0), 260);
    const two = info.axes.length > 1;
    const height = two ? Math.min(Math.max(Math.round(width * 0.6), 240), 460) : 260;
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    picture.setAttribute('height', String(height));
    picture.setAttribute('aria-label', summary);
    const inner = { width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
    const drawn = two ? map(info, measure, columns, half, inner, unit) : curve(info, measure, columns, half, inner, logarithmic, unit, band);
    picture.replaceChildren(...drawn, cursor);
  }

  /** @param {SweepInfo} info @param {Measure} measure @param {Columns} columns @param {Float64Array} half @param {{ width: number, height: number }} inner @param {boolean} logarithmic @param {(unit: string) => string} unit @param {number[] | null} edge */
  function curve(info, measure, { value, low, high, beside }, half, inner, logarithmic, unit, edge) {
    const { values } = info.axes[0];
    const scale = (/** @type {number} */ one) => (logarithmic ? Math.log(one) : one);
    const [from, to] = [scale(Math.min(...values)), scale(Math.max(...values))];
    const x = (/** @type {number} */ one) => EDGE.left + (to > from ? (scale(one) - from) / (to - from) : 0.5) * inner.width;
    const finite = [...value, ...(high ?? []), ...(beside?.high ?? [])].filter(Number.isFinite);
    const top = measure.top ?? (Math.max(0, ...finite) || 1);
    const y = (/** @type {number} */ one) => EDGE.top + (1 - Math.min(Math.max(one, 0), top) / top) * inner.height;
    const base = EDGE.top + inner.height;
    const width = inner.width + EDGE.left + EDGE.right;
    const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
    const other = beside ? second(beside, order) : [];
    const known = order.filter((i) => Number.isFinite(value[i]));
    const line = known.map((i, n) => `${n ? 'L' : 'M'}${x(values[i]).toFixed(1)} ${y(value[i]).toFixed(1)}`).join('');
    const sure = known.filter((i) => low && high && Number.isFinite(low[i]) && Number.isFinite(high[i]));
    const band = sure.length > 1 ? `${sure.map((i, n) => `${n ? 'L' : 'M'}${x(values[i]).toFixed(1)} ${y(high?.[i] ?? 0).toFixed(1)}`).join('')}${sure.toReversed().map((i) => `L${x(values[i]).toFixed(1)} ${y(low?.[i] ?? 0).toFixed(1)}`).join('')}Z` : '';
    const places = order.map((i) => x(values[i]));
    laid = {
      info,
      place: (point) => ({ x: x(values[point]), y: base, width: 0, height: 0 }),
      at: (at) => order.reduce((best, i) => (Math.abs(x(values[i]) - at) < Math.abs(x(values[best]) - at) ? i : best), order[0]),
    };
    /** @param {{ value: Float64Array, low: Float64Array, high: Float64Array }} curve @param {number[]} indices */
    function second(curve, indices) {
      const there = indices.filter((i) => Number.isFinite(curve.value[i]));
      const ends = there.filter((i) => Number.isFinite(curve.low[i]) && Number.isFinite(curve.high[i]));
      const path = there.map((i, n) => `${n ? 'L' : 'M'}${x(values[i]).toFixed(1)} ${y(curve.value[i]).toFixed(1)}`).join('');
      const area = `${ends.map((i, n) => `${n ? 'L' : 'M'}${x(values[i]).toFixed(1)} ${y(curve.high[i]).toFixed(1)}`).join('')}${ends.toReversed().map((i) => `L${x(values[i]).toFixed(1)} ${y(curve.low[i]).toFixed(1)}`).join('')}Z`;
      return [...(ends.length > 1 ? [svg('path', { class: 'band beside', d: area })] : []), svg('path', { class: 'curve beside', d: path }),
        ...there.map((i) => svg('rect', { class: 'dot beside', x: (x(values[i]) - 3).toFixed(1), y: (y(curve.value[i]) - 3).toFixed(1), width: 6, height: 6 }))];
    }
    // The boundary lies between two neighbours of which one mostly collapses.
    const turns = order.slice(1).flatMap((i, n) => {
      const before = order[n];
      if (!Number.isFinite(half[i]) || !Number.isFinite(half[before]) || half[i] === half[before]) return [];
      const [left, right] = [x(values[before]), x(values[i])];
      return [svg('rect', { class: 'boundary-band', x: left.toFixed(1), y: EDGE.top, width: (right - left).toFixed(1), height: inner.height })];
    });
    if (edge) {
      const [left, right] = edge.map((one) => Math.min(Math.max(x(one), EDGE.left), EDGE.left + inner.width));
      // However narrow it is, it is seen.
      turns.push(svg('rect', { class: 'boundary-band', x: ((left + right - Math.max(right - left, 3)) / 2).toFixed(1), y: EDGE.top, width: Math.max(right - left, 3).toFixed(1), height: inner.height }));
    }
    return [
      ...turns,
      ...ticks(0, top, 5).map((one) => svg('line', { class: 'grid', x1: EDGE.left, x2: EDGE.left + inner.width, y1: y(one).toFixed(1), y2: y(one).toFixed(1) })),
      svg('line', { class: 'axis', x1: EDGE.left, x2: EDGE.left + inner.width, y1: base, y2: base }),
      ...ticks(0, top, 5).map((one) => text(EDGE.left - 6, y(one) + 4, measure.write(one), 'end')),
      ...(band && !measure.scattered ? [svg('path', { class: 'band', d: band })] : []),
      ...sure.map((i) => svg('path', { class: 'whisker', d: `M${(x(values[i]) - 4).toFixed(1)} ${y(high?.[i] ?? 0).toFixed(1)}h8m-4 0V${y(low?.[i] ?? 0).toFixed(1)}m-4 0h8` })),
      ...(measure.scattered ? [] : [svg('path', { class: 'curve', d: line })]),
      ...known.map((i) => svg('circle', { class: 'dot', cx: x(values[i]).toFixed(1), cy: y(value[i]).toFixed(1), r: 3 })),
      ...other,
      ...spaced(places, 44).map((n) => (places[n] > EDGE.left + inner.width - 14 ? text(width - 2, base + 16, tick(values[order[n]]), 'end') : text(places[n], base + 16, tick(values[order[n]]), 'middle'))),
      text(EDGE.left + inner.width, base + 34, axisName(info.axes[0], unit), 'end', { class: 'name' }),
    ];
  }

  /** @param {SweepInfo} info @param {Measure} measure @param {Columns} columns @param {Float64Array} half @param {{ width: number, height: number }} inner @param {(unit: string) => string} unit */
  function map(info, measure, { value }, half, inner, unit) {
    const [across, up] = info.axes;
    const [columns, rows] = [across.values.length, up.values.length];
    const cell = { width: inner.width / columns, height: inner.height / rows };
    const base = EDGE.top + inner.height;
    const [least, most] = range(value, measure);
    /** @param {number} point */
    const place = (point) => ({ x: EDGE.left + Math.floor(point / rows) * cell.width, y: base - (point % rows + 1) * cell.height, ...cell });
    laid = {
      info, place,
      at: (x, y) => {
        const column = Math.min(Math.max(Math.floor((x - EDGE.left) / cell.width), 0), columns - 1);
        const row = Math.min(Math.max(Math.floor((base - y) / cell.height), 0), rows - 1);
        return column * rows + row;
      },
    };
    const cells = [];
    for (let point = 0; point < columns * rows; point++) {
      const { x, y } = place(point);
      const rect = svg('rect', { class: 'cell', x: x.toFixed(2), y: y.toFixed(2), width: (cell.width + 0.3).toFixed(2), height: (cell.height + 0.3).toFixed(2) });
      paint(/** @type {SVGElement} */ (rect), value[point], least, most, measure);
      cells.push(rect);
      if (measure.states && value[point] > 0 && cell.width >= 9 && cell.height >= 9) cells.push(text(x + cell.width / 2, y + cell.height / 2 + 3.5, value[point] === 2 ? '×' : '–', 'middle', { class: 'sign' }));
    }
    let edges = '';
    for (let point = 0; point < columns * rows; point++) {
      const { x, y } = place(point);
      const here = half[point];
      const right = point + rows < columns * rows ? half[point + rows] : here;
      const above = (point + 1) % rows ? half[point + 1] : here;
      if (Number.isFinite(here) && Number.isFinite(right) && here !== right) edges += `M${(x + cell.width).toFixed(2)} ${y.toFixed(2)}v${cell.height.toFixed(2)}`;
      if (Number.isFinite(here) && Number.isFinite(above) && here !== above) edges += `M${x.toFixed(2)} ${y.toFixed(2)}h${cell.width.toFixed(2)}`;
    }
    const centres = across.values.map((_, i) => EDGE.left + (i + 0.5) * cell.width);
    const middles = up.values.map((_, i) => base - (i + 0.5) * cell.height);
    return [
      ...cells,
      svg('path', { class: 'boundary under', d: edges }), svg('path', { class: 'boundary', d: edges }),
      ...spaced(centres, 44).map((i) => text(centres[i], base + 16, tick(across.values[i]), 'middle')),
      ...spaced(middles, 18).map((i) => text(EDGE.left - 6, middles[i] + 4, tick(up.values[i]), 'end')),
      text(EDGE.left + inner.width, base + 34, axisName(across, unit), 'end', { class: 'name' }),
      text(EDGE.left, EDGE.top - 8, axisName(up, unit), 'start', { class: 'name' }),
    ];
  }

  return { picture, draw, mark };
}

/** The ends of the scale. @param {Float64Array} value @param {Measure} measure @returns {[number, number]} */
function range(value, measure) {
  const finite = [...value].filter(Number.isFinite);
  if (measure.top !== null) return [0, measure.top];
  return finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
}

/** @param {SVGElement | HTMLElement} place @param {number} value @param {number} least @param {number} most @param {Measure} measure */
function paint(place, value, least, most, measure) {
  if (!Number.isFinite(value)) {
    place.style.fill = 'var(--sunken)';
    return;
  }
  if (measure.states) {
    place.style.fill = `var(${FILLS[value]})`;
    return;
  }
  const share = most > least ? (value - least) / (most - least) : 0;
  place.style.fill = `color-mix(in oklab, var(--heat-most) ${(100 * share).toFixed(1)}%, var(--heat-least))`;
}

/** What the colours and lines mean. @param {SweepInfo} info @param {Measure} measure @param {Columns} columns @param {boolean} boundary */
export function legend(info, measure, { value, low }, boundary) {
  const parts = [];
  if (info.axes.length === 1) {
    parts.push(element('span', { class: 'key' }, /** @type {any} */ (svg('svg', { viewBox: '0 0 26 12', width: 26, height: 12, 'aria-hidden': 'true' },
      ...(measure.scattered ? [svg('path', { class: 'whisker', d: 'M9 1h8M13 1V11M9 11h8' })] : [...(low ? [svg('rect', { class: 'band', x: 0, y: 1, width: 26, height: 10 })] : []), svg('path', { class: 'curve', d: 'M0 6H26' })]), svg('circle', { class: 'dot', cx: 13, cy: 6, r: 3 }))),
    measure.scattered ? ' share of the seeds, with its 95 % interval' : low ? ' over the seeds, with its 95 % confidence interval' : ' over the seeds'));
    if (boundary) parts.push(element('span', { class: 'key' }, /** @type {any} */ (svg('svg', { viewBox: '0 0 26 12', width: 26, height: 12, 'aria-hidden': 'true' }, svg('rect', { class: 'boundary-band', width: 26, height: 12 }))), ' here COLLAPSED becomes the rule: at least half of the runs end so'));
    return parts;
  }
  if (measure.states) {
    for (const [index, name] of STATES.entries()) {
      const swatch = svg('rect', { width: 14, height: 14 });
      /** @type {any} */ (swatch).style.fill = `var(${FILLS[index]})`;
      const sign = index ? [text(7, 11, index === 2 ? '×' : '–', 'middle', { class: 'sign' })] : [];
      parts.push(element('span', { class: 'key' }, /** @type {any} */ (svg('svg', { viewBox: '0 0 14 14', width: 14, height: 14, 'aria-hidden': 'true' }, swatch, ...sign)), ` ${name}`));
    }
  } else {
    const [least, most] = range(value, measure);
    const steps = Array.from({ length: 12 }, (_, i) => {
      const rect = svg('rect', { x: i * 10, y: 0, width: 10.2, height: 12 });
      paint(/** @type {any} */ (rect), i / 11, 0, 1, { ...measure, states: false });
      return rect;
    });
    parts.push(element('span', { class: 'key' }, `${measure.write(least)} `, /** @type {any} */ (svg('svg', { viewBox: '0 0 120 12', width: 120, height: 12, 'aria-hidden': 'true' }, ...steps)), ` ${measure.write(most)}`));
  }
  if (boundary) parts.push(element('span', { class: 'key' }, /** @type {any} */ (svg('svg', { viewBox: '0 0 26 12', width: 26, height: 12, 'aria-hidden': 'true' }, svg('path', { class: 'boundary under', d: 'M0 6H26' }), svg('path', { class: 'boundary', d: 'M0 6H26' }))), ' the edge of collapse: beyond it at least half of the runs end up COLLAPSED'));
  return parts;
}

/** The picture as a document of its own, with the colours that it has now. @param {SVGElement} picture @param {string} title */
export function toSvg(picture, title) {
  const copy = /** @type {SVGElement} */ (picture.cloneNode(true));
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const plain = (/** @type {string} */ colour) => {
    if (colour === 'none' || !canvas) return colour;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return alpha === 255 ? `rgb(${red},${green},${blue})` : `rgba(${red},${green},${blue},${(alpha / 255).toFixed(3)})`;
  };
  const originals = [picture, ...picture.querySelectorAll('*')];
  const copied = [copy, ...copy.querySelectorAll('*')];
  const cursor = copy.querySelector('.sweep-cursor');
  for (const [index, one] of copied.entries()) {
    const style = getComputedStyle(originals[index]);
    for (const name of ['fill', 'stroke']) one.setAttribute(name, plain(style.getPropertyValue(name)));
    for (const name of ['stroke-width', 'stroke-dasharray', 'font-size', 'font-weight']) one.setAttribute(name, style.getPropertyValue(name));
    for (const name of ['class', 'style', 'tabindex', 'data-testid', 'role', 'aria-label']) one.removeAttribute(name);
  }
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('font-family', 'system-ui, sans-serif');
  const [, , width, height] = (picture.getAttribute('viewBox') ?? '0 0 600 300').split(' ');
  copy.setAttribute('width', width);
  copy.setAttribute('height', height);
  const ground = svg('rect', { width, height, fill: plain(getComputedStyle(document.body).getPropertyValue('--card')) });
  const name = svg('title');
  name.textContent = title;
  copy.prepend(name, ground);
  cursor?.remove();
  return new XMLSerializer().serializeToString(copy);
}
