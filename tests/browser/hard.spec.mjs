// Hard cases: each has a defined answer and loses nothing.
import { at, cli, expect, finish, open, test, unfold } from './harness.mjs';

test('a hidden tab stands still, and does not catch up in a burst', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'speed').selectOption('5');
  await at(page, 'run').click();
  const seconds = () => at(page, 'scrub').evaluate((input) => Number(input.max));
  await expect.poll(seconds).toBeGreaterThan(1);
  // As a browser does for a hidden tab: it says so, and draws no more pictures.
  await page.evaluate(() => {
    globalThis.held = [];
    globalThis.really = requestAnimationFrame;
    globalThis.requestAnimationFrame = (then) => globalThis.held.push(then);
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  const before = await seconds();
  await page.waitForTimeout(1500);
  await page.evaluate(() => {
    delete document.hidden;
    globalThis.requestAnimationFrame = globalThis.really;
    document.dispatchEvent(new Event('visibilitychange'));
    for (const then of globalThis.held.splice(0)) requestAnimationFrame(then);
  });
  // A burst would bring 1.5 s times 5 at once.
  const right = await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(Number(document.querySelector('[data-testid="scrub"]').max))))));
  expect(right - before).toBeLessThan(4);
  await expect(at(page, 'status')).toHaveText('Running');
  await expect.poll(seconds).toBeGreaterThan(right);
  await toTheEnd(page);
});

async function toTheEnd(page) {
  await at(page, 'speed').selectOption('max');
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--json').digest);
}

test('resizing while it runs changes the picture, not the run', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'run').click();
  for (const width of [390, 1920, 320, 800, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  }
  await expect(at(page, 'status')).toHaveText('Running');
  await toTheEnd(page);
});

test('an edit while it runs ends that run, says so, and the next run has it', async ({ page, site }) => {
  await open(page, site);
  await unfold(page, 'workers');
  await at(page, 'run').click();
  await expect(at(page, 'status')).toHaveText('Running');
  await page.locator('[name="workers.count"]').fill('5');
  await page.locator('[name="workers.count"]').blur();
  await expect(at(page, 'status')).toHaveText('Ready');
  await expect(page.locator('body')).toContainText('run was ended at');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--set', 'workers.count=5', '--json').digest);
});

test('10,000 agents run, and the page answers meanwhile', async ({ page, site }) => {
  await open(page, site);
  await unfold(page, 'agents');
  await page.locator('[name="agents.count"]').fill('10000');
  await page.locator('[name="agents.count"]').blur();
  await at(page, 'speed').selectOption('max');
  await at(page, 'run').click();
  await page.locator('#find-field').fill('latency');
  await expect(at(page, 'found')).toContainText('fields in');
  await expect(at(page, 'status')).toHaveText('Done', { timeout: 90_000 });
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--set', 'agents.count=10000', '--json').digest);
});

test('a run of some 20 million events can be stopped, looked back at, and goes on', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'preset').selectOption('mm4-80');
  await unfold(page, 'run');
  await page.locator('[name="run.duration_seconds"]').fill('18000');
  await page.locator('[name="run.duration_seconds"]').blur();
  await at(page, 'speed').selectOption('max');
  await at(page, 'run').click();
  await page.waitForFunction(() => document.querySelector('[data-testid="progress"]').value > 0.2, null, { timeout: 60_000 });
  await page.evaluate(() => document.querySelector('[data-testid="pause"]').click());
  await expect(at(page, 'status')).toHaveText('Paused');
  await at(page, 'scrub').focus();
  await page.keyboard.press('PageDown');
  await expect(at(page, 'status')).toHaveText('Looking back', { timeout: 60_000 });
  await expect(at(page, 'pause')).toHaveText('Pause');
  await page.keyboard.press('l');
  await at(page, 'run').click();
  await expect(at(page, 'status')).toHaveText('Done', { timeout: 100_000 });
});

test('parts that cannot be loaded are said, the run works without them, and they can be loaded again', async ({ browser, site }) => {
  // A page of its own: the console says what is wrong here, on purpose.
  const page = await browser.newPage();
  await page.route(/\/(desk|results)-/, (route) => route.abort());
  await page.goto(site);
  const editor = page.locator('#editor');
  await expect(editor).toContainText('could not be loaded; the rest of the page works without them');
  await expect(page.locator('#compare')).toContainText('could not be loaded');
  await finish(page, expect);
  await expect(at(page, 'verdict-words')).toContainText('Degraded at');
  await page.unroute(/\/(desk|results)-/);
  await page.locator('#compare').getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('#report table')).toBeVisible();
  await editor.getByRole('button', { name: 'Try again' }).click();
  await expect(at(page, 'undo')).toBeVisible();
  await page.close();
});
