// Drawing: what lies under, over and beside the lines. The pen is a canvas's context, or one that writes SVG.

import { atOrAfter, nearest, thin } from '../../shared/decimate.js';
import * as timeline from '../../shared/timeline.js';
import { FEW, entriesOf } from './list.js';

/** @typedef {CanvasRenderingContext2D | import('../../shared/svgpen.js').SvgPen} Pen */
/**
 * Where a chart is drawn. Lengths are in the pen's units, of which `scale` make a CSS pixel.
 * @typedef {object} View
 * @property {Pen} pen
 * @property {number} scale
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {[number, number]} window the times shown
 * @property {(time: number) => number} x
 * @property {(value: number) => number} y
 * @property {(token: string) => string} colour
 */
/** @typedef {{ stroke: string, width?: number, dash?: number[], step?: boolean }} Style */
/** @typedef {(number | null)[] | ArrayLike<number>} Values */

export const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Noto Sans, sans-serif';

/** @param {View} view @param {number} size @param {number} [weight] */
const font = ({ scale }, size, weight) => `${weight ? `${weight} ` : ''}${size * scale}px ${FONT}`;

/** Draws within the frame alone. @param {View} view @param {() => void} draw */
function framed({ pen, left, top, width, height }, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  draw();
  pen.restore();
}

/** The part of a stretch that can be seen; null if none can. @param {View} view @param {number} from @param {number} to @returns {[number, number] | null} */
function part({ x, left, width, window }, from, to) {
  if (to < window[0] || from > window[1]) return null;
  return [Math.max(x(Math.max(from, window[0])), left), Math.min(x(Math.min(to, window[1])), left + width)];
}

/** The warm-up, which is not counted. @param {View} view @param {any} profile */
export function warmup(view, profile) {
  const { pen, scale, top, height, colour } = view;
  const seen = part(view, 0, profile.run.warmup_seconds);
  if (!seen || seen[1] <= seen[0]) return;
  const [left, right] = seen;
  pen.save();
  pen.fillStyle = colour('--shade');
  pen.fillRect(left, top, right - left, height);
  pen.restore();
}

/** Its word, over the lines. @param {View} view @param {any} profile */
export function warmupWords(view, profile) {
  const seen = part(view, 0, profile.run.warmup_seconds);
  if (!seen || seen[1] - seen[0] <= 80 * view.scale) return;
  view.pen.save();
  view.pen.font = font(view, 11);
  words(view, 'warm-up', seen[1] - 5 * view.scale, view.top + view.height - 11 * view.scale, '--ink-soft');
  view.pen.restore();
}

/** Words that end at a place, on a ground of their own, so that no line crosses them. @param {View} view @param {string} text @param {number} right @param {number} foot @param {string} token */
function words({ pen, scale, colour }, text, right, foot, token) {
  const room = pen.measureText(text).width;
  pen.textAlign = 'right';
  pen.globalAlpha = 0.88;
  pen.fillStyle = colour('--card');
  pen.fillRect(right - room - 3 * scale, foot - 9 * scale, room + 6 * scale, 12 * scale);
  pen.globalAlpha = 1;
  pen.fillStyle = colour(token);
  pen.fillText(text, right, foot);
}

/** The detector's state: a soft ground, and a rule along the top: dashes for DEGRADED, a thick line for COLLAPSED. @param {View} view @param {{ from: number, to: number, value: number | null }[]} states */
export function shade(view, states) {
  const { pen, scale, top, height, colour } = view;
  framed(view, () => {
    for (const { from, to, value } of states) {
      const seen = value ? part(view, from, to) : null;
      if (!seen || !value) continue;
      const [left, right] = [seen[0], Math.max(seen[1], seen[0] + scale)];
      pen.globalAlpha = 0.5;
      pen.fillStyle = colour(value === 2 ? '--bad-soft' : '--warn-soft');
      pen.fillRect(left, top, right - left, height);
      pen.globalAlpha = 1;
      pen.strokeStyle = colour(value === 2 ? '--bad' : '--warn');
      pen.lineWidth = (value === 2 ? 4 : 2) * scale;
      pen.setLineDash(value === 2 ? [] : [5 * scale, 3 * scale]);
      pen.beginPath();
      pen.moveTo(left, top + scale);
      pen.lineTo(right, top + scale);
      pen.stroke();
    }
  });
}

/** Slanted strokes. @param {View} view @param {number} left @param {number} top @param {number} width @param {number} height @param {string} stroke @param {number} [gap] */
function hatch({ pen, scale }, left, top, width, height, stroke, gap = 9) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.strokeStyle = stroke;
  pen.lineWidth = scale;
  pen.setLineDash([]);
  pen.beginPath();
  for (let x = left - height; x < left + width; x += gap * scale) {
    pen.moveTo(x, top + height);
    pen.lineTo(x + height, top);
  }
  pen.stroke();
  pen.restore();
}

/** Interventions: a hatched band from beginning to end, with its number in the list above and, where they fit, its words. @param {View} view @param {any} profile @param {boolean} labelled */
export function interventions(view, profile, labelled) {
  const { pen, scale, top, height, colour } = view;
  /** Where the next label of each row may stand. @type {number[]} */
  const rows = [];
  /** Labels come last, so that no band crosses them. @type {[string, number, number, number][]} */
  const labels = [];
  framed(view, () => {
    pen.font = font(view, 11, 600);
    pen.textAlign = 'left';
    entriesOf(profile).forEach((entry, index) => {
      const seen = part(view, entry.at_seconds, Math.min(timeline.endOf(entry), 1e9));
      if (!seen) return;
      const [left, right] = seen;
      pen.fillStyle = colour('--shade');
      pen.fillRect(left, top, Math.max(right - left, scale), height);
      hatch(view, left, top, right - left, height, colour('--hatch'));
      pen.strokeStyle = colour('--line-strong');
      pen.lineWidth = scale;
      pen.setLineDash([4 * scale, 3 * scale]);
      pen.beginPath();
      for (const x of [left, right]) {
        pen.moveTo(x, top);
        pen.lineTo(x, top + height);
      }
      pen.stroke();
      pen.setLineDash([]);
      if (!labelled) return;
      const whole = `${index + 1}: ${timeline.words(entry)}`;
      const label = pen.measureText(whole).width + 8 * scale < right - left ? whole : String(index + 1);
      const end = left + pen.measureText(label).width + 10 * scale;
      let row = rows.findIndex((free) => free <= left);
      if (row < 0) row = rows.length;
      rows[row] = end;
      const y = top + (17 + 14 * row) * scale;
      if (y < top + height) labels.push([label, left, y, end - left]);
    });
    for (const [label, left, y, width] of labels) {
      pen.fillStyle = colour('--card');
      pen.fillRect(left + 2 * scale, y - 10 * scale, width - 5 * scale, 13 * scale);
      pen.fillStyle = colour('--ink-soft');
      pen.fillText(label, left + 4 * scale, y);
    }
  });
}

/** Lines across the chart. @param {View} view @param {import('./list.js').Level[]} levels */
export function levels(view, levels) {
  const { pen, scale, left, top, width, height, y, colour } = view;
  pen.save();
  pen.font = font(view, 11);
  for (const { value, label, token, dash = [] } of levels) {
    const at = y(value);
    if (!(at >= top - 1 && at <= top + height + 1)) continue;
    pen.strokeStyle = colour(token);
    pen.lineWidth = scale;
    pen.setLineDash(dash.map((length) => length * scale));
    pen.beginPath();
    pen.moveTo(left, at);
    pen.lineTo(left + width, at);
    pen.stroke();
    if (!label) continue;
    // Under its line, or above it where there is no room below.
    words(view, label, left + width - 4 * scale, at + 13 * scale < top + height ? at + 12 * scale : at - 4 * scale, token);
  }
  pen.restore();
}

/** One line through its values; what is undefined is left open. @param {View} view @param {ArrayLike<number>} times @param {Values} values @param {Style} style */
export function line(view, times, values, { stroke, width = 1.5, dash = [], step = false }) {
  const { pen, scale, x, y, window } = view;
  const rows = thin(times, [/** @type {any} */ (values)], window[0], window[1], Math.ceil(view.width / scale));
  framed(view, () => {
    pen.strokeStyle = stroke;
    pen.lineWidth = width * scale;
    pen.lineJoin = 'round';
    pen.setLineDash(dash.map((length) => length * scale));
    pen.beginPath();
    let before = NaN;
    for (const row of rows) {
      const value = /** @type {number | null} */ (values[row]);
      if (value === null || Number.isNaN(value)) {
        before = NaN;
        continue;
      }
      const [across, down] = [x(times[row]), y(value)];
      if (Number.isNaN(before)) pen.moveTo(across, down);
      else {
        if (step) pen.lineTo(across, before);
        pen.lineTo(across, down);
      }
      before = down;
    }
    pen.stroke();
    pen.setLineDash([]);
  });
}

/** What lies between two lines. @param {View} view @param {ArrayLike<number>} times @param {ArrayLike<number>} low @param {ArrayLike<number>} high @param {string} fill */
export function band(view, times, low, high, fill) {
  const { pen, x, y, scale, window } = view;
  const rows = thin(times, [low, high], window[0], window[1], Math.ceil(view.width / scale)).filter((row) => !Number.isNaN(low[row]) && !Number.isNaN(high[row]));
  if (rows.length < 2) return;
  framed(view, () => {
    pen.globalAlpha = 0.22;
    pen.fillStyle = fill;
    pen.beginPath();
    rows.forEach((row, index) => (index ? pen.lineTo(x(times[row]), y(high[row])) : pen.moveTo(x(times[row]), y(high[row]))));
    for (const row of rows.toReversed()) pen.lineTo(x(times[row]), y(low[row]));
    pen.closePath();
    pen.fill();
  });
}

/** The area between the present line and the baseline's, in one tone where the present is above and in another where it is below. @param {View} view @param {{ times: number[], values: Values }} present @param {{ times: number[], values: Values }} base */
export function difference(view, present, base) {
  const { pen, scale, left, width, x, y, window, colour } = view;
  const end = Math.min(present.times.at(-1) ?? 0, base.times.at(-1) ?? 0, window[1]);
  const from = Math.max(window[0], 0);
  if (!(end > from)) return;
  /** @type {Record<'--above' | '--below', [number, number, number, number][]>} */
  const parts = { '--above': [], '--below': [] };
  const pixel = (window[1] - window[0]) / (width / scale);
  for (let time = from; time < end; time += pixel) {
    const now = present.values[nearest(present.times, time)];
    const then = base.values[nearest(base.times, time)];
    if (now == null || then == null || now === then || Number.isNaN(now) || Number.isNaN(then)) continue;
    const [high, low] = [y(Math.max(now, then)), y(Math.min(now, then))];
    parts[now > then ? '--above' : '--below'].push([x(time), high, Math.min(scale, left + width - x(time)), low - high]);
  }
  framed(view, () => {
    for (const [token, all] of Object.entries(parts)) {
      if (!all.length) continue;
      pen.fillStyle = colour(token);
      pen.beginPath();
      for (const [across, down, wide, high] of all) pen.rect(across, down, wide, high);
      pen.fill();
    }
  });
}

/** Strokes at the foot, where something was counted. @param {View} view @param {ArrayLike<number>} times @param {Values} counts @param {string} token */
export function ticks(view, times, counts, token) {
  const { pen, scale, top, height, x, window, colour } = view;
  framed(view, () => {
    pen.strokeStyle = colour(token);
    pen.lineWidth = scale;
    pen.setLineDash([]);
    pen.beginPath();
    let last = -Infinity;
    for (let row = atOrAfter(times, window[0]); row < times.length && times[row] <= window[1]; row++) {
      if (!counts[row]) continue;
      const across = Math.round(x(times[row]) / scale) * scale;
      if (across < last + 2 * scale) continue;
      last = across;
      pen.moveTo(across, top + height - 6 * scale);
      pen.lineTo(across, top + height);
    }
    pen.stroke();
  });
}

/** A dotted rule at the foot where there were few samples, and what it means. @param {View} view @param {ArrayLike<number>} times @param {Values} samples @param {string} token */
export function few(view, times, samples, token) {
  const { pen, scale, top, height, x, window, colour } = view;
  framed(view, () => {
    pen.strokeStyle = colour(token);
    pen.fillStyle = colour(token);
    pen.font = font(view, 10);
    pen.lineWidth = 3 * scale;
    pen.setLineDash([2 * scale, 2 * scale]);
    const foot = top + height - 2 * scale;
    /** @type {number | null} */
    let from = null;
    const close = (/** @type {number} */ right) => {
      if (from === null) return;
      pen.beginPath();
      pen.moveTo(from, foot);
      pen.lineTo(right, foot);
      pen.stroke();
      if (right - from > 44 * scale) pen.fillText(`n < ${FEW}`, from + 3 * scale, foot - 4 * scale);
      from = null;
    };
    const first = Math.max(atOrAfter(times, window[0]) - 1, 0);
    let right = 0;
    for (let row = first; row < times.length; row++) {
      const value = samples[row];
      right = x(times[row]);
      if (value !== null && value > 0 && value < FEW) from ??= row ? x(times[row - 1]) : x(0);
      else close(right);
      if (times[row] > window[1]) break;
    }
    close(right);
  });
}

/** A line down at a moment, with its words. @param {View} view @param {number} time @param {string} words @param {string} token */
export function mark(view, time, words, token) {
  const { pen, scale, left, top, width, height, x, window, colour } = view;
  if (time < window[0] || time > window[1]) return;
  const across = x(time);
  pen.save();
  pen.strokeStyle = colour(token);
  pen.lineWidth = 1.5 * scale;
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(across, top);
  pen.lineTo(across, top + height);
  pen.stroke();
  pen.font = font(view, 11, 600);
  const room = pen.measureText(words).width + 8 * scale;
  const start = across + room < left + width ? across : across - room;
  pen.fillStyle = colour(token);
  pen.fillRect(start, top, room, 15 * scale);
  pen.fillStyle = colour('--card');
  pen.textAlign = 'left';
  pen.fillText(words, start + 4 * scale, top + 11.5 * scale);
  pen.restore();
}

/** Rows of bars with their words, one above the other, and the rows' names left of them. @param {View} view @param {import('./list.js').Rail[]} rails */
export function rails(view, rails) {
  const { pen, scale, left, top, width, height, colour } = view;
  const row = height / Math.max(rails.length, 1);
  const ink = ['--good', '--warn', '--bad'];
  rails.forEach(({ name, kind, bars }, index) => {
    const head = top + index * row + scale;
    const high = row - 2 * scale;
    pen.save();
    pen.fillStyle = colour('--ink-soft');
    pen.font = font(view, 11);
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    pen.fillText(name, left - 6 * scale, head + high / 2);
    pen.restore();
    framed({ ...view, top: head, height: high }, () => {
      pen.fillStyle = colour('--sunken');
      pen.fillRect(left, head, width, high);
      for (const { from, to, level, label } of bars()) {
        const seen = part(view, from, Math.min(to, 1e9));
        if (!seen) continue;
        const [start, end] = [seen[0], Math.max(seen[1], seen[0] + scale)];
        pen.fillStyle = colour(`${ink[level]}-soft`);
        pen.fillRect(start, head, end - start, high);
        if (kind === 'hatch') hatch(view, start, head, end - start, high, colour(ink[level]), 5);
        if (kind === 'entry') hatch(view, start, head, end - start, high, colour('--hatch'), 5);
        // A foot as high as the state is bad, so that colour is not the only sign.
        const foot = kind === 'state' ? (high * (level + 1)) / 9 : 2 * scale;
        pen.fillStyle = colour(ink[level]);
        pen.fillRect(start, head + high - foot, end - start, foot);
        pen.font = font(view, 11, 600);
        pen.textAlign = 'left';
        pen.textBaseline = 'middle';
        const room = pen.measureText(label).width;
        const short = label.split(':')[0];
        const words = room + 10 * scale < end - start ? label : kind === 'entry' && pen.measureText(short).width + 8 * scale < end - start ? short : '';
        if (!words) continue;
        const down = head + (high - (kind === 'state' ? foot / 1.6 : 0)) / 2;
        pen.fillStyle = colour(`${ink[level]}-soft`);
        if (kind !== 'state') pen.fillRect(start + 3 * scale, head + 3 * scale, pen.measureText(words).width + 6 * scale, high - 7 * scale);
        pen.fillStyle = colour(ink[level]);
        pen.fillText(words, start + 6 * scale, down);
      }
    });
  });
}
