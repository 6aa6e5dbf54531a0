// What the specs share: the built page on a loopback port, the command line, and the page's hooks.
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test as base } from '../../web/testkit.js';

export { expect, AxeBuilder } from '../../web/testkit.js';

const web = fileURLToPath(new URL('../../web/', import.meta.url));

const freePort = () => new Promise((resolve, reject) => {
  const server = createServer();
  server.on('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

export const test = base.extend({
  // One server for all tests of a worker.
  site: [async ({}, use) => {
    const port = await freePort();
    const server = spawn(process.execPath, ['node_modules/vite/bin/vite.js', 'preview', '--host', '127.0.0.1', '--port', String(port), '--strictPort', '--logLevel', 'error'], { cwd: web, stdio: ['ignore', 'ignore', 'inherit'] });
    const url = `http://127.0.0.1:${port}/`;
    for (let tries = 0; ; tries++) {
      if (await fetch(url).then((answer) => answer.ok, () => false)) break;
      if (tries > 200) throw new Error('the page is not served');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await use(url);
    server.kill();
  }, { scope: 'worker' }],

  // Every test also fails on what the console calls an error, and on requests to elsewhere.
  page: async ({ page, site }, use) => {
    const wrong = [];
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== new URL(site).origin && !['data:', 'blob:'].includes(protocol)) wrong.push(`request to ${request.url()}`);
    });
    await use(page);
    if (wrong.length) throw new Error(wrong.join('\n'));
  },
});

/** The command line's answer as JSON. */
export const cli = (...parameters) => cliOn('', ...parameters);

/** The same, with this on its standard input. */
export function cliOn(input, ...parameters) {
  const program = process.env.AGENT_CHAOS;
  if (!program) throw new Error('AGENT_CHAOS names the command line to compare with; `cargo xtask test` sets it');
  return JSON.parse(execFileSync(program, parameters, { input, maxBuffer: 1 << 28, encoding: 'utf8' }));
}

/** The names of all presets: each is a file. */
export const presets = () => readdirSync(new URL('../../crates/agent-chaos-core/presets', import.meta.url)).map((name) => name.replace('.json', ''));

export const at = (page, name) => page.getByTestId(name);

export async function open(page, url) {
  await page.goto(url);
  await at(page, 'status').waitFor();
}

export async function finish(page, expect) {
  await at(page, 'speed').selectOption('max');
  await at(page, 'run').click();
  await expect(at(page, 'status')).toHaveText('Done', { timeout: 60_000 });
}

/** Types a profile into the JSON view. */
export async function type(page, text) {
  await openText(page);
  // As a person does it: an editor that draws only what is seen selects all of it by its own key.
  await at(page, 'json').focus();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
}

/** Opens the JSON view and waits for its editor. */
export async function openText(page) {
  const details = page.locator('details.json');
  if (!(await details.evaluate((one) => one.open))) await details.locator('> summary').click();
  await at(page, 'json').waitFor();
}

/** The whole text of the JSON view, open or not. */
export const text = (page) => page.locator('#json-text').evaluate((one) => one.value);

/** Opens a section of the form, if it is not open. */
export async function unfold(page, section) {
  const details = page.locator(`[data-section="${section}"] > details`);
  if (!(await details.evaluate((one) => one.open))) await details.locator('> summary').click();
}

/** Everything that a picture, a chart or a table has a place for. */
export const STORM = {
  run: { duration_seconds: 60, warmup_seconds: 5 }, agents: null, arrivals: { rate_per_second: 50 }, requests: { light: { share: 1 }, heavy: { share: 0 } },
  client: { timeout_seconds: 1, withdraws: true, retry: { backoff: 'none' }, breaker: { open_seconds: 5 } }, network: { loss_ratio: 0.01, pool: { size: 60 } },
  admission: { limit: {}, token_bucket: { rate_per_second: 200 } },
  queue: { capacity: 200, when_full: 'drop', early_drop: null, discipline: 'lifo', drops_expired: true },
  workers: { count: 3, bulkheads: { light: 1, heavy: 0 }, service: { distribution: 'exponential', base_seconds: 0.01, per_weight_seconds: 0 } },
  downstream: { network: { pool: { size: 2 } } }, faults: { spike: null, error: null, crashes: {}, stalls: {} },
  timeline: [{ at_seconds: 20, for_seconds: 5, traffic: { arrivals_factor: 6 } }, { at_seconds: 22, crash: { workers: 1 }, for_seconds: 5 }],
};
