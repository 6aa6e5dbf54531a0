// How the page feels: how soon it can be used, and how smoothly a run of 400 agents plays. Prints one JSON object.
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
await browser.close();
site.stop();
console.log(JSON.stringify({ experiment: 'exp-002, 400 agents, ten times as fast as time', played_ms: PLAY_MS, rounds: found }, null, 2));
