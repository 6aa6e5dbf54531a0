// The guided experiments: whether what they say is true, and whether one can go through them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expected, experiments, holds } from '../../web/shared/guide.js';
import { read } from '../../web/shared/paths.js';
import { AxeBuilder, at, cliOn, expect, open, test, text, type } from './harness.mjs';
import { GUIDES, profileOf } from './samples.mjs';

const card = (page) => page.locator('#guide');

// ---- Is it true?

for (const { name, guide } of GUIDES) {
  test(`what the guide "${name}" says holds in 20 seeds of 20`, () => {
    for (const one of experiments(guide)) {
      const { runs } = cliOn(profileOf(one), 'run', '-', '--seeds', '1..20', '--json');
      expect(runs.length).toBe(20);
      for (const report of runs) {
        const words = `${one.place}, seed ${report.seed}`;
        for (const figure of one.figures) expect(holds(figure, report), `${words}: ${figure.field} is ${read(report, figure.field)}, the guide says ${expected(figure)}`).toBe(true);
        for (const claim of one.sweep?.sweep.claims.filter((each) => each.case === one.sweep.index && each.value === one.sweep.value) ?? []) {
          const value = read(report, one.sweep.sweep.measure);
          expect(value >= claim.from && value <= claim.to, `${words}: ${value}, the guide says ${claim.from} to ${claim.to}`).toBe(true);
        }
      }
    }
  });
}

test('the guide on bulkheads is right about light and heavy requests', () => {
  const place = mkdtempSync(join(tmpdir(), 'guide-'));
  try {
    const [onePool, bulkheads, small] = experiments(GUIDES.find(({ name }) => name === 'bulkheads').guide).map((one) => {
      const file = join(place, 'events');
      cliOn(profileOf(one), 'run', '-', '--events', file, '--json');
      const classes = new Map();
      const failed = { LIGHT: [0, 0], HEAVY: [0, 0] };
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        if (!/REQUEST_(CREATED|SETTLED)/.test(line)) continue;
        const { event, at_seconds, request, class: kind, outcome } = JSON.parse(line);
        if (event === 'REQUEST_CREATED') {
          if (at_seconds >= 50) classes.set(request, kind);
        } else if (classes.has(request)) {
          const count = failed[classes.get(request)];
          count[1]++;
          if (outcome !== 'NOMINAL_OPERATION') count[0]++;
        }
      }
      return { light: failed.LIGHT[0] / failed.LIGHT[1], heavy: failed.HEAVY[0] / failed.HEAVY[1] };
    });
    expect(onePool.light).toBeGreaterThan(0.95);
    expect(onePool.heavy).toBeGreaterThan(0.95);
    expect(bulkheads.light).toBe(0);
    expect(bulkheads.heavy).toBeGreaterThan(0.95);
    expect(small.light).toBeGreaterThan(0.5);
  } finally {
    rmSync(place, { recursive: true });
  }
});

// ---- Can one go through it?

/** Moves the focus with Tab until it is there. */
async function tabTo(page, selector) {
  for (let times = 0; times < 40; times++) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${selector}`);
}
const by = (name) => `[data-testid="guide-${name}"]`;
/** Presses a button of the guide by key. */
async function press(page, name) {
  await tabTo(page, by(name));
  await page.keyboard.press('Enter');
}
const focused = (page) => page.evaluate(() => document.activeElement?.textContent ?? '');

async function openGuide(page, site, name) {
  await page.goto('about:blank');
  await open(page, `${site}#guide=${name}`);
  await expect(card(page).locator('h3')).toBeFocused();
}

for (const { name, guide } of GUIDES) {
  test(`the guide "${name}" can be gone through by keyboard, and its runs bear it out`, async ({ page, site }) => {
    await openGuide(page, site, name);
    for (const [index, step] of guide.steps.entries()) {
      await expect(at(page, 'guide-progress')).toHaveText(`Step ${index + 1} of ${guide.steps.length}`);
      await expect.poll(() => focused(page)).toBe(step.title);
      const right = step.question?.options.findIndex((one) => one.right);
      if (step.question) {
        await tabTo(page, '#guide-option-0');
        await page.keyboard.press('Space');
        for (let down = 0; down < right; down++) await page.keyboard.press('ArrowDown');
        await press(page, 'predict');
      } else await press(page, 'run');
      if (step.sweep) {
        await expect(card(page)).toContainText(`${step.sweep.values.length * step.sweep.seeds.length * step.sweep.cases.length} runs`, { timeout: 60_000 });
        await expect(at(page, 'guide-curve').locator('tbody tr')).toHaveCount(step.sweep.values.length);
      } else {
        if (step.run.speed !== Infinity) await press(page, 'finish').catch(() => {});
        await expect(at(page, 'guide-figures').locator('dd')).toHaveCount(step.figures.length, { timeout: 30_000 });
        for (const one of await at(page, 'guide-figures').locator('dd').all()) expect(await one.getAttribute('data-holds'), await one.textContent()).toBe('true');
      }
      if (step.question) {
        await expect(at(page, 'guide-verdict')).toContainText('✓ As you expected');
        await expect.poll(() => focused(page)).toContain('As you expected');
      }
      if (step.then) {
        await press(page, 'try');
        if (step.then.speed !== Infinity) await press(page, 'finish').catch(() => {});
        await expect(at(page, 'guide-figures')).toHaveCount(2, { timeout: 30_000 });
        for (const one of await at(page, 'guide-figures').nth(1).locator('dd').all()) expect(await one.getAttribute('data-holds'), await one.textContent()).toBe('true');
      }
      await press(page, 'next');
    }
    await expect(card(page)).toContainText('That was it');
  });
}

test('the page shows the very run that the guide speaks of, and leads to its chart', async ({ page, site }) => {
  await openGuide(page, site, 'collapse');
  await page.locator('#guide-option-0').check();
  await at(page, 'guide-predict').click();
  await at(page, 'guide-finish').click();
  await expect(at(page, 'guide-verdict')).toContainText('It came out differently');
  await expect(at(page, 'guide-verdict')).toContainText('Right is: Grow until it is full');
  const [first] = experiments(GUIDES.find(({ name }) => name === 'collapse').guide);
  await expect(at(page, 'digest')).toHaveText(cliOn(profileOf(first), 'run', '-', '--json').digest);
  await at(page, 'guide-look').click();
  await expect(page.locator('[data-chart="queue"]')).toBeFocused();
  await expect(page.locator('[data-chart="queue"]')).toHaveClass(/pointed/);
  await expect(page.locator('[data-chart="queue"]')).toBeInViewport();
});

test('a question is answered or skipped on purpose', async ({ page, site }) => {
  await openGuide(page, site, 'collapse');
  await at(page, 'guide-predict').click();
  await expect(page.locator('#guide-missing')).toHaveText('Choose what you expect first, or skip the question.');
  await expect(page.locator('#guide-option-0')).toBeFocused();
  await expect(at(page, 'status')).toHaveText('Ready');
  await at(page, 'guide-skip').click();
  await at(page, 'guide-finish').click();
  await expect(at(page, 'guide-verdict')).toContainText('What happened');
  await expect(at(page, 'guide-verdict')).toContainText('Right is: Grow until it is full');
});

test('what the person had before comes back, an edit that was refused included', async ({ page, site }) => {
  await open(page, site);
  await page.locator('[name="agents.count"]').fill('333');
  await page.locator('[name="agents.count"]').blur();
  await type(page, '{"version": 1, "workers": ');
  await expect(page.locator('#json-problem')).toBeVisible();
  const draft = await text(page);
  expect(draft).toContain('"workers": ');
  await page.locator('#guides').click();
  await at(page, 'guide-list').getByRole('link', { name: 'A retry storm' }).click();
  await at(page, 'guide-skip').click();
  await at(page, 'guide-finish').click();
  await expect(at(page, 'guide-verdict')).toBeVisible();
  await expect(at(page, 'preset')).toHaveValue('retry-storm');
  await at(page, 'guide-leave').click();
  await expect(card(page)).toContainText('Yours from before is kept');
  expect(new URL(page.url()).hash).toBe('');
  await at(page, 'guide-restore').click();
  await expect(card(page)).toBeHidden();
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  await expect(page.locator('[name="agents.count"]')).toHaveValue('333');
  await expect.poll(() => text(page)).toBe(draft);
  await expect(page.locator('#json-problem')).toBeVisible();
});

const agents = (page) => page.locator('[name="agents.count"]');
/** An edit of one's own, then the first run of a guide, whose experiment is a preset as it is. */
async function intoGuide(page) {
  await agents(page).fill('333');
  await agents(page).blur();
  await type(page, '{"version": 1, "workers": ');
  await expect(page.locator('#json-problem')).toBeVisible();
  await page.locator('#guides').click();
  await at(page, 'guide-list').getByRole('link', { name: 'A retry storm' }).click();
  await at(page, 'guide-skip').click();
  await at(page, 'guide-finish').click();
  await expect(at(page, 'guide-verdict')).toBeVisible();
}

test('what the person had before outlasts a reload, in the guide and after it has been left', async ({ page, site }) => {
  await open(page, site);
  await intoGuide(page);
  await page.reload();
  await expect(at(page, 'guide-question')).toBeVisible();
  await expect(at(page, 'notice')).toContainText('what you had before the guide is still kept');
  // The experiment of the guide is there again, and what a guide has put there is not taken for one's own.
  await expect(at(page, 'preset')).toHaveValue('retry-storm');
  await at(page, 'guide-skip').click();
  await at(page, 'guide-finish').click();
  await expect(at(page, 'guide-verdict')).toBeVisible();
  await at(page, 'guide-leave').click();
  await expect(card(page)).toContainText('Yours from before is kept');
  await page.reload();
  await expect(card(page)).toContainText('Yours from before is kept');
  await expect(at(page, 'preset')).toHaveValue('retry-storm');
  await at(page, 'guide-restore').click();
  await expect(card(page)).toBeHidden();
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  await expect(agents(page)).toHaveValue('333');
  await expect.poll(() => text(page)).toContain('"workers": ');
  await expect(page.locator('#json-problem')).toHaveCount(1);
  await page.reload();
  await at(page, 'status').waitFor();
  await expect(agents(page)).toHaveValue('333');
  await expect(card(page)).toBeHidden();
});

test('where the browser keeps nothing, a guide says that a reload loses what was before', async ({ page, site }) => {
  await page.addInitScript(() => Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('refused', 'SecurityError'); } }));
  await open(page, site);
  await intoGuide(page);
  await expect(at(page, 'notice')).toContainText('it is lost when the page is loaded again');
  await at(page, 'guide-leave').click();
  await at(page, 'guide-restore').click();
  await expect(agents(page)).toHaveValue('333');
  await page.reload();
  await at(page, 'status').waitFor();
  await expect(agents(page)).toHaveValue('400');
  await expect(card(page)).toBeHidden();
  await expect(at(page, 'notice')).toBeHidden();
});

test('leaving keeps the experiment of the guide, if one wants', async ({ page, site }) => {
  await openGuide(page, site, 'lifo');
  await at(page, 'guide-skip').click();
  await at(page, 'guide-leave').click();
  await at(page, 'guide-stay').click();
  await expect(card(page)).toBeHidden();
  await expect(at(page, 'preset')).toHaveValue('lifo-overload');
  await expect(page.locator('#guides')).toBeFocused();
});

test('a run that is paused, edited or reset does not leave the guide behind', async ({ page, site }) => {
  await openGuide(page, site, 'retry-storm');
  await at(page, 'guide-skip').click();
  await expect(at(page, 'guide-running')).toHaveText('Running …');
  await at(page, 'pause').click();
  await expect(at(page, 'guide-running')).toHaveText('Paused');
  await at(page, 'guide-resume').click();
  await expect(at(page, 'guide-running')).toHaveText('Running …');
  await page.locator('[name="workers.count"]').fill('2');
  await page.locator('[name="workers.count"]').blur();
  await expect(at(page, 'guide-running')).toContainText('changed or reset');
  await at(page, 'guide-again').click();
  await expect(page.locator('[name="workers.count"]')).toHaveValue('1');
  await at(page, 'pause').click();
  await at(page, 'reset').click();
  await expect(at(page, 'guide-running')).toContainText('changed or reset');
  await at(page, 'guide-again').click();
  await at(page, 'guide-finish').click();
  await expect(at(page, 'guide-verdict')).toBeVisible();
});

test('a run that came out differently than the guide says is called so', async ({ page, site }) => {
  const mine = { guide: 1, title: 'Mine', summary: 'x', minutes: 1, preset: 'exp-001', steps: [{ title: 'Only', text: 'x', run: {}, figures: [{ field: 'error_rate', from: 0.5, to: 0.6 }] }] };
  await open(page, `${site}#guide`);
  await at(page, 'guide-file').setInputFiles({ name: 'mine.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(mine)) });
  await at(page, 'guide-run').click();
  await expect(at(page, 'guide-figures')).toContainText('this guide expects 50.0 % to 60.0 %; this run is different');
  await expect(at(page, 'guide-figures').locator('dd')).toHaveAttribute('data-holds', 'false');
});

test('a sweep can be stopped, keeps what it has, and goes on', async ({ page, site }) => {
  await openGuide(page, site, 'knee');
  await at(page, 'guide-next').click();
  await at(page, 'guide-next').click();
  await at(page, 'guide-skip').click();
  await at(page, 'guide-stop').click();
  await expect(card(page)).toContainText(/Stopped after \d+ of 27 runs/);
  await at(page, 'guide-resume').click();
  await expect(card(page)).toContainText('27 runs', { timeout: 60_000 });
  await expect(at(page, 'status')).toHaveText('Ready');
});

test('a file of one’s own opens by choosing and by dropping; a wrong one says what is wrong, and where', async ({ page, site }) => {
  await open(page, `${site}#guide`);
  const choose = (text, name = 'mine.json') => at(page, 'guide-file').setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  const wrong = at(page, 'guide-wrong');
  await choose('not JSON');
  await expect(wrong).toContainText('“mine.json” cannot be opened');
  await expect(wrong).toContainText('this is not JSON');
  await choose(GUIDES[0].source.replace('"speed": 5', '"speed": "quick"').replace('"minutes": 1', '"minutes": "few"'));
  await expect(wrong).toContainText('steps[0].run.speed: found "quick"');
  await expect(wrong).toContainText('minutes: found "few"');
  // The engine has the last word on what an experiment may be.
  await choose(GUIDES[0].source.replace('"arrivals.rate_per_second": 110', '"arrivals.rate_per_second": -1'));
  await expect(wrong).toContainText('steps[0].set: /arrivals/rate_per_second: found -1');
  await choose(GUIDES[0].source.replace('"retry-storm"', '"retry-strom"'));
  await expect(wrong).toContainText('found "retry-strom", accepted: exp-001');
  await choose('x'.repeat(900_000));
  await expect(wrong).toContainText('found 900000 bytes');
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  await choose(GUIDES[0].source.replace('in a minute', 'as I tell it'), 'own.json');
  await expect(page.locator('#guide-title')).toHaveText('Why a queue collapses, as I tell it');
  await at(page, 'guide-leave').click();
  await expect(card(page)).toBeHidden();

  await page.locator('#guides').click();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], 'dropped.json'));
    for (const kind of ['dragover', 'drop']) document.getElementById('guide').dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }, GUIDES[1].source);
  await expect(page.locator('#guide-title')).toHaveText(GUIDES[1].guide.title);
});

test('an address opens a guide, and is not taken for an experiment', async ({ page, site }) => {
  await open(page, `${site}#guide=nothing-here`);
  await expect(at(page, 'guide-told')).toContainText('There is no guide "nothing-here"');
  await expect(at(page, 'guide-list').getByRole('listitem')).toHaveCount(GUIDES.length);
  await expect(at(page, 'error')).toBeHidden();
  await at(page, 'guide-list').getByRole('link').first().click();
  expect(new URL(page.url()).hash).toBe('#guide=collapse');
  await expect(card(page).locator('h3')).toBeFocused();
  const download = page.waitForEvent('download');
  await page.locator('#guides').click();
  await at(page, 'guide-list').getByRole('button', { name: 'Save its file: The knee' }).click();
  expect(readFileSync(await (await download).path(), 'utf8')).toBe(GUIDES[1].source);
});

test('the line for newcomers leads to the first guide, and can be put away for good', async ({ page, site }) => {
  await open(page, site);
  await page.getByRole('link', { name: 'Why a queue collapses, in a minute' }).click();
  await expect(at(page, 'guide-question')).toBeVisible();
  await at(page, 'guide-leave').click();
  await at(page, 'welcome-away').click();
  await expect(page.locator('#welcome')).toBeHidden();
  await expect(page.locator('#guides')).toBeFocused();
  await page.reload();
  await at(page, 'status').waitFor();
  await expect(page.locator('#welcome')).toBeHidden();
  await expect(page.locator('#guides')).toBeVisible();
});

for (const [scheme, width] of [['light', 1280], ['dark', 390], ['light', 320]]) {
  test(`axe finds nothing in any state of a guide, and nothing scrolls sideways: ${scheme}, ${width} px`, async ({ page, site }) => {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    const fine = async (state) => {
      const { violations } = await new AxeBuilder({ page }).include('#guide').include('.top').analyze();
      expect(violations.map(({ id, nodes }) => `${state}: ${id} ${nodes[0].html}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), state).toBe(true);
      // Targets are 24 px at least, links within sentences aside.
      const small = await card(page).locator('button, a, summary, input[type="file"], fieldset label').evaluateAll((all) => all.filter((one) => one.getClientRects().length && (one.offsetHeight < 24 || one.offsetWidth < 24)).map((one) => one.outerHTML));
      expect(small, state).toEqual([]);
    };
    await open(page, `${site}#guide`);
    await expect(at(page, 'guide-list').getByRole('listitem')).toHaveCount(GUIDES.length);
    await fine('list');
    await at(page, 'guide-file').setInputFiles({ name: 'mine.json', mimeType: 'application/json', buffer: Buffer.from('{}') });
    await expect(at(page, 'guide-wrong')).toBeVisible();
    await fine('wrong');
    await openGuide(page, site, 'hysteresis');
    await at(page, 'guide-next').click();
    await fine('asking');
    await at(page, 'guide-predict').click();
    await fine('nothing chosen');
    await at(page, 'guide-skip').click();
    await at(page, 'pause').click();
    await expect(at(page, 'guide-running')).toHaveText('Paused');
    await fine('paused');
    await at(page, 'guide-resume').click();
    await at(page, 'guide-finish').click();
    await expect(at(page, 'guide-figures')).toBeVisible();
    await fine('answered');
    await at(page, 'guide-next').click();
    await at(page, 'guide-skip').click();
    await expect(card(page)).toContainText('36 runs', { timeout: 60_000 });
    await card(page).locator('summary').click();
    await fine('curve');
    await at(page, 'guide-next').click();
    await at(page, 'guide-skip').click();
    await at(page, 'guide-finish').click();
    await at(page, 'guide-try').click();
    await at(page, 'guide-finish').click();
    await expect(at(page, 'guide-figures')).toHaveCount(2);
    await fine('tried');
    await at(page, 'guide-next').click();
    await fine('end');
    await at(page, 'guide-leave').click();
    await fine('left');
  });
}
