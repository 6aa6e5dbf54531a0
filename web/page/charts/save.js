// A chart as a file: a picture of pixels, a picture of paths, or its numbers.

import { csv } from '../../shared/csv.js';
import { SvgPen } from '../../shared/svgpen.js';
import { tick, ticks } from '../../shared/zoom.js';
import * as draw from './draw.js';
import { columnsOf, railsOf } from './list.js';
import * as phase from './phase.js';
import * as scenes from './scene.js';

/** @typedef {import('./scene.js').Scene} Scene */
/** @typedef {(token: string) => string} Colour */

const WIDTH = 900;
const MARGIN = { left: 64, right: 20 };
/** What a line of the legend takes. */
const LINE = 18;

/** @type {CanvasRenderingContext2D | null} */
let ruler = null;
/** @param {string} text @param {string} font */
function measure(text, font) {
  ruler ??= document.createElement('canvas').getContext('2d');
  if (!ruler) return text.length * 7;
  ruler.font = font;
  return ruler.measureText(text).width;
}

/** A colour as files know it. @param {string} colour */
function plain(colour) {
  ruler ??= document.createElement('canvas').getContext('2d');
  if (!ruler || !colour) return colour || '#000';
  ruler.fillStyle = colour;
  return /** @type {string} */ (ruler.fillStyle);
}

/** The chart as an SVG document: paths from the data, text as text. @param {Scene} scene @param {Colour} tokens @param {string} under what experiment this is @param {phase.Trail[]} trails of the phase plot, the present first */
export function toSvg(scene, tokens, under, trails) {
  const { chart, state, window } = scene;
  const colour = (/** @type {string} */ token) => plain(tokens(token));
  const pen = new SvgPen(measure);
  const family = draw.FONT;
  const write = (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ font, /** @type {string} */ token) => {
    pen.save();
    pen.font = `${font} ${family}`;
    pen.fillStyle = colour(token);
    pen.fillText(text, x, y);
    pen.restore();
  };
  const entries = scenes.legend(scene, scenes.present(scene));
  /** Places of the legend's entries, line by line. @type {{ entry: scenes.Entry, x: number, row: number }[]} */
  const places = [];
  let x = MARGIN.left;
  let row = 0;
  for (const entry of entries) {
    const width = measure(`${entry.label} ${entry.value}`, `12px ${family}`) + (entry.token ? 34 : 8) + 18;
    if (x > MARGIN.left && x + width > WIDTH - MARGIN.right) [x, row] = [MARGIN.left, row + 1];
    places.push({ entry, x, row });
    x += width;
  }
  const about = scenes.aboutFluid(scene);
  const top = 72;
  const high = chart.kind === 'phase' ? 420 : chart.kind === 'rails' ? 30 * Math.max(1, rows(scene)) : 260;
  const foot = top + high + (chart.kind === 'phase' ? 40 : 34);
  const height = foot + LINE * (row + 1) + (about ? LINE : 0) + 26;

  pen.fillStyle = colour('--card');
  pen.fillRect(0, 0, WIDTH, height);
  write(chart.title, 20, 26, '600 16px', '--ink');
  write(chart.note(state.profile), 20, 46, '12px', '--ink-soft');
  const box = { left: MARGIN.left, top, width: WIDTH - MARGIN.left - MARGIN.right, height: high };
  if (chart.kind === 'phase') {
    const square = { ...box, left: MARGIN.left, width: box.width };
    const [right, most] = phase.reachOf(trails, window, scene);
    const view = phase.plane(pen, 1, square, right, most, colour);
    phase.drawTrails(view, scene, trails, null);
  } else {
    const [low, most] = scenes.axis(scene);
    /** @type {draw.View} */
    const view = {
      pen, scale: 1, ...box, window, colour,
      x: (time) => box.left + (box.width * (time - window[0])) / (window[1] - window[0]), y: (value) => box.top + box.height - (box.height * (value - low)) / (most - low),
    };
    axes(view, low, most, chart.kind === 'lines', chart.unit);
    scenes.under(view, scene);
    const times = /** @type {number[]} */ (scene.series.column('time'));
    for (const { column, token, dash, width, step } of chart.lines.toReversed()) draw.line(view, times, scene.series.column(column), { stroke: colour(token), dash, width, step });
    scenes.over(view, scene);
  }
  for (const { entry, x: left, row: line } of places) {
    const y = foot + LINE * line + 8;
    swatch(pen, entry, left, y, colour);
    write(`${entry.label} ${entry.value}`, left + (entry.token ? 34 : 0), y + 4, entry.token ? '12px' : '600 12px', '--ink');
  }
  if (about) write(about, MARGIN.left, foot + LINE * (row + 1) + 12, '12px', '--ink-soft');
  write(under, 20, height - 10, '11px', '--ink-soft');
  return { text: pen.toSvg(WIDTH, height, chart.title, `${chart.summary(state)} ${under}`), width: WIDTH, height };
}

/** @param {Scene} scene */
const rows = ({ state }) => railsOf(state.profile).length;

/** @param {draw.View} view @param {number} low @param {number} high @param {boolean} values whether there is an axis of values @param {string} unit */
function axes({ pen, left, top, width, height, window, x, y, colour }, low, high, values, unit) {
  pen.save();
  pen.font = `11px ${draw.FONT}`;
  pen.fillStyle = colour('--ink-soft');
  pen.strokeStyle = colour('--grid');
  pen.lineWidth = 1;
  pen.beginPath();
  const across = ticks(window[0], window[1], width / 80);
  const up = values ? ticks(low, high, height / 40) : [];
  for (const time of across) {
    pen.moveTo(x(time), top);
    pen.lineTo(x(time), top + height);
  }
  for (const value of up) {
    pen.moveTo(left, y(value));
    pen.lineTo(left + width, y(value));
  }
  pen.stroke();
  pen.textAlign = 'center';
  for (const time of across) pen.fillText(time === across.at(-1) ? `${tick(time)} s` : tick(time), x(time), top + height + 16);
  pen.textAlign = 'right';
  for (const value of up) pen.fillText(tick(value), left - 6, y(value) + 4);
  pen.textAlign = 'left';
  if (unit) pen.fillText(unit, left, top - 5);
  pen.restore();
}

/** @param {SvgPen} pen @param {scenes.Entry} entry @param {number} left @param {number} y @param {Colour} colour */
function swatch(pen, { token, dash, kind = 'line' }, left, y, colour) {
  if (!token) return;
  pen.save();
  pen.strokeStyle = colour(token);
  pen.fillStyle = colour(token);
  pen.lineWidth = 2;
  if (kind === 'area') {
    pen.globalAlpha = token.startsWith('--series') ? 0.22 : 1;
    pen.fillRect(left, y - 5, 28, 10);
  } else {
    pen.setLineDash(kind === 'few' ? [2, 2] : kind === 'ticks' ? [1.5, 4] : dash ?? []);
    pen.lineWidth = kind === 'ticks' ? 9 : kind === 'few' ? 3 : 2;
    pen.beginPath();
    pen.moveTo(left, y);
    pen.lineTo(left + 28, y);
    pen.stroke();
  }
  pen.restore();
}

/** Pixels, twice as many as the picture's size says. @param {{ text: string, width: number, height: number }} picture @returns {Promise<Blob>} */
export async function toPng({ text, width, height }) {
  const address = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    const pen = canvas.getContext('2d');
    if (!pen) throw new Error('this browser draws no pixels');
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture could not be written'))), 'image/png'));
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Everything recorded of a chart, one row for each that the engine keeps. @param {Scene} scene @param {Float64Array | null} fluid the fluid model at those rows @param {string} [between] */
export function toCsv({ chart, series }, fluid, between) {
  const columns = columnsOf(chart);
  const head = ['time [s]', ...columns.map(({ column, unit }) => `${column} [${unit}]`), ...(fluid ? ['fluid_model [requests]'] : [])];
  const times = series.column('time');
  const rows = times.map((time, row) => [time, ...columns.map(({ column }) => series.column(column)[row] ?? null), ...(fluid ? [fluid[row]] : [])]);
  return csv(head, rows, between);
}

/** Hands a file to the browser. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
