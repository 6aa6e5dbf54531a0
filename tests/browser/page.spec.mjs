// The page in a real browser, and its numbers against the command line's.
import { AxeBuilder, at, cli, expect, finish, open, test, type } from './harness.mjs';

const PRESETS = ['exp-001', 'exp-002', 'exp-003', 'published-001', 'published-002', 'published-003', 'mm1', 'mm4-80'];
const read = (report, field) => field.split('.').reduce((place, name) => place?.[name], report);

for (const preset of PRESETS) {
  test(`${preset} shows the state, numbers and digest of the command line`, async ({ page, site }) => {
    const expected = cli('run', preset, '--json');
    await open(page, site);
    await at(page, 'preset').selectOption(preset);
    await finish(page, expect);
    await expect(at(page, 'digest')).toHaveText(expected.digest);
    await expect(at(page, 'state')).toHaveText(expected.state ?? '—');
    const cells = await at(page, 'report').locator('[data-field]').evaluateAll((all) => all.map((cell) => [cell.dataset.field, cell.dataset.value]));
    expect(cells.length).toBeGreaterThan(15);
    for (const [field, value] of cells) expect(`${field} ${value}`).toBe(`${field} ${read(expected, field) ?? ''}`);
  });
}

test('a paced run moves, pauses, steps, goes on and can be reset', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'speed').selectOption('50');
  await at(page, 'run').click();
  await expect(at(page, 'status')).toHaveText('Running');
  await expect.poll(() => at(page, 'progress').evaluate((bar) => bar.value)).toBeGreaterThan(0.1);
  await at(page, 'pause').click();
  await expect(at(page, 'status')).toHaveText('Paused');
  const before = await page.locator('.status span').textContent();
  await at(page, 'step').click();
  await expect(page.locator('.status span')).not.toHaveText(before);
  await at(page, 'speed').selectOption('max');
  await at(page, 'run').click();
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--json').digest);
  await at(page, 'reset').click();
  await expect(at(page, 'status')).toHaveText('Ready');
  await expect(at(page, 'report')).toBeHidden();
});

test('form and text are two ways to one profile', async ({ page, site }) => {
  await open(page, site);
  await page.locator('[name="workers.count"]').fill('6');
  await page.locator('[name="workers.count"]').blur();
  await type(page, JSON.stringify({ ...JSON.parse(await at(page, 'json').inputValue()), seed: 9 }));
  await expect(at(page, 'seed')).toHaveValue('9');
  await expect(page.locator('[name="workers.count"]')).toHaveValue('6');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--set', 'workers.count=6', '--seed', '9', '--json').digest);
  await at(page, 'new-seed').click();
  await expect(at(page, 'seed')).not.toHaveValue('9');
});

test('a share link restores the experiment and says that it reproduces', async ({ page, site }) => {
  await open(page, site);
  await page.locator('[name="agents.count"]').fill('333');
  await page.locator('[name="agents.count"]').blur();
  await at(page, 'seed').fill('77');
  await at(page, 'seed').blur();
  await finish(page, expect);
  const [link, digest] = [await at(page, 'share-link').inputValue(), await at(page, 'digest').textContent()];
  expect(link).toContain('#v1.exp-002~agents.count=333~seed=77~h=');

  await page.goto('about:blank');
  await open(page, link);
  await expect(at(page, 'link-status')).toContainText('reproduced ✓');
  await expect(at(page, 'digest')).toHaveText(digest);
  await expect(at(page, 'seed')).toHaveValue('77');
  await expect(page.locator('[name="agents.count"]')).toHaveValue('333');

  for (const [other, words] of [
    [link.replace('333', '334'), 'edited since it was shared'],
    [link.slice(0, -1) + (link.endsWith('0') ? '1' : '0'), 'same experiment, different result'],
    [link.slice(0, -3), 'not verified'],
  ]) {
    await page.goto('about:blank');
    await open(page, other);
    await expect(at(page, 'link-status')).toContainText(words);
    await expect(at(page, 'status')).toHaveText('Done');
  }
});

test('a broken or newer link is said, and the page goes on', async ({ page, site }) => {
  for (const [token, words] of [['v2.exp-002', 'newer version'], ['v1.exp-099', 'no preset'], ['v1.exp-002~agents.count=-1', '/agents/count'], ['v1z.AAAA', 'cannot be read']]) {
    await page.goto('about:blank');
    await open(page, `${site}#${token}`);
    await expect(at(page, 'error')).toContainText(words);
  }
  await finish(page, expect);
});

const BAD = [
  ['an unknown field', '{"version": 1, "queue": {"capacty": 3}}', '/queue/capacty'],
  ['a wrong type', '{"agents": {"count": "many"}}', '/agents/count'],
  ['NaN', '{"agents": {"count": NaN}}', '/agents/count'],
  ['a negative number', '{"workers": {"count": -4}}', '/workers/count'],
  ['an absurd number', '{"agents": {"count": 1e300}}', '/agents/count'],
  ['broken JSON', '{"agents": {"count": 3', '/agents/count'],
  ['a contradiction', '{"run": {"duration_seconds": 5}}', '/run/warmup_seconds'],
];
test('bad text names the field, and the last good profile stays', async ({ page, site }) => {
  await open(page, site);
  for (const [, text, field] of BAD) {
    await type(page, text);
    await expect(page.locator('#json-problem')).toContainText(field);
    await expect(at(page, 'error')).toContainText(field);
    await expect(at(page, 'json')).toHaveValue(text);
  }
  await at(page, 'json').evaluate((json) => {
    json.value = ' '.repeat(10_000_000);
    json.dispatchEvent(new Event('input'));
  });
  await expect(page.locator('#json-problem')).toContainText('at most 1000000');
  await page.getByRole('button', { name: 'Back to the last good profile' }).click();
  await expect(at(page, 'error')).toBeHidden();
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--json').digest);
});

test('a bad number in the form is said at its field and stays to be mended', async ({ page, site }) => {
  await open(page, site);
  const field = page.locator('[name="agents.count"]');
  for (const bad of ['-3', 'many', '1e9', '2.5', '']) {
    await field.fill(bad);
    await field.blur();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(page.locator('#field-agents-count-problem')).toContainText('a whole number from 1 to 1000000');
    await expect(field).toHaveValue(bad);
  }
  await field.fill('50');
  await field.blur();
  await expect(field).not.toHaveAttribute('aria-invalid', 'true');
  await at(page, 'seed').fill('-1');
  await at(page, 'seed').blur();
  await expect(at(page, 'error')).toContainText('/seed');
});

test('a run of more than 20 million events asks first; one that cannot fit is refused', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'preset').selectOption('mm1');
  await page.locator('summary', { hasText: /^Run$/ }).click();
  await page.locator('[name="run.max_requests"]').fill('30000000');
  await page.locator('[name="run.max_requests"]').blur();
  await page.locator('[name="run.duration_seconds"]').fill('40000');
  await page.locator('[name="run.duration_seconds"]').blur();
  await at(page, 'run').click();
  await expect(page.locator('dialog')).toContainText('million events');
  await page.getByRole('button', { name: 'Not now' }).click();
  await expect(at(page, 'status')).toHaveText('Ready');
  await type(page, JSON.stringify({ agents: null, arrivals: { rate_per_second: 900000 }, queue: { capacity: null }, run: { duration_seconds: 1000 } }));
  await expect(page.locator('[name="arrivals.rate_per_second"]')).toHaveValue('900000');
  await at(page, 'run').click();
  await page.getByRole('button', { name: 'Run it' }).click();
  await expect(at(page, 'error')).toContainText('GB of memory');
});

test('input is answered within 50 ms while a run goes at full speed', async ({ page, site }) => {
  await open(page, site);
  // Long enough to be probed on any machine, so that the page asks first.
  await at(page, 'preset').selectOption('mm4-80');
  await page.locator('summary', { hasText: /^Run$/ }).click();
  await page.locator('[name="run.max_requests"]').fill('16000000');
  await page.locator('[name="run.max_requests"]').blur();
  await at(page, 'speed').selectOption('max');
  await at(page, 'run').click();
  await page.getByRole('button', { name: 'Run it' }).click();
  await expect(at(page, 'status')).toHaveText('Running');
  // The engine's slices are tasks of the same event loop: a timer that fires late is a person kept waiting.
  const late = await page.evaluate(async () => {
    const waits = [];
    for (let probe = 0; probe < 40; probe++) {
      const asked = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 10));
      waits.push(performance.now() - asked - 10);
    }
    return waits.sort((a, b) => a - b);
  });
  expect(await at(page, 'status').textContent()).toBe('Running');
  // The median: single probes on a shared machine say more about the machine than about the page.
  expect(late[20]).toBeLessThan(50);
  await at(page, 'pause').click();
  await expect(at(page, 'status')).toHaveText('Paused');
});

for (const [scheme, width] of [['light', 1280], ['dark', 390]]) {
  test(`axe finds nothing, and nothing scrolls sideways: ${scheme}, ${width} px`, async ({ page, site }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await open(page, site);
    const check = async () => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    };
    await check();
    await finish(page, expect);
    await check();
    await type(page, '{');
    await expect(at(page, 'error')).toBeVisible();
    await check();
  });
}

test('at 320 px nothing scrolls sideways', async ({ page, site }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  await open(page, site);
  await finish(page, expect);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
});

test('an engine that crashes is replaced, and the profile stays', async ({ browser, site }) => {
  // A page of its own: here an error is expected. The clock that the engine reads fails once, as a panic would.
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.addInitScript(() => {
    const now = performance.now.bind(performance);
    performance.now = () => {
      if (globalThis.crash && new Error().stack.includes('wasm')) {
        globalThis.crash = false;
        throw new WebAssembly.RuntimeError('unreachable');
      }
      return now();
    };
  });
  await open(page, site);
  await page.locator('[name="workers.count"]').fill('5');
  await page.locator('[name="workers.count"]').blur();
  await at(page, 'run').click();
  await expect(at(page, 'status')).toHaveText('Running');
  await page.evaluate(() => { globalThis.crash = true; });
  await expect(at(page, 'status')).toHaveText('Error');
  await expect(at(page, 'error')).toContainText('has been replaced');
  expect(errors.length).toBe(1);
  await expect(page.locator('[name="workers.count"]')).toHaveValue('5');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--set', 'workers.count=5', '--json').digest);
  await page.close();
});

test('the whole experiment by keyboard alone', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'preset').focus();
  await page.keyboard.press('ArrowDown');
  await expect(at(page, 'preset')).toHaveValue('exp-003');
  await at(page, 'speed').focus();
  await page.keyboard.press('End');
  await at(page, 'run').focus();
  await page.keyboard.press('Enter');
  await expect(at(page, 'state')).toHaveText('COLLAPSED');
});

test('a browser that cannot run the engine is told why', async ({ page, site }) => {
  await page.addInitScript(() => {
    const refuse = async () => {
      throw new WebAssembly.CompileError('invalid opcode');
    };
    WebAssembly.instantiateStreaming = refuse;
    WebAssembly.instantiate = refuse;
  });
  await page.goto(site);
  await expect(at(page, 'error')).toContainText('lacks WebAssembly with fixed-width SIMD');
  await expect(at(page, 'error')).toContainText('A newer browser can run it.');
});
