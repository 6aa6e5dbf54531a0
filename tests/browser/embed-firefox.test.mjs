// Embeds in Firefox: the frame in a strict page, the element, and a saved page from a disk.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { savedPage } from '../../web/shared/saved.js';
import { cli } from './cli.mjs';
import { launch, until } from './fox.mjs';

const dist = (name) => readFileSync(new URL(`../../web/dist/${name}`, import.meta.url));
const TYPES = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' };
const HOST = `<!doctype html><html lang="en"><title>Somebody else's page</title><link rel="icon" href="data:,"><input id="mine"><iframe src="embed.html?theme=light#v1.exp-002~seed=7" sandbox="allow-scripts" title="An experiment" style="width:100%;height:600px"></iframe>
<script>const heard = []; addEventListener('message', ({ data, source }) => { if (source === document.querySelector('iframe').contentWindow) heard.push(data); });
globalThis.ask = (message) => document.querySelector('iframe').contentWindow.postMessage({ 'agent-chaos': 1, ...message }, '*'); globalThis.heard = heard;</script></html>`;
const ELEMENT = '<!doctype html><html lang="en"><title>Somebody else\'s page</title><link rel="icon" href="data:,"><style>html { color-scheme: light; }</style><agent-chaos preset="exp-002" seed="7" view="controls,verdict,picture,charts"></agent-chaos><script type="module" src="agent-chaos.js"></script></html>';

let browser;
let server;
let site;
const wrong = [];
before(async () => {
  server = createServer(({ url }, answer) => {
    const name = url.slice(1).replace(/\?.*/, '');
    const strict = "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'self'; frame-src 'self'; style-src 'unsafe-inline'; img-src data:";
    if (name === 'host.html' || name === 'element.html') return answer.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': strict }).end(name === 'host.html' ? HOST : ELEMENT);
    return answer.writeHead(200, { 'Content-Type': TYPES[name.split('.').at(-1)] }).end(dist(name));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${server.address().port}/`;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server.close();
});

async function opened(url) {
  const page = await browser.newPage();
  wrong.length = 0;
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  await page.goto(url);
  return page;
}
/** Presses play in the element of a page and runs it as fast as it can. */
async function run(page) {
  const inside = (act) => page.evaluate(act);
  await until(() => inside(() => document.querySelector('agent-chaos')?.shadowRoot?.querySelector('.play') !== null), (there) => there);
  await inside(() => document.querySelector('agent-chaos').shadowRoot.querySelector('.play').click());
  await until(() => inside(() => document.querySelector('agent-chaos').shadowRoot.querySelector('[data-testid="embed-speed"]') !== null), (there) => there);
  await inside(() => {
    const speed = document.querySelector('agent-chaos').shadowRoot.querySelector('[data-testid="embed-speed"]');
    speed.value = 'max';
    speed.dispatchEvent(new Event('change'));
  });
  return until(() => inside(() => document.querySelector('agent-chaos').report?.digest ?? ''), (digest) => digest !== '', 60);
}
const expected = () => cli('run', 'exp-002', '--seed', '7', '--json').digest;

test('the sandboxed frame runs in a strict page, hears, and takes nothing', async () => {
  const page = await opened(`${site}host.html`);
  const heard = (type) => page.evaluate((wanted) => globalThis.heard.filter((one) => one.type === wanted).at(-1) ?? null, type);
  await until(() => heard('ready'), (one) => one !== null);
  await page.focus('#mine');
  await page.evaluate(() => globalThis.ask({ type: 'run' }));
  const { report } = await until(() => heard('report'), (one) => one !== null, 60);
  assert.equal(report.digest, expected());
  assert.equal(await page.evaluate(() => document.activeElement.id), 'mine');
  assert.ok((await heard('size')).height > 300);
  await page.evaluate(() => globalThis.ask({ type: 'theme', theme: 'dark', id: 1 }));
  const frame = page.frames().find((one) => one.url().includes('embed.html'));
  await until(() => frame.evaluate(() => getComputedStyle(document.querySelector('agent-chaos').shadowRoot.querySelector('.stage')).backgroundColor), (colour) => colour === 'rgb(26, 32, 41)');
  assert.deepEqual(wrong, []);
  await page.close();
});

test('the element runs, and follows the color scheme around it', async () => {
  const page = await opened(`${site}element.html`);
  assert.equal(await run(page), expected());
  const theme = () => page.evaluate(() => document.querySelector('agent-chaos').shadowRoot.querySelector('.stage').dataset.theme);
  assert.equal(await theme(), 'light');
  await page.evaluate(() => { document.body.style.colorScheme = 'dark'; });
  await until(theme, (now) => now === 'dark');
  assert.deepEqual(wrong, []);
  await page.close();
});

test('a saved page runs from a disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'saved-'));
  try {
    const file = join(folder, 'saved.html');
    writeFileSync(file, savedPage(dist('embed.html').toString(), { title: 'Saved', given: { link: `v1.exp-002~seed=7` } }));
    const page = await opened(pathToFileURL(file).href);
    assert.equal(await page.title(), 'Saved');
    assert.equal(await run(page), expected());
    assert.deepEqual(wrong, []);
    await page.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
