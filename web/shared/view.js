// How an experiment is shown: what a link or an embed says of it beside the experiment itself. In a token the keys stand as
// `view.show`, `view.charts` …, in the query of an embed as `view`, `charts` …; the values are the same.

/** The parts of the page and of an embed that can be shown or left out. */
export const PARTS = ['controls', 'verdict', 'picture', 'break', 'charts', 'compare', 'sweep', 'events', 'report', 'share', 'editor'];
/** What can be locked beside single fields: everything; running and stepping; breaking it; choosing another experiment. */
export const LOCKS = ['all', 'run', 'break', 'preset'];
/** A longer question is refused. */
export const MOST_QUESTION = 500;
/** More kept variants than this do not fit on one chart. */
export const MOST_VARIANTS = 4;

/**
 * @typedef {object} View
 * @property {string[] | null} show the parts that are shown; null is all of them
 * @property {string[] | null} charts the names of the charts that are shown; null is all of them
 * @property {string[]} lock what cannot be changed: words of `LOCKS`, and fields or sections by their path
 * @property {string[]} free fields or sections that can be changed nevertheless
 * @property {string} ask the question that a learner is asked; empty is none
 * @property {'' | 'own'} seeds `own` gives each student a seed of their own
 * @property {string} by whose answer this is; empty where nobody has answered
 * @property {string} answer what was answered
 * @property {string} sweep fields to vary and seeds: `agents.count=100..800:100;workers.count=1..8;seeds=1..10`; empty is none
 * @property {string[]} vs variants to compare with, each the changes of a token: `workers.count=6~queue.capacity=40`
 */

/** @returns {View} */
export const everything = () => ({ show: null, charts: null, lock: [], free: [], ask: '', seeds: '', by: '', answer: '', sweep: '', vs: [] });

const words = (/** @type {string} */ text) => text.split(',').map((word) => word.trim()).filter(Boolean);
const PATH = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/;

/**
 * Reads a view. What is wrong is left out and said, in words for people; the rest holds.
 * @param {Iterable<[string, string]>} entries keys without `view.`
 * @returns {{ view: View, problems: string[] }}
 */
export function readView(entries) {
  const view = everything();
  /** @type {string[]} */
  const problems = [];
  const known = (/** @type {string} */ key, /** @type {string} */ value, /** @type {(word: string) => boolean} */ good, /** @type {string} */ accepted) => words(value).filter((word) => {
    if (good(word)) return true;
    problems.push(`${key}: found "${word.slice(0, 40)}", accepted: ${accepted}`);
    return false;
  });
  for (const [key, value] of entries) {
    if (key === 'show' || key === 'view') view.show = known(key, value, (word) => PARTS.includes(word), PARTS.join(', '));
    else if (key === 'charts') view.charts = known(key, value, (word) => PATH.test(word), 'names of charts');
    else if (key === 'lock') view.lock = known(key, value, (word) => LOCKS.includes(word) || PATH.test(word), `${LOCKS.join(', ')}, or paths of fields`);
    else if (key === 'free') view.free = known(key, value, (word) => PATH.test(word), 'paths of fields');
    else if (key === 'ask' || key === 'by' || key === 'answer') {
      if (value.length <= MOST_QUESTION) view[key] = value;
      else problems.push(`${key}: found ${value.length} characters, accepted: at most ${MOST_QUESTION}`);
    } else if (key === 'seeds') {
      if (value === 'own' || value === '') view.seeds = value;
      else problems.push(`seeds: found "${value.slice(0, 40)}", accepted: own`);
    } else if (key === 'vs') {
      if (view.vs.length < MOST_VARIANTS - 1) view.vs.push(value);
      else problems.push(`vs: found more than ${MOST_VARIANTS - 1} variants, accepted: at most ${MOST_VARIANTS - 1}`);
    } else if (key === 'sweep') {
      if (readSweep(value) || value === '') view.sweep = value;
      else problems.push(`sweep: found "${value.slice(0, 40)}", accepted: path=values;…;seeds=A..B`);
    } else problems.push(`found "${key.slice(0, 40)}", accepted: show, charts, lock, free, ask, seeds, by, answer, vs, sweep`);
  }
  return { view, problems };
}

/**
 * A sweep as a link has it; null if it is none.
 * @param {string} text @returns {{ fields: { path: string, values: string }[], first: number, count: number } | null}
 */
export function readSweep(text) {
  const parts = text.split(';');
  const seeds = /^seeds=(\d{1,10})\.\.(\d{1,10})$/.exec(parts.pop() ?? '');
  const fields = parts.map((part) => /^([a-z][a-z0-9_.]*)=([a-z0-9_.,:+-]+)$/.exec(part));
  if (!seeds || fields.length < 1 || fields.length > 2 || fields.some((field) => field === null)) return null;
  const [first, last] = [Number(seeds[1]), Number(seeds[2])];
  return { fields: fields.map((field) => ({ path: field?.[1] ?? '', values: field?.[2] ?? '' })), first, count: last - first + 1 };
}

/** @param {string[]} fields each `path=values` @param {number} first @param {number} count */
export const writeSweep = (fields, first, count) => [...fields.map((field) => field.replace(/\s+/g, '')), `seeds=${first}..${first + count - 1}`].join(';').toLowerCase();

/** The entries that `readView` reads back. @param {View} view @returns {[string, string][]} */
export function writeView({ show, charts, lock, free, ask, seeds, by, answer, vs, sweep }) {
  /** @type {[string, string][]} */
  const entries = [];
  if (show) entries.push(['show', show.join(',')]);
  if (charts) entries.push(['charts', charts.join(',')]);
  if (lock.length) entries.push(['lock', lock.join(',')]);
  if (free.length) entries.push(['free', free.join(',')]);
  if (ask) entries.push(['ask', ask]);
  if (seeds) entries.push(['seeds', seeds]);
  if (by) entries.push(['by', by]);
  if (answer) entries.push(['answer', answer]);
  for (const one of vs) entries.push(['vs', one]);
  if (sweep) entries.push(['sweep', sweep]);
  return entries;
}

/** Why something cannot be changed, as it is told beside it. */
export const LOCKED = 'Locked in this task';

/** Whether a view says anything. @param {View} view */
export const plain = (view) => writeView(view).length === 0;

/** The same without its limits: everything is shown, nothing is locked. @param {View} view @returns {View} */
export const unlimited = (view) => ({ ...view, show: null, charts: null, lock: [], free: [] });

/** Whether a view hides or locks something. @param {View} view */
export const limits = ({ show, charts, lock }) => show !== null || charts !== null || lock.length > 0;

/** @param {string} path @param {string} section */
const within = (path, section) => path === section || path.startsWith(`${section}.`);

/** Whether a field may be changed. @param {View} view @param {string} path */
export function mayChange({ lock, free }, path) {
  if (free.some((section) => within(path, section))) return true;
  return !lock.some((section) => section === 'all' || within(path, section));
}

/** Whether one may do something that is no field: `run`, `break`, `preset`. @param {View} view @param {'run' | 'break' | 'preset'} what */
export const may = ({ lock }, what) => !lock.includes(what) && (what === 'run' || !lock.includes('all'));

/** Whether a part is shown. @param {View} view @param {string} part */
export const shows = ({ show }, part) => show === null || show.includes(part);
