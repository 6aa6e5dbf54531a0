// The charts: what the engine recorded, drawn. One time axis, one cursor and one zoom for all of them.

import uPlot from 'uplot';
import { fileName } from '../../shared/csv.js';
import { nearest, thin } from '../../shared/decimate.js';
import * as format from '../../shared/format.js';
import * as timeline from '../../shared/timeline.js';
import * as zooms from '../../shared/zoom.js';
import { element, setText } from '../dom.js';
import { figure } from './figure.js';
import { chosen, entriesOf, railsOf } from './list.js';
import * as phase from './phase.js';
import * as scenes from './scene.js';
import { table } from './table.js';

/** @typedef {import('../store.js').State} State */
/** @typedef {import('./list.js').Chart} Chart */
/** @typedef {import('./figure.js').Figure} Figure */
/**
 * What draws a chart into its box.
 * @typedef {object} Easel
 * @property {(scene: scenes.Scene) => void} draw
 * @property {(time: number | null) => void} point shows the cursor, or takes it away
 * @property {(width: number) => void} resize
 * @property {() => void} destroy
 */
/** @typedef {{ chart: Chart, figure: Figure, easel: Easel, seen: boolean, stale: boolean, tabled: number }} One */
/** @typedef {{ time: number, by: 'mouse' | 'touch' | 'keys' }} Cursor */

/** So many interventions are named beside the charts. */
const MOST_NAMED = 12;
/** Every chart is drawn anew so often while a run plays; one at a time, so that input is never kept waiting. */
const REDRAW_MS = 120;
/** Drawing pauses for the next picture after so long. */
const BUDGET_MS = 8;
/** A table under a chart follows a run no more often than this. */
const TABLE_MS = 1000;
/** The fluid model is drawn through so many points. */
const FLUID_POINTS = 600;
/** Two clicks within this time are a double click. */
const DOUBLE_MS = 250;
/** A press that moves no further than this is a click. */
const CLICK_PX = 4;

/**
 * The end of the time axis. It is known before the run only where time alone ends it; else it stays a little ahead of a run under way,
 * at round numbers, so that the charts, which are drawn in turn, have one axis.
 * @param {State} state @param {import('../../shared/series.js').Series} series
 */
function horizon({ profile, frame, kept, phase }, series) {
  const { duration_seconds: duration, max_requests: most, until } = profile.run;
  if (most === null && until === 'duration') return Math.max(duration, Number(series.column('time').at(-1) ?? 0));
  const now = Math.max(frame?.now_seconds ?? 0, 0.5);
  const own = phase === 'running' || phase === 'paused' ? zooms.ahead(now) : now;
  return Math.max(own, ...kept.map(({ series }) => Number(series.column('time').at(-1) ?? 0)));
}

/**
 * @param {HTMLElement} place
 * @param {import('../store.js').Store} store
 * @param {{ actions: import('../conductor.js').Actions, engine: import('../../engine/engine.js').Engine, stage?: HTMLElement, only?: string[] | null }} tools
 *   `stage` has the theme, `only` names the charts that are wanted, whatever the view says
 */
export function charts(place, store, { actions, engine, stage = document.documentElement, only = null }) {
  const { series } = actions;
  const grid = element('div', { class: 'charts' });
  const marks = element('p', { class: 'soft small', 'data-testid': 'interventions', hidden: true });
  const said = element('p', { class: 'visually-hidden', role: 'status', 'data-testid': 'chart-reading' });
  const saved = element('span', { class: 'small soft', role: 'status', 'data-testid': 'chart-saved' });
  const shownTimes = element('span', { class: 'small times', 'data-testid': 'chart-window' });
  const button = (/** @type {string} */ text, /** @type {string} */ name, /** @type {() => void} */ act) => element('button', { type: 'button', class: 'small', text, 'aria-label': name, onclick: act });
  const zoomIn = button('+', 'Zoom in', () => zoomBy(0.5));
  const zoomOut = button('−', 'Zoom out', () => zoomBy(2));
  const zoomAll = button('Show all', 'Show all of the run', () => setZoom(null));
  place.append(
    element('div', { class: 'chart-tools' }, element('div', { class: 'row', role: 'group', 'aria-label': 'Zoom of all charts' }, zoomIn, zoomOut, zoomAll), shownTimes, saved),
    element('details', { class: 'small soft keys' },
      element('summary', { text: 'How to read, zoom and save' }),
      element('p', { text: 'Time is virtual, in seconds. Point at a chart, or drag a finger along it, to read all charts at that time; click it to look at that moment. Drag with the mouse to zoom, double-click to go back.' }),
      element('p', { text: 'Keyboard, on a chart: arrows move by one row, with Shift by ten, Home and End to the ends; plus and minus zoom, 0 shows all; Enter looks at the moment, T opens the table, Escape leaves.' })),
    marks, said, grid);

  /** @type {One[]} */
  let drawn = [];
  let style = '';
  let last = 0;
  let next = 0;
  /** @type {zooms.Window | null} */
  let zoom = null;
  /** @type {Cursor | null} */
  let cursor = null;
  /** The chart whose own pointer moved the cursor last. @type {One | undefined} */
  let hovered;
  /** Charts whose tables are open. @type {Set<string>} */
  const tables = new Set();
  /** @type {Map<string, string>} */
  let colours = new Map();
  /** What was drawn last, as far as it is not the series. @type {unknown[]} */
  let seenState = [];
  let run = -1;

  /** @param {string} token */
  function colour(token) {
    let found = colours.get(token);
    if (found === undefined) {
      found = getComputedStyle(stage).getPropertyValue(token).trim();
      colours.set(token, found);
    }
    return found;
  }

  const end = () => horizon(store.get(), series);
  /** @returns {zooms.Window} */
  const windowOf = () => zoom ?? [0, end()];
  const times = () => /** @type {number[]} */ (series.column('time'));

  /** @type {{ key: string, found: scenes.Prediction | null }} */
  let predicted = { key: '', found: null };
  /** What the fluid model says of these times. @param {zooms.Window} window */
  function predict([from, to]) {
    const { check } = store.get();
    // An end that grows is met ahead of it, so that the model is not worked out at every picture.
    const until = zoom ? to : Math.max(store.get().profile.run.max_requests === null ? to : 0, 2 ** Math.ceil(Math.log2(to)));
    const key = `${from} ${until} ${check.profile}`;
    if (key !== predicted.key) {
      const at = Float64Array.from({ length: FLUID_POINTS + 1 }, (_, index) => from + ((until - from) * index) / FLUID_POINTS);
      predicted = { key, found: null };
      try {
        const about = engine.fluid(check.profile, at);
        predicted.found = { times: at, queue: about.queue, about };
      } catch { /* An engine that has just failed is replaced; until then there is no prediction. */ }
    }
    return predicted.found;
  }

  /** @param {Chart} chart @returns {scenes.Scene} */
  function sceneOf(chart) {
    const window = windowOf();
    return { chart, state: store.get(), series, window, prediction: chart.predicted || chart.levels || chart.kind === 'phase' ? predict(window) : null };
  }

  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const one = drawn.find(({ figure }) => figure.box === entry.target);
      if (!one) continue;
      one.seen = entry.isIntersecting;
      if (one.seen && one.stale) drawSoon();
    }
  }, { rootMargin: '200px' });
  const resizer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const one = drawn.find(({ figure }) => figure.box === target);
      if (one && one.figure.box.clientWidth) one.easel.resize(one.figure.box.clientWidth);
    }
  });

  /** The present and the kept runs' trails through the phase plot. */
  const trails = () => [series, ...store.get().kept.map((kept) => kept.series)].map((one) => ({ times: /** @type {number[]} */ (one.column('time')), offered: one.column('offered'), goodput: one.column('goodput') }));

  /** The time of the row nearest to a time. @param {number} time */
  function rowTime(time) {
    const row = nearest(times(), time);
    return row < 0 ? null : times()[row];
  }

  /** @param {number | null} time @param {Cursor['by']} by */
  function setCursor(time, by) {
    const at = time === null ? null : rowTime(time);
    if ((at === null && cursor === null) || (cursor && at === cursor.time && by === cursor.by)) return;
    cursor = at === null ? null : { time: at, by };
    showCursor();
  }

  let cursorDue = false;
  /** Shows the cursor and its values on all charts, with the next picture. */
  function showCursor() {
    if (cursorDue) return;
    cursorDue = true;
    requestAnimationFrame(() => {
      cursorDue = false;
      for (const one of drawn) {
        if (one.seen) point(one);
        else one.stale = true;
        const scene = sceneOf(one.chart);
        one.figure.legend(scenes.legend(scene, cursor?.time ?? scenes.present(scene)));
      }
    });
  }
  /** @param {One} one */
  function point(one) {
    // The chart under the mouse has its cursor already, and may be in the middle of a selection.
    if (one === hovered && cursor?.by === 'mouse' && one.chart.kind !== 'phase') return;
    one.easel.point(cursor?.time ?? null);
  }

  /** @param {zooms.Window | null} window */
  function setZoom(window) {
    zoom = window && zooms.within(window, end());
    sayWindow();
    redraw(true);
  }
  /** @param {number} factor */
  function zoomBy(factor) {
    const [from, to] = windowOf();
    setZoom(zooms.scale(zoom, end(), factor, cursor?.time ?? store.get().moment ?? (from + to) / 2));
  }
  function sayWindow() {
    const [from, to] = windowOf();
    setText(shownTimes, zoom ? `Zoomed: ${from.toFixed(2)}–${to.toFixed(2)} s` : 'The whole run');
    shownTimes.classList.toggle('zoomed', zoom !== null);
    zoomOut.disabled = zoom === null;
    zoomAll.disabled = zoom === null;
  }

  /** @param {One} one @param {KeyboardEvent} event */
  function press(one, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = times();
    const at = cursor?.time ?? scenes.present(sceneOf(one.chart));
    const row = at === null ? -1 : nearest(rows, at);
    const by = event.shiftKey ? 10 : 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => move(row - by), ArrowRight: () => move(row + by), ArrowDown: () => move(row - by), ArrowUp: () => move(row + by),
      Home: () => move(0), End: () => move(rows.length - 1),
      '+': () => zoomBy(0.5), '=': () => zoomBy(0.5), '-': () => zoomBy(2), _: () => zoomBy(2), 0: () => setZoom(null),
      t: () => toggleTable(one, true), T: () => toggleTable(one, true),
      Enter: () => lookAt(at),
      Escape: () => {
        setCursor(null, 'keys');
        one.figure.box.blur();
      },
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    /** @param {number} to */
    function move(to) {
      if (!rows.length) return say('Nothing is recorded yet.');
      const target = rows[Math.min(Math.max(to, 0), rows.length - 1)];
      const moved = zooms.holding(zoom, end(), target);
      if (moved !== zoom) setZoom(moved);
      setCursor(target, 'keys');
      say(scenes.reading(sceneOf(one.chart), target));
    }
  }

  let sayTimer = 0;
  /** Says the last of quick changes. @param {string} words */
  function say(words) {
    clearTimeout(sayTimer);
    sayTimer = setTimeout(() => setText(said, words), 150);
  }

  /** Has everything show a past moment, where the page can. @param {number | null} time */
  function lookAt(time) {
    if (time !== null && times().length) /** @type {{ lookAt?: (seconds: number) => void }} */ (actions).lookAt?.(time);
  }

  /** @param {One} one @param {boolean} [focus] */
  function toggleTable(one, focus = false) {
    const { name } = one.chart;
    const open = !tables.has(name);
    if (open) tables.add(name);
    else tables.delete(name);
    one.figure.showTable(open);
    fillTable(one, true);
    if (focus) (open ? one.figure.table : one.figure.box).focus();
  }
  /** @param {One} one @param {boolean} now */
  function fillTable(one, now) {
    if (!tables.has(one.chart.name)) return;
    if (!now && performance.now() - one.tabled < TABLE_MS) return;
    one.tabled = performance.now();
    one.figure.table.replaceChildren(table(sceneOf(one.chart)));
  }

  /** @param {Chart} chart @param {import('./figure.js').Way} way */
  async function save(chart, way) {
    const state = store.get();
    const scene = sceneOf(chart);
    const which = state.digest ? state.digest.slice(0, 8) : `seed-${state.profile.seed}-at-${(state.frame?.now_seconds ?? 0).toFixed(2)}s`;
    const name = (/** @type {string} */ ending) => fileName([state.preset, which, chart.name], ending);
    const under = `Agent Chaos Playground: ${state.preset}, seed ${state.profile.seed}${state.digest ? `, digest ${state.digest}` : ', unfinished'}${zoom ? `, ${zoom[0].toFixed(2)} to ${zoom[1].toFixed(2)} s` : ''}`;
    const numbers = (/** @type {typeof import('./save.js')} */ files, /** @type {string | undefined} */ between) => files.toCsv(scene, chart.predicted && scene.prediction?.queue && times().length ? engine.fluid(state.check.profile, Float64Array.from(times())).queue : null, between);
    try {
      const files = await import('./save.js');
      if (way === 'copy') {
        await navigator.clipboard.writeText(numbers(files, '\t'));
        setText(saved, `${format.count(series.rows)} rows are on the clipboard.`);
        return;
      }
      const picture = way === 'csv' ? null : files.toSvg(scene, colour, under, trails());
      const blob = picture === null ? new Blob([numbers(files, undefined)], { type: 'text/csv' }) : way === 'svg' ? new Blob([picture.text], { type: 'image/svg+xml' }) : await files.toPng(picture);
      files.download(blob, name(way));
      setText(saved, `Saved as ${name(way)}.`);
    } catch (error) {
      setText(saved, way === 'copy' ? 'The browser did not let the page write to the clipboard; save the CSV file instead.' : `This chart could not be saved: ${error instanceof Error ? error.message : error}.`);
    }
  }

  /** What a pointer does on a chart. @param {HTMLElement} area @param {(event: PointerEvent | MouseEvent) => number | null} timeAt */
  function follow(area, timeAt) {
    let from = NaN;
    area.addEventListener('pointerdown', (event) => {
      from = event.clientX;
      if (event.pointerType !== 'mouse') setCursor(timeAt(event), 'touch');
    });
    // Sideways a finger reads the chart; up and down it scrolls the page (see `touch-action`).
    area.addEventListener('pointermove', (event) => { if (event.pointerType !== 'mouse') setCursor(timeAt(event), 'touch'); });
    area.addEventListener('mousemove', (event) => {
      hovered = drawn.find(({ figure }) => figure.box.contains(area));
      setCursor(timeAt(event), 'mouse');
    });
    area.addEventListener('mouseleave', () => { if (cursor?.by === 'mouse') setCursor(null, 'mouse'); });
    // A click that turns out to be the first of two is no wish to look at that moment.
    let pending = 0;
    area.addEventListener('click', (event) => {
      clearTimeout(pending);
      if (event.detail > 1 || Math.abs(event.clientX - from) > CLICK_PX) return;
      const time = rowTime(timeAt(event) ?? NaN);
      pending = setTimeout(() => lookAt(time), DOUBLE_MS);
    });
    area.addEventListener('dblclick', () => {
      clearTimeout(pending);
      setZoom(null);
    });
  }

  /** @param {Chart} chart */
  const heightOf = (chart) => (chart.kind === 'rails' ? 34 + 21 * railsOf(store.get().profile).length : 190);

  /** A chart over time. @param {Chart} chart @param {HTMLElement} box @returns {Easel} */
  function overTime(chart, box) {
    const axis = { stroke: colour('--ink-soft'), grid: { stroke: colour('--grid'), width: 1 }, ticks: { stroke: colour('--grid') }, font: '11px system-ui, sans-serif' };
    const short = (/** @type {uPlot} */ _, /** @type {number[]} */ splits) => splits.map(zooms.tick);
    // The last of the times has the unit.
    const timed = (/** @type {uPlot} */ _, /** @type {number[]} */ splits) => splits.map((time, index) => (index === splits.length - 1 ? `${zooms.tick(time)} s` : zooms.tick(time)));
    const bare = chart.kind === 'rails';
    // The main line comes last, so that it lies on top.
    const lines = chart.lines.toReversed();
    let scene = sceneOf(chart);
    /** @returns {import('./draw.js').View} */
    const view = () => ({
      pen: plot.ctx, scale: devicePixelRatio, left: plot.bbox.left, top: plot.bbox.top, width: plot.bbox.width, height: plot.bbox.height, window: scene.window, colour,
      x: (time) => plot.valToPos(time, 'x', true), y: (value) => plot.valToPos(value, 'y', true),
    });
    /** @type {uPlot} */
    const plot = new uPlot({
      width: Math.max(box.clientWidth, 200), height: heightOf(chart), padding: [8, 20, 0, 0],
      cursor: {
        y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: CLICK_PX + 1, click: () => {} },
        // The cursor stands on rows: what it reads is what was recorded.
        move: (self, left, top) => {
          const time = left < 0 ? null : rowTime(self.posToVal(left, 'x'));
          return [time === null ? left : Math.max(self.valToPos(time, 'x'), 0), top];
        },
        bind: { dblclick: () => null },
      },
      scales: { x: { time: false }, y: { range: () => scenes.axis(scene) } },
      axes: [
        { ...axis, size: 28, space: 60, values: timed },
        { ...axis, size: 54, space: 32, values: bare ? () => [] : short, grid: bare ? { show: false } : axis.grid, ticks: bare ? { show: false } : axis.ticks },
      ],
      series: [{}, ...(bare ? [{ show: false }] : lines.map((line) => ({
        stroke: colour(line.token), width: line.width ?? 1.5, dash: line.dash, points: { show: false }, paths: line.step ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
      })))],
      legend: { show: false },
      hooks: {
        drawAxes: [() => scenes.under(view(), scene)],
        draw: [() => scenes.over(view(), scene)],
        setSelect: [(self) => {
          const { left, width } = self.select;
          if (width <= CLICK_PX) return;
          const window = /** @type {zooms.Window} */ ([self.posToVal(left, 'x'), self.posToVal(left + width, 'x')]);
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          setZoom(window);
        }],
      },
    }, [[], ...(bare ? [[]] : lines.map(() => []))], box);
    follow(plot.over, (event) => {
      const left = event.clientX - plot.over.getBoundingClientRect().left;
      return plot.posToVal(Math.min(Math.max(left, 0), plot.over.clientWidth), 'x');
    });
    return {
      draw(now) {
        scene = now;
        const [from, to] = scene.window;
        const columns = lines.map(({ column }) => series.column(column));
        const rows = thin(times(), columns, from, to, plot.over.clientWidth || 200);
        const take = (/** @type {(number | null)[]} */ column) => rows.map((row) => column[row] ?? null);
        plot.batch(() => {
          plot.setData(/** @type {any} */ ([take(times()), ...(bare ? [rows.map(() => null)] : columns.map(take))]), false);
          plot.setScale('x', { min: from, max: to });
        });
      },
      point(time) {
        const [from, to] = scene.window;
        const inside = time !== null && time >= from && time <= to;
        plot.setCursor({ left: inside ? plot.valToPos(time, 'x') : -10, top: inside ? 10 : -10 });
      },
      resize(width) {
        if (width !== plot.width) plot.setSize({ width, height: heightOf(chart) });
      },
      destroy: () => plot.destroy(),
    };
  }

  /** The phase plot. @param {Chart} chart @param {HTMLElement} box @returns {Easel} */
  function inPlane(chart, box) {
    const canvas = element('canvas');
    box.append(canvas);
    const pen = canvas.getContext('2d');
    let scene = sceneOf(chart);
    const height = 300;
    /** @type {phase.Plane | null} */
    let view = null;
    /** @type {number | null} */
    let pointed = null;
    const paint = () => {
      const width = Math.max(box.clientWidth, 200);
      if (!pen) return;
      if (canvas.width !== Math.round(width * devicePixelRatio)) {
        canvas.width = Math.round(width * devicePixelRatio);
        canvas.height = height * devicePixelRatio;
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
      }
      const scale = devicePixelRatio;
      pen.clearRect(0, 0, canvas.width, canvas.height);
      const all = trails();
      const [right, high] = phase.reachOf(all, scene.window, scene);
      view = phase.plane(pen, scale, { left: 54 * scale, top: 20 * scale, width: (width - 54 - 14) * scale, height: (height - 20 - 36) * scale }, right, high, colour);
      phase.drawTrails(view, scene, all, pointed);
    };
    /** The time of the point of the trail that is nearest to the pointer. @param {PointerEvent | MouseEvent} event */
    const timeAt = (event) => {
      if (!view) return null;
      const { left, top } = canvas.getBoundingClientRect();
      const [px, py] = [(event.clientX - left) * view.scale, (event.clientY - top) * view.scale];
      const { times: at, offered, goodput } = trails()[0];
      let [best, found] = [Infinity, /** @type {number | null} */ (null)];
      for (let row = 0; row < at.length; row++) {
        if (at[row] < scene.window[0] || at[row] > scene.window[1]) continue;
        const far = Math.hypot(view.x(offered[row] ?? 0) - px, view.y(goodput[row] ?? 0) - py);
        if (far < best) [best, found] = [far, at[row]];
      }
      return found;
    };
    follow(canvas, timeAt);
    return {
      draw(now) {
        scene = now;
        pointed = cursor ? nearest(times(), cursor.time) : null;
        paint();
      },
      point(time) {
        const row = time === null ? null : nearest(times(), time);
        if (row === pointed) return;
        pointed = row;
        paint();
      },
      resize() { paint(); },
      destroy: () => canvas.remove(),
    };
  }

  /** The charts of the profile that are asked for. @param {import('../store.js').State} state */
  const wanted = ({ profile, view }) => chosen(profile).filter(({ name }) => (only ?? view.charts)?.includes(name) ?? true);

  function build() {
    const focused = drawn.find(({ figure }) => figure.root.matches(':focus-within'));
    for (const { easel, figure } of drawn) {
      observer.unobserve(figure.box);
      resizer.unobserve(figure.box);
      easel.destroy();
    }
    colours = new Map();
    const before = [...grid.children];
    drawn = wanted(store.get()).map((chart) => {
      /** @type {One} */
      let one;
      const made = figure(chart, { save: (way) => void save(chart, way), toggleTable: () => toggleTable(one) });
      grid.append(made.root);
      one = { chart, figure: made, easel: (chart.kind === 'phase' ? inPlane : overTime)(chart, made.box), seen: true, stale: true, tabled: 0 };
      made.showTable(tables.has(chart.name));
      made.box.addEventListener('keydown', (event) => press(one, event));
      made.box.addEventListener('focus', () => { if (made.box.matches(':focus-visible')) setCursor(cursor?.time ?? scenes.present(sceneOf(chart)), 'keys'); });
      made.box.addEventListener('blur', () => { if (cursor?.by === 'keys') setCursor(null, 'keys'); });
      made.table.addEventListener('keydown', (event) => { if (event.key === 'Escape') toggleTable(one, true); });
      observer.observe(made.box);
      resizer.observe(made.box);
      return one;
    });
    for (const figure of before) figure.remove();
    if (focused) drawn.find(({ chart }) => chart.name === focused.chart.name)?.figure.box.focus({ preventScroll: true });
  }

  /** @param {One} one */
  function draw(one) {
    const scene = sceneOf(one.chart);
    one.stale = false;
    one.easel.draw(scene);
    one.figure.say(one.chart.note(scene.state.profile), one.chart.summary(scene.state), scenes.aboutFluid(scene));
    one.figure.legend(scenes.legend(scene, cursor?.time ?? scenes.present(scene)));
    if (cursor) point(one);
    fillTable(one, scene.state.phase !== 'running');
  }

  let drawDue = false;
  /** Draws what is stale, what is seen first, as much as fits between two pictures. */
  function drawSoon() {
    if (drawDue) return;
    drawDue = true;
    requestAnimationFrame(() => {
      drawDue = false;
      const began = performance.now();
      const waiting = drawn.filter(({ stale }) => stale).sort((a, b) => Number(b.seen) - Number(a.seen));
      for (const one of waiting) {
        draw(one);
        if (performance.now() - began > BUDGET_MS) break;
      }
      if (drawn.some(({ stale }) => stale)) drawSoon();
    });
  }

  /** @param {boolean} [all] */
  function redraw(all = false) {
    if (document.hidden) return;
    if (all) {
      for (const one of drawn) one.stale = true;
      drawSoon();
      return;
    }
    // While it plays, one chart at a time: no task grows long, and each is fresh soon enough.
    const visible = drawn.filter(({ seen }) => seen);
    for (const one of drawn) one.stale ||= !one.seen;
    if (visible.length) draw(visible[next++ % visible.length]);
  }

  /** What is done when, as text: the numbers are those in the charts. @param {any} profile */
  function tellMarks(profile) {
    const entries = entriesOf(profile);
    marks.hidden = entries.length === 0;
    const named = entries.slice(0, MOST_NAMED).map((entry, index) => `${index + 1}: ${timeline.words(entry)}, ${timeline.when(entry)}`);
    const rest = entries.length - named.length;
    setText(marks, entries.length ? `Hatched, interventions. ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}.` : '');
  }

  const unsubscribe = store.subscribe((state) => {
    if (document.hidden) return;
    const charts = wanted(state).map(({ name, lines }) => `${name} ${lines.length}`);
    const key = `${state.theme} ${matchMedia('(prefers-color-scheme: dark)').matches} ${charts} ${railsOf(state.profile)}`;
    tellMarks(state.profile);
    if (state.run !== run) {
      // Another run, another time axis.
      run = state.run;
      zoom = zoom && zooms.within(zoom, end());
      cursor = null;
    }
    sayWindow();
    if (key !== style) {
      style = key;
      build();
      redraw(true);
      return;
    }
    const now = [state.phase, state.run, state.moment, state.past, state.kept, state.replicated, state.check, state.report];
    const changed = now.some((one, index) => one !== seenState[index]);
    seenState = now;
    if (changed || state.phase !== 'running') {
      redraw(true);
      return;
    }
    if (last + REDRAW_MS / Math.max(drawn.length, 1) <= performance.now()) {
      last = performance.now();
      redraw();
    }
  });

  const wakes = () => { if (!document.hidden) store.update({}); };
  document.addEventListener('visibilitychange', wakes);
  const closes = (/** @type {PointerEvent} */ event) => {
    for (const menu of grid.querySelectorAll('details.save')) if (/** @type {HTMLDetailsElement} */ (menu).open && !menu.contains(/** @type {Node} */ (event.target))) /** @type {HTMLDetailsElement} */ (menu).open = false;
  };
  document.addEventListener('pointerdown', closes);
  // Paper is white: the charts are drawn for it in the light theme, and as they were afterwards.
  const paper = matchMedia('print');
  /** @type {string | undefined} */
  let themeBefore;
  const prints = () => {
    const { dataset } = stage;
    if (paper.matches) {
      themeBefore = dataset.theme;
      dataset.theme = 'light';
    } else if (themeBefore === undefined) delete dataset.theme;
    else dataset.theme = themeBefore;
    build();
    for (const one of drawn) draw(one);
  };
  paper.addEventListener('change', prints);
  return () => {
    unsubscribe();
    observer.disconnect();
    resizer.disconnect();
    document.removeEventListener('visibilitychange', wakes);
    document.removeEventListener('pointerdown', closes);
    paper.removeEventListener('change', prints);
    for (const { easel } of drawn) easel.destroy();
  };
}
