// Drives headless Chromium for the benchmark: one JSON object a line in, one a line out.
//
//   node driver.mjs <folder of the module with engine_alone, or "">
//
// `CHROME` names the Chromium. Each name of a page stands for a page in a context of its own, thus
// in a process of its own with a module that has not run yet. It ends when its input does.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from '../../../web/testkit.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = [
  ['/bench/', join(top, 'crates/agent-chaos-bench/browser/')],
  ['/pkg/', join(top, 'web/pkg/')],
  ['/alone/', process.argv[2] ?? ''],
  ['/shared/', join(top, 'web/shared/')],
  ['/', join(top, 'web/dist/')],
];
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.svg': 'image/svg+xml' };
/** Between two key events: not a multiple of a picture's or a slice's length. */
const KEY_MS = 13;

const server = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, 'http://local').pathname));
  const [prefix, folder] = FOLDERS.find(([prefix]) => path.startsWith(prefix));
  const file = join(folder, path.endsWith('/') ? `${path.slice(prefix.length)}index.html` : path.slice(prefix.length));
  const found = folder && (await stat(file).catch(() => null));
  if (!found?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  // Isolated pages have a clock of 5 µs instead of 100 µs.
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-length': found.size, 'cache-control': 'no-store',
    'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp',
  });
  createReadStream(file).pipe(response);
});
await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
const site = `http://127.0.0.1:${server.address().port}/`;

/** The browser, started when it is first needed; why it could not be started is every answer then. */
let started;
const browser = () => (started ??= chromium.launch({
  executablePath: process.env.CHROME,
  args: ['--no-sandbox', '--disable-background-networking', '--disable-quic', '--no-first-run', '--disable-component-update', '--disable-sync'],
}));
process.on('SIGTERM', () => void end());

/** @type {Map<string, import('@playwright/test').Page>} */
const pages = new Map();

async function fresh(url) {
  const context = await (await browser()).newContext({ locale: 'en-US', viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  if (url) await page.goto(site + url);
  return page;
}

/** The page of this name with its module loaded, and whether it is new. */
async function named(name, folder) {
  const known = pages.get(name);
  if (known) {
    await known.bringToFront();
    return { page: known, cold: false };
  }
  const page = await fresh('bench/page.html');
  await page.waitForFunction(() => window.bench);
  await page.evaluate((folder) => window.bench.load(folder), folder);
  pages.set(name, page);
  return { page, cold: true };
}

async function call(name, folder, method, profile) {
  const { page, cold } = await named(name, folder);
  const answer = await page.evaluate(([method, profile]) => window.bench[method](profile), [method, profile]);
  return { ...answer, cold };
}

/** Types into a page until `until` says so. */
async function type(page, until) {
  const client = await page.context().newCDPSession(page);
  while (!(await until())) {
    await client.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'Shift', code: 'ShiftLeft', windowsVirtualKeyCode: 16 });
    await client.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'Shift', code: 'ShiftLeft', windowsVirtualKeyCode: 16 });
    await sleep(KEY_MS);
  }
  await client.detach();
}

const DOES = {
  version: async () => ({ chromium: (await browser()).version() }),
  run: ({ page, profile }) => call(page, '/pkg/', 'run', profile),
  play: ({ page, profile }) => call(page, '/pkg/', 'play', profile),
  alone: ({ page, profile }) => {
    if (!process.argv[2]) throw new Error('not available: agent-chaos-wasm has no feature "bench"');
    return call(page, '/alone/', 'alone', profile);
  },
  close: async ({ page }) => {
    await pages.get(page)?.context().close();
    pages.delete(page);
    return {};
  },
  // How long keys, timers and the thread's other work wait while a run plays at full speed.
  busy: async ({ page: name, profile, seconds }) => {
    const { page } = await named(name, '/pkg/');
    await page.evaluate((profile) => window.bench.busy(profile), profile);
    const end = Date.now() + seconds * 1000;
    await type(page, async () => Date.now() >= end);
    return page.evaluate(() => window.bench.rest());
  },
  instantiate: async () => {
    const page = await fresh('bench/page.html');
    await page.waitForFunction(() => window.bench);
    const answer = await page.evaluate(() => window.bench.instantiate('/pkg/'));
    await page.context().close();
    return answer;
  },
  // From the navigation to the built page, by a link that runs at once, to a chart that has data.
  first_chart: async ({ link }) => {
    const page = await fresh('');
    await page.addInitScript(() => {
      const look = () => {
        const words = document.querySelector('#chart-rates-summary')?.textContent ?? '';
        if (/now [\d.]+\/s offered/.test(words)) window.firstChart = performance.now() / 1000;
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await page.goto(`${site}#${link}`);
    const seen = await page.waitForFunction(() => window.firstChart, undefined, { timeout: 30_000 });
    const seconds = await seen.jsonValue();
    await page.context().close();
    return { seconds };
  },
  // How long keys wait in the built page while it plays this link at full speed.
  page_keys: async ({ link }) => {
    const page = await fresh('');
    await page.addInitScript(() => {
      window.waited = [];
      addEventListener('keydown', (event) => {
        const status = document.querySelector('[data-testid="status"]')?.textContent;
        if (status === 'Running') window.waited.push(performance.now() - event.timeStamp);
      }, true);
    });
    await page.goto(`${site}#${link}`);
    const done = () => page.evaluate(() => document.querySelector('[data-testid="status"]')?.textContent === 'Done');
    const end = Date.now() + 60_000;
    await type(page, async () => Date.now() >= end || (await done()));
    const keys = await page.evaluate(() => window.waited);
    await page.context().close();
    return { keys };
  },
};

async function end() {
  await started?.then((browser) => browser.close()).catch(() => {});
  process.exit(0);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const question = JSON.parse(line);
    answer = await DOES[question.do](question);
  } catch (error) {
    answer = { error: String(error instanceof Error ? error.message : error).split('\n')[0] };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await end();
