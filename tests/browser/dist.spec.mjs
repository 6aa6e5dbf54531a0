// The static site: below a path, under its own policy, with a page and a picture for each preset.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { host, makeSite } from './folder.mjs';
import { AxeBuilder, at, test as base, cli, expect, finish, open, openText, presets } from './harness.mjs';

const PATH = '/some/where/';
const root = mkdtempSync(join(tmpdir(), 'site-'));
const folder = join(root, 'site');

const test = base.extend({
  server: [async ({}, use) => {
    const server = await host(folder, PATH);
    makeSite(folder, { base: server.url });
    execFileSync(process.execPath, ['build/compress.mjs', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    await use(server);
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  }, { scope: 'worker' }],
  site: [async ({ server }, use) => { await use(server.url); }, { scope: 'worker' }],
});

const read = (path) => readFileSync(join(folder, path), 'utf8');
/** The content of a tag in the head. */
const meta = (html, kind, name) => new RegExp(`<meta ${kind}="${name}" content="([^"]*)"`).exec(html)?.[1];

test('the site runs below a path, under its policy, and asks for nothing outside it', async ({ page, server }) => {
  server.asked.length = 0;
  const violations = [];
  await page.exposeFunction('violated', (what) => violations.push(what));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => globalThis.violated(`${violatedDirective}: ${blockedURI}`)));
  await open(page, server.url);
  await expect(page.locator('meta[http-equiv="Content-Security-Policy"]')).toHaveAttribute('content', /default-src 'none'/);
  await finish(page, expect);
  await openText(page);
  await page.locator('#guides').click();
  await page.locator('a[href="#guide=collapse"]').last().click();
  await expect(page.locator('#guide h2').first()).toBeVisible();
  await expect(at(page, 'offline')).toHaveText('Ready for use without a network.', { timeout: 30_000 });
  expect(server.asked.length).toBeGreaterThan(5);
  expect(server.asked.filter((path) => !path.startsWith(PATH))).toEqual([]);
  expect(violations).toEqual([]);

  // That the policy is in force is shown by what it refuses.
  page.removeAllListeners('console');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.documentElement.dataset.ran = ""';
    document.head.append(script);
  });
  await expect.poll(() => violations).toEqual(['script-src-elem: inline']);
  await expect(page.locator('html[data-ran]')).toHaveCount(0);
});

test('every preset has a page that says what came of it, with a picture, and leads to a link', async ({ server }) => {
  const pictures = new Set();
  for (const name of presets()) {
    const html = read(`presets/${name}/index.html`);
    const { digest, headline, recovery } = cli('run', name, '--json');
    expect(html, name).toContain(digest);
    const said = (recovery?.text ?? headline).replaceAll('&', '&amp;').replaceAll("'", '&#39;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    expect(html.replaceAll('\u00a0', ' '), name).toContain(said);
    expect(html, name).toContain(`href="../../#v1.${name}~h=`);
    expect(meta(html, 'property', 'og:title'), name).toContain('Agent Chaos Playground');
    expect(meta(html, 'name', 'description')?.length, name).toBeGreaterThan(20);
    expect(meta(html, 'name', 'twitter:card'), name).toBe('summary_large_image');
    expect(meta(html, 'property', 'og:image'), name).toBe(`${server.url}presets/${name}/preview.png`);
    const picture = readFileSync(join(folder, `presets/${name}/preview.png`));
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)], name).toEqual([1200, 630]);
    pictures.add(picture.toString('base64'));
  }
  expect(pictures.size).toBe(presets().length);
});

test('the page of a preset leads to its experiment, which reproduces', async ({ page, server }) => {
  await page.goto(`${server.url}presets/retry-storm/`);
  await expect(page.locator('h1')).toHaveText('Retry storm');
  await expect(page.locator('img')).toHaveJSProperty('naturalWidth', 1200);
  await page.locator('a.open').click();
  await at(page, 'status').waitFor();
  await finish(page, expect);
  await expect(at(page, 'link-status')).toContainText('reproduced ✓');
});

test('a wrong address at any depth leads back', async ({ page, server }) => {
  page.removeAllListeners('console');
  for (const path of ['nowhere', 'presets/no-such/', 'a/b/c/d.html']) {
    const answer = await page.goto(server.url + path);
    expect(answer.status()).toBe(404);
    await expect(page.locator('h1')).toHaveText('There is no such page');
    await expect(page.locator('a.open')).toHaveCSS('font-weight', '600');
    await page.locator('a.open').click();
    await at(page, 'status').waitFor();
    expect(page.url()).toBe(server.url);
  }
});

for (const scheme of ['light', 'dark']) {
  test(`the pages beside the playground are accessible and fit a phone, ${scheme}`, async ({ page, server }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width: 320, height: 700 });
    for (const path of ['presets/', 'presets/exp-002/', 'presets/game-day/', '404.html']) {
      await page.goto(server.url + path);
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
      expect(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes.map((node) => node.html).join()}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(320);
    }
  });
}

test('a browser can install it', async ({ page, server }) => {
  const manifest = JSON.parse(read('manifest.webmanifest'));
  await page.goto(server.url);
  const session = await page.context().newCDPSession(page);
  const { errors, url } = await session.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  expect(url).toBe(`${server.url}manifest.webmanifest`);
  for (const { src, sizes, type } of manifest.icons) {
    const icon = readFileSync(join(folder, src));
    if (type === 'image/png') expect(`${icon.readUInt32BE(16)}x${icon.readUInt32BE(20)}`).toBe(sizes);
  }
  await at(page, 'offline').waitFor();
  await expect.poll(async () => (await session.send('Page.getInstallabilityErrors')).installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
});

test('what programs read is there', async ({ server }) => {
  expect(read('robots.txt')).toContain(`Sitemap: ${server.url}sitemap.xml`);
  const places = [...read('sitemap.xml').matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, place]) => place);
  expect(places).toHaveLength(presets().length + 2);
  for (const place of places) expect((await fetch(place)).status, place).toBe(200);
  expect(JSON.parse(read('profile.schema.json')).properties.workers).toBeTruthy();
  const text = read('llms.txt');
  for (const name of presets()) expect(text).toContain(`\`${name}\`: `);
  for (const part of ['`workers.service.base_seconds` (number', 'v1.<preset>~<path>=<value>', '### agent-chaos run --help', '--seeds', '#guide=retry-storm', 'Why:']) expect(text).toContain(part);
  for (const [, address] of text.matchAll(/\]\((http[^)]*)\)/g)) expect((await fetch(address)).status, address).toBe(200);
});

test('without an address the site has no whole addresses of its own', ({ server }) => {
  expect(server.folder).toBe(folder);
  const bare = makeSite(join(root, 'bare'));
  const html = readFileSync(join(bare, 'presets/mm1/index.html'), 'utf8');
  expect(html).not.toContain('canonical');
  expect(meta(html, 'property', 'og:image')).toBe('../../presets/mm1/preview.png');
  expect(existsSync(join(bare, 'sitemap.xml'))).toBe(false);
  // The same sources give the same site.
  const names = readdirSync(bare, { recursive: true }).filter((name) => name.endsWith('.png'));
  expect(names.length).toBeGreaterThan(44);
  for (const name of names) expect(readFileSync(join(bare, name)).equals(readFileSync(join(folder, name))), name).toBe(true);
});

test('text and wasm have a brotli and a gzip file beside them, which are the same', ({ server }) => {
  const files = readdirSync(server.folder, { recursive: true }).filter((name) => /\.(js|css|html|wasm|txt|json)$/.test(name));
  const large = files.map((name) => ({ name, content: readFileSync(join(folder, name)) })).filter(({ content }) => content.length > 1000);
  expect(large.some(({ name }) => name.endsWith('.wasm'))).toBe(true);
  for (const { name, content } of large) {
    expect(brotliDecompressSync(readFileSync(join(folder, `${name}.br`))).equals(content), name).toBe(true);
    expect(gunzipSync(readFileSync(join(folder, `${name}.gz`))).equals(content), name).toBe(true);
  }
});
