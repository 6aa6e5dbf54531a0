// The phase plot: offered load across, goodput up, time as a trail that grows darker.

import { atOrAfter } from '../../shared/decimate.js';
import { tick, ticks } from '../../shared/zoom.js';
import { FONT } from './draw.js';

/** @typedef {import('./draw.js').Pen} Pen */
/** @typedef {{ times: number[], offered: (number | null)[], goodput: (number | null)[] }} Trail */
/**
 * @typedef {object} Plane
 * @property {Pen} pen
 * @property {number} scale
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {number} right the greatest offered load
 * @property {number} high the greatest goodput
 * @property {(offered: number) => number} x
 * @property {(goodput: number) => number} y
 * @property {(token: string) => string} colour
 */

/** The trail changes its tone so often. */
const TONES = 24;

/** @param {Pen} pen @param {number} scale @param {{ left: number, top: number, width: number, height: number }} frame @param {number} right @param {number} high @param {(token: string) => string} colour @returns {Plane} */
export function plane(pen, scale, { left, top, width, height }, right, high, colour) {
  return { pen, scale, left, top, width, height, right, high, colour, x: (offered) => left + (width * offered) / right, y: (goodput) => top + height - (height * goodput) / high };
}

/** Axes, and the line on which every request is answered. @param {Plane} view @param {number | null} capacity */
export function ground(view, capacity) {
  const { pen, scale, left, top, width, height, right, high, x, y, colour } = view;
  pen.save();
  pen.font = `${11 * scale}px ${FONT}`;
  pen.lineWidth = scale;
  pen.strokeStyle = colour('--grid');
  pen.fillStyle = colour('--ink-soft');
  pen.setLineDash([]);
  pen.beginPath();
  const across = ticks(0, right, width / scale / 70);
  const up = ticks(0, high, height / scale / 34);
  for (const value of across) {
    pen.moveTo(x(value), top);
    pen.lineTo(x(value), top + height);
  }
  for (const value of up) {
    pen.moveTo(left, y(value));
    pen.lineTo(left + width, y(value));
  }
  pen.stroke();
  pen.textAlign = 'center';
  for (const value of across) pen.fillText(tick(value), x(value), top + height + 15 * scale);
  pen.textAlign = 'right';
  for (const value of up) pen.fillText(tick(value), left - 6 * scale, y(value) + 4 * scale);
  pen.textAlign = 'right';
  pen.fillText('λ offered, 1/s', left + width, top + height + 29 * scale);
  pen.textAlign = 'left';
  pen.fillText('goodput, 1/s', left, top - 6 * scale);
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.strokeStyle = colour('--line-strong');
  pen.setLineDash([6 * scale, 4 * scale]);
  pen.beginPath();
  const far = Math.min(right, high);
  pen.moveTo(x(0), y(0));
  pen.lineTo(x(far), y(far));
  pen.stroke();
  // Beside the end of the line, on whichever side there is room.
  const beside = x(far) + 90 * scale < left + width;
  pen.textAlign = beside ? 'left' : 'right';
  pen.fillText('all answered', x(far) + (beside ? 8 : -12) * scale, y(far) + (beside ? 14 : 24) * scale);
  // At the beginning of its line, where the trail hardly ever is.
  pen.textAlign = 'left';
  if (capacity !== null && capacity < high) {
    pen.strokeStyle = colour('--bad');
    pen.fillStyle = colour('--bad');
    pen.setLineDash([scale, 3 * scale]);
    pen.beginPath();
    pen.moveTo(left, y(capacity));
    pen.lineTo(left + width, y(capacity));
    pen.stroke();
    pen.fillText('capacity at rest', left + 4 * scale, y(capacity) + 13 * scale);
  }
  pen.restore();
}

/** @param {Trail} trail @param {[number, number]} window @returns {[number, number]} first row and the one after the last */
const rowsIn = ({ times }, window) => [atOrAfter(times, window[0]), Math.min(atOrAfter(times, window[1]) + 1, times.length)];

/** What the axes must reach. @param {Trail} trail @param {[number, number]} window @returns {[number, number]} */
export function greatest(trail, window) {
  let [right, high] = [0, 0];
  const [first, end] = rowsIn(trail, window);
  for (let row = first; row < end; row++) {
    right = Math.max(right, trail.offered[row] ?? 0);
    high = Math.max(high, trail.goodput[row] ?? 0);
  }
  return [right, high];
}

/** @param {Plane} view @param {Trail} trail @param {[number, number]} window @param {{ token: string, dash?: number[], arrows?: boolean }} style */
export function trail(view, trail, window, { token, dash, arrows = false }) {
  const { pen, scale, x, y, colour } = view;
  const [first, end] = rowsIn(trail, window);
  if (end - first < 2) return;
  pen.save();
  pen.beginPath();
  pen.rect(view.left, view.top, view.width, view.height);
  pen.clip();
  pen.strokeStyle = colour(token);
  pen.fillStyle = colour(token);
  pen.lineJoin = 'round';
  pen.lineWidth = (dash ? 1.25 : 1.4) * scale;
  pen.setLineDash((dash ?? []).map((length) => length * scale));
  const tones = dash ? 1 : TONES;
  let passed = 0;
  for (let tone = 0; tone < tones; tone++) {
    const from = first + Math.floor(((end - first - 1) * tone) / tones);
    const to = first + Math.floor(((end - first - 1) * (tone + 1)) / tones);
    pen.globalAlpha = dash ? 0.9 : 0.25 + (0.75 * (tone + 1)) / tones;
    pen.beginPath();
    let [px, py] = [NaN, NaN];
    for (let row = from; row <= to; row++) {
      const [offered, goodput] = [trail.offered[row], trail.goodput[row]];
      if (offered === null || goodput === null) continue;
      const [ax, ay] = [x(offered), y(goodput)];
      // Steps of less than a pixel cannot be seen.
      if (Math.hypot(ax - px, ay - py) < 0.7 * scale) continue;
      if (Number.isNaN(px)) pen.moveTo(ax, ay);
      else {
        pen.lineTo(ax, ay);
        passed += Math.hypot(ax - px, ay - py);
      }
      [px, py] = [ax, ay];
    }
    pen.stroke();
    // Heads of arrows say which way it went, where tones do not tell.
    if (arrows && passed > 60 * scale) {
      const [ahead, behind] = [to, Math.max(from, to - 3)];
      const [ox, oy, nx, ny] = [trail.offered[behind], trail.goodput[behind], trail.offered[ahead], trail.goodput[ahead]];
      if (ox !== null && oy !== null && nx !== null && ny !== null && Math.hypot(x(nx) - x(ox), y(ny) - y(oy)) > 4 * scale) {
        passed = 0;
        const angle = Math.atan2(y(ny) - y(oy), x(nx) - x(ox));
        pen.beginPath();
        pen.moveTo(x(nx), y(ny));
        for (const turn of [-0.45, 0.45]) pen.lineTo(x(nx) - 8 * scale * Math.cos(angle + turn), y(ny) - 8 * scale * Math.sin(angle + turn));
        pen.closePath();
        pen.fill();
      }
    }
  }
  pen.restore();
}

/** A point of the trail: open for its beginning, full for its end, a ring for what is pointed at. @param {Plane} view @param {number | null} offered @param {number | null} goodput @param {'start' | 'now' | 'cursor' | 'moment'} kind @param {string} words */
export function point(view, offered, goodput, kind, words) {
  if (offered === null || goodput === null || offered === undefined || goodput === undefined) return;
  const { pen, scale, left, width, x, y, colour } = view;
  const token = { start: '--ink-soft', now: '--series-1', cursor: '--ink', moment: '--accent' }[kind];
  pen.save();
  pen.beginPath();
  pen.arc(x(offered), y(goodput), (kind === 'now' ? 5 : 6) * scale, 0, 2 * Math.PI);
  pen.lineWidth = 2 * scale;
  pen.strokeStyle = colour(token);
  pen.fillStyle = kind === 'now' ? colour(token) : colour('--card');
  pen.setLineDash([]);
  if (kind !== 'cursor') pen.fill();
  pen.stroke();
  if (words) {
    pen.font = `600 ${11 * scale}px ${FONT}`;
    const room = pen.measureText(words).width;
    const right = x(offered) + 12 * scale + room < left + width;
    const start = right ? x(offered) + 9 * scale : x(offered) - 9 * scale - room;
    const foot = Math.min(Math.max(y(goodput) - 7 * scale, view.top + 11 * scale), view.top + view.height - 3 * scale);
    pen.globalAlpha = 0.8;
    pen.fillStyle = colour('--card');
    pen.fillRect(start - 2 * scale, foot - 10 * scale, room + 4 * scale, 13 * scale);
    pen.globalAlpha = 1;
    pen.fillStyle = colour(token);
    pen.textAlign = 'left';
    pen.fillText(words, start, foot);
  }
  pen.restore();
}

/** What the axes of the phase plot reach. @param {Trail[]} trails @param {[number, number]} window @param {import('./scene.js').Scene} scene @returns {[number, number]} */
export function reachOf(trails, window, { prediction }) {
  const all = trails.map((trail) => greatest(trail, window));
  const right = Math.max(...all.map(([across]) => across), 1);
  const most = Math.max(...all.map(([, up]) => up), 1);
  const capacity = prediction?.about.capacity_per_second ?? 0;
  // The capacity is worth some room if the goodput ever comes near it.
  return [right * 1.06, Math.max(most, capacity < 2 * most ? capacity : 0) * 1.08];
}

/** @param {Plane} view @param {import('./scene.js').Scene} scene @param {Trail[]} trails @param {number | null} cursor a row of the present trail */
export function drawTrails(view, scene, trails, cursor) {
  const { state, window, prediction } = scene;
  const [present, ...kept] = trails;
  ground(view, prediction?.about.capacity_per_second ?? null);
  kept.forEach((one, index) => trail(view, one, window, { token: state.kept[index]?.token ?? '--ink-soft', dash: [6, 3] }));
  trail(view, present, window, { token: '--series-1', arrows: true });
  const rows = present.times;
  if (!rows.length) return;
  const within = (/** @type {number} */ row) => rows[row] >= window[0] && rows[row] <= window[1];
  const mark = (/** @type {number} */ row, /** @type {'start' | 'now' | 'cursor' | 'moment'} */ kind, /** @type {string} */ words) => { if (row >= 0 && within(row)) point(view, present.offered[row], present.goodput[row], kind, words); };
  const first = rows.findIndex((time) => time >= window[0]);
  const last = rows.findLastIndex((time) => time <= window[1]);
  // Two labels at one place cannot be read.
  const near = first >= 0 && last >= 0 && Math.hypot(view.x(present.offered[first] ?? 0) - view.x(present.offered[last] ?? 0), view.y(present.goodput[first] ?? 0) - view.y(present.goodput[last] ?? 0)) < 60 * view.scale;
  mark(first, 'start', near ? '' : 'from here');
  mark(last, 'now', `${rows[last]?.toFixed(1)} s`);
  if (state.moment !== null) mark(rows.findIndex((time) => time >= /** @type {number} */ (state.moment)), 'moment', `${state.moment.toFixed(1)} s`);
  if (cursor !== null) mark(cursor, 'cursor', '');
}
