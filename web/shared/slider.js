// Where a value stands on a slider, and which value stands at a place: logarithmic where the range is.

/**
 * @typedef {object} Scale
 * @property {number} min
 * @property {number} max
 * @property {boolean} integer
 * @property {'linear' | 'log' | 'zero'} curve `zero` is logarithmic with 0 at its very left
 * @property {number} least where the logarithm begins
 * @property {number} digits significant digits of what is chosen; linear scales have a step of their own
 */

/** Beyond this ratio of its ends, or above this top where it starts at 0, a range is logarithmic. */
const WIDE = 100;
/** The share of the track that stands for 0 where 0 has no logarithm. */
const ZERO = 0.04;

/** The scale of a field, if it has ends. @param {any} node of the JSON Schema @returns {Scale | null} */
export function scaleOf({ type, minimum: min, maximum: max, default: fallback, 'x-scale': asked }) {
  if (typeof min !== 'number' || typeof max !== 'number' || !(min < max)) return null;
  const integer = [type].flat().includes('integer');
  const wide = min > 0 ? asked === 'log' || max / min > WIDE : max > WIDE;
  const curve = !wide || min < 0 ? 'linear' : min > 0 ? 'log' : 'zero';
  // Two powers of ten below the default there is something to choose from.
  const fine = typeof fallback === 'number' && fallback > 0 ? 10 ** Math.floor(Math.log10(fallback) - 2) : 1e-3;
  const least = min > 0 ? min : integer ? 1 : Math.min(1e-3, fine);
  return { min, max, integer, curve, least, digits: Math.log10(max / least) > 4 ? 2 : 3 };
}

/** A value's place from 0 to 1; beyond the ends, the end. @param {Scale} scale @param {number} value */
export function position({ min, max, curve, least }, value) {
  if (!(value > min)) return 0;
  if (value >= max) return 1;
  if (curve === 'linear') return (value - min) / (max - min);
  const along = Math.max(0, Math.log(value / least) / Math.log(max / least));
  return curve === 'log' ? along : ZERO + (1 - ZERO) * along;
}

/** The value at a place, with as many digits as make sense there. @param {Scale} scale @param {number} place from 0 to 1 */
export function value(scale, place) {
  const { min, max, integer, curve, least, digits } = scale;
  if (place <= 0) return min;
  if (place >= 1) return max;
  let found;
  if (curve === 'linear') {
    const step = 10 ** Math.floor(Math.log10((max - min) / 100) + 1e-9);
    // Dividing by a power of ten is exact where multiplying by a tenth is not.
    found = step < 1 ? Math.round((min + place * (max - min)) / step) / Math.round(1 / step) : Math.round((min + place * (max - min)) / step) * step;
  } else {
    const along = curve === 'log' ? place : (place - ZERO) / (1 - ZERO);
    if (along < 0) return 0;
    found = Number((least * (max / least) ** along).toPrecision(digits));
  }
  return Math.min(max, Math.max(min, integer ? Math.round(found) : found));
}

/** The value one step on: by a share of the track, and at least to the next value there is. @param {Scale} scale @param {number} from @param {number} by */
export function moved(scale, from, by) {
  const start = position(scale, from);
  for (let steps = 1; steps <= 200; steps++) {
    const place = start + by * steps;
    const next = value(scale, place);
    if (by > 0 ? next > from : next < from) return scale.integer && steps > 1 ? from + Math.sign(by) : next;
    if (place <= 0 || place >= 1) break;
  }
  return Math.min(scale.max, Math.max(scale.min, from));
}
