// Where things stand: nothing is cut off, nothing covers what has the focus, and wide screens are used.
import { at, expect, finish, open, test } from './harness.mjs';

test('buttons of the controls have room for their words, whatever these are: 320 px', async ({ page, site }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await open(page, site);
  const cut = () => page.locator('#controls button:visible').evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent));
  expect(await cut()).toEqual([]);
  await finish(page, expect);
  await expect(at(page, 'run')).toHaveText('Run again');
  expect(await cut()).toEqual([]);
  await page.locator('#verdict button.moment').first().click();
  await expect(at(page, 'status')).toHaveText('Looking back');
  expect(await cut()).toEqual([]);
});

test('what many seeds come to fits a phone', async ({ page, site }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await open(page, site);
  await at(page, 'replicate-count').fill('2');
  await at(page, 'replicate').click();
  await expect(at(page, 'replicate-status')).toHaveText('Done: 2 seeds.', { timeout: 60_000 });
  const room = await page.locator('#compare').evaluate((one) => one.getBoundingClientRect().right);
  const wide = await at(page, 'replicated').locator('p, h4, .scroll').evaluateAll((all) => all.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().right));
  expect(wide.length).toBeGreaterThan(3);
  for (const right of wide) expect(right).toBeLessThanOrEqual(room);
});

test('the controls at the top neither cover what has the focus nor move the page', async ({ page, site }) => {
  await page.setViewportSize({ width: 1280, height: 900 });
  await open(page, site);
  await finish(page, expect);
  const bar = () => page.locator('#controls').evaluate((one) => one.getBoundingClientRect().bottom);
  await at(page, 'share').focus();
  for (let times = 0; times < 25; times++) {
    await page.keyboard.press('Shift+Tab');
    const [name, top, height] = await page.evaluate(() => {
      const one = document.activeElement;
      const box = one.getBoundingClientRect();
      return [one.outerHTML.slice(0, 80), box.top, box.height];
    });
    if (height < 600) expect(top, name).toBeGreaterThanOrEqual(await bar() - 1);
  }
  const before = await page.evaluate(() => scrollY);
  expect(before).toBeGreaterThan(300);
  await at(page, 'speed').focus();
  await page.keyboard.press('Tab');
  await expect(at(page, 'seed')).toBeFocused();
  expect(await page.evaluate(() => scrollY)).toBe(before);
});

test('on a wide screen the charts begin on the first screen', async ({ page, site }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await open(page, site);
  await finish(page, expect);
  const box = (id) => page.locator(id).evaluate((one) => one.getBoundingClientRect().toJSON());
  const [verdict, picture, charts] = [await box('#verdict'), await box('#picture'), await box('#charts')];
  expect(picture.top).toBe(verdict.top);
  expect(picture.left).toBeGreaterThan(verdict.right);
  expect(charts.top).toBeLessThan(1080);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
});

test('without an engine nothing is shown but why', async ({ browser, site }) => {
  // A page of its own: here a failed request is expected.
  const page = await browser.newPage();
  await page.route(/\.wasm/, (route) => route.abort());
  await page.goto(site);
  await expect(at(page, 'error')).toContainText('could not be loaded');
  for (const id of ['#verdict', '#charts', '#report', '#editor']) await expect(page.locator(id)).toBeHidden();
  await page.close();
});
