// Guides: reading a file strictly, the experiments it asks for, and whether a run bears out what it says.

import * as format from './format.js';
import { read, write } from './paths.js';

/** @typedef {{ [path: string]: any }} Changes dotted paths to values */
/**
 * A figure of the report, and what the guide says it comes to.
 * @typedef {{ field: string, label: string, from?: number, to?: number, is?: string | boolean }} Figure
 */
/** @typedef {{ text: string, right: boolean, feedback: string }} Option */
/** @typedef {{ label: string, set: Changes }} Case */
/** @typedef {{ case: number, value: number, from: number, to: number }} Claim */
/**
 * The same experiment with several values of one field.
 * @typedef {{ path: string, label: string, unit: string, values: number[], seeds: number[], measure: string, cases: Case[], claims: Claim[] }} Sweep
 */
/** @typedef {{ at: string, text: string, seconds: number | null }} Look */
/** @typedef {{ text: string, set: Changes, expect: string, figures: Figure[], speed: number }} Try */
/**
 * @typedef {object} Step
 * @property {string} title
 * @property {string[]} text paragraphs
 * @property {string} preset
 * @property {Changes} set
 * @property {{ text: string, options: Option[] } | null} question
 * @property {{ speed: number } | null} run
 * @property {Sweep | null} sweep
 * @property {Figure[]} figures
 * @property {Look | null} look
 * @property {string[]} explanation
 * @property {Try | null} then
 */
/** @typedef {{ title: string, summary: string, minutes: number, steps: Step[] }} Guide */
/** @typedef {{ place: string, message: string }} Problem */

/** What a guide is thrown back with: every problem with its place. */
export class GuideError extends Error {
  /** @param {Problem[]} problems */
  constructor(problems) {
    super(problems.map(({ place, message }) => (place ? `${place}: ${message}` : message)).join('\n'));
    this.name = 'GuideError';
    this.problems = problems;
  }
}

/** A longer file is not even read. */
export const MOST_TEXT = 200_000;
const MOST_STEPS = 20;
const MOST_RUNS = 400;

const yes = (/** @type {any} */ value) => (value === true ? 'yes' : value === false ? 'no' : '–');
const word = (/** @type {any} */ value) => (typeof value === 'string' ? value : '–');
const percent = (/** @type {any} */ value) => format.percent(value, 1);
const seconds = (/** @type {any} */ value) => (typeof value === 'number' ? `${value.toFixed(1)} s` : '–');
const times = (/** @type {any} */ value) => (typeof value === 'number' ? `× ${value.toFixed(1)}` : '–');

/** Figures that a guide may show: where they stand in the report, what they are called, how they are written. @type {Record<string, [string, (value: any) => string]>} */
export const FIGURES = {
  state: ['State', word], worst_state: ['Worst state', word], final_state: ['State at the end', word],
  error_rate: ['Requests that failed', percent], goodput_per_second: ['Good answers', format.rate], throughput_per_second: ['Answers', format.rate],
  'latency_seconds.mean': ['Latency, mean', format.time], 'latency_seconds.p50': ['Latency, half of all below', format.time],
  'latency_seconds.p95': ['Latency, 95 of 100 below', format.time], 'latency_seconds.p99': ['Latency, 99 of 100 below', format.time],
  'queue.mean': ['Waiting, on average', (value) => format.number(value, 1)], 'queue.max': ['Waiting, at most', format.count], utilization: ['Workers busy', percent],
  'clients.amplification': ['Sends per request', times], 'state_share.COLLAPSED': ['Time collapsed', percent], 'first_seconds.COLLAPSED': ['Collapsed first at', seconds],
  'recovery.recovered': ['Recovered', yes], 'recovery.metastable': ['Stuck although the cause is gone', yes], 'recovery.seconds_after_trigger': ['Recovered after', seconds],
};

/** What a guide may point at: charts by name, and sections of the page. */
export const PLACES = ['state', 'rates', 'derivative', 'queue', 'latency', 'amplification', 'phase', 'clients', 'connections', 'limit', 'removed', 'workers', 'downstream', 'verdict', 'picture', 'report'];

const SPEEDS = { least: 0.1, most: 1000 };

/**
 * Reads a guide strictly: what it does not know is refused, with the place.
 * @param {string} text @returns {Guide}
 * @throws {GuideError}
 */
export function readGuide(text) {
  /** @type {Problem[]} */
  const problems = [];
  const refuse = (/** @type {string} */ place, /** @type {string} */ message) => void problems.push({ place, message });
  if (text.length > MOST_TEXT) throw new GuideError([{ place: '', message: `found ${text.length} characters, accepted: at most ${MOST_TEXT}` }]);
  /** @type {any} */
  let whole;
  try {
    // A byte order mark, which some editors write, is not part of the text.
    whole = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new GuideError([{ place: '', message: `this is not JSON: ${error instanceof Error ? error.message : error}` }]);
  }

  const kind = (/** @type {any} */ value) => (value === undefined ? 'nothing' : value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : shorten(JSON.stringify(value)));
  const inside = (/** @type {string} */ place, /** @type {string} */ name) => (place ? `${place}.${name}` : name);

  /** An object with these fields and no others. @param {any} value @param {string} place @param {string[]} fields */
  function object(value, place, fields) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      refuse(place, `found ${kind(value)}, accepted: an object with ${fields.join(', ')}`);
      return null;
    }
    for (const name of Object.keys(value)) if (!fields.includes(name)) refuse(inside(place, name), `unknown field, accepted: ${fields.join(', ')}`);
    return value;
  }
  /** @param {any} value @param {string} place @param {number} [most] */
  function words(value, place, most = 2000) {
    if (typeof value === 'string' && value.trim() !== '' && value.length <= most) return value;
    refuse(place, typeof value === 'string' ? (value.trim() === '' ? 'found an empty text, accepted: words' : `found ${value.length} characters, accepted: at most ${most}`) : `found ${kind(value)}, accepted: a text`);
    return '';
  }
  /** One paragraph, or a list of them. @param {any} value @param {string} place @param {boolean} [needed] */
  function paragraphs(value, place, needed = false) {
    if (value === undefined && !needed) return [];
    return Array.isArray(value) ? value.map((one, index) => words(one, `${place}[${index}]`)) : [words(value, place)];
  }
  /** @param {any} value @param {string} place @param {number} least @param {number} most */
  function number(value, place, least, most) {
    if (typeof value === 'number' && value >= least && value <= most) return value;
    refuse(place, `found ${kind(value)}, accepted: a number from ${least} to ${most}`);
    return least;
  }
  /** @param {any} value @param {string} place @param {number} least @param {number} most @returns {any[]} */
  function list(value, place, least, most) {
    if (Array.isArray(value) && value.length >= least && value.length <= most) return value;
    refuse(place, Array.isArray(value) ? `found ${value.length} entries, accepted: ${least} to ${most}` : `found ${kind(value)}, accepted: a list`);
    return Array.isArray(value) ? value.slice(0, most) : [];
  }
  /** @template T @param {any} value @param {string} place @param {T[]} choices @returns {T} */
  function choice(value, place, choices) {
    if (choices.includes(value)) return value;
    refuse(place, `found ${kind(value)}, accepted: ${choices.map((one) => JSON.stringify(one)).join(', ')}`);
    return choices[0];
  }
  /** @param {any} value @param {string} place @returns {Changes} */
  function changes(value, place) {
    if (value === undefined) return {};
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      refuse(place, `found ${kind(value)}, accepted: an object of dotted paths and values, such as {"workers.count": 4}`);
      return {};
    }
    for (const path of Object.keys(value)) {
      if (!/^[a-z0-9_]+(\.[a-z0-9_]+)*$/i.test(path) || /(^|\.)(__proto__|constructor|prototype)(\.|$)/.test(path)) refuse(inside(place, path), 'this is no path, accepted: names with dots between, such as workers.count');
    }
    return value;
  }
  /** @param {any} value @param {string} place @returns {number} */
  function speed(value, place) {
    if (value === 'max') return Infinity;
    if (typeof value === 'number' && value >= SPEEDS.least && value <= SPEEDS.most) return value;
    refuse(place, `found ${kind(value)}, accepted: "max", or virtual seconds per second from ${SPEEDS.least} to ${SPEEDS.most}`);
    return Infinity;
  }
  /** @param {any} value @param {string} place @returns {Figure[]} */
  function figures(value, place) {
    if (value === undefined) return [];
    return list(value, place, 1, 8).map((one, index) => {
      const at = `${place}[${index}]`;
      const given = object(one, at, ['field', 'label', 'from', 'to', 'is']);
      if (!given) return { field: 'state', label: '' };
      const field = choice(given.field, `${at}.field`, Object.keys(FIGURES));
      /** @type {Figure} */
      const figure = { field, label: given.label === undefined ? FIGURES[field][0] : words(given.label, `${at}.label`, 80) };
      for (const end of /** @type {const} */ (['from', 'to'])) if (given[end] !== undefined) figure[end] = number(given[end], `${at}.${end}`, -1e9, 1e9);
      if (given.is !== undefined) {
        if (typeof given.is === 'string' || typeof given.is === 'boolean') figure.is = given.is;
        else refuse(`${at}.is`, `found ${kind(given.is)}, accepted: a word such as "STABLE", true or false`);
        if (given.from !== undefined || given.to !== undefined) refuse(at, 'found "is" beside "from" or "to", accepted: one or the other');
      }
      if (figure.from !== undefined && figure.to !== undefined && figure.from > figure.to) refuse(at, `found from ${figure.from} to ${figure.to}, accepted: the lower one first`);
      return figure;
    });
  }
  /** @param {any} value @param {string} place */
  function question(value, place) {
    if (value === undefined) return null;
    const given = object(value, place, ['text', 'options']);
    if (!given) return null;
    const options = list(given.options, `${place}.options`, 2, 6).map((one, index) => {
      const at = `${place}.options[${index}]`;
      const option = object(one, at, ['text', 'right', 'feedback']);
      if (option?.right !== undefined && typeof option.right !== 'boolean') refuse(`${at}.right`, `found ${kind(option.right)}, accepted: true or false`);
      return { text: words(option?.text, `${at}.text`, 300), right: option?.right === true, feedback: words(option?.feedback, `${at}.feedback`, 600) };
    });
    const right = options.filter((one) => one.right).length;
    if (right !== 1) refuse(`${place}.options`, `found ${right} options with "right": true, accepted: exactly one`);
    return { text: words(given.text, `${place}.text`, 600), options };
  }
  /** @param {any} value @param {string} place @returns {Sweep | null} */
  function sweep(value, place) {
    const given = object(value, place, ['path', 'label', 'unit', 'values', 'seeds', 'measure', 'cases', 'claims']);
    if (!given) return null;
    const path = words(given.path, `${place}.path`, 200);
    changes({ [path]: 0 }, `${place}.path`);
    const values = list(given.values, `${place}.values`, 2, 30).map((one, index) => number(one, `${place}.values[${index}]`, -1e9, 1e9));
    if (values.some((one, index) => index > 0 && one <= values[index - 1])) refuse(`${place}.values`, 'accepted: numbers that rise');
    const seeds = given.seeds === undefined ? [1] : list(given.seeds, `${place}.seeds`, 1, 20).map((one, index) => number(one, `${place}.seeds[${index}]`, 0, 4294967295));
    const measure = choice(given.measure, `${place}.measure`, Object.keys(FIGURES).filter((name) => ![word, yes].includes(FIGURES[name][1])));
    const cases = given.cases === undefined ? [{ label: FIGURES[measure][0], set: {} }] : list(given.cases, `${place}.cases`, 1, 3).map((one, index) => {
      const at = `${place}.cases[${index}]`;
      const each = object(one, at, ['label', 'set']);
      return { label: words(each?.label, `${at}.label`, 80), set: changes(each?.set, `${at}.set`) };
    });
    const runs = values.length * seeds.length * cases.length;
    if (runs > MOST_RUNS) refuse(place, `found ${runs} runs (values × seeds × cases), accepted: at most ${MOST_RUNS}`);
    const claims = given.claims === undefined ? [] : list(given.claims, `${place}.claims`, 1, 60).map((one, index) => {
      const at = `${place}.claims[${index}]`;
      const claim = object(one, at, ['case', 'value', 'from', 'to']);
      return {
        case: claim?.case === undefined ? 0 : choice(claim.case, `${at}.case`, cases.map((_, which) => which)), value: choice(claim?.value, `${at}.value`, values),
        from: claim?.from === undefined ? -Infinity : number(claim.from, `${at}.from`, -1e9, 1e9), to: claim?.to === undefined ? Infinity : number(claim.to, `${at}.to`, -1e9, 1e9),
      };
    });
    return { path, label: words(given.label, `${place}.label`, 80), unit: given.unit === undefined ? '' : words(given.unit, `${place}.unit`, 20), values, seeds, measure, cases, claims };
  }
  /** @param {any} value @param {string} place @returns {Look | null} */
  function look(value, place) {
    if (value === undefined) return null;
    const given = object(value, place, ['at', 'text', 'seconds']);
    if (!given) return null;
    return { at: choice(given.at, `${place}.at`, PLACES), text: words(given.text, `${place}.text`, 600), seconds: given.seconds === undefined ? null : number(given.seconds, `${place}.seconds`, 0, 1e6) };
  }
  /** @param {any} value @param {string} place @param {number} usual @returns {Try | null} */
  function then(value, place, usual) {
    if (value === undefined) return null;
    const given = object(value, place, ['text', 'set', 'speed', 'expect', 'figures']);
    if (!given) return null;
    const set = changes(given.set, `${place}.set`);
    if (Object.keys(set).length === 0) refuse(`${place}.set`, 'found no change, accepted: at least one path and its value');
    return { text: words(given.text, `${place}.text`), set, speed: given.speed === undefined ? usual : speed(given.speed, `${place}.speed`), expect: words(given.expect, `${place}.expect`), figures: figures(given.figures, `${place}.figures`) };
  }
  /** @param {any} value @param {string} place @param {any} usual @returns {Step | null} */
  function step(value, place, usual) {
    const given = object(value, place, ['title', 'text', 'preset', 'set', 'question', 'run', 'sweep', 'figures', 'look', 'explanation', 'try']);
    if (!given) return null;
    const preset = given.preset ?? usual;
    if (preset === undefined) refuse(inside(place, 'preset'), 'found nothing, accepted: the name of a preset, here or for the whole guide');
    if (given.run !== undefined && given.sweep !== undefined) refuse(place, 'found "run" and "sweep", accepted: one of them');
    const runs = given.run === undefined ? null : object(given.run, `${place}.run`, ['speed']);
    const run = runs && { speed: runs.speed === undefined ? Infinity : speed(runs.speed, `${place}.run.speed`) };
    if (!run && given.question !== undefined && given.sweep === undefined) refuse(`${place}.question`, 'found a question without a run, accepted: a step with "run" or "sweep"');
    if (!run) for (const name of ['figures', 'try']) if (given[name] !== undefined) refuse(`${place}.${name}`, 'accepted only beside "run"');
    return {
      title: words(given.title, `${place}.title`, 120), text: paragraphs(given.text, `${place}.text`, true), preset: preset === undefined ? '' : words(preset, `${place}.preset`, 80),
      set: changes(given.set, `${place}.set`), question: question(given.question, `${place}.question`), run,
      sweep: given.sweep === undefined ? null : sweep(given.sweep, `${place}.sweep`), figures: figures(given.figures, `${place}.figures`),
      look: look(given.look, `${place}.look`), explanation: paragraphs(given.explanation, `${place}.explanation`), then: then(given.try, `${place}.try`, run?.speed ?? Infinity),
    };
  }

  const given = object(whole, '', ['guide', 'title', 'summary', 'minutes', 'preset', 'steps']);
  if (given && given.guide !== 1) refuse('guide', `found ${kind(given.guide)}, accepted: 1, the version of this form`);
  /** @type {Guide} */
  const guide = {
    title: words(given?.title, 'title', 120), summary: words(given?.summary, 'summary', 300), minutes: number(given?.minutes, 'minutes', 1, 240),
    steps: list(given?.steps, 'steps', 1, MOST_STEPS).map((one, index) => step(one, `steps[${index}]`, given?.preset)).filter((one) => one !== null),
  };
  if (problems.length) throw new GuideError(problems);
  return guide;
}

/** @param {string} text */
const shorten = (text) => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

/** A profile with these changes, in their order. @param {any} profile @param {...Changes} all */
export function changed(profile, ...all) {
  for (const set of all) for (const [path, value] of Object.entries(set)) profile = write(profile, path, value);
  return profile;
}

/**
 * Every experiment that a guide can run, with its place in the file.
 * @param {Guide} guide
 * @returns {{ place: string, preset: string, changes: Changes[], figures: Figure[], sweep: { index: number, value: number, sweep: Sweep } | null }[]}
 */
export function experiments({ steps }) {
  return steps.flatMap(({ preset, set, run, sweep, figures, then }, index) => {
    const place = `steps[${index}]`;
    return [
      ...(run ? [{ place: `${place}.set`, preset, changes: [set], figures, sweep: null }] : []),
      ...(then ? [{ place: `${place}.try.set`, preset, changes: [set, then.set], figures: then.figures, sweep: null }] : []),
      ...(sweep ? sweep.cases.flatMap((one, which) => sweep.values.map((value) => ({
        place: `${place}.sweep.cases[${which}] at ${value}`, preset, changes: [set, one.set, { [sweep.path]: value }], figures: [], sweep: { index: which, value, sweep },
      }))) : []),
    ];
  });
}

/** A figure as it is written. @param {string} field @param {any} value */
export const written = (field, value) => (FIGURES[field]?.[1] ?? String)(value);

/** What the guide says of a figure, in words; nothing if it says nothing. @param {Figure} figure */
export function expected({ field, from, to, is }) {
  if (is !== undefined) return written(field, is);
  if (from !== undefined && to !== undefined) return `${written(field, from)} to ${written(field, to)}`;
  if (from !== undefined) return `at least ${written(field, from)}`;
  return to === undefined ? '' : `at most ${written(field, to)}`;
}

/** Whether a report bears a figure out. @param {Figure} figure @param {any} report */
export function holds({ field, from, to, is }, report) {
  const value = read(report, field) ?? null;
  if (is !== undefined) return value === is;
  if (from === undefined && to === undefined) return true;
  return typeof value === 'number' && value >= (from ?? -Infinity) && value <= (to ?? Infinity);
}

/** A text as pieces, of which some are stressed (*so*). @param {string} text @returns {{ text: string, stressed: boolean }[]} */
export const pieces = (text) => text.split(/\*([^*\n]+)\*/).map((piece, index) => ({ text: piece, stressed: index % 2 === 1 })).filter((one) => one.text !== '');
