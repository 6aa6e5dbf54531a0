// Control over a run: stopping places, the past, breaking it now, keys.
import { AxeBuilder, at, cli, cliOn, expect, finish, open, test, text as profile, unfold } from './harness.mjs';

const label = (page) => page.locator('#picture svg').getAttribute('aria-label');
const events = (page) => page.locator('.status span').textContent();

async function stepTo(page, seconds) {
  await at(page, 'step-by').selectOption('second');
  for (let second = 0; second < seconds; second++) await at(page, 'step').click();
  await expect(page.locator('.status span')).toContainText(`${seconds}.00 s of virtual time`);
}

/** Moves the line of the run to a moment, as dragging does. */
const drag = (page, seconds) => at(page, 'scrub').evaluate((input, value) => {
  input.value = String(value);
  input.dispatchEvent(new Event('input', { bubbles: true }));
}, seconds);

test('a run stops at the collapse, and says when there is no recovery', async ({ page, site }) => {
  const first = cli('run', 'exp-003', '--json').evidence.find(({ to }) => to === 'COLLAPSED');
  await open(page, site);
  await at(page, 'preset').selectOption('exp-003');
  await at(page, 'to-collapse').click();
  await expect(at(page, 'note')).toHaveText(`Stopped at the collapse, ${first.at_seconds.toFixed(2)} s.`);
  await expect(at(page, 'status')).toHaveText('Paused');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-003', '--json').digest);

  await at(page, 'preset').selectOption('exp-001');
  await at(page, 'to-collapse').click();
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(at(page, 'note')).toContainText('did not collapse');
});

test('every past moment can be looked at, and the run goes on from there', async ({ page, site }) => {
  await open(page, site);
  await expect(at(page, 'scrub')).toBeDisabled();
  await stepTo(page, 7);
  const seven = await label(page);
  await finish(page, expect);
  const end = await label(page);
  expect(end).not.toBe(seven);
  const digest = await at(page, 'digest').textContent();

  await drag(page, 7);
  await expect.poll(() => label(page)).toBe(seven);
  await expect(at(page, 'status')).toHaveText('Looking back');
  await expect(at(page, 'scrub')).toHaveAttribute('aria-valuetext', /^7\.00 s of /);
  await expect(at(page, 'digest')).toHaveText(digest);
  // Back and forth, faster than it can be found: the last one wins.
  for (const moment of [20, 3, 11, 2, 40, 7]) await drag(page, moment);
  await expect.poll(() => label(page)).toBe(seven);

  await at(page, 'scrub').focus();
  await page.keyboard.press('ArrowLeft');
  await expect(at(page, 'scrub')).toHaveAttribute('aria-valuetext', /^6\.9\d s of /);
  await expect.poll(() => label(page)).not.toBe(seven);
  await page.keyboard.press('End');
  await expect(at(page, 'live')).toBeHidden();
  await expect.poll(() => label(page)).toBe(end);

  await drag(page, 7);
  await expect.poll(() => label(page)).toBe(seven);
  await expect(at(page, 'run')).toHaveText('Go on');
  await at(page, 'step').click();
  await expect(page.locator('.status span')).toContainText('8.00 s of virtual time');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(digest);
});

test('what is broken while it runs is in the profile, the link and the next run', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'break-stall').click();
  await expect(at(page, 'break-said')).toContainText('press Run');
  await stepTo(page, 10);
  const before = await events(page);
  await at(page, 'break-for').selectOption('5');
  await at(page, 'break-crash').click();
  await expect(at(page, 'struck-list')).toContainText('1: 1 worker crashed, from 10.001 s to 15.001 s');
  // What has happened stays as it was.
  expect(await events(page)).toBe(before);
  await expect(at(page, 'status')).toHaveText('Paused');

  await at(page, 'speed').selectOption('20');
  await at(page, 'run').click();
  await expect.poll(() => at(page, 'progress').evaluate((bar) => bar.value)).toBeGreaterThan(0.2);
  await at(page, 'break-traffic').click();
  await expect(at(page, 'struck-list').locator('li')).toHaveCount(2);
  await expect(at(page, 'status')).toHaveText('Running');
  await finish(page, expect);
  const text = await profile(page);
  expect(JSON.parse(text).timeline).toMatchObject([{ crash: { workers: 1 }, for_seconds: 5 }, { traffic: { extra_agents: expect.any(Number) } }]);
  const digest = await at(page, 'digest').textContent();
  expect(cliOn(text, 'run', '-', '--json').digest).toBe(digest);

  const link = await at(page, 'share-link').inputValue();
  await page.goto('about:blank');
  await open(page, link);
  await expect(at(page, 'link-status')).toContainText('reproduced ✓');
  await expect(at(page, 'digest')).toHaveText(digest);

  // At a moment that has passed, it becomes another course of things from there on.
  await drag(page, 5);
  await expect(at(page, 'status')).toHaveText('Looking back');
  await at(page, 'break-stall').click();
  await expect(at(page, 'struck-list').locator('li')).toHaveCount(3);
  await finish(page, expect);
  expect(cliOn(await profile(page), 'run', '-', '--json').digest).toBe(await at(page, 'digest').textContent());
  expect(await at(page, 'digest').textContent()).not.toBe(digest);

  await page.getByRole('button', { name: 'Edit intervention 1' }).click();
  await expect(page.locator('[name="timeline.0.at_seconds"]')).toBeFocused();
  await page.getByRole('button', { name: 'Delete intervention 1' }).click();
  await expect(at(page, 'struck-list').locator('li')).toHaveCount(2);
  await expect(page.getByRole('button', { name: 'Delete intervention 1' })).toBeFocused();
});

test('a value can be changed from a moment on; what cannot be is said and loses nothing', async ({ page, site }) => {
  await open(page, site);
  await stepTo(page, 12);
  await page.locator('.breaks summary').click();
  await at(page, 'from-here-field').fill('workers.count');
  await at(page, 'from-here-value').fill('many');
  await at(page, 'from-here').click();
  await expect(at(page, 'error')).toContainText('many');
  await expect(page.locator('.status span')).toContainText('12.00 s');
  await at(page, 'from-here-value').fill('8');
  await at(page, 'from-here').click();
  await expect(at(page, 'struck-list')).toContainText('workers.count = 8, from 12.001 s to the end');
  await expect(page.locator('.status span')).toContainText('12.00 s');
  await finish(page, expect);
  expect(cliOn(await profile(page), 'run', '-', '--json').digest).toBe(await at(page, 'digest').textContent());
});

test('what a break needs is named and can be switched on', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'break-loss').click();
  await expect(at(page, 'break-said')).toContainText('There is no network');
  await at(page, 'break-switch').click();
  await unfold(page, 'network');
  await expect(page.locator('[name="network.latency_seconds"]')).toBeVisible();
  await at(page, 'break-pool').click();
  await at(page, 'break-switch').click();
  await expect(page.locator('[name="network.pool.size"]')).toBeVisible();
  const size = Number(await page.locator('[name="network.pool.size"]').inputValue());
  await stepTo(page, 5);
  await at(page, 'break-loss').click();
  await expect(at(page, 'struck-list')).toContainText('10 % of messages lost');
  await at(page, 'break-pool').click();
  await expect(at(page, 'struck-list')).toContainText(`pool down to ${Math.floor(size / 2)}`);
  await finish(page, expect);
  await at(page, 'break-stall').click();
  await expect(at(page, 'break-said')).toContainText('This run is over');
});

test('the keys of the sheet do what it says, unless they are off or something is typed', async ({ page, site }) => {
  await open(page, site);
  await page.keyboard.press('?');
  await expect(at(page, 'keys-sheet')).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations).toEqual([]);
  await page.keyboard.press('.');
  await page.keyboard.press('Escape');
  await expect(at(page, 'keys-sheet')).toBeHidden();
  await expect(at(page, 'status')).toHaveText('Ready');
  await page.keyboard.press('Shift+>');
  await expect(page.locator('.status span')).toContainText('1.00 s of virtual time');
  await page.keyboard.press(',');
  await expect(at(page, 'status')).toHaveText('Looking back');
  await page.keyboard.press('l');
  await expect(at(page, 'status')).toHaveText('Paused');
  await page.keyboard.press('2');
  await expect(at(page, 'struck-list')).toContainText('1 worker crashed');
  await page.keyboard.press(']');
  await expect(at(page, 'speed')).toHaveValue('50');
  await page.keyboard.press('k');
  await expect(at(page, 'status')).toHaveText('Running');
  await page.keyboard.press('k');
  await expect(at(page, 'status')).toHaveText('Paused');
  await at(page, 'seed').focus();
  await page.keyboard.press('r');
  await expect(at(page, 'status')).toHaveText('Paused');
  await at(page, 'keys').click();
  await page.locator('#keys-on').uncheck();
  await page.keyboard.press('Escape');
  await at(page, 'keys').focus();
  await page.keyboard.press('r');
  await expect(at(page, 'status')).toHaveText('Paused');
});

test('a double click on Run is one run, and a search for a moment can be stopped', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'preset').selectOption('mm4-80');
  await unfold(page, 'run');
  const most = page.locator('[name="run.max_requests"]');
  await most.fill(String(3 * Number(await most.inputValue())));
  await most.blur();
  await at(page, 'speed').selectOption('max');
  await at(page, 'run').dblclick();
  // In one go with the look at it: by the time a test has clicked, a fast run may have ended.
  const pauseOnce = (condition) => page.waitForFunction((words) => {
    const button = document.querySelector('[data-testid="pause"]');
    const ready = words ? button.textContent === words : document.querySelector('[data-testid="progress"]').value > 0.3;
    if (ready) button.click();
    return ready;
  }, condition, { timeout: 60_000 });
  await pauseOnce('');
  await expect(at(page, 'status')).toHaveText('Paused');
  const here = await label(page);
  const front = Number(await at(page, 'scrub').evaluate((input) => input.max));
  // It looks on before the search begins, which may be short.
  const stopped = pauseOnce('Stop');
  await drag(page, front - 0.001);
  await stopped;
  await expect(at(page, 'pause')).toHaveText('Pause');
  await expect(at(page, 'status')).toHaveText('Paused');
  await expect.poll(() => label(page)).toBe(here);
});
