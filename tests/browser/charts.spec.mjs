// The charts in a real browser: reading, zooming and saving them, and what they show of other runs.
import { readFile } from 'node:fs/promises';
import { AxeBuilder, STORM, at, cli, expect, finish, open, test, type } from './harness.mjs';
import { DASHES } from '../../web/shared/kept.js';

const figure = (page, name) => page.locator(`[data-chart="${name}"]`);
const plot = (page, name) => figure(page, name).locator('.plot');
const read = (page, name, key) => figure(page, name).locator(`.legend [data-key="${key}"] .value`);
const window_ = (page) => at(page, 'chart-window');

async function saved(page, name, way) {
  await figure(page, name).locator('details.save > summary').click();
  const [download] = await Promise.all([page.waitForEvent('download'), figure(page, name).locator(`[data-way="${way}"]`).click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}
function rowsOf(bytes) {
  const [head, ...rows] = bytes.toString().trim().split('\r\n').map((line) => line.split(','));
  return { head, rows, column: (name) => rows.map((row) => (row[head.findIndex((one) => one.startsWith(`${name} `))] === '' ? NaN : Number(row[head.findIndex((one) => one.startsWith(`${name} `))]))) };
}
async function axe(page) {
  const { violations } = await new AxeBuilder({ page }).include('#charts').analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
}

test('charts stand in the order in which they teach, each with a name, a unit and a sentence', async ({ page, site }) => {
  await open(page, site);
  await type(page, JSON.stringify(STORM));
  await expect(figure(page, 'downstream')).toBeVisible();
  expect(await page.locator('[data-chart]').evaluateAll((all) => all.map((one) => one.dataset.chart))).toEqual([
    'state', 'rates', 'derivative', 'queue', 'latency', 'amplification', 'phase', 'clients', 'connections', 'limit', 'removed', 'workers', 'downstream',
  ]);
  await finish(page, expect);
  for (const name of ['rates', 'queue', 'latency', 'amplification', 'phase']) {
    const box = plot(page, name);
    expect(await box.getAttribute('aria-label')).toBe(await figure(page, name).locator('h3').textContent());
    await expect(box).toHaveAttribute('role', 'application');
    await expect(page.locator(`#${await box.getAttribute('aria-describedby')}`)).toContainText(/over (time|offered load)/);
  }
  await expect(page.locator('#chart-queue-summary')).toContainText('of 200');
  await expect(figure(page, 'rates').locator('.note')).toContainText('trailing 0.5 s');
  await axe(page);
});

test('the keyboard reads, zooms, opens the table and leaves', async ({ page, site }) => {
  await open(page, site);
  await finish(page, expect);
  const { bytes } = await saved(page, 'queue', 'csv');
  const { column } = rowsOf(bytes);
  const [time, queue] = [column('time'), column('queue')];
  await plot(page, 'latency').focus();
  await plot(page, 'queue').focus();
  const reads = async (row) => {
    await expect(read(page, 'queue', 'time')).toHaveText(`${time[row].toFixed(2)} s`);
    await expect(read(page, 'queue', 'queue')).toHaveText(String(queue[row]));
    // One cursor for all.
    await expect(read(page, 'rates', 'time')).toHaveText(`${time[row].toFixed(2)} s`);
    await expect(at(page, 'chart-reading')).toContainText(`${time[row].toFixed(2)} s: queue ${queue[row]}, peak`);
  };
  const keys = async (...all) => { for (const key of all) await page.keyboard.press(key); };
  await keys('Home');
  await reads(0);
  await keys('Shift+ArrowRight', 'ArrowRight', 'ArrowLeft');
  await reads(10);
  await keys('End');
  await reads(time.length - 1);
  await keys('Shift+ArrowLeft');
  await reads(time.length - 11);
  await expect(window_(page)).toHaveText('The whole run');
  await keys('+', '+');
  await expect(window_(page)).toHaveText(/^Zoomed: \d+\.\d\d–1(19|20)\.\d\d s$/);
  // The cursor takes the window with it.
  const before = await window_(page).textContent();
  await keys('Home');
  await expect(window_(page)).not.toHaveText(before);
  await expect(window_(page)).toHaveText(/^Zoomed: 0\.00–/);
  await keys('-');
  await expect(window_(page)).toHaveText('Zoomed: 0.00–60.00 s');
  await keys('0');
  await expect(window_(page)).toHaveText('The whole run');
  await keys('t');
  const table = figure(page, 'queue').locator('.rows');
  await expect(table).toBeFocused();
  await expect(table.locator('caption')).toContainText('Every 12th of 2 400 recorded rows');
  await expect(table.locator('tbody tr')).toHaveCount(200);
  await expect(table.locator('tbody tr').nth(1)).toContainText(`${time[12].toFixed(2)} s`);
  await axe(page);
  await keys('Escape');
  await expect(table).toBeHidden();
  await expect(plot(page, 'queue')).toBeFocused();
  await keys('Escape');
  await expect(plot(page, 'queue')).not.toBeFocused();
  await expect(read(page, 'queue', 'time')).toHaveText('120.00 s');
});

test('the mouse reads all charts at once, and zooms all of them', async ({ page, site }) => {
  await open(page, site);
  await finish(page, expect);
  const over = plot(page, 'queue').locator('.u-over');
  await over.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await over.boundingBox();
  const to = (share) => page.mouse.move(x + share * width, y + height / 2, { steps: 3 });
  await to(0.5);
  await expect(read(page, 'queue', 'time')).toHaveText(/^(59\.|60\.)/);
  const time = await read(page, 'queue', 'time').textContent();
  await expect(read(page, 'latency', 'time')).toHaveText(time);
  await expect(plot(page, 'latency').locator('.u-cursor-x')).toBeVisible();
  await page.mouse.down();
  await to(0.75);
  await page.mouse.up();
  await expect(window_(page)).toHaveText(/^Zoomed: (59|60)\.\d\d–(89|90)\.\d\d s$/);
  await page.getByRole('button', { name: 'Table: Latency' }).click();
  const times = await figure(page, 'latency').locator('tbody th').allTextContents();
  expect(Number.parseFloat(times[0])).toBeGreaterThan(58.9);
  expect(Number.parseFloat(times.at(-1))).toBeLessThan(90.6);
  await over.dblclick();
  await expect(window_(page)).toHaveText('The whole run');
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await expect(window_(page)).toHaveText(/^Zoomed: /);
  await expect(page.getByRole('button', { name: 'Zoom out' })).toBeEnabled();
  await page.getByRole('button', { name: 'Show all of the run' }).click();
  await expect(page.getByRole('button', { name: 'Zoom out' })).toBeDisabled();
  await to(0.2);
  await page.mouse.move(0, 0);
  await expect(read(page, 'queue', 'time')).toHaveText('120.00 s');
});

test('a finger reads sideways and scrolls up and down', async ({ browser, site }) => {
  const context = await browser.newContext({ hasTouch: true, viewport: { width: 390, height: 800 } });
  const page = await context.newPage();
  await open(page, site);
  await finish(page, expect);
  const over = plot(page, 'queue').locator('.u-over');
  await expect(over).toHaveCSS('touch-action', 'pan-y');
  await over.evaluate((one) => one.scrollIntoView({ block: 'center' }));
  const { x, y, width, height } = await over.boundingBox();
  const cdp = await context.newCDPSession(page);
  const touch = (kind, share, down = 0) => cdp.send('Input.dispatchTouchEvent', { type: kind, touchPoints: kind === 'touchEnd' ? [] : [{ x: x + share * width, y: y + height / 2 + down }] });
  await touch('touchStart', 0.2);
  for (const share of [0.3, 0.4, 0.5]) await touch('touchMove', share);
  await expect(read(page, 'queue', 'time')).toHaveText(/^(59|60)\./);
  const reading = await read(page, 'queue', 'time').textContent();
  await expect(read(page, 'state', 'time')).toHaveText(reading);
  await touch('touchEnd');
  await expect(window_(page)).toHaveText('The whole run');
  const before = await page.evaluate(() => scrollY);
  await touch('touchStart', 0.5);
  for (const down of [-20, -60, -120, -200]) await touch('touchMove', 0.5, down);
  await touch('touchEnd');
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(before + 50);
  await context.close();
});

test('a chart is saved as numbers, paths and pixels, named after the run', async ({ page, site, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const expected = cli('run', 'exp-002', '--json');
  await open(page, site);
  await finish(page, expect);
  const name = (ending) => `exp-002-${expected.digest.slice(0, 8)}-queue.${ending}`;
  const file = await saved(page, 'queue', 'csv');
  expect(file.name).toBe(name('csv'));
  await expect(at(page, 'chart-saved')).toHaveText(`Saved as ${name('csv')}.`);
  const { head, rows, column } = rowsOf(file.bytes);
  expect(head).toEqual(['time [s]', 'queue [requests]', 'queue_max [requests]', 'drops [requests]', 'queue_min [requests]', 'saturation [ratio]', 'oldest [s]', 'fluid_model [requests]']);
  expect(rows.length).toBe(2400);
  // The engine's own figure: the most that waited in the counted minute.
  const counted = column('time').map((time, row) => (time > 60 ? column('queue_max')[row] : 0));
  expect(Math.max(...counted)).toBe(expected.queue.max);
  const fluid = column('fluid_model');
  expect(fluid.every((value) => value >= 0 && value <= 80)).toBe(true);

  const latency = rowsOf((await saved(page, 'latency', 'csv')).bytes);
  expect(latency.head).toContain('latency_samples [requests]');

  await page.getByRole('button', { name: 'Zoom in' }).click();
  const drawing = await saved(page, 'queue', 'svg');
  expect(drawing.name).toBe(name('svg'));
  const seen = await page.evaluate((text) => {
    const { documentElement: root } = new DOMParser().parseFromString(text, 'image/svg+xml');
    return { name: root.localName, title: root.querySelector('title').textContent, paths: root.querySelectorAll('path').length, texts: [...root.querySelectorAll('text')].map((one) => one.textContent), styles: root.querySelectorAll('style, [style], image').length };
  }, drawing.bytes.toString());
  expect(seen).toMatchObject({ name: 'svg', title: 'Queue length', styles: 0 });
  expect(seen.paths).toBeGreaterThan(8);
  expect(seen.texts).toEqual(expect.arrayContaining(['Queue length', 'capacity 80', '85 %', 'requests']));
  expect(seen.texts.join('\n')).toContain(`digest ${expected.digest}, 30.00 to 90.00 s`);
  expect(seen.texts.join('\n')).toContain('fluid model');
  const height = Number(/height="(\d+)"/.exec(drawing.bytes.toString())[1]);

  for (const chart of ['queue', 'state', 'phase']) {
    const picture = await saved(page, chart, 'png');
    expect(picture.bytes.subarray(1, 4).toString()).toBe('PNG');
    expect(picture.bytes.readUInt32BE(16)).toBe(1800);
    if (chart === 'queue') expect(picture.bytes.readUInt32BE(20)).toBe(2 * height);
    expect(picture.bytes.length).toBeGreaterThan(5000);
  }
  await figure(page, 'queue').locator('details.save > summary').click();
  await figure(page, 'queue').locator('[data-way="copy"]').click();
  await expect(at(page, 'chart-saved')).toHaveText('2 400 rows are on the clipboard.');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.split('\n')[0]).toContain('time [s]\tqueue [requests]');
});

test('the menu of files opens and closes by keyboard, and what is unfinished is named so', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'step-by').selectOption('second');
  await at(page, 'step').click();
  const menu = figure(page, 'rates').locator('details.save');
  await menu.locator('summary').focus();
  await page.keyboard.press('Enter');
  await expect(menu).toHaveAttribute('open', '');
  await axe(page);
  await page.keyboard.press('Escape');
  await expect(menu).not.toHaveAttribute('open');
  await expect(menu.locator('summary')).toBeFocused();
  await menu.locator('summary').click();
  await page.getByRole('heading', { name: 'Over time' }).click();
  await expect(menu).not.toHaveAttribute('open');
  const { name, bytes } = await saved(page, 'rates', 'csv');
  expect(name).toBe('exp-002-seed-1-at-1.00s-rates.csv');
  expect(rowsOf(bytes).rows.length).toBe(20);
});

test('the fluid model is drawn where it applies, and said where it does not', async ({ page, site }) => {
  await open(page, site);
  await expect(figure(page, 'queue').locator('.about')).toHaveText('Fluid model: mean flows, without chance; 400 agents that ask again 0.2 s after an answer; without the throttle.');
  await expect(figure(page, 'queue').locator('[data-key="fluid"]')).toBeVisible();
  await at(page, 'preset').selectOption('retry-storm');
  await expect(figure(page, 'queue').locator('.about')).toHaveText('No fluid model here: it does not know what clients send again.');
  await expect(figure(page, 'queue').locator('[data-key="fluid"]')).toHaveCount(0);
  await finish(page, expect);
  // The storm: each request is sent three times over. Read at the end.
  await expect(read(page, 'amplification', 'amplification')).toHaveText(/^×[23]\.\d\d$/);
  await expect(figure(page, 'state').locator('[data-key="rail events"]')).toBeVisible();
});

test('few samples are said, and the events of a moment are named', async ({ page, site }) => {
  await open(page, site);
  await type(page, JSON.stringify(STORM));
  await expect(figure(page, 'downstream')).toBeVisible();
  await at(page, 'step-by').selectOption('second');
  for (let second = 0; second < 23; second++) await at(page, 'step').click();
  await expect(read(page, 'state', 'rail events')).toHaveText('traffic ×6, 1 worker crashed');
  await plot(page, 'latency').focus();
  await page.keyboard.press('Home');
  for (let times = 0; times < 3; times++) await page.keyboard.press('Shift+ArrowRight');
  await expect(read(page, 'latency', 'latency_samples')).toHaveText(/^\d+, few$/);
  await expect(at(page, 'chart-reading')).toContainText('few');
});

test('nothing moves while a run plays, whatever the digits, the theme and the width', async ({ page, site }) => {
  // All charts are in view: what is not seen is not drawn while a run plays.
  await page.setViewportSize({ width: 1280, height: 3200 });
  await open(page, site);
  // Long enough that it still plays at the end on any machine.
  await type(page, JSON.stringify({ ...cli('run', 'exp-002', '--json').profile, run: { duration_seconds: 1200, warmup_seconds: 60 } }));
  await expect(page.locator('[name="run.duration_seconds"]')).toHaveValue('1200');
  const places = () => page.locator('[data-chart], [data-chart] .legend li, [data-chart] .tools').evaluateAll((all) => all.map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return [x, y + scrollY, width, height].map(Math.round).join(' ');
  }));
  await at(page, 'speed').selectOption('20');
  await at(page, 'run').click();
  const passed = (share) => expect.poll(() => at(page, 'progress').evaluate((bar) => bar.value), { timeout: 20_000 }).toBeGreaterThan(share);
  await passed(0.005);
  const before = await places();
  await passed(0.04);
  expect(await places()).toEqual(before);
  await expect(read(page, 'queue', 'time')).not.toHaveText('–');

  // Another theme and another width in the middle of a run.
  const card = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--card').trim());
  const light = await card();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(card).not.toBe(light);
  await page.setViewportSize({ width: 600, height: 3200 });
  await expect.poll(() => plot(page, 'rates').evaluate((box) => box.querySelector('.uplot').clientWidth - box.clientWidth)).toBe(0);
  await passed(0.06);
  await expect(at(page, 'status')).toHaveText('Running');
  expect(await page.locator('[data-chart]').count()).toBe(6);
});

test('a hidden tab draws nothing, and shows the present when it is back', async ({ page, site }) => {
  await page.setViewportSize({ width: 1280, height: 3200 });
  await open(page, site);
  // Long enough that it still plays at the end on any machine.
  await type(page, JSON.stringify({ ...cli('run', 'exp-002', '--json').profile, run: { duration_seconds: 1200, warmup_seconds: 60 } }));
  await expect(page.locator('[name="run.duration_seconds"]')).toHaveValue('1200');
  await at(page, 'speed').selectOption('50');
  await at(page, 'run').click();
  await expect(read(page, 'queue', 'time')).not.toHaveText('–');
  const hide = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await hide(true);
  const texts = () => page.locator('.legend [data-key="time"] .value').allTextContents();
  // What was due before is drawn with the next picture.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const before = await texts();
  const progress = () => at(page, 'progress').evaluate((bar) => bar.value);
  const from = await progress();
  await expect.poll(progress, { timeout: 20_000 }).toBeGreaterThan(from + 0.02);
  expect(await texts()).toEqual(before);
  await hide(false);
  await expect.poll(texts).not.toEqual(before);
});

test('on paper charts are light, and afterwards as they were', async ({ page, site }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await open(page, site);
  await finish(page, expect);
  const ground = () => page.evaluate(() => [document.documentElement.dataset.theme ?? 'system', getComputedStyle(document.querySelector('#charts')).backgroundColor].join(' '));
  const dark = await ground();
  await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
  await expect.poll(ground).toBe('light rgb(255, 255, 255)');
  await expect(page.locator('.chart-tools')).toBeHidden();
  await expect(figure(page, 'queue').locator('canvas')).toBeVisible();
  await page.emulateMedia({ colorScheme: 'dark', media: 'screen' });
  await expect.poll(ground).toBe(dark);
  await expect(read(page, 'queue', 'time')).toHaveText('120.00 s');
});

// The charts alone, from their sources, with a store that the test fills: what other parts of the page bring is brought here.
const ALONE = `<!doctype html><html lang="en"><title>Charts</title><link rel="stylesheet" href="/alone/web/style/all.css"><link rel="stylesheet" href="/alone/web/node_modules/uplot/dist/uPlot.min.css">
<script type="importmap">{"imports": {"uplot": "/alone/web/node_modules/uplot/dist/uPlot.esm.js"}}</script><main><h1>Charts</h1><section id="charts"><h2>Over time</h2></section></main></html>`;

async function alone(page, site, rows, change = {}) {
  const root = new URL('../../', import.meta.url);
  await page.route('**/alone/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/alone/') return route.fulfill({ contentType: 'text/html', body: ALONE });
    const kind = pathname.endsWith('.css') ? 'text/css' : 'text/javascript';
    return route.fulfill({ contentType: kind, body: await readFile(new URL(pathname.replace('/alone/', ''), root)) });
  });
  await page.goto(`${site}alone/`);
  const profile = cli('run', 'exp-001', '--json').profile;
  await page.evaluate(async ({ rows, profile, change }) => {
    const [{ charts }, { createStore }, { Series }] = await Promise.all(['page/charts/index.js', 'page/store.js', 'shared/series.js'].map((path) => import(`/alone/web/${path}`)));
    const end = profile.run.duration_seconds;
    const filled = (shape) => {
      const series = new Series();
      const time = Array.from({ length: rows }, (_, row) => ((row + 1) * end) / rows);
      const zero = new Array(rows).fill(0);
      series.columns = { time, queue: time.map(shape), queue_max: time.map((t) => shape(t) + 1), offered: time.map((t) => 100 + t), goodput: time.map((t) => 90 + t / 2), accepted: time, taken: time, throughput: time, derivative: zero, drops: zero, state: zero, throttle_delay: zero, latency_p95: zero, latency_p50: zero, latency_p99: zero, latency_mean: zero, latency_samples: zero };
      return series;
    };
    const looked = [];
    const series = filled((t) => (Math.abs(t - end / 3) < end / rows / 2 + 1e-9 ? 180 : 20 + 10 * Math.sin(t / 5)));
    const store = createStore({
      phase: 'done', preset: 'exp-001', profile, check: { profile: JSON.stringify(profile) }, problems: [], draft: null, run: 1, speed: 20, frame: { now_seconds: end, picture: { queue: 20 } }, transitions: [], report: null,
      digest: '0123456789abcdef', failure: '', link: null, theme: 'system', moment: null, past: null, working: null, kept: [], replicated: null, history: { undo: 0, redo: 0 }, view: { charts: null }, ...change,
    });
    const engine = { fluid: (_, times) => ({ queue: times.map(() => 25), reason: null, about: 'a stand-in', capacity_per_second: 400 }) };
    charts(document.getElementById('charts'), store, { actions: { series, lookAt: (seconds) => looked.push(seconds) }, engine });
    Object.assign(window, { store, series, looked, filled });
  }, { rows, profile, change });
  await expect(read(page, 'queue', 'time')).toHaveText('120.00 s');
}
const drawing = async (page, name) => (await saved(page, name, 'svg')).bytes.toString();

test('a moment that is looked at stands on all charts, and Enter or a click chooses one', async ({ page, site }) => {
  await alone(page, site, 2400);
  const looked = () => page.evaluate(() => window.looked);
  const over = plot(page, 'queue').locator('.u-over');
  await over.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await over.boundingBox();
  // The scale has a row at every 0.05 s: what is chosen is one of them.
  await page.mouse.click(x + width / 4, y + height / 2);
  await expect.poll(async () => (await looked()).length).toBe(1);
  expect((await looked())[0]).toBeCloseTo(30, 0);
  expect((await looked())[0] * 20).toBeCloseTo(Math.round((await looked())[0] * 20), 6);
  await page.mouse.move(x + width / 4, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + height / 2, { steps: 4 });
  await page.mouse.up();
  await expect(window_(page)).toContainText('Zoomed');
  expect((await looked()).length).toBe(1);
  await page.keyboard.press('0');
  await plot(page, 'rates').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await expect.poll(looked).toEqual([(await looked())[0], 0.05]);

  expect(await drawing(page, 'queue')).not.toContain('>42.00 s<');
  await page.evaluate(() => window.store.update({ moment: 42 }));
  await page.keyboard.press('Escape');
  await page.mouse.move(0, 0);
  await expect(read(page, 'queue', 'time')).toHaveText('42.00 s');
  for (const name of ['state', 'rates', 'queue', 'latency']) expect(await drawing(page, name)).toContain('>42.00 s<');
  expect(await drawing(page, 'phase')).toContain('>42.0 s<');
});

test('kept runs are drawn under the present one, named, and the difference is shaded', async ({ page, site }) => {
  await alone(page, site, 2400);
  const before = await drawing(page, 'queue');
  await page.evaluate(() => {
    const kept = (id, name, level, token) => ({ id, name, preset: 'exp-001', profile: '{}', report: {}, series: window.filled(() => level), token });
    window.store.update({ kept: [kept(1, 'Baseline', 150, '--kept-1'), kept(2, 'Other <b>', 60, '--kept-2')] });
  });
  await expect(read(page, 'queue', 'kept 1')).toHaveText('150');
  await expect(read(page, 'queue', 'kept 2')).toHaveText('60');
  await expect(figure(page, 'queue').locator('[data-key="kept 2"] .name')).toHaveText('Other <b>');
  await expect(figure(page, 'queue').locator('[data-key="below"] .name')).toHaveText('below Baseline');
  const after = await drawing(page, 'queue');
  // Each with the dash that the list of kept runs shows beside its name.
  for (const token of ['--kept-1', '--kept-2']) {
    const dash = `stroke-dasharray="${DASHES[token].join(' ')}"`;
    expect(after).toContain(dash);
    expect(before).not.toContain(dash);
  }
  expect(after).toContain('Other &lt;b&gt; 60');
  // Two tones: mostly below the baseline of 150, above it where the spike is.
  const tones = await page.evaluate(() => {
    const pen = document.createElement('canvas').getContext('2d');
    return ['--above', '--below'].map((token) => {
      pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
      return pen.fillStyle.replace(/^rgba\((\d+), (\d+), (\d+), (.*)\)$/, 'fill="rgb($1,$2,$3)" fill-opacity="$4"');
    });
  });
  for (const tone of tones) {
    expect(after).toContain(`${tone} clip-path`);
    expect(before).not.toContain(tone);
  }
  // Equal axes: the baseline has its place in them.
  await axe(page);
});

test('several seeds are a mean and a filled band', async ({ page, site }) => {
  await alone(page, site, 2400);
  const before = await drawing(page, 'queue');
  await page.evaluate(() => {
    const time = Float64Array.from({ length: 120 }, (_, second) => second + 1);
    const line = (value) => Float64Array.from(time, () => value);
    window.store.update({ replicated: { seeds: [1, 10], runs: new Array(10).fill({}), summary: {}, band: { time, columns: { queue: { mean: line(33), low: line(30), high: line(36) } } }, paired: null } });
  });
  await expect(read(page, 'queue', 'band')).toHaveText('33');
  await expect(read(page, 'queue', 'band-range')).toHaveText('30 to 36');
  await expect(figure(page, 'queue').locator('[data-key="band"] .name')).toHaveText('mean of 10 seeds');
  const after = await drawing(page, 'queue');
  expect(after.match(/opacity="0\.22" clip-path/g)?.length).toBe(1);
  expect(before).not.toContain('opacity="0.22" clip-path');
  await expect(figure(page, 'latency').locator('[data-key="band"]')).toHaveCount(0);
});

test('a million rows are drawn through few points, and a spike of one row is seen, zoomed or not', async ({ page, site }) => {
  await alone(page, site, 1_000_000);
  const points = async () => {
    const text = await drawing(page, 'queue');
    const paths = [...text.matchAll(/<path d="([^"]+)"/g)].map(([, d]) => d);
    const longest = paths.sort((a, b) => b.length - a.length)[0];
    return { text, commands: longest.match(/[ML]/g).length, ups: longest.match(/[ML][\d.]+ ([\d.]+)/g).map((one) => Number(one.split(' ')[1])) };
  };
  const { commands, ups } = await points();
  expect(commands).toBeGreaterThan(800);
  expect(commands).toBeLessThan(16_000);
  // The capacity, 200, is near the top of the frame: 180 is a tenth of the way down, 30 far below.
  const top = Math.min(...ups);
  expect(top).toBeLessThan(115);
  expect(ups.filter((up) => up < 200).length).toBeLessThan(12);
  const spike = await page.evaluate(() => window.series.columns.time[window.series.columns.queue.findIndex((value) => value > 100)]);
  await plot(page, 'queue').focus();
  await page.keyboard.press('Home');
  for (let times = 0; times < 3; times++) await page.keyboard.press('+');
  await page.keyboard.press('0');
  const over = plot(page, 'queue').locator('.u-over');
  const { x, y, width, height } = await over.boundingBox();
  await page.mouse.move(x + (spike / 120) * width, y + height / 2);
  for (let times = 0; times < 4; times++) await page.keyboard.press('+');
  await expect(window_(page)).toContainText('Zoomed');
  const zoomed = await points();
  expect(Math.min(...zoomed.ups)).toBeCloseTo(top, 0);
  expect(zoomed.commands).toBeLessThan(16_000);
});
