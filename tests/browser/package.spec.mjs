// The npm package: packed, installed from its file without a network, and used in Node.js, through a bundler, and in a page as it is.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled, writePackage } from '../../web/packagekit.js';
import { at, cli, expect, test } from './harness.mjs';

const npm = (folder, ...parameters) => execFileSync('npm', [...parameters, '--ignore-scripts', '--no-audit', '--no-fund', '--offline', '--loglevel=error'], { cwd: folder, encoding: 'utf8', env: { ...process.env, npm_config_cache: join(folder, 'cache') } });
const node = (folder, text) => {
  writeFileSync(join(folder, 'use.mjs'), text);
  return execFileSync(process.execPath, ['use.mjs'], { cwd: folder, encoding: 'utf8', timeout: 60_000 }).trim();
};

let home;
test.beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'package-'));
  await writePackage(join(home, 'npm'));
  const [{ filename, files }] = JSON.parse(npm(join(home, 'npm'), 'pack', '--json', '--pack-destination', home));
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'index.js', 'index.d.ts', 'element.js', 'element.d.ts', 'agent_chaos_wasm_bg.wasm', 'embedding.md']));
  writeFileSync(join(home, 'package.json'), '{"private": true, "type": "module"}');
  npm(home, 'install', join(home, filename));
});
test.afterAll(() => rmSync(home, { recursive: true, force: true }));

test('in Node.js a run gives the report of the command line', async () => {
  const answer = node(home, `
    import { check, link, openLink, presets, run, schema, version } from 'agent-chaos';
    const frames = [];
    const report = await run('exp-002', { set: { 'workers.count': 6 }, seed: 7, onFrame: ({ now_seconds }) => frames.push(now_seconds) });
    const token = await link('exp-002', { set: { 'workers.count': 6 }, seed: 7, report });
    const again = await run('https://example.org/#' + token);
    const whole = await run(again.profile);
    console.log(JSON.stringify({ digest: report.digest, again: again.digest, whole: whole.digest, frames: frames.length, rising: frames.every((now, index) => !(now < frames[index - 1])), token,
      opened: (await openLink(token)).profile_matches, presets: (await presets()).length, title: (await schema()).type, hash: (await check({ version: 1 })).hash, version: await version() }));`);
  const found = JSON.parse(answer);
  const { digest } = cli('run', 'exp-002', '--set', 'workers.count=6', '--seed', '7', '--json');
  expect(found).toMatchObject({ digest, again: digest, whole: digest, rising: true, opened: true, title: 'object' });
  expect(found.token).toMatch(/^v1\.exp-002~seed=7~workers\.count=6~h=[0-9a-f]{12}$|^v1\.exp-002~workers\.count=6~seed=7~h=[0-9a-f]{12}$/);
  expect(found.frames).toBeGreaterThan(0);
  expect(found.presets).toBeGreaterThan(40);
  expect(found.hash).toMatch(/^[0-9a-f]{16}$/);
});

test('in Node.js what is wrong is refused by name, and a run can be ended', async () => {
  const found = JSON.parse(node(home, `
    import { run } from 'agent-chaos';
    const told = async (act) => { try { await act(); return 'nothing'; } catch (error) { return [error.name, error.field ?? null, error.message]; } };
    const controller = new AbortController();
    console.log(JSON.stringify([
      await told(() => run('exp-002', { set: { 'workers.count': -1 } })), await told(() => run('no such thing')), await told(() => run(7)), await told(() => run({ version: 1, wrong: 1 })),
      await told(() => run('exp-002', { set: { '__proto__.x': 1 } })), await told(() => run('exp-002', { speed: 0 })),
      await told(() => run('exp-002', { speed: 1, signal: controller.signal, onFrame: () => controller.abort() })), await told(() => run('exp-002', { signal: AbortSignal.abort() })),
      await told(() => run('exp-002', { onFrame: () => { throw new RangeError('mine'); } })), ({}).x ?? null, (await run('exp-001')).state,
    ]));`));
  const [worker, nothing, seven, wrong, proto, speed, ended, before, mine, polluted, after] = found;
  expect(worker).toEqual(['ProfileError', '/workers/count', expect.stringContaining('found -1')]);
  expect(nothing[0]).toBe('LinkError');
  expect(seven[2]).toBe('experiment: found number, accepted: the name of a preset, a link, or a profile');
  expect(wrong[0]).toBe('ProfileError');
  expect(proto[1]).toBe('set');
  expect(speed[1]).toBe('speed');
  expect([ended[0], before[0]]).toEqual(['AbortError', 'AbortError']);
  expect(mine).toEqual(['RangeError', null, 'mine']);
  expect([polluted, after]).toEqual([null, 'STABLE']);
});

test('in Node.js the element can be imported, as generators of sites do', () => {
  expect(node(home, "import { define } from 'agent-chaos/element'; define(); console.log('there');")).toBe('there');
});

test('its types are what they say', async () => {
  writeFileSync(join(home, 'use.mts'), `
    import { run, check, type Report } from 'agent-chaos';
    import { AgentChaos, define } from 'agent-chaos/element';
    const report: Report = await run('exp-002', { set: { 'workers.count': 6 }, seed: 7, speed: 20, onFrame: ({ picture }) => { const waiting: number = picture.queue; void waiting; }, signal: new AbortController().signal });
    const hash: string = (await check({ version: 1 })).hash;
    const one = document.querySelector('agent-chaos');
    const last: Report | null = one ? await one.run() : report;
    define('my-chaos');
    // @ts-expect-error a preset is a text or a profile
    await run(7);
    export { hash, last, AgentChaos };`);
  execFileSync(new URL('../../web/node_modules/.bin/tsc', import.meta.url).pathname, ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom', '--types', '', 'use.mts'], { cwd: home, encoding: 'utf8' });
});

/** Serves a folder of files at this address. */
async function serveFolder(page, address, folder) {
  const types = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };
  await page.route(`${address}**`, (route) => {
    const path = new URL(route.request().url()).pathname.slice(new URL(address).pathname.length);
    return route.fulfill({ contentType: types[path.split('.').at(-1)], body: readFileSync(join(folder, path)) });
  });
}

test('in a page it works as it is, and through a bundler', async ({ page, site }) => {
  const expected = cli('run', 'exp-001', '--seed', '5', '--json').digest;
  writeFileSync(join(home, 'use.js'), "import { run } from 'agent-chaos'; import 'agent-chaos/element'; globalThis.answer = run('exp-001', { seed: 5 }).then(({ digest }) => digest);");
  await bundled(join(home, 'use.js'), join(home, 'out'));
  for (const [folder, module] of [[join(home, 'npm'), "import { run } from './index.js'; import './element.js'; globalThis.answer = run('exp-001', { seed: 5 }).then(({ digest }) => digest);"], [join(home, 'out'), null]]) {
    writeFileSync(join(folder, 'page.html'), `<!doctype html><html lang="en"><title>Somebody's page</title><link rel="icon" href="data:,"><script type="importmap">{"imports": {"#bytes": "./bytes.js"}}</script><agent-chaos preset="exp-001" seed="5"></agent-chaos><script type="module"${module ? `>${module}` : ' src="use.js">'}</script></html>`);
    await page.unrouteAll();
    await serveFolder(page, `${site}somebody/`, folder);
    await page.goto(`${site}somebody/page.html`);
    await expect.poll(() => page.evaluate(() => globalThis.answer)).toBe(expected);
    await at(page, 'embed-play').click();
    await at(page, 'embed-speed').selectOption('max');
    await expect(at(page, 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
    expect(await page.evaluate(() => document.querySelector('agent-chaos').report.digest)).toBe(expected);
    // It knows of no playground that it belongs to.
    await expect(at(page, 'embed-open')).toBeHidden();
  }
});
