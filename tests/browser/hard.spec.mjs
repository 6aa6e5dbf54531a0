// Hard cases: each has a defined answer and loses nothing.
import { at, cli, expect, finish, open, test, unfold } from './harness.mjs';
import { number } from './words.mjs';
import { fillStorage, hide, reveal, sideways, sleep } from './inpage.mjs';

const seconds = (page) => at(page, 'scrub').evaluate((input) => Number(input.max));

test('a hidden tab stands still, and does not catch up in a burst', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'speed').selectOption('5');
  await at(page, 'run').click();
  await expect.poll(() => seconds(page)).toBeGreaterThan(1);
  await page.evaluate(hide);
  const before = await seconds(page);
  await page.waitForTimeout(1500);
  // A burst would bring 1.5 s times 5 at once.
  const right = await page.evaluate(reveal);
  expect(right - before).toBeLessThan(4);
  await expect(at(page, 'status')).toHaveText('Running');
  await expect.poll(() => seconds(page)).toBeGreaterThan(right);
  await toTheEnd(page);
});

test('a device that sleeps does not make the run leap', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'speed').selectOption('5');
  await at(page, 'run').click();
  await expect.poll(() => seconds(page)).toBeGreaterThan(1);
  // Caught up with, two seconds would be ten of the run.
  const [before, after] = await page.evaluate(sleep, 2000);
  expect(after - before).toBeLessThan(5);
  await expect(at(page, 'status')).toHaveText('Running');
  await expect.poll(() => seconds(page)).toBeGreaterThan(after);
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
    await expect.poll(() => page.evaluate(sideways)).toBeLessThanOrEqual(0);
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
  await page.locator('[name="run.max_requests"]').fill('4900000');
  await page.locator('[name="run.max_requests"]').blur();
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
  expect(number((await page.locator('.status span').textContent()).match(/, (.*) events/)[1])).toBeGreaterThan(18e6);
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

const agents = (page) => page.locator('[name="agents.count"]');
const hash = (page) => new URL(page.url()).hash;

test('back and forward go from link to link, and back to what was there before the first', async ({ page, site }) => {
  await open(page, site);
  await agents(page).fill('333');
  await agents(page).blur();
  const [one, two] = ['#v1.exp-001~seed=5', '#v1.exp-003~seed=6'];
  const reads = async (seed, preset) => {
    await expect(at(page, 'seed')).toHaveValue(seed);
    await expect(at(page, 'status')).toHaveText('Done');
    await expect(at(page, 'preset')).toHaveValue(preset);
    await expect(at(page, 'digest')).toHaveText(cli('run', preset, '--seed', seed, '--json').digest);
  };
  for (const link of [one, two]) await page.evaluate((to) => { location.hash = to; }, link);
  await reads('6', 'exp-003');
  await page.goBack();
  await reads('5', 'exp-001');
  await page.goBack();
  await expect(agents(page)).toHaveValue('333');
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  await expect(at(page, 'link-status')).toBeHidden();
  expect(hash(page)).toBe('');
  await page.goForward();
  await reads('5', 'exp-001');
  // Whoever has worked on what the link brought keeps that.
  await agents(page).fill('90');
  await agents(page).blur();
  await page.goBack();
  await expect.poll(() => hash(page)).toBe('');
  await expect(agents(page)).toHaveValue('90');
  await expect(at(page, 'seed')).toHaveValue('5');
  await at(page, 'undo').click();
  await expect(agents(page)).toHaveValue('80');
});

test('a link that is opened while a run plays takes its place; undo brings the other back', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'run').click();
  await expect.poll(() => seconds(page)).toBeGreaterThan(0.5);
  await page.evaluate(() => { location.hash = '#v1.exp-001~seed=5'; });
  await expect(at(page, 'seed')).toHaveValue('5');
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-001', '--seed', '5', '--json').digest);
  await at(page, 'undo').click();
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  // One that cannot be read leaves the run and its experiment alone.
  await at(page, 'speed').selectOption('1');
  await at(page, 'run').click();
  await expect.poll(() => seconds(page)).toBeGreaterThan(0.5);
  await page.evaluate(() => { location.hash = '#v1.exp-099'; });
  await expect(at(page, 'error')).toContainText('no preset');
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  const then = await seconds(page);
  await expect(at(page, 'status')).toHaveText('Running');
  await expect.poll(() => seconds(page)).toBeGreaterThan(then);
  await toTheEnd(page);
});

test('two links to long runs ask once, for the last of them', async ({ page, site }) => {
  await open(page, site);
  const link = (seed) => `#v1.mm1~run.duration_seconds=40000~run.max_requests=30000000~seed=${seed}`;
  await page.evaluate((to) => { location.hash = to; }, link(5));
  const dialog = page.locator('#dialog');
  // What takes long is not even asked about before somebody wants it.
  await expect(at(page, 'link-status')).toContainText('does not run by itself');
  await expect(dialog).toBeHidden();
  await at(page, 'run').click();
  await expect(dialog).toBeVisible();
  await page.evaluate((to) => { location.hash = to; }, link(6));
  await expect(at(page, 'seed')).toHaveValue('6');
  await expect(dialog).toHaveCount(1);
  await dialog.getByRole('button', { name: 'Run it' }).click();
  await expect(dialog).toBeHidden();
  await expect(at(page, 'status')).toHaveText('Running');
  await at(page, 'pause').click();
  await expect(at(page, 'status')).toHaveText('Paused');
});

test('a double click does once what is done once', async ({ page, site }) => {
  await open(page, site);
  // Buttons that take the place of what was pressed are not pressed by the second half of it.
  for (const name of ['First', 'Second', 'Third']) {
    await at(page, 'save-as').dblclick();
    await page.locator('#shelf-name').fill(name);
    await at(page, 'shelf-save').dblclick();
    await expect(at(page, 'standing')).toContainText(`“${name}”, saved`);
  }
  await at(page, 'manage').click();
  const dialog = at(page, 'shelf');
  await dialog.getByRole('button', { name: 'Delete First' }).dblclick();
  await expect(dialog).toContainText('“First” was deleted');
  await expect(dialog.locator('li[data-own]')).toHaveCount(2);
  await dialog.getByRole('button', { name: 'Put it back' }).dblclick();
  await expect(dialog.locator('li[data-own]')).toHaveCount(3);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();

  await at(page, 'run').dblclick();
  await toTheEnd(page);
  await at(page, 'keep').dblclick();
  await expect(at(page, 'kept-name')).toHaveCount(1);
  for (const count of [5, 6]) {
    await page.locator('[name="workers.count"]').fill(String(count));
    await page.locator('[name="workers.count"]').blur();
    await finish(page, expect);
    await at(page, 'keep').click();
  }
  await expect(at(page, 'kept-name')).toHaveCount(3);
  await at(page, 'kept-remove').first().dblclick();
  await expect(at(page, 'kept-name')).toHaveCount(2);

  await page.goto(`${site}#guide=knee`);
  await page.reload();
  await expect(at(page, 'guide-progress')).toHaveText('Step 1 of 4');
  await at(page, 'guide-next').dblclick();
  await expect(at(page, 'guide-progress')).toHaveText('Step 2 of 4');
});

test('a storage that is really full is said; what was saved stays, and so do the edits', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'save').click();
  await page.locator('#shelf-name').fill('First');
  await page.keyboard.press('Enter');
  await expect(at(page, 'standing')).toHaveText('“First”, saved.');
  await page.evaluate(fillStorage);
  await agents(page).fill('50');
  await agents(page).blur();
  await at(page, 'save-as').click();
  await page.locator('#shelf-name').fill('Second');
  await page.keyboard.press('Enter');
  await expect(page.locator('#shelf-problem')).toContainText('storage for this page is full');
  await page.keyboard.press('Escape');
  await expect(agents(page)).toHaveValue('50');
  await at(page, 'preset').selectOption('own:First');
  await expect(agents(page)).toHaveValue('400');
  await page.evaluate(() => localStorage.clear());
});
