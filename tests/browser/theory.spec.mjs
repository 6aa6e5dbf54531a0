// Theory beside the run: the table of the page is that of the command line, and it can be stopped and gone on with.
import { AxeBuilder, at, cliOn, expect, open, test, type } from './harness.mjs';

/** M/M/1 at 0.6, which is soon run. */
const QUEUE = {
  version: 1, run: { duration_seconds: 22, warmup_seconds: 2 }, agents: null, arrivals: { rate_per_second: 300 },
  queue: { capacity: null, early_drop: null },
  workers: { count: 1, service: { distribution: 'exponential', base_seconds: 0.002, per_weight_seconds: 0, slowdown_per_pressure: 0 } },
  faults: { spike: null, error: null },
};

async function compared(page, count) {
  await at(page, 'theory-count').fill(String(count));
  await at(page, 'theory-run').click();
  await expect(at(page, 'theory-status')).toContainText(`Done: ${count} seeds.`, { timeout: 60_000 });
}

const row = (page, id) => at(page, 'theory-table').locator(`tr[data-row="${id}"]`);

test('the table is that of the command line', async ({ page, site }) => {
  await open(page, site);
  await type(page, JSON.stringify(QUEUE));
  await compared(page, 12);
  const expected = cliOn(JSON.stringify(QUEUE), 'theory', '-', '--seeds', '1..12', '--json');
  const apply = expected.rows.filter(({ outcome }) => outcome !== 'does_not_apply');
  await expect(at(page, 'theory-table').locator('tbody tr')).toHaveCount(apply.length);
  for (const one of apply) {
    const line = row(page, one.id);
    await expect(line).toHaveAttribute('data-outcome', one.outcome);
    await expect(line.locator('[data-predicted]')).toHaveAttribute('data-predicted', one.predicted === null ? '' : String(one.predicted));
    await expect(line.locator('[data-simulated]')).toHaveAttribute('data-simulated', one.simulated === null ? '' : String(one.simulated.mean));
    // Its first letter is a capital one there, and numbers keep to their units.
    await expect(line.locator('td.words')).toContainText(one.note.slice(1));
  }
  await expect(row(page, 'mean_wait').locator('td.outcome')).toHaveText('✓ agrees');
  await expect(row(page, 'mean_wait').locator('[data-predicted]')).toHaveText('3.00 ms');
  for (const one of expected.rows.filter(({ outcome }) => outcome === 'does_not_apply')) {
    await expect(at(page, 'theory-not')).toContainText(one.name);
    await expect(at(page, 'theory-not')).toContainText(one.note);
  }
  await expect(at(page, 'theory-status')).toContainText(`${apply.filter(({ outcome }) => outcome === 'agrees').length} rows agree, 0 disagree`);
  const { violations } = await new AxeBuilder({ page }).include('#theory').analyze();
  expect(violations).toEqual([]);
});

test('what belongs to an earlier profile says so', async ({ page, site }) => {
  await open(page, site);
  await type(page, JSON.stringify(QUEUE));
  await compared(page, 10);
  await expect(at(page, 'theory-stale')).toHaveCount(0);
  await type(page, JSON.stringify({ ...QUEUE, arrivals: { rate_per_second: 310 } }));
  await expect(at(page, 'theory-stale')).toContainText('earlier profile');
  await expect(row(page, 'mean_wait')).toHaveCount(1);
  // Another seed is another draw of the same experiment.
  await type(page, JSON.stringify({ ...QUEUE, seed: 77 }));
  await expect(at(page, 'theory-stale')).toHaveCount(0);
});

test('it stops, keeps what it has, and goes on, by keyboard too', async ({ page, site }) => {
  await open(page, site);
  await type(page, JSON.stringify(QUEUE));
  await at(page, 'theory-count').fill('150');
  // Stopped at the first sign of enough seeds, which no test is quick enough for from outside.
  const stopped = page.evaluate(() => new Promise((resolve) => {
    const find = (id) => document.querySelector(`[data-testid="${id}"]`);
    new MutationObserver((_, observer) => {
      if (!/^(1\d|[2-9]\d|\d{3}) of 150/.test(find('theory-told').textContent)) return;
      observer.disconnect();
      const focused = document.activeElement === find('theory-stop');
      find('theory-stop').click();
      resolve(focused);
    }).observe(find('theory-told'), { childList: true, characterData: true, subtree: true });
  }));
  await at(page, 'theory-count').press('Enter');
  expect(await stopped).toBe(true);
  await expect(at(page, 'theory-status')).toContainText(/Stopped after \d+ of 150 seeds\. What they came to is shown\./);
  await expect(row(page, 'little_waiting').locator('td.outcome')).toHaveText('✓ agrees');
  await expect(at(page, 'theory-on')).toBeFocused();
  await at(page, 'theory-on').press('Enter');
  await expect(at(page, 'theory-status')).toContainText('Done: 150 seeds.', { timeout: 60_000 });
  await expect(at(page, 'theory-run')).toBeFocused();
});

test('too few seeds are refused in words, and nothing is lost', async ({ page, site }) => {
  await open(page, site);
  for (const wrong of ['9', '201', '', '12.5']) {
    await at(page, 'theory-count').fill(wrong);
    await expect(at(page, 'theory-problem')).toContainText('a whole number from 10 to 200');
    await at(page, 'theory-run').click();
    await expect(at(page, 'theory-count')).toBeFocused();
    await expect(at(page, 'theory-count')).toHaveAttribute('aria-invalid', 'true');
  }
  await at(page, 'theory-count').fill('10');
  await expect(at(page, 'theory-problem')).toHaveText('');
});

test('on a narrow screen the table scrolls within itself', async ({ page, site }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  await open(page, site);
  await type(page, JSON.stringify(QUEUE));
  await compared(page, 10);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
  const scrolls = await page.locator('#theory .scroll').evaluate((one) => one.scrollWidth > one.clientWidth);
  expect(scrolls).toBe(true);
});
