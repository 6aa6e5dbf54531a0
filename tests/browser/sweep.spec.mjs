// Sweeps in the page: the same rows as the command line's runs, progress and stop, refusals, the picture by mouse and keyboard.
import { AxeBuilder, at, cli, expect, open, test } from './harness.mjs';

/** Fills the form: fields as `path=values`. */
async function plan(page, fields, seeds) {
  await at(page, 'sweep-two').setChecked(fields.length > 1);
  for (const [index, text] of fields.entries()) {
    const [path, values] = text.split('=');
    await at(page, index ? 'sweep-path-2' : 'sweep-path').fill(path);
    // Leaving the field proposes values for it.
    await at(page, index ? 'sweep-path-2' : 'sweep-path').blur();
    await at(page, index ? 'sweep-values-2' : 'sweep-values').fill(values);
  }
  await at(page, 'sweep-seeds').fill(String(seeds));
}

async function sweep(page, fields, seeds) {
  await plan(page, fields, seeds);
  await at(page, 'sweep-run').click();
  await expect(at(page, 'sweep-status')).toContainText('Done', { timeout: 90_000 });
}

/** What a button hands to the browser as a file. */
async function saved(page, name) {
  const [file] = await Promise.all([page.waitForEvent('download'), at(page, name).click()]);
  const stream = await file.createReadStream();
  let text = '';
  for await (const part of stream) text += part;
  return { name: file.suggestedFilename(), text };
}

test('a sweep over one field gives the rows that single runs give, as a curve, a table and files', async ({ page, site }) => {
  await open(page, site);
  await plan(page, ['agents.count=100,400'], 3);
  await expect(at(page, 'sweep-plan')).toContainText('2 points under 3 seeds each: 6 runs');
  await sweep(page, ['agents.count=100,400'], 3);
  const { name, text } = await saved(page, 'sweep-ndjson');
  expect(name).toMatch(/^sweep-exp-002-[0-9a-f]{8}\.ndjson$/);
  const rows = text.trim().split('\n').map((line) => JSON.parse(line));
  expect(rows.map((row) => [row['agents.count'], row.seed])).toEqual([[100, 1], [100, 2], [100, 3], [400, 1], [400, 2], [400, 3]]);
  const { runs, summary } = cli('run', 'exp-002', '--set', 'agents.count=400', '--seeds', '1..3', '--json');
  for (const [index, run] of runs.entries()) {
    const row = rows[3 + index];
    expect([row.digest, row.state, row['latency_seconds.p95'], row.error_rate]).toEqual([run.digest, run.state, run.latency_seconds.p95, run.error_rate]);
  }
  const csv = (await saved(page, 'sweep-csv')).text.trim().split('\n');
  expect(csv).toHaveLength(7);
  expect(csv[0].split(',')).toEqual(Object.keys(rows[0]));
  await at(page, 'sweep-measure').selectOption('p95');
  await at(page, 'sweep-result').locator('summary').click();
  const { mean } = summary['latency_seconds.p95'];
  await expect(at(page, 'sweep-result').locator('tbody tr').nth(1)).toContainText(`${(1000 * mean).toFixed(1)} ms`);
  await expect(at(page, 'sweep-result').locator('tbody tr').nth(1)).toContainText('3 runs');
  const picture = (await saved(page, 'sweep-svg')).text;
  expect(picture).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(picture).not.toMatch(/var\(|color-mix|class=/);
});

test('two fields make a map that is read by mouse and keyboard, and a point opens', async ({ page, site }) => {
  await open(page, site);
  await sweep(page, ['agents.count=100,1000', 'workers.count=2,12'], 2);
  await at(page, 'sweep-measure').selectOption('state');
  const picture = at(page, 'sweep-picture');
  await expect(picture.locator('rect.cell')).toHaveCount(4);
  const [worst] = cli('run', 'exp-002', '--set', 'agents.count=1000', '--set', 'workers.count=2', '--seeds', '1..2', '--json').runs;
  expect(worst.state).toBe('COLLAPSED');
  await picture.focus();
  await page.keyboard.press('Home');
  await expect(at(page, 'sweep-picked')).toContainText('agents.count = 100, workers.count = 2');
  await page.keyboard.press('ArrowRight');
  await expect(at(page, 'sweep-picked')).toContainText('agents.count = 1000, workers.count = 2: state, the most frequent COLLAPSED (2 runs)');
  await page.keyboard.press('ArrowUp');
  await expect(at(page, 'sweep-picked')).toContainText('agents.count = 1000, workers.count = 12');
  const box = await picture.boundingBox();
  await picture.click({ position: { x: 80, y: box.height - 60 } });
  await expect(at(page, 'sweep-picked')).toContainText('agents.count = 100, workers.count = 2');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(page.locator('[name="agents.count"]')).toHaveValue('1000');
  await expect(page.locator('[name="workers.count"]')).toHaveValue('2');
  await expect(at(page, 'sweep-whose')).toContainText('has been changed since');
  // What is shown stays, and belongs to what it was run of.
  await expect(picture).toBeVisible();
});

test('a sweep is stopped and gone on with, and comes to the same', async ({ page, site }) => {
  await open(page, site);
  await plan(page, ['agents.count=100..400:100'], 12);
  await at(page, 'sweep-run').click();
  await expect(at(page, 'sweep-told')).toContainText(/^[1-9]\d* of 48 runs/);
  await at(page, 'sweep-stop').click();
  await expect(at(page, 'sweep-status')).toContainText(/Stopped after \d+ of 48 runs|Done/);
  if (await at(page, 'sweep-on').isVisible()) await at(page, 'sweep-on').click();
  await expect(at(page, 'sweep-status')).toContainText('Done', { timeout: 60_000 });
  const stopped = (await saved(page, 'sweep-csv')).text;
  await at(page, 'sweep-run').click();
  await expect(at(page, 'sweep-told')).toContainText('of 48 runs');
  await expect(at(page, 'sweep-status')).toContainText('Done', { timeout: 60_000 });
  expect((await saved(page, 'sweep-csv')).text).toBe(stopped);
  expect(stopped.trim().split('\n')).toHaveLength(49);
});

test('where a page may have no workers the sweep runs on its own thread', async ({ page, site }) => {
  await page.addInitScript(() => { globalThis.Worker = class { constructor() { throw new DOMException('refused', 'SecurityError'); } }; });
  await open(page, site);
  await sweep(page, ['agents.count=100,200'], 2);
  const { text } = await saved(page, 'sweep-ndjson');
  const { runs } = cli('run', 'exp-002', '--set', 'agents.count=200', '--seeds', '1..2', '--json');
  expect(text.trim().split('\n').slice(2).map((line) => JSON.parse(line).digest)).toEqual(runs.map(({ digest }) => digest));
});

test('a worker that dies takes no finished run with it', async ({ page, site }) => {
  await page.addInitScript(() => {
    globalThis.Worker = class extends Worker {
      constructor(...all) {
        super(...all);
        // The first one only: it goes after its first rows.
        if (globalThis.doomed) return;
        globalThis.doomed = true;
        this.addEventListener('message', ({ data }) => data.kind === 'rows' && this.dispatchEvent(new ErrorEvent('error', { message: 'gone' })));
      }
    };
  });
  await open(page, site);
  await plan(page, ['agents.count=100..400:100'], 12);
  await at(page, 'sweep-run').click();
  await expect(at(page, 'sweep-status').or(at(page, 'sweep-problem')).filter({ hasText: /Done|A run failed/ })).toBeVisible({ timeout: 60_000 });
  // With one processor it was the only worker; then going on finds others.
  if (await at(page, 'sweep-on').isVisible()) await at(page, 'sweep-on').click();
  await expect(at(page, 'sweep-status')).toContainText('Done', { timeout: 60_000 });
  expect((await saved(page, 'sweep-csv')).text.trim().split('\n')).toHaveLength(49);
});

test('what cannot be swept is refused in words, and nothing is run', async ({ page, site }) => {
  await open(page, site);
  for (const [fields, seeds, words] of [
    [['agents.count=400..100:50'], 2, 'a range that goes up'],
    [['agents.count=100..400:0'], 2, 'a step above 0'],
    [['agents.count='], 2, '/agents/count'],
    [['agents.county=1..3'], 2, 'unknown field'],
    [['queue.discipline=1..3'], 2, 'a choice between names'],
    [['queue=1..3'], 2, 'a section'],
    [['seed=1..3'], 2, 'another field'],
    [['agents.count=1..1000000'], 2, 'at most'],
    [['agents.count=0..2'], 2, '/agents/count'],
    [['agents.count=1,2', 'agents.count=3,4'], 2, 'varied twice'],
    [['agents.count=1,2'], 0, 'seeds'],
    [['=1,2'], 1, 'Name the field'],
    [['agents.count=<img src=x onerror=alert(1)>'], 2, '/agents/count'],
  ]) {
    await plan(page, fields, seeds);
    await at(page, 'sweep-run').click();
    await expect(at(page, 'sweep-problem'), fields.join()).toContainText(words);
    await expect(at(page, 'sweep-result')).toBeHidden();
    await expect(at(page, 'sweep-run')).toBeEnabled();
  }
  await sweep(page, ['agents.count=100,200'], 1);
  await expect(at(page, 'sweep-problem')).toHaveText('');
});

test('a sweep is accessible in every state, at the width of a phone too', async ({ page, site }) => {
  await page.setViewportSize({ width: 320, height: 800 });
  await open(page, site);
  const check = async () => expect((await new AxeBuilder({ page }).include('#sweep').analyze()).violations).toEqual([]);
  await check();
  await plan(page, ['agents.count=9..1'], 2);
  await at(page, 'sweep-run').click();
  await expect(at(page, 'sweep-problem')).not.toHaveText('');
  await check();
  await sweep(page, ['agents.count=100,900', 'workers.count=2,12'], 2);
  await at(page, 'sweep-result').locator('summary').click();
  await check();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});

test('the edge of collapse is found with its interval, and told where there is none', async ({ page, site }) => {
  await open(page, site);
  await plan(page, ['agents.count=100..1500:100'], 20);
  await at(page, 'edge-question').scrollIntoViewIfNeeded();
  await at(page, 'edge-question').selectOption('state-collapsed');
  await at(page, 'edge-find').click();
  await expect(at(page, 'edge-status')).toContainText('Done', { timeout: 60_000 });
  const { sentence, edge } = cli('edge', 'exp-002', '--vary', 'agents.count=100..1500', '--seeds', '1..20', '--until', 'state-collapsed', '--json');
  expect(edge.kind).toBe('at');
  await expect(at(page, 'edge-sentence')).toHaveText(sentence);
  // On either side of it, well beyond its interval, other seeds say so too.
  const collapsed = (agents) => cli('run', 'exp-002', '--set', `agents.count=${agents}`, '--seeds', '101..110', '--json').states.COLLAPSED;
  expect(collapsed(Math.round(edge.value + 12 * edge.ci95))).toBeGreaterThanOrEqual(8);
  expect(collapsed(Math.round(edge.value - 12 * edge.ci95))).toBeLessThanOrEqual(2);
  await expect(at(page, 'edge-picture').locator('.boundary-band')).toBeVisible();
  expect((await new AxeBuilder({ page }).include('#sweep').analyze()).violations).toEqual([]);
  await plan(page, ['agents.count=10,20'], 5);
  await at(page, 'edge-find').click();
  await expect(at(page, 'edge-sentence')).toContainText('In the range, no run', { timeout: 60_000 });
  await at(page, 'edge-question').selectOption('metastable');
  await at(page, 'edge-find').click();
  await expect(at(page, 'edge-problem')).toContainText('a timeline with an entry that ends');
  await plan(page, ['agents.count=10,20'], 2);
  await at(page, 'edge-find').click();
  await expect(at(page, 'edge-problem')).toContainText('at least 5 seeds');
  await at(page, 'sweep-seeds').fill('5');
  await expect(at(page, 'edge-problem')).toHaveText('');
  await expect(at(page, 'edge-find')).toBeEnabled();
});

test('a search for the edge is stopped, and can be started again', async ({ page, site }) => {
  await open(page, site);
  await plan(page, ['agents.count=100..1500:100'], 200);
  await at(page, 'edge-question').scrollIntoViewIfNeeded();
  await expect(at(page, 'edge-question').locator('option')).not.toHaveCount(0);
  await at(page, 'edge-find').click();
  await expect(at(page, 'edge-told')).toContainText(/^[1-9]/);
  await expect(at(page, 'sweep-run')).toBeDisabled();
  await at(page, 'edge-stop').click();
  await expect(at(page, 'edge-status')).toContainText('Stopped after');
  await expect(at(page, 'edge-find')).toBeFocused();
  await expect(at(page, 'sweep-run')).toBeEnabled();
});

test('a link brings its sweep with it', async ({ page, site }) => {
  await open(page, `${site}#v1.exp-002~workers.count=6~view.sweep=agents.count=100,300;workers.count=2..4;seeds=5..6`);
  await expect(at(page, 'sweep-status')).toContainText('The link brought this sweep');
  await expect(at(page, 'sweep-values')).toHaveValue('100,300');
  await expect(at(page, 'sweep-values-2')).toHaveValue('2..4');
  await expect(at(page, 'sweep-plan')).toContainText('6 points under 2 seeds each: 12 runs');
  await at(page, 'sweep-link').click();
  await expect(at(page, 'sweep-link-text')).toHaveValue(`${site}#v1.exp-002~workers.count=6~view.sweep=agents.count=100,300;workers.count=2..4;seeds=5..6`);
});

test('a field up and down shows the loop, and says what the command line says', async ({ page, site }) => {
  await open(page, `${site}#v1.retry-storm~timeline=[]~h=0`);
  await plan(page, ['arrivals.rate_per_second=20..140:40'], 3);
  await at(page, 'stairs-hold').fill('15');
  await at(page, 'stairs-run').click();
  await expect(at(page, 'stairs-status')).toHaveText('Done.', { timeout: 60_000 });
  const { sentence, levels } = cli('hysteresis', 'retry-storm', '--set', 'timeline=[]', '--vary', 'arrivals.rate_per_second=20..140:40', '--hold', '15', '--seeds', '1..3', '--json');
  expect(sentence).toContain('There is hysteresis');
  await expect(at(page, 'stairs-sentence')).toHaveText(sentence);
  await expect(at(page, 'stairs-picture').locator('.curve.beside')).toBeVisible();
  await at(page, 'stairs-result').locator('summary').click();
  await expect(at(page, 'stairs-result').locator('tbody tr')).toHaveCount(levels.length);
  expect((await new AxeBuilder({ page }).include('#sweep').analyze()).violations).toEqual([]);
  // Its own interventions would be measured with the steps.
  await open(page, `${site}#v1.retry-storm`);
  await plan(page, ['arrivals.rate_per_second=20..140:40'], 3);
  await at(page, 'stairs-run').click();
  await expect(at(page, 'stairs-problem')).toContainText('/timeline');
  await at(page, 'stairs-hold').fill('');
  await plan(page, ['run.duration_seconds=20..140:40'], 3);
  await at(page, 'stairs-run').click();
  await expect(at(page, 'stairs-problem')).toContainText('a field that may change in a run');
});
