// What an embed is given, as attributes of the element or as parameters of the frame: the same names and the same rules for both.

import { everything, readView } from './view.js';

/** The parts of the page that an embed has. Others are there in the playground alone. */
export const EMBED_PARTS = ['controls', 'verdict', 'picture', 'charts'];
/** What an embed shows if it is not told. */
export const USUAL_PARTS = ['controls', 'verdict', 'charts'];
export const USUAL_CHARTS = ['queue', 'latency'];
export const THEMES = ['auto', 'light', 'dark'];
/** All names, in the order in which they are explained. */
export const NAMES = ['preset', 'set', 'seed', 'link', 'view', 'charts', 'lock', 'free', 'ask', 'seeds', 'vs', 'theme', 'heading', 'verdict', 'playground'];
/** Of a view, these are read as `view.js` has them. */
const OF_VIEW = ['view', 'charts', 'lock', 'free', 'ask', 'seeds', 'vs'];
/** A longer heading or verdict is refused. */
const MOST_WORDS = 500;
/** A longer link is none. */
const MOST_LINK = 200_000;
const MOST_SEED = 0xffff_ffff;
const CHANGE = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*=/;
/** Keys of a token that are not fields of the profile. */
const NO_FIELD = /^(h|view\.[a-z]+)$/;

/** @typedef {import('./view.js').View} View */
/** @typedef {{ field: string, message: string }} Refused */
/**
 * @typedef {object} Given
 * @property {string} token the experiment, as what stands after `#` in a link
 * @property {View} view
 * @property {boolean} viewed whether a view was asked for here, and not only in the token
 * @property {boolean} linked whether the token was given as a link, and not put together here
 * @property {'auto' | 'light' | 'dark'} theme
 * @property {string} heading instead of the preset's title; empty is the preset's
 * @property {string} verdict what the experiment came to, as whoever made the embed has seen it; empty is none
 * @property {string} playground where the whole page is; empty is the usual place
 * @property {Refused[]} problems
 */

/** A text as it is repeated in a message. @param {string} text */
const found = (text) => `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;

/**
 * Reads what is given. What is wrong is said, each with its name and what is accepted.
 * @param {Iterable<[string, string]>} entries
 * @param {{ presets: string[], charts: string[] }} known
 * @returns {Given}
 */
export function readGiven(entries, known) {
  /** @type {Given} */
  const given = { token: '', view: everything(), viewed: false, linked: false, theme: 'auto', heading: '', verdict: '', playground: '', problems: [] };
  /** @type {Map<string, string>} */
  const one = new Map();
  /** @type {[string, string][]} */
  const viewed = [];
  const refuse = (/** @type {string} */ field, /** @type {string} */ what, /** @type {string} */ accepted) => given.problems.push({ field, message: `${field}: found ${what}, accepted: ${accepted}` });

  for (const [name, value] of entries) {
    if (OF_VIEW.includes(name)) viewed.push([name, value]);
    else if (!NAMES.includes(name)) refuse(name.slice(0, 40), 'a name that means nothing here', NAMES.join(', '));
    else if (one.has(name)) refuse(name, 'it twice', 'it once');
    else one.set(name, value);
  }

  const { view, problems } = readView(viewed);
  for (const message of problems) given.problems.push({ field: message.split(':')[0], message });
  const other = view.show?.filter((part) => !EMBED_PARTS.includes(part)) ?? [];
  for (const part of other) refuse('view', found(part), EMBED_PARTS.join(', '));
  for (const chart of view.charts ?? []) if (!known.charts.includes(chart)) refuse('charts', found(chart), known.charts.join(', '));
  given.view = view;
  given.viewed = viewed.length > 0;
  given.linked = (one.get('link') ?? '').trim() !== '';

  const theme = one.get('theme') ?? 'auto';
  if (THEMES.includes(theme)) given.theme = /** @type {Given['theme']} */ (theme);
  else refuse('theme', found(theme), THEMES.join(', '));
  for (const name of /** @type {const} */ (['heading', 'verdict'])) {
    const words = one.get(name) ?? '';
    if (words.length > MOST_WORDS) refuse(name, `${words.length} characters`, `at most ${MOST_WORDS}`);
    else given[name] = words;
  }
  const playground = one.get('playground') ?? '';
  if (playground === '' || /^https?:\/\/[^\s]+$/.test(playground)) given.playground = playground;
  else refuse('playground', found(playground), 'an address that begins with https:// or http://');

  given.token = tokenOf(one, known.presets, refuse);
  // What a link says of it holds where nothing else is said; the engine looks at it closely later.
  if (!given.viewed) given.view = readView(glance(given.token).view).view;
  return given;
}

/**
 * @param {Map<string, string>} one @param {string[]} presets @param {(field: string, what: string, accepted: string) => void} refuse
 */
function tokenOf(one, presets, refuse) {
  const link = one.get('link')?.trim() ?? '';
  if (link !== '') {
    for (const name of ['preset', 'set', 'seed']) if (one.has(name)) refuse(name, 'it beside a link', 'either a link, which holds all of the experiment, or preset, set and seed');
    if (link.length > MOST_LINK) refuse('link', `${link.length} characters`, `at most ${MOST_LINK}`);
    return link.length > MOST_LINK ? '' : link;
  }
  const preset = one.get('preset')?.trim() || 'exp-002';
  if (!presets.includes(preset)) {
    refuse('preset', found(preset), presets.join(', '));
    return '';
  }
  const parts = [`v1.${preset}`];
  for (const change of (one.get('set') ?? '').split('~').map((text) => text.trim()).filter(Boolean)) {
    const path = change.slice(0, Math.max(change.indexOf('='), 0));
    if (!CHANGE.test(change) || NO_FIELD.test(path)) refuse('set', found(change), 'fields of the profile with their values, such as workers.count=6~queue.capacity=40');
    else parts.push(path + encodeURIComponent(plain(change.slice(path.length))).replace('%3D', '='));
  }
  const seed = one.get('seed')?.trim() ?? '';
  if (seed !== '') {
    if (/^\d{1,10}$/.test(seed) && Number(seed) <= MOST_SEED) parts.push(`seed=${Number(seed)}`);
    else refuse('seed', found(seed), `a whole number from 0 to ${MOST_SEED}`);
  }
  return parts.join('~');
}

/** The text behind percent codes, or the text itself where they make no sense. @param {string} text */
function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * What can be read in a token without the engine: enough for a poster, not to be relied on.
 * @param {string} token
 * @returns {{ preset: string | null, changes: string[], whole: boolean, view: [string, string][] }} `whole`: it is the preset and nothing else
 */
export function glance(token) {
  const [, text = ''] = /(?:^|#|%23)(v1z?\..*)$/s.exec(token) ?? [];
  const [head, ...rest] = text.split('~');
  const view = rest.flatMap((part) => {
    const [, key, value] = /^view\.([a-z]+)=(.*)$/s.exec(part) ?? [];
    return key === undefined || key === 'vs' ? [] : [/** @type {[string, string]} */ ([key, plain(value)])];
  });
  const preset = /^v1\.([a-z0-9-]+)$/.exec(head)?.[1] ?? null;
  const changes = rest.filter((part) => CHANGE.test(part) && !NO_FIELD.test(part.slice(0, part.indexOf('=')))).map((part) => plain(part).replace('=', ' = '));
  return { preset, changes, whole: preset !== null && changes.length === 0, view };
}

/** The parts that an embed with this view shows. @param {View} view */
export function partsOf({ show }) {
  const parts = (show ?? USUAL_PARTS).filter((part) => EMBED_PARTS.includes(part));
  // A view that was made for the page may name nothing that there is here.
  return parts.length ? parts : USUAL_PARTS;
}

/** How fast a run is watched, so that it takes no more than some ten seconds; long ones go as fast as they can. @param {number} seconds of virtual time */
export const paceOf = (seconds) => [1, 2, 5, 10, 20, 50].find((speed) => seconds / speed <= 10) ?? Infinity;
