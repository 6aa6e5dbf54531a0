// Numbers for people: as many digits as they carry, always with their unit.

const NONE = '–';

/** @param {number | null | undefined} value @returns {value is number} */
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

/**
 * A time: in milliseconds below a second.
 * @param {number | null | undefined} seconds
 */
export function time(seconds) {
  if (!isNumber(seconds)) return NONE;
  if (seconds === 0) return '0 s';
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.1 ? 2 : 1)} ms`;
  return `${seconds.toFixed(seconds < 100 ? 2 : 0)} s`;
}

/** A moment of virtual time. @param {number} seconds */
export const moment = (seconds) => `${seconds.toFixed(2)} s`;

/** How long something takes, roughly. @param {number} seconds */
export function span(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** A number with the sign that is as wide as a plus. @param {string} text */
export const minus = (text) => text.replace('-', '−');

/** Words of which no number parts from its unit at the end of a line. @param {string} words */
export const bound = (words) => words.replace(/(\d) (?=(?:s|ms|%|GB|MB)(?!\w))/g, '$1\u00a0').replace(/ = (?=\d)/g, '\u00a0=\u00a0');

/** A share as a percentage. @param {number | null | undefined} ratio */
export const percent = (ratio, digits = 2) => (isNumber(ratio) ? `${(100 * ratio).toFixed(digits)} %` : NONE);

/** A rate per second. @param {number | null | undefined} value */
export const rate = (value) => (isNumber(value) ? `${minus(value.toFixed(Math.abs(value) < 100 ? 1 : 0))}/s` : NONE);

/** A whole number with thin spaces between thousands. @param {number | null | undefined} value */
export const count = (value) => (isNumber(value) ? Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ' ') : NONE);

/** A whole number to two digits: an estimate. @param {number} value */
export const rough = (value) => count(Number(value.toPrecision(2)));

/** Any number, short. @param {number | null | undefined} value */
export const number = (value, digits = 2) => (isNumber(value) ? minus(value.toFixed(digits)) : NONE);

/** A unit of the schema as people write it. @param {string | undefined} unit */
export function unit(unit) {
  if (!unit) return '';
  if (unit === 'ratio') return '(ratio)';
  return unit.replace(/^\{(.*)\}$/, '$1s');
}

/** A number of a profile as people read it. @param {number} value */
export const plain = (value) => (Math.abs(value) >= 1e4 && Number.isInteger(value) ? count(value) : String(value));

/** The limits of a field, in words. @param {{minimum?: number, maximum?: number}} node */
export function limits(node) {
  if (node.minimum === undefined || node.maximum === undefined) return '';
  return `${plain(node.minimum)} to ${plain(node.maximum)}`;
}
