// What a visitor loads before and for the first chart, compressed as a server would: brotli at its best.
import { readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { expect, finish, test } from './harness.mjs';

/** Kilobytes of everything together. */
const MOST = 200;
/** Kilobytes of the engine alone: what it may grow to before somebody looks for what can go. */
const MOST_ENGINE = 248;

const kilobytes = (bytes) => brotliCompressSync(bytes).length / 1000;

test('what is loaded for the first chart stays within its budget', async ({ page, site }) => {
  // Does not hold yet. A mark, not a switch: as soon as it holds, this line is what fails.
  test.fail(true, 'the engine is still too large');
  const loading = [];
  page.on('response', (response) => {
    const name = new URL(response.url()).pathname;
    loading.push(response.body().then((body) => ({ name, weight: kilobytes(body) })));
  });
  // What waits until the page is at rest is no part of it; the first run does without.
  await page.addInitScript(() => { globalThis.requestIdleCallback = () => 0; });
  await page.goto(site);
  await finish(page, expect);
  await expect(page.locator('[data-chart="queue"] canvas')).toBeVisible();
  await expect(page.locator('[data-later]')).toHaveCount(7);
  await page.waitForLoadState('networkidle');
  const files = await Promise.all(loading);
  for (const kind of [/\/$/, /\.js$/, /\.css$/, /\.wasm$/]) expect(files.some(({ name }) => kind.test(name)), String(kind)).toBe(true);
  const list = files.map(({ name, weight }) => `${weight.toFixed(1).padStart(6)} ${name}`).join('\n');
  console.log(list);
  const sum = files.reduce((sum, { weight }) => sum + weight, 0);
  expect(sum, `${sum.toFixed(1)} kB:\n${list}`).toBeLessThanOrEqual(MOST);
});

test('the engine stays within its budget', () => {
  const engine = readFileSync(new URL('../../web/pkg/agent_chaos_wasm_bg.wasm', import.meta.url));
  expect(kilobytes(engine)).toBeLessThanOrEqual(MOST_ENGINE);
});
