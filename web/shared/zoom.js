// A window of time on an axis: in, out, and along.

/** @typedef {[number, number]} Window */

/** A narrower stretch than this share of the whole shows nothing new. */
const NARROWEST = 1 / 10_000;

/** The window, within the whole; null if it is the whole. @param {Window} window @param {number} end @returns {Window | null} */
export function within([from, to], end) {
  const width = Math.max(to - from, end * NARROWEST);
  if (width >= end * 0.999) return null;
  const start = Math.min(Math.max(from, 0), end - width);
  return [start, start + width];
}

/** Makes a window so many times as wide, around a time that stays where it is. @param {Window | null} window @param {number} end @param {number} factor @param {number} around @returns {Window | null} */
export function scale(window, end, factor, around) {
  const [from, to] = window ?? [0, end];
  const centre = Math.min(Math.max(around, from), to);
  return within([centre - (centre - from) * factor, centre + (to - centre) * factor], end);
}

/** The window moved just so far that it holds a time. @param {Window | null} window @param {number} end @param {number} time @returns {Window | null} */
export function holding(window, end, time) {
  if (!window || (time >= window[0] && time <= window[1])) return window;
  const width = window[1] - window[0];
  const from = time < window[0] ? time - 0.1 * width : time - 0.9 * width;
  return within([from, from + width], end);
}

/** Round numbers on an axis, at most `most` of them. @param {number} from @param {number} to @param {number} most */
export function ticks(from, to, most) {
  const rough = (to - from) / Math.max(most, 1);
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((one) => one >= rough * 0.999999) ?? 10 * power;
  const all = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to + step * 1e-9; n++) all.push(Number((n * step).toPrecision(12)));
  return all;
}

/** The next round number from here on, a tenth ahead at most. @param {number} value above 0 */
export function ahead(value) {
  const step = 10 ** Math.floor(Math.log10(value)) / 10;
  return Number((Math.ceil(value / step - 1e-9) * step).toPrecision(12));
}

/** A number on an axis, as short as it can be. @param {number} value */
export function tick(value) {
  const size = Math.abs(value);
  const short = size >= 1e6 ? `${Number((value / 1e6).toPrecision(4))}M` : size >= 1e4 ? `${Number((value / 1e3).toPrecision(4))}k` : String(Number(value.toPrecision(6)));
  return short.replace('-', '−');
}
