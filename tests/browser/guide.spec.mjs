// Guided experiments: each from its first question to its last answer, and what their texts claim.
import { readFileSync, readdirSync } from 'node:fs';
import { AxeBuilder, at, cli, expect, open, test } from './harness.mjs';

const folder = new URL('../../web/guides/', import.meta.url);
const GUIDES = Object.fromEntries(readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => [name.replace('.json', ''), JSON.parse(readFileSync(new URL(name, folder), 'utf8'))]));
const read = (report, field) => field.split('.').reduce((place, name) => place?.[name], report);

/** The command line's arguments for a preset with settings. */
const sets = (all) => Object.entries(all).flatMap(([path, value]) => ['--set', `${path}=${JSON.stringify(value)}`]);

/** What each step, and each "now try", claims of its report: over several seeds, not of one. */
const claims = Object.entries(GUIDES).flatMap(([name, { steps }]) => steps.flatMap((step, index) => [
  { name: `${name}, step ${index + 1}`, preset: step.preset, set: step.set ?? {}, claim: step.expect },
  ...(step.try ? [{ name: `${name}, step ${index + 1}, now try`, preset: step.try.preset ?? step.preset, set: step.try.preset ? step.try.set ?? {} : { ...step.set, ...step.try.set }, claim: step.try.expect }] : []),
]));

test('what the guides say is what happens', async () => {
  expect(claims.length).toBeGreaterThan(15);
  for (const { name, preset, set, claim } of claims) {
    expect(Object.keys(claim ?? {}).length, name).toBeGreaterThan(0);
    const { runs } = cli('run', preset, ...sets(set), '--seeds', '1..5', '--json');
    for (const run of runs) {
      for (const [field, wanted] of Object.entries(claim)) {
        const value = read(run, field);
        if (!Array.isArray(wanted)) expect(value, `${name}: ${field} with seed ${run.seed}`).toBe(wanted);
        else {
          expect(value, `${name}: ${field} with seed ${run.seed}`).toBeGreaterThanOrEqual(wanted[0]);
          expect(value, `${name}: ${field} with seed ${run.seed}`).toBeLessThanOrEqual(wanted[1]);
        }
      }
    }
  }
});

for (const [name, guide] of Object.entries(GUIDES)) {
  test(`${name} can be gone through by keyboard, from its link to its end`, async ({ page, site }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await open(page, `${site}#guide=${name}`);
    const card = page.locator('#guide');
    for (const [index, step] of guide.steps.entries()) {
      await expect(card.getByRole('heading', { name: step.title })).toBeFocused();
      await expect(at(page, 'guide-run')).toBeDisabled();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await expect(card.getByRole('radio').first()).toBeChecked();
      await at(page, 'guide-run').focus();
      await page.keyboard.press('Enter');
      await expect(at(page, 'guide-answer')).toHaveText(step.question.options[0].answer, { timeout: 60_000 });
      await expect(card).toContainText('✓ this is what happens');
      await expect(card).toContainText(step.explain);
      await at(page, 'guide-look').focus();
      await page.keyboard.press('Enter');
      const looked = page.locator('.looked');
      await expect(looked).toHaveCount(1);
      await expect(looked).toBeInViewport();
      if (step.try) {
        await at(page, 'guide-try').focus();
        await page.keyboard.press('Enter');
        await expect(at(page, 'status')).toHaveText('Done', { timeout: 60_000 });
      }
      if (index < guide.steps.length - 1) {
        await at(page, 'guide-next').focus();
        await page.keyboard.press('Enter');
      }
    }
    await at(page, 'guide-leave').click();
    await expect(card).toBeHidden();
  });
}

test('a guide keeps the experiment from before, and can be left at any step', async ({ page, site }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, site);
  await at(page, 'seed').fill('77');
  await at(page, 'seed').blur();
  await at(page, 'guide-first').click();
  await at(page, 'guide-skip').click();
  await expect(at(page, 'guide-answer')).toBeVisible({ timeout: 60_000 });
  await expect(at(page, 'preset')).toHaveValue('exp-001');
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations).toEqual([]);
  await at(page, 'guide-restore').click();
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  await expect(at(page, 'seed')).toHaveValue('77');
  // Whoever changes the experiment in the middle is asked again.
  await at(page, 'guide-list').click();
  await expect(at(page, 'guides').getByRole('listitem')).toHaveCount(Object.keys(GUIDES).length);
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations).toEqual([]);
  await page.keyboard.press('Escape');
});

test('a guide of one’s own opens from a file; a wrong one is refused by its place', async ({ page, site }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, site);
  await at(page, 'guide-list').click();
  const own = structuredClone(GUIDES['the-knee']);
  const give = (name, text) => page.locator('#guide-file').setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  for (const [change, words] of [
    [(guide) => delete guide.steps[1].look, '/steps/1/look: found nothing'],
    [(guide) => { guide.steps[0].question.options[1].right = undefined; }, '0 are right'],
    [(guide) => { guide.steps[2].titel = 'x'; }, '/steps/2/titel: no such field'],
    [(guide) => { guide.steps[0].preset = 'exp-999'; }, 'there is no experiment "exp-999"'],
    [(guide) => { guide.minutes = 'three'; }, '/minutes: found text'],
  ]) {
    const wrong = structuredClone(own);
    change(wrong);
    await give('wrong.json', JSON.stringify(wrong));
    await expect(at(page, 'guide-problem')).toContainText(words);
  }
  await give('picture.json', 'not JSON');
  await expect(at(page, 'guide-problem')).toContainText('is not JSON');
  await give('huge.json', ' '.repeat(300_000));
  await expect(at(page, 'guide-problem')).toContainText('at most 200000');

  own.title = 'My own guide';
  own.steps[0].set = { 'workers.count': -3 };
  await give('own.json', JSON.stringify(own));
  await expect(page.locator('#guide')).toContainText('My own guide · step 1 of 3');
  // What the engine refuses is said, and nothing runs.
  await at(page, 'guide-skip').click();
  await expect(at(page, 'error')).toContainText('workers');
  await expect(at(page, 'status')).toHaveText('Ready');

  await page.goto('about:blank');
  await open(page, `${site}#guide=no-such`);
  await expect(at(page, 'error')).toContainText('there is no guide "no-such"');
});
