// Kept runs beside one another, and many seeds, against the command line's numbers.
import { AxeBuilder, STORM, at, cli, expect, finish, open, test, type, unfold } from './harness.mjs';

const read = (report, field) => field.split('.').reduce((place, name) => place?.[name], report);
const number = (text) => (text === '' ? null : Number(text));

async function set(page, field, value) {
  await page.locator(`[name="${field}"]`).fill(String(value));
  await page.locator(`[name="${field}"]`).blur();
}

/** Runs seeds and waits for the end. */
async function seeds(page, count, first = 1) {
  await at(page, 'replicate-count').fill(String(count));
  await at(page, 'replicate-first').fill(String(first));
  await at(page, 'replicate').click();
  await expect(at(page, 'replicate-status')).toHaveText(`Done: ${count} seeds.`, { timeout: 60_000 });
}

/** The figures of one column of the table over seeds. */
const figures = (page, name) => at(page, 'replications').locator(`[data-figure="${name}"]`).evaluateAll((cells) =>
  cells.map((cell) => [cell.closest('tr').dataset.path, cell.dataset.mean, cell.dataset.half, cell.dataset.min, cell.dataset.max]));

test('kept runs stand beside the present one with their differences and what was changed', async ({ page, site }) => {
  const [before, after] = [cli('run', 'exp-002', '--json'), cli('run', 'exp-002', '--set', 'workers.count=6', '--json')];
  await open(page, site);
  await expect(at(page, 'keep')).toBeDisabled();
  await expect(at(page, 'keep-hint')).toContainText('Keep a run when it has ended');
  await finish(page, expect);
  await at(page, 'keep').click();
  await expect(at(page, 'compare-said')).toContainText('the baseline');
  await expect(at(page, 'keep')).toBeDisabled();
  await expect(at(page, 'compared')).toBeHidden();
  await set(page, 'workers.count', 6);
  await expect(at(page, 'kept-list').locator('li')).toHaveCount(1);
  await finish(page, expect);
  await expect(at(page, 'compared')).toBeVisible();
  const rows = await at(page, 'compared').locator('tbody tr').evaluateAll((all) => all.map((row) => [...row.querySelectorAll('td')].map((cell) => [cell.dataset.field, cell.dataset.value])));
  expect(rows.length).toBeGreaterThan(15);
  for (const [[field, first], [, second]] of rows) expect(`${field} ${first} ${second}`).toBe(`${field} ${read(before, field) ?? ''} ${read(after, field) ?? ''}`);
  const by = 100 * (after.error_rate - before.error_rate);
  await expect(at(page, 'compared').locator('[data-field="error_rate"]').nth(1)).toContainText(`${by < 0 ? '−' : '+'}${Math.abs(by).toFixed(2)} points (${by < 0 ? '−' : '+'}`);
  await expect(at(page, 'why').locator('li')).toHaveText(['workers.count: 4 → 6']);
  await expect(at(page, 'shared-draws')).toContainText('Closed loop');
  await expect(at(page, 'shared-draws')).not.toContainText('Open load');
  await expect(at(page, 'seeds-differ')).toBeHidden();

  await at(page, 'seed').fill('9');
  await at(page, 'seed').blur();
  await finish(page, expect);
  await expect(at(page, 'seeds-differ')).toContainText('share no draws');
  await at(page, 'keep').click();
  const { violations } = await new AxeBuilder({ page }).include('#compare').analyze();
  expect(violations).toEqual([]);
  await at(page, 'kept-baseline').click();
  await expect(at(page, 'kept-list').locator('li').first()).toContainText('seed 9');
  await expect(at(page, 'kept-name').first()).toBeFocused();
  await at(page, 'kept-load').nth(1).click();
  await expect(at(page, 'seed')).toHaveValue('1');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(before.digest);
  await expect(at(page, 'keep-hint')).toContainText('is kept already');
});

test('at most four runs are kept; they are named and removed with the keyboard', async ({ page, site }) => {
  await open(page, site);
  for (const workers of [4, 5, 6, 7]) {
    await set(page, 'workers.count', workers);
    await finish(page, expect);
    await at(page, 'keep').focus();
    await page.keyboard.press('Enter');
    await expect(at(page, 'kept-list').locator('li')).toHaveCount(workers - 3);
    await expect(at(page, 'kept-name').last()).toBeFocused();
  }
  await expect(at(page, 'kept-name').last()).toHaveValue('workers.count = 7');
  const lines = await at(page, 'kept-list').locator('.swatch line').evaluateAll((all) => all.map((line) => `${getComputedStyle(line).stroke} ${line.getAttribute('stroke-dasharray')}`));
  expect(new Set(lines).size).toBe(4);
  await set(page, 'workers.count', 8);
  await finish(page, expect);
  await expect(at(page, 'keep')).toBeDisabled();
  await expect(at(page, 'keep-hint')).toContainText('the most');
  await at(page, 'kept-name').nth(1).focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('one more');
  await page.keyboard.press('Enter');
  await expect(at(page, 'compared').locator('thead')).toContainText('one more');
  await expect(at(page, 'kept-name').nth(1)).toBeFocused();
  // No name is no name.
  await at(page, 'kept-name').nth(1).fill('  ');
  await at(page, 'kept-name').nth(1).blur();
  await expect(at(page, 'kept-name').nth(1)).toHaveValue('one more');
  await at(page, 'kept-remove').first().focus();
  await page.keyboard.press('Enter');
  await expect(at(page, 'compare-said')).toContainText('“one more” is the baseline now');
  await expect(at(page, 'kept-remove').first()).toBeFocused();
  for (let left = 3; left > 0; left--) await at(page, 'kept-remove').first().click();
  await expect(at(page, 'kept-list')).toBeHidden();
  await expect(at(page, 'compared')).toBeHidden();
  await expect(at(page, 'keep')).toBeFocused();
});

test('many seeds come to what the command line says', async ({ page, site }) => {
  const expected = cli('run', 'exp-003', '--seeds', '3..8', '--json');
  await open(page, site);
  await at(page, 'preset').selectOption('exp-003');
  await seeds(page, 6, 3);
  const got = await figures(page, 'mean');
  expect(got.length).toBeGreaterThan(14);
  for (const [path, mean, half, min, max] of got) {
    const { mean: m, ci95, min: least, max: most } = expected.summary[path];
    expect([path, number(mean), number(half), number(min), number(max)]).toEqual([path, m, ci95, least, most]);
  }
  const collapsed = expected.states.COLLAPSED;
  await expect(at(page, 'replicated-states')).toContainText(`COLLAPSED in ${collapsed} of 6 seeds, 95 % interval`);
  if (collapsed === 6) await expect(at(page, 'replicated-states')).toContainText('interval 61 to 100 %');
  await expect(at(page, 'replicated-rough')).toContainText('rough');
  await at(page, 'replicated').locator('summary').click();
  await expect(at(page, 'replicated-runs').locator('.digest')).toHaveText(expected.runs.map(({ digest }) => digest));

  // The report has the mean beside its own figures, and says that it is one seed.
  await finish(page, expect);
  await expect(at(page, 'one-seed')).toContainText('One run with seed 1, beside the mean of seeds 3 to 8');
  await expect(at(page, 'report').locator('thead')).toContainText('Mean of 6 seeds ± 95 %');
  const means = await at(page, 'report').locator('[data-mean]').evaluateAll((cells) => cells.map((cell) => [cell.previousElementSibling.dataset.field, cell.dataset.mean]));
  expect(means.length).toBeGreaterThan(14);
  for (const [path, mean] of means) expect([path, number(mean)]).toEqual([path, expected.summary[path]?.mean ?? null]);

  // Another seed is the same experiment; another profile is not.
  await at(page, 'replicate-open').nth(1).click();
  await expect(at(page, 'seed')).toHaveValue('4');
  await expect(at(page, 'replicated-stale')).toHaveCount(0);
  await set(page, 'workers.count', 3);
  await expect(at(page, 'replicated-stale')).toContainText('workers.count: 2 → 3');
  await finish(page, expect);
  await expect(at(page, 'report').locator('thead')).not.toContainText('Mean of');
  await expect(at(page, 'one-seed')).toHaveText('One run with seed 4. Others differ:');
  await at(page, 'to-seeds').click();
  await expect(at(page, 'replicate-count')).toBeFocused();
  await set(page, 'workers.count', 2);
  await expect(at(page, 'replicated-stale')).toHaveCount(0);
});

test('against a baseline, differences are those of the command line’s runs, seed by seed', async ({ page, site }) => {
  const [base, changed] = [[], ['--set', 'workers.count=6']].map((more) => cli('run', 'mm4-80', ...more, '--set', 'run.duration_seconds=40', '--seeds', '1..4', '--json').runs);
  await open(page, site);
  await at(page, 'preset').selectOption('mm4-80');
  await unfold(page, 'run');
  await set(page, 'run.duration_seconds', 40);
  await finish(page, expect);
  await at(page, 'keep').click();
  await set(page, 'workers.count', 6);
  await expect(page.locator('label[for="replicate-too"]')).toContainText('Also the baseline');
  await seeds(page, 4);
  const got = await figures(page, 'paired');
  expect(got.length).toBeGreaterThan(12);
  for (const [path, mean, half] of got) {
    const by = changed.map((report, index) => read(report, path) - read(base[index], path));
    if (mean === undefined) {
      expect(by.every(Number.isNaN), path).toBe(true);
      continue;
    }
    const middle = by.reduce((sum, one) => sum + one, 0) / by.length;
    const deviation = Math.sqrt(by.reduce((sum, one) => sum + (one - middle) ** 2, 0) / 3);
    const scale = Math.max(1, Math.abs(middle));
    expect(Math.abs(Number(mean) - middle) / scale, path).toBeLessThan(1e-9);
    // Student's t for three degrees of freedom.
    expect(Math.abs(Number(half) - (3.182446 * deviation) / 2) / scale, path).toBeLessThan(1e-6);
  }
  await expect(at(page, 'replications').locator('[data-path="latency_seconds.mean"] [data-figure="paired"]')).toContainText('excludes zero: lower');
  const { violations } = await new AxeBuilder({ page }).include('#compare').analyze();
  expect(violations).toEqual([]);
  await at(page, 'replicate-too').uncheck();
  await seeds(page, 2);
  await expect(at(page, 'replications').locator('[data-figure="paired"]')).toHaveCount(0);
});

test('seeds can be stopped part-way, keep what they have, and go on', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'replicate-count').fill('90');
  // In one go with the look at it: by the time a test has clicked, much may have ended.
  const stopped = page.waitForFunction(() => {
    const find = (name) => document.querySelector(`[data-testid="${name}"]`);
    const some = /^[1-9]\d* of 90/.test(find('replicate-told').textContent);
    if (!some) return null;
    const focused = document.activeElement === find('replicate-stop');
    find('replicate-stop').click();
    return { focused };
  }, undefined, { timeout: 60_000 });
  await at(page, 'replicate-count').press('Enter');
  expect((await (await stopped).jsonValue()).focused).toBe(true);
  await expect(at(page, 'replicate-status')).toContainText(/Stopped after \d+ of 90 seeds/);
  const done = Number((await at(page, 'replicate-status').textContent()).match(/after (\d+)/)[1]);
  await expect(at(page, 'replicated-runs').locator('tbody tr')).toHaveCount(done);
  const expected = cli('run', 'exp-002', '--seeds', `1..${done + 1}`, '--json').runs.slice(0, done);
  await expect(at(page, 'replicated-runs').locator('.digest')).toHaveText(expected.map(({ digest }) => digest));
  await expect(at(page, 'replicate-on')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(at(page, 'replicate-status')).toHaveText('Done: 90 seeds.', { timeout: 60_000 });
  await expect(at(page, 'replicate')).toBeFocused();
  const all = cli('run', 'exp-002', '--seeds', '1..90', '--json').summary;
  for (const [path, mean] of await figures(page, 'mean')) expect([path, Number(mean)]).toEqual([path, all[path].mean]);
});

test('seeds that end in different states are told as shares first', async ({ page, site }) => {
  const { states } = cli('run', 'exp-002', '--set', 'agents.count=700', '--set', 'workers.count=3', '--seeds', '1..8', '--json');
  expect(states).toEqual({ STABLE: 0, DEGRADED: 2, COLLAPSED: 6 });
  await open(page, site);
  await set(page, 'agents.count', 700);
  await set(page, 'workers.count', 3);
  await seeds(page, 8);
  // Wilson's intervals of 2 and of 6 in 8.
  await expect(at(page, 'replicated-states')).toHaveText('DEGRADED in 2 of 8 seeds, 95 % interval 7 to 59 %; COLLAPSED in 6 of 8 seeds, 95 % interval 41 to 93 %.');
  await expect(at(page, 'replicated-mixed')).toContainText('read the shares first');
});

test('an engine that fails takes stopped seeds with it; that is said, and others can be run', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'replicate-count').fill('90');
  await at(page, 'replicate').click();
  await at(page, 'replicate-stop').click();
  await expect(at(page, 'replicate-status')).toContainText('Stopped');
  await expect(at(page, 'replicate-on')).toBeVisible();
  await page.evaluate(() => dispatchEvent(new ErrorEvent('error', { error: new WebAssembly.RuntimeError('unreachable') })));
  await expect(at(page, 'replicate-problem')).toContainText('the engine failed and has been replaced');
  await expect(at(page, 'replicate-on')).toBeHidden();
  await seeds(page, 2);
  await expect(at(page, 'replicate-problem')).toHaveText('');
});

test('senseless numbers of seeds are refused in words, and a costly one is asked about', async ({ page, site }) => {
  await open(page, site);
  for (const [name, value, words] of [['count', '1', 'from 2 to 200'], ['count', '2.5', 'from 2 to 200'], ['count', '', 'from 2 to 200'], ['count', '1e9', 'from 2 to 200'], ['first', '-1', 'First seed'], ['first', '4294967295', 'to 4294967286']]) {
    await at(page, `replicate-${name}`).fill(value);
    await at(page, 'replicate').click();
    await expect(at(page, 'replicate-problem')).toContainText(words);
    await expect(at(page, `replicate-${name}`)).toBeFocused();
    await expect(at(page, `replicate-${name}`)).toHaveAttribute('aria-invalid', 'true');
    await at(page, `replicate-${name}`).fill(name === 'count' ? '10' : '1');
    await expect(at(page, 'replicate-problem')).toHaveText('');
  }
  await at(page, 'replicate-count').fill('200');
  await at(page, 'replicate').click();
  await expect(page.locator('#dialog')).toContainText('These 200 seeds have about 40 million events');
  await page.locator('#dialog').getByRole('button', { name: 'Not now' }).click();
  await expect(at(page, 'replicate')).toBeEnabled();
  await expect(at(page, 'replicated')).toBeHidden();
});

test('every part of a rich profile has its rows, on a narrow screen as well', async ({ page, site }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await open(page, site);
  await type(page, JSON.stringify(STORM));
  await finish(page, expect);
  await at(page, 'keep').click();
  await type(page, JSON.stringify({ ...STORM, arrivals: { rate_per_second: 60 }, agents: {} }));
  await finish(page, expect);
  await expect(at(page, 'compared')).toContainText('Clients and network');
  await expect(at(page, 'compared').locator('[data-field="worker_seconds.useful"]')).toHaveCount(2);
  await expect(at(page, 'shared-draws')).toContainText(/Open load.*Closed loop/);
  await seeds(page, 2);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  const small = await page.locator('#compare button:visible, #compare input:visible, #compare summary:visible').evaluateAll((all) =>
    all.filter((one) => one.getBoundingClientRect().height < 24 && one.type !== 'checkbox').map((one) => one.outerHTML));
  expect(small).toEqual([]);
});
