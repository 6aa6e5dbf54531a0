// The same digests natively, in node and in Chromium: every preset, 50 seeds.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cli, expect, open, test } from './harness.mjs';

const SEEDS = 50;
/** What is cut of the presets that would take too long 50 times over. */
const CUT = { mm1: { max_requests: 5000 }, 'mm4-80': { max_requests: 5000 } };
const PRESETS = ['exp-001', 'exp-002', 'exp-003', 'published-001', 'published-002', 'published-003', 'mm1', 'mm4-80'];
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
  test.setTimeout(300_000);
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
  const [glue, binary] = [readFileSync(`${pkg}agent_chaos_wasm.js`, 'utf8'), readdirSync(new URL('../../web/dist/assets/', import.meta.url)).find((file) => file.endsWith('.wasm'))];
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

test.beforeEach(async ({ page }) => {
  await page.route('**/digests.js', (route) => route.fulfill({ contentType: 'text/javascript', body: `export ${digests.toString()}` }));
});
