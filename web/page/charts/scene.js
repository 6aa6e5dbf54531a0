// A chart at a moment: what it shows and what its legend says, the same for the page, for files and for tables.

import { extremes, nearest } from '../../shared/decimate.js';
import * as format from '../../shared/format.js';
import { DASHES } from '../../shared/kept.js';
import * as draw from './draw.js';
import { rails, reach, states, union } from './list.js';

/** @typedef {import('./list.js').Chart} Chart */
/** @typedef {import('./draw.js').View} View */
/** @typedef {{ times: Float64Array, queue: Float64Array | null, about: import('../../engine/engine.js').Fluid }} Prediction */
/**
 * @typedef {object} Scene
 * @property {Chart} chart
 * @property {import('../store.js').State} state
 * @property {import('../../shared/series.js').Series} series
 * @property {[number, number]} window
 * @property {Prediction | null} prediction
 */
/** @typedef {{ key: string, label: string, token: string, dash?: number[], kind?: 'line' | 'area' | 'ticks' | 'few' | 'none', value: string, title?: string }} Entry of a legend */

const FLUID = { token: '--ink', dash: [9, 4, 2, 4] };
/** A kept run has the dash that its list shows, wherever it stands in it. @param {import('../store.js').Kept} kept */
const dashOf = ({ token }) => DASHES[token] ?? [4, 4];

/** @param {Scene} scene */
const times = ({ series }) => /** @type {number[]} */ (series.column('time'));
/** @param {import('../../shared/series.js').Series} series @param {string} column @param {number} time */
const read = (series, column, time) => series.column(column)[nearest(/** @type {number[]} */ (series.column('time')), time)] ?? null;

/** The band over several seeds of a chart's main line. @param {Scene} scene */
function bandOf({ chart, state }) {
  const band = state.replicated?.band;
  const column = chart.kind === 'lines' ? band?.columns[chart.lines[0].column] : undefined;
  return band && column ? { time: band.time, ...column } : null;
}

/** The fluid model's line, if this chart has one. @param {Scene} scene */
const fluidOf = ({ chart, prediction }) => (chart.predicted && prediction?.queue ? { times: prediction.times, values: prediction.queue } : null);

/** What the axis of values reaches. @param {Scene} scene @returns {[number, number]} */
export function axis(scene) {
  const { chart, state, window } = scene;
  if (chart.kind === 'rails') return [0, 1];
  const [from, to] = window;
  const seen = (/** @type {ArrayLike<number>} */ at, /** @type {ArrayLike<number | null>} */ values) => extremes(at, values, from, to);
  const band = bandOf(scene);
  const fluid = fluidOf(scene);
  const all = union([
    ...chart.lines.map(({ column }) => seen(times(scene), scene.series.column(column))),
    ...state.kept.map(({ series }) => seen(/** @type {number[]} */ (series.column('time')), series.column(chart.lines[0].column))),
    band && seen(band.time, band.low), band && seen(band.time, band.high), fluid && seen(fluid.times, fluid.values),
  ]);
  return reach(chart, state, all, levelsOf(scene));
}

/** @param {Scene} scene */
const levelsOf = ({ chart, state, prediction }) => chart.levels?.(state, prediction?.about ?? null) ?? [];

/** What lies under the lines. @param {View} view @param {Scene} scene */
export function under(view, scene) {
  const { chart, state, series } = scene;
  if (chart.kind === 'rails') return;
  draw.shade(view, states(series));
  draw.warmup(view, state.profile);
  draw.interventions(view, state.profile, true);
  const band = bandOf(scene);
  if (band) draw.band(view, band.time, band.low, band.high, view.colour(chart.lines[0].token));
  const main = chart.lines[0];
  state.kept.forEach((kept, index) => {
    const base = { times: /** @type {number[]} */ (kept.series.column('time')), values: kept.series.column(main.column) };
    if (index === 0) draw.difference(view, { times: times(scene), values: series.column(main.column) }, base);
    draw.line(view, base.times, base.values, { stroke: view.colour(kept.token) || view.colour('--ink-soft'), dash: dashOf(kept), step: main.step });
  });
  if (band) draw.line(view, band.time, band.mean, { stroke: view.colour(main.token), dash: [8, 3, 2, 3], width: 1.25 });
}

/** What lies over the lines. @param {View} view @param {Scene} scene */
export function over(view, scene) {
  const { chart, state, series } = scene;
  if (chart.kind === 'rails') draw.rails(view, rails(state, series));
  const fluid = fluidOf(scene);
  if (fluid) draw.line(view, fluid.times, fluid.values, { stroke: view.colour(FLUID.token), dash: FLUID.dash, width: 1.5 });
  for (const { column, token, mark } of chart.extras ?? []) (mark === 'ticks' ? draw.ticks : draw.few)(view, times(scene), series.column(column), token);
  if (chart.kind !== 'rails') draw.warmupWords(view, state.profile);
  draw.levels(view, levelsOf(scene));
  if (state.moment !== null) draw.mark(view, state.moment, format.moment(state.moment), '--accent');
}

/** The time whose values are read where nobody points: the past moment that is looked at, else the last. @param {Scene} scene */
export const present = (scene) => scene.state.moment ?? times(scene).at(-1) ?? null;

/** The legend, with the values at a time. @param {Scene} scene @param {number | null} time @returns {Entry[]} */
export function legend(scene, time) {
  const { chart, state, series } = scene;
  const row = time === null ? -1 : nearest(times(scene), time);
  const at = row < 0 ? null : times(scene)[row];
  const value = (/** @type {string} */ column, /** @type {(value: number | null) => string} */ words) => (row < 0 ? '–' : words(series.column(column)[row] ?? null));
  /** @type {Entry[]} */
  const entries = [{ key: 'time', label: 'time', token: '', kind: 'none', value: at === null ? '–' : format.moment(at) }];
  if (chart.kind === 'rails') {
    const all = rails(state, series);
    all.forEach((rail, index) => {
      if (rail.name) entries.push({ key: `rail ${rail.name}`, label: rail.name, token: '', kind: 'none', value: at === null ? '–' : rail.name === 'events' ? all.slice(index).map((one) => one.at(at)).filter((words) => words !== 'none').join(', ') || 'none' : rail.at(at) });
    });
    return entries;
  }
  for (const { column, label, token, dash } of chart.kind === 'phase' ? chart.lines.map((line) => ({ ...line, token: '' })) : chart.lines) entries.push({ key: column, label, token, dash, kind: token ? 'line' : 'none', value: value(column, chart.value) });
  for (const { column, label, token, mark, value: words } of chart.extras ?? []) entries.push({ key: column, label, token, kind: mark, value: value(column, words) });
  const fluid = fluidOf(scene);
  if (fluid) entries.push({ key: 'fluid', label: 'fluid model', ...FLUID, value: at === null ? '–' : chart.value(fluid.values[nearest(fluid.times, at)] ?? null) });
  const main = chart.lines[0].column;
  state.kept.forEach((kept) => entries.push({ key: `kept ${kept.id}`, label: kept.name, token: kept.token, dash: dashOf(kept), value: at === null ? '–' : chart.value(read(kept.series, main, at)) }));
  if (state.kept.length && chart.kind === 'lines') entries.push({ key: 'above', label: `above ${state.kept[0].name}`, token: '--above', kind: 'area', value: '' }, { key: 'below', label: `below ${state.kept[0].name}`, token: '--below', kind: 'area', value: '' });
  const band = bandOf(scene);
  if (band && state.replicated) {
    const near = at === null ? -1 : nearest(band.time, at);
    const words = (/** @type {ArrayLike<number>} */ column) => chart.value(near < 0 || Number.isNaN(column[near]) ? null : column[near]);
    entries.push({ key: 'band', label: `mean of ${state.replicated.runs.length} seeds`, token: chart.lines[0].token, dash: [8, 3, 2, 3], value: words(band.mean) });
    entries.push({ key: 'band-range', label: '95 % band', token: chart.lines[0].token, kind: 'area', value: near < 0 ? '–' : `${words(band.low)} to ${words(band.high)}` });
  }
  return entries;
}

/** What is said of the fluid model beside the queue. @param {Scene} scene */
export function aboutFluid({ chart, prediction }) {
  if (!chart.predicted || !prediction) return '';
  const { reason, about } = prediction.about;
  return reason ? `No fluid model here: ${reason}.` : `Fluid model: ${about}.`;
}

/** The reading at a time, as a sentence. @param {Scene} scene @param {number} time */
export function reading(scene, time) {
  const [first, ...rest] = legend(scene, time).filter(({ value }) => value !== '');
  return `${first.value}: ${rest.map(({ label, value }) => `${label} ${value === '–' ? 'undefined' : value}`).join(', ')}.`;
}
