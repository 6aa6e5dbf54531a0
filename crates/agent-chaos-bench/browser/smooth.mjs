// How the page feels: how soon it can be used, how smoothly a run of 400 agents plays, and how long a large sweep takes.
// Prints one JSON object.
//
// Times of tasks are CPU times of the page's main thread, from Chromium's trace: other work on the machine does not count.
import { serve } from '../../../tests/browser/server.mjs';
import { chromium } from '../../../web/testkit.js';

const PLAY_MS = 6000;
const rounds = Number(process.argv[2] ?? 3);

const at = (sorted, share) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
const round = (value) => Math.round(10 * value) / 10;

/** CPU milliseconds of each task of the thread that draws, the longest first. */
function tasks(trace) {
  const { traceEvents } = JSON.parse(trace);
  const drawn = traceEvents.find(({ name }) => name === 'FireAnimationFrame');
  return traceEvents
    .filter(({ ph, name, pid, tid }) => ph === 'X' && name.endsWith('RunTask') && pid === drawn.pid && tid === drawn.tid)
    .map(({ tdur = 0 }) => tdur / 1000)
    .sort((a, b) => b - a);
}

const site = await serve();
const browser = await chromium.launch({ executablePath: process.env.CHROME, args: ['--no-sandbox', '--disable-background-networking', '--disable-quic', '--no-first-run'] });
const found = [];
for (let turn = 0; turn < rounds; turn++) {
  // A context of its own: nothing is cached.
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(site.url);
  await page.getByTestId('run').waitFor();
  const usable = await page.evaluate(() => performance.now());
  await page.locator('[data-later]').first().waitFor({ state: 'detached' });
  await page.getByTestId('speed').selectOption('10');
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] });
  await page.evaluate(() => {
    globalThis.pictures = [];
    const look = (time) => {
      globalThis.pictures.push(time);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.getByTestId('run').click();
  await page.waitForTimeout(PLAY_MS);
  const pictures = await page.evaluate(() => globalThis.pictures);
  const gaps = pictures.slice(1).map((time, index) => time - pictures[index]).sort((a, b) => a - b);
  const longest = tasks((await browser.stopTracing()).toString());
  found.push({ usable_ms: round(usable), gap_ms: { p50: round(at(gaps, 0.5)), p99: round(at(gaps, 0.99)) }, longest_task_cpu_ms: round(longest[0]), tasks: longest.length });
  await context.close();
}
// Agents and workers, 40 values each, under 10 seeds: 16,000 runs of 60 s. How late the page is meanwhile, by a timer that is due every 20 ms.
const page = await browser.newPage();
await page.goto(`${site.url}#v1.exp-002~run.duration_seconds=60~run.warmup_seconds=10`);
await page.locator('[data-later]').first().waitFor({ state: 'detached' });
const fields = { 'sweep-path': 'agents.count', 'sweep-values': '10..400:10', 'sweep-path-2': 'workers.count', 'sweep-values-2': '1..40:1', 'sweep-seeds': '10' };
await page.getByTestId('sweep-two').check();
for (const [name, value] of Object.entries(fields)) {
  await page.getByTestId(name).fill(value);
  await page.getByTestId(name).blur();
}
await page.evaluate(() => {
  globalThis.late = [];
  let due = performance.now() + 20;
  setInterval(() => {
    globalThis.late.push(performance.now() - due);
    due = performance.now() + 20;
  }, 20);
});
await page.getByTestId('sweep-run').click();
await page.locator('dialog[open] button').filter({ hasText: /^Run/ }).click({ timeout: 10_000 }).catch(() => {});
const begun = Date.now();
await page.getByTestId('sweep-status').filter({ hasText: 'Done' }).waitFor({ timeout: 600_000 });
const seconds = (Date.now() - begun) / 1000;
const late = (await page.evaluate(() => globalThis.late)).sort((a, b) => a - b);
const sweep = { runs: 16_000, seconds: round(seconds), late_ms: { p50: round(at(late, 0.5)), p99: round(at(late, 0.99)), most: round(late.at(-1)) } };
await browser.close();
site.stop();
console.log(JSON.stringify({ experiment: 'exp-002, 400 agents, ten times as fast as time', played_ms: PLAY_MS, rounds: found, sweep }, null, 2));
