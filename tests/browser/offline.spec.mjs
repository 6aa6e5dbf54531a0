// Without a network after the first visit, and from one version to the next.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { host, makeSite, newer } from './folder.mjs';
import { AxeBuilder, at, test as base, expect, finish, open, openText, text, unfold } from './harness.mjs';

const root = mkdtempSync(join(tmpdir(), 'offline-'));
let old = '';

const test = base.extend({
  sites: [async ({}, use) => {
    const first = makeSite(join(root, 'first'));
    const second = makeSite(join(root, 'second'), { change: (folder) => { old = newer(folder); } });
    await use({ first, second });
    rmSync(root, { recursive: true, force: true });
  }, { scope: 'worker' }],
  // A server of its own for each test, and with it an origin without a past.
  server: [async ({ sites }, use) => {
    const server = await host(sites.first, '/sub/');
    await use(server);
    await server.stop();
  }, {}],
  page: async ({ context, server }, use) => {
    const page = await context.newPage();
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    await use(page);
    if (wrong.length) throw new Error(wrong.join('\n'));
    expect(server.asked.filter((path) => !path.startsWith('/sub/'))).toEqual([]);
  },
});

const READY = 'Ready for use without a network.';
const ready = (page) => expect(at(page, 'offline')).toHaveText(READY, { timeout: 30_000 });
const buildOf = (page) => page.locator('meta[name="build"]').getAttribute('content');
/** Looks for a newer version, as browsers do now and then. */
const look = (page) => page.evaluate(async () => { await (await navigator.serviceWorker.ready).update(); });

test('after the first visit everything works without a network', async ({ page, context, server }) => {
  await open(page, server.url);
  await ready(page);
  await server.stop();
  await context.setOffline(true);
  await expect(at(page, 'offline')).toHaveText('There is no network. All of this page works without it.');
  await page.reload();
  await at(page, 'status').waitFor();
  await page.locator('[data-later]').first().waitFor({ state: 'detached' });
  await expect(at(page, 'offline')).toHaveText('There is no network. All of this page works without it.');

  await finish(page, expect);
  await expect(at(page, 'state')).toHaveText('DEGRADED');
  // What is loaded when it is asked for: the text editor, the guides, a guide's card, files of charts, long links.
  await openText(page);
  expect(JSON.parse(await text(page)).version).toBe(1);
  await unfold(page, 'workers');
  await page.goto(`${server.url}#guide=retry-storm`);
  await expect(page.locator('#guide')).toBeVisible();
  await expect(page.locator('#guide')).toContainText('storm');
  const { violations } = await new AxeBuilder({ page }).include('footer').analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);

  await context.setOffline(false);
  await expect(at(page, 'offline')).toHaveText(READY);
});

test('without a network the page of a preset leads to its experiment, and an unknown address to the page', async ({ page, context, server }) => {
  await open(page, server.url);
  await ready(page);
  await server.stop();
  await context.setOffline(true);
  await page.goto(`${server.url}presets/mm1/`);
  await at(page, 'status').waitFor();
  expect(page.url()).toBe(`${server.url}#v1.mm1`);
  await expect(at(page, 'preset')).toHaveValue('mm1');
  await page.goto(`${server.url}nowhere/at/all?x=1`);
  await at(page, 'status').waitFor();
  expect(page.url()).toBe(server.url);
});

test('a host that leaves out .html makes no difference', async ({ page, context, server }) => {
  server.pretty = true;
  await open(page, server.url);
  await ready(page);
  await server.stop();
  await context.setOffline(true);
  for (const address of ['', 'index.html', '?from=somewhere']) {
    await page.goto(server.url + address);
    await at(page, 'status').waitFor();
  }
  await page.goto(`${server.url}embed.html?preset=mm1`);
  await expect(page.locator('agent-chaos .title').first()).toHaveText('M/M/1');
});

test('a newer version waits until somebody asks for it, and edits are kept', async ({ page, server, sites }) => {
  await open(page, server.url);
  await ready(page);
  const before = await buildOf(page);
  await unfold(page, 'workers');
  const workers = page.locator('[name="workers.count"]');
  await workers.fill('7');
  await workers.blur();
  await expect.poll(async () => JSON.parse(await text(page)).workers.count).toBe(7);

  server.folder = sites.second;
  await look(page);
  await expect(at(page, 'news')).toBeVisible({ timeout: 30_000 });
  await expect(at(page, 'news')).toContainText(/^Version [0-9.]+, build [0-9a-f]{8}, is ready\. Reload to use it\./);
  await expect(at(page, 'news')).not.toContainText(before);
  const { violations } = await new AxeBuilder({ page }).include('.news').analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);

  // Put off, and loaded again by the browser's own button: still the version of before, which offers the newer one again.
  await at(page, 'not-now').click();
  await expect(at(page, 'news')).toBeHidden();
  await page.reload();
  await at(page, 'status').waitFor();
  expect(await buildOf(page)).toBe(before);
  await expect(at(page, 'news')).toBeVisible({ timeout: 30_000 });
  await expect(page.locator('html[data-newer]')).toHaveCount(0);

  await at(page, 'use-new').click();
  await expect(page.locator('html[data-newer]')).toHaveCount(1, { timeout: 30_000 });
  expect(await buildOf(page)).not.toBe(before);
  await expect(at(page, 'news')).toHaveCount(1);
  await expect(at(page, 'news')).toBeHidden();
  await expect.poll(async () => JSON.parse(await text(page)).workers.count).toBe(7);
});

for (const [what, trouble] of [['a file is missing', 'missing'], ['a file is not the one of its version', 'wrong']]) {
  test(`a newer version of which ${what} changes nothing`, async ({ page, context, server, sites }) => {
    await open(page, server.url);
    await ready(page);
    const before = await buildOf(page);
    server.folder = sites.second;
    // As while somebody is filling the host.
    server[trouble] = (path) => path.endsWith('desk-newer.js');
    const failed = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const found = new Promise((resolve) => registration.addEventListener('updatefound', () => resolve(registration.installing), { once: true }));
      await registration.update().catch(() => {});
      const worker = await found;
      while (!['installed', 'redundant'].includes(worker.state)) await new Promise((resolve) => worker.addEventListener('statechange', resolve, { once: true }));
      return worker.state;
    });
    expect(failed).toBe('redundant');
    await expect(at(page, 'news')).toBeHidden();

    // Once it is whole, it is found.
    server[trouble] = () => false;
    await look(page);
    await expect(at(page, 'news')).toBeVisible({ timeout: 30_000 });
    await server.stop();
    await context.setOffline(true);
    await page.reload();
    await at(page, 'status').waitFor();
    expect(await buildOf(page)).toBe(before);
    await finish(page, expect);
  });
}

test('another tab is told, goes on with its version, and still finds its parts', async ({ page, context, server, sites }) => {
  // This tab has not loaded its later parts when the other one changes the version.
  await open(page, server.url);
  await ready(page);
  const before = await buildOf(page);
  const other = await context.newPage();
  await open(other, server.url);
  server.folder = sites.second;
  await look(other);
  await at(other, 'use-new').click({ timeout: 30_000 });
  await expect(other.locator('html[data-newer]')).toHaveCount(1, { timeout: 30_000 });

  await expect(at(page, 'news')).toContainText('has been taken into use in another tab', { timeout: 30_000 });
  await expect(at(page, 'news')).toContainText(`goes on with build ${before}`);
  expect(await page.evaluate((name) => fetch(`assets/${name}`).then(({ status }) => status), old)).toBe(200);
  expect((await fetch(`${server.url}assets/${old}`)).status).toBe(404);
  await finish(page, expect);
  await at(page, 'use-new').click();
  await expect(page.locator('html[data-newer]')).toHaveCount(1, { timeout: 30_000 });
});

test('caches of earlier versions go, but for the one before', async ({ page, server, sites }) => {
  await open(page, server.url);
  await ready(page);
  const caches = () => page.evaluate(async () => (await globalThis.caches.keys()).length);
  expect(await caches()).toBe(1);
  for (const [folder, number] of [[sites.second, 2], [sites.first, 2]]) {
    server.folder = folder;
    await look(page);
    const build = await buildOf(page);
    await at(page, 'use-new').click({ timeout: 30_000 });
    await expect.poll(() => buildOf(page).catch(() => build), { timeout: 30_000 }).not.toBe(build);
    await ready(page);
    expect(await caches()).toBe(number);
  }
});

test('nothing is kept from inside a frame, nor where the page is not part of a site', async ({ page, server, site }) => {
  await page.route(`${server.url}frame`, (route) => route.fulfill({ contentType: 'text/html', body: `<iframe src="${server.url}" title="page" width="900" height="600"></iframe>` }));
  await page.goto(`${server.url}frame`);
  const frame = page.frameLocator('iframe');
  await frame.getByTestId('status').waitFor();
  await expect(frame.locator('footer')).toContainText(/Build [0-9a-f]{8}/);
  await expect(frame.getByTestId('offline')).toHaveCount(0);
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);

  await open(page, site);
  await expect(page.locator('footer')).not.toContainText('Build');
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
});

test('where nothing can be kept the page says so, and works', async ({ page, server }) => {
  server.missing = (path) => path.endsWith('sw.js');
  await open(page, server.url);
  await expect(at(page, 'offline')).toHaveText('The page could not be kept for use without a network.');
  await finish(page, expect);
});
