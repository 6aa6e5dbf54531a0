// Screenshots of every state, width and theme, to be looked at.
import { STORM, at, expect, finish, open, test, type } from './harness.mjs';

const output = new URL('output/', import.meta.url).pathname;

for (const scheme of ['light', 'dark']) {
  for (const width of [320, 390, 1280, 1920]) {
    test(`${scheme} ${width}`, async ({ page, site }) => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 900 });
      const shoot = (state) => page.screenshot({ path: `${output}${state}-${scheme}-${width}.png`, fullPage: true });
      await open(page, site);
      await shoot('ready');
      await at(page, 'run').click();
      await page.waitForTimeout(2000);
      await shoot('running');
      for (const preset of ['exp-001', 'exp-002', 'exp-003']) {
        await at(page, 'preset').selectOption(preset);
        await finish(page, expect);
        await page.waitForTimeout(300);
        await shoot(`done-${preset}`);
      }
      await type(page, JSON.stringify(STORM));
      await at(page, 'json').blur();
      await at(page, 'step-by').selectOption('second');
      for (let second = 0; second < 23; second++) await at(page, 'step').click();
      await shoot('storm-paused');
      await finish(page, expect);
      await page.waitForTimeout(300);
      await shoot('storm-done');
      await type(page, '{"agents": {"count": -4}}');
      await expect(at(page, 'error')).toBeVisible();
      await shoot('error');
    });
  }
}
