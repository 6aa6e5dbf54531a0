// Reading a guide: a file that somebody may have written by hand, so that whatever is wrong is said by its place.

/** @typedef {{ text: string, answer: string, right?: boolean }} Option */
/** @typedef {{ text: string, preset?: string, set?: { [path: string]: unknown } }} Attempt */
/** @typedef {{ title: string, text: string, explain: string, preset: string, set?: { [path: string]: unknown }, question?: { ask: string, options: Option[] }, look: { at: string, words: string }, try?: Attempt }} Step */
/** @typedef {{ title: string, summary: string, minutes: number, steps: Step[] }} Guide */

/** A guide that cannot be used, and the place in it. */
export class GuideError extends Error {
  name = 'GuideError';
}

/** What kind of thing a place holds. @param {unknown} value */
const kind = (value) => (value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'text' : typeof value === 'number' ? 'a number' : typeof value);

/** @param {unknown} found @param {string} place @param {string} accepted @returns {never} */
function refuse(found, place, accepted) {
  throw new GuideError(`${place === '' ? 'the guide' : place}: found ${found === undefined ? 'nothing' : kind(found)}, accepted: ${accepted}`);
}

/** @param {any} value @param {string} place @param {{ [name: string]: (value: any, place: string) => void }} fields @param {string[]} optional */
function object(value, place, fields, optional = []) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) refuse(value, place, 'an object');
  for (const name of Object.keys(value)) if (!fields[name]) throw new GuideError(`${place}/${name}: no such field, accepted: ${Object.keys(fields).join(', ')}`);
  for (const [name, check] of Object.entries(fields)) {
    if (value[name] === undefined && optional.includes(name)) continue;
    check(value[name], `${place}/${name}`);
  }
}
/** @param {any} value @param {string} place */
function text(value, place) {
  if (typeof value !== 'string' || value.trim() === '') refuse(value, place, 'text');
  if (value.length > 2000) throw new GuideError(`${place}: found ${value.length} characters, accepted: at most 2000`);
}
/** @param {number} least @param {number} most @param {(value: any, place: string) => void} check @returns {(value: any, place: string) => void} */
const list = (least, most, check) => (value, place) => {
  if (!Array.isArray(value) || value.length < least || value.length > most) refuse(value, place, `a list of ${least} to ${most}`);
  value.forEach((/** @type {any} */ one, /** @type {number} */ index) => check(one, `${place}/${index}`));
};
/** @param {any} value @param {string} place */
const settings = (value, place) => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) refuse(value, place, 'an object of dotted paths and their values');
};
/** @param {any} value @param {string} place */
const anything = (value, place) => void [value, place];
/** @param {any} value @param {string} place */
const minutes = (value, place) => { if (!(typeof value === 'number' && value > 0 && value < 1000)) refuse(value, place, 'a number of minutes'); };

/** @param {any} value @param {string} place */
function question(value, place) {
  object(value, place, {
    ask: text,
    options: list(2, 6, (option, at) => object(option, at, { text, answer: text, right: (right, where) => { if (right !== true) refuse(right, where, 'true, or nothing'); } }, ['right'])),
  });
  const right = value.options.filter((/** @type {Option} */ option) => option.right).length;
  if (right !== 1) throw new GuideError(`${place}/options: ${right} are right, accepted: exactly one`);
}

/**
 * A guide from its file.
 * @param {string} source @returns {Guide}
 * @throws {GuideError} Names the place, as a JSON pointer, and what is accepted there.
 */
export function parse(source) {
  let guide;
  try {
    guide = JSON.parse(source);
  } catch (error) {
    throw new GuideError(`the guide is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const attempt = (/** @type {any} */ value, /** @type {string} */ place) => object(value, place, { text, preset: text, set: settings, expect: anything }, ['preset', 'set', 'expect']);
  object(guide, '', {
    title: text, summary: text, minutes,
    steps: list(1, 20, (step, place) => object(step, place, {
      title: text, text, preset: text, set: settings, question, explain: text, try: attempt, expect: anything,
      look: (look, at) => object(look, at, { at: text, words: text }),
    }, ['set', 'question', 'try', 'expect'])),
  });
  return guide;
}

/** How many virtual seconds go by in a second, so that a run can be watched and does not bore. @param {number} duration of the run, in seconds @param {boolean} still whether movement is unwelcome */
export const pace = (duration, still) => (still ? Infinity : Math.max(1, duration / 6));
