// The same digests natively, in node and in Chromium: every preset, 50 seeds.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cli, expect, open, presets, test } from './harness.mjs';

const SEEDS = 50;
/** What is cut of the presets that would take too long 50 times over. */
const CUT = { mm1: { max_requests: 5000 }, 'mm4-80': { max_requests: 5000 } };
const PRESETS = presets();
const pkg = fileURLToPath(new URL('../../web/pkg/', import.meta.url));

/** Runs in node and, as text, in the browser. */
async function digests(wasm, presets, cut, seeds) {
  const found = {};
  for (const { name, profile } of wasm.presets()) {
    if (!presets.includes(name)) continue;
    const parsed = JSON.parse(profile);
    Object.assign(parsed.run, cut[name]);
    found[name] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const run = new wasm.Run(JSON.stringify({ ...parsed, seed }));
      await run.play(() => {});
      found[name].push(run.digest);
      run.free();
    }
  }
  return found;
}

test('every preset has the same digests natively, in node and in Chromium', async ({ page, site }) => {
  test.setTimeout(900_000);
  const native = Object.fromEntries(PRESETS.map((name) => {
    const sets = Object.entries(CUT[name] ?? {}).flatMap(([field, value]) => ['--set', `run.${field}=${value}`]);
    return [name, cli('run', name, ...sets, '--seeds', `1..${SEEDS}`, '--json').runs.map((run) => run.digest)];
  }));
  expect(Object.values(native).map((list) => new Set(list).size)).toEqual(PRESETS.map(() => SEEDS));

  const wasm = await import(`${pkg}agent_chaos_wasm.js`);
  wasm.initSync({ module: readFileSync(`${pkg}agent_chaos_wasm_bg.wasm`) });
  expect(await digests(wasm, PRESETS, CUT, SEEDS)).toEqual(native);

  // The module as the page ships it: served beside the page, loaded by the same browser.
  await open(page, site);
  const [glue, binary] = [readFileSync(`${pkg}agent_chaos_wasm.js`, 'utf8'), readdirSync(new URL('../../web/dist/assets/', import.meta.url)).find((file) => file.startsWith('agent_chaos_wasm_bg-'))];
  await page.route('**/glue.js', (route) => route.fulfill({ contentType: 'text/javascript', body: glue }));
  const inChromium = await page.evaluate(async ([source, binary, presets, cut, seeds]) => {
    const wasm = await import(new URL('glue.js', location.href).href);
    await wasm.default({ module_or_path: new URL(`assets/${binary}`, location.href) });
    // The policy of the page forbids making functions from text, as it should: the function is served too.
    const { digests } = await import(new URL('digests.js', location.href).href);
    return digests(wasm, presets, cut, seeds);
  }, ['', binary, PRESETS, CUT, SEEDS]).catch((error) => { throw error; });
  expect(inChromium).toEqual(native);
});

test('every distribution of service times has the same digests natively and in node', async () => {
  const wasm = await import(`${pkg}agent_chaos_wasm.js`);
  wasm.initSync({ module: readFileSync(`${pkg}agent_chaos_wasm_bg.wasm`) });
  const { service } = JSON.parse(wasm.schema()).properties.workers.properties;
  const names = service.properties.distribution.enum;
  expect(names.length).toBeGreaterThan(7);
  const preset = JSON.parse(wasm.presets().find(({ name }) => name === 'published-002').profile);
  for (const distribution of names) {
    const native = cli('run', 'published-002', '--set', `workers.service.distribution=${distribution}`, '--seeds', '1..20', '--json').runs.map((run) => run.digest);
    const found = [];
    for (let seed = 1; seed <= 20; seed++) {
      const { workers } = preset;
      const run = new wasm.Run(JSON.stringify({ ...preset, seed, workers: { ...workers, service: { ...workers.service, distribution } } }));
      await run.play(() => {});
      found.push(run.digest);
      run.free();
    }
    expect(found, distribution).toEqual(native);
  }
});

test.beforeEach(async ({ page }) => {
  await page.route('**/digests.js', (route) => route.fulfill({ contentType: 'text/javascript', body: `export ${digests.toString()}` }));
});
