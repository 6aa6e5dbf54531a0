// The verdict: its sentence, the facts behind it, and the way from each to its moment.
import { AxeBuilder, at, cli, expect, finish, open, test } from './harness.mjs';

test('a sentence first, then shares, evidence and the moments they are about', async ({ page, site }) => {
  await open(page, site);
  await expect(at(page, 'verdict')).toContainText('Press Run');
  await expect(at(page, 'shares')).toBeHidden();
  for (const preset of ['exp-003', 'retry-storm', 'flash-crowd']) {
    await at(page, 'preset').selectOption(preset);
    await finish(page, expect);
    const report = cli('run', preset, '--json');
    const said = report.verdict.replace(report.recovery?.text ?? '', '').trim();
    await expect(at(page, 'verdict')).toHaveText(said);
    if (report.recovery) await expect(at(page, 'recovery')).toHaveText(report.recovery.text);
    const steps = at(page, 'evidence').locator('li');
    await expect(steps).toHaveCount(report.evidence.length);
    for (const [name, share] of Object.entries(report.state_share)) {
      await expect(at(page, 'shares')).toHaveAttribute('aria-label', new RegExp(`${name} ${(100 * share).toFixed(0)} %`));
    }
    if (!(await page.locator('.grounds').evaluate((one) => one.open))) await page.locator('.grounds summary').click();
    const { at_seconds: seconds, reason } = report.evidence.at(-1);
    await expect(steps.last()).toContainText(reason);
    await steps.last().getByRole('button').click();
    await expect(at(page, 'status')).toHaveText('Looking back');
    await expect(at(page, 'scrub')).toHaveAttribute('aria-valuetext', new RegExp(`^${seconds.toFixed(2)} s of `));
    await expect(page.locator('#charts')).toBeInViewport();
    // At that moment, what was the case then is said.
    await expect(at(page, 'verdict')).toHaveText(report.evidence.at(-1).text);
    await page.keyboard.press('l');
    await expect(at(page, 'verdict')).toHaveText(said);
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations).toEqual([]);
});

test('what happens is announced as events, and rarely', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'preset').selectOption('exp-003');
  await page.evaluate(() => {
    globalThis.heard = [];
    const place = document.querySelector('[data-testid="aloud"]');
    new MutationObserver(() => globalThis.heard.push([performance.now(), place.textContent])).observe(place, { childList: true, characterData: true, subtree: true });
  });
  await at(page, 'speed').selectOption('10');
  await at(page, 'run').click();
  await expect.poll(() => page.evaluate(() => globalThis.heard.length), { timeout: 20_000 }).toBeGreaterThan(1);
  const heard = await page.evaluate(() => globalThis.heard);
  for (let index = 1; index < heard.length; index++) expect(heard[index][0] - heard[index - 1][0]).toBeGreaterThan(3900);
  expect(heard.some(([, words]) => /tripped to COLLAPSED/.test(words))).toBe(true);
});
