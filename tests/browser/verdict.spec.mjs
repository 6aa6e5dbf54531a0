// The verdict: its sentence and what it rests on, against the command line's.
import { AxeBuilder, at, cli, expect, finish, open, test } from './harness.mjs';

const percent = (share, digits) => `${(100 * share).toFixed(digits)} %`;
const facts = (page) => at(page, 'facts');
const row = (page, term) => facts(page).locator(`dt:text-is("${term}") + dd`);

async function run(page, site, preset) {
  await open(page, site);
  await at(page, 'preset').selectOption(preset);
  await finish(page, expect);
  return cli('run', preset, '--json');
}

for (const preset of ['exp-002', 'exp-003', 'game-day', 'mm1', 'published-002', 'exp-001']) {
  test(`${preset} says what the command line says, and what it is made of`, async ({ page, site }) => {
    const report = await run(page, site, preset);
    await expect(at(page, 'verdict-words')).toHaveText(report.headline);
    expect(report.verdict.startsWith(report.headline)).toBe(true);
    for (const [state, share] of Object.entries(report.state_share)) await expect(row(page, 'Share of time').locator('li', { hasText: state })).toHaveText(`${state} ${percent(share, 1)}`);
    const decisive = report.episodes.find((one) => one.decisive);
    const term = decisive?.tripped_by === 'recovered' ? 'Entered' : 'Tripped';
    if (decisive) {
      await expect(row(page, term).locator('button')).toHaveText(`${decisive.from_seconds.toFixed(2)} s`);
      await expect(row(page, 'Lasted')).toHaveText(decisive.to_seconds === null ? 'to the end.' : `until ${decisive.to_seconds.toFixed(2)} s.`);
      if (decisive.held_because) await expect(row(page, 'Held')).toHaveText(`because ${decisive.held_because}.`);
    } else await expect(row(page, term)).toHaveCount(0);
    if (report.errors.length) {
      const parts = row(page, 'Errors').locator('li');
      await expect(parts).toHaveCount(report.errors.length);
      for (const [index, part] of report.errors.entries()) await expect(parts.nth(index)).toContainText(`${percent(part.share_of_created, 2)} by ${part.cause} (${part.mode}`);
    } else await expect(row(page, 'Errors')).toHaveText('None.');
    await expect(row(page, 'Saturation')).toHaveCount(report.profile.queue.capacity === null ? 1 : 0);
    const starts = report.episodes.filter((one) => one.start_up);
    await expect(row(page, 'Start-up')).toHaveCount(starts.length ? 1 : 0);
    if (starts.length) await expect(row(page, 'Start-up').locator('button')).toHaveCount(2 * starts.length);
  });
}

test('a run that is too short has no state, and says so', async ({ page, site }) => {
  await run(page, site, 'published-002');
  await expect(at(page, 'verdict-words')).toContainText('No verdict: too short: 45 ticks counted, 200 needed; it was COLLAPSED from 0.05 s on');
  await expect(page.locator('#verdict .badge')).toHaveText('worst: COLLAPSED');
  await expect(at(page, 'state')).toHaveText('—');
});

test('what is metastable is confirmed by draining, and the detector is held against the twin', async ({ page, site }) => {
  const report = await run(page, site, 'retry-storm');
  expect(report.recovery.confirmed_by_draining).toBe(true);
  await expect(at(page, 'recovery')).toHaveText(report.recovery.text);
  await expect(at(page, 'recovery')).toContainText('Confirmed by draining');
  await expect(row(page, 'Detector')).toHaveText(report.detector_quality.text);
  await expect(row(page, 'Trigger').locator('button')).toHaveText(report.recovery.trigger_seconds.map((second) => `${second.toFixed(2)} s`));
  await at(page, 'preset').selectOption('exp-001');
  await expect(facts(page)).toBeHidden();
  await expect(at(page, 'recovery')).toBeHidden();
});

test('the evidence lists every transition with its rule, window, phase and values', async ({ page, site }) => {
  const report = await run(page, site, 'exp-002');
  const evidence = at(page, 'evidence');
  await expect(page.locator('#verdict summary')).toHaveText(`Evidence: ${report.evidence.length} transitions`);
  await expect(evidence).toBeHidden();
  await page.locator('#verdict summary').focus();
  await page.keyboard.press('Enter');
  const lines = evidence.locator('li');
  await expect(lines).toHaveCount(report.evidence.length);
  for (const [index, one] of report.evidence.entries()) {
    await expect(lines.nth(index)).toContainText(`${one.at_seconds.toFixed(2)} s ${one.from} → ${one.to}`);
    await expect(lines.nth(index)).toContainText(`window: ${one.window_seconds} s · ${one.phase === 'warm-up' ? 'start-up, not counted' : 'counted time'}`);
  }
  const growth = report.evidence.findIndex((one) => one.rule === 'latency_growth');
  await expect(lines.nth(growth)).toContainText(/rule: latency growth · .* · p95 before [\d.]+ ms · n before \d+ · p95 [\d.]+ ms · n \d+$/);
  await expect(page.locator('#report')).not.toContainText('Evidence');
  // Another run has another list, though the place is the same.
  await at(page, 'preset').selectOption('exp-003');
  await finish(page, expect);
  await expect(lines).toHaveCount(cli('run', 'exp-003', '--json').evidence.length);
  await expect(lines.first()).toContainText('0.65 s');
});

test('every moment is a button that leads to the charts, by keyboard as well', async ({ page, site }) => {
  await page.setViewportSize({ width: 1280, height: 500 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await run(page, site, 'retry-storm');
  const button = facts(page).getByRole('button', { name: 'Look at 20.45 s on the charts' });
  await button.focus();
  const top = () => page.locator('#charts').evaluate((charts) => charts.getBoundingClientRect().top);
  expect(await top()).toBeGreaterThan(500);
  await page.keyboard.press('Enter');
  await expect.poll(top).toBeLessThan(400);
  await expect(button).toBeFocused();
  for (const one of await facts(page).getByRole('button').all()) {
    const box = await one.boundingBox();
    expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(24);
  }
});

for (const width of [320, 1280]) {
  test(`while it runs, nothing below the verdict moves, whatever the detector says: ${width} px`, async ({ page, site }) => {
    await page.setViewportSize({ width, height: 900 });
    await open(page, site);
    await at(page, 'preset').selectOption('gc-stalls');
    await at(page, 'step-by').selectOption('second');
    await at(page, 'step').click();
    const below = () => page.locator('#picture').evaluate((picture) => picture.getBoundingClientRect().top - document.querySelector('#verdict').getBoundingClientRect().top);
    const badge = page.locator('#verdict .badge');
    await expect(badge).toHaveText('STABLE');
    const before = await below();
    const seen = new Set();
    const clock = page.locator('.status span');
    for (let second = 2; second <= 45; second++) {
      await at(page, 'step').click();
      await expect(clock).toContainText(`${second}.00 s of virtual time`);
      seen.add(await badge.textContent());
      expect(await below()).toBe(before);
    }
    expect([...seen].sort()).toEqual(['COLLAPSED', 'DEGRADED', 'STABLE']);
  });
}

test('events are announced rarely, and the end by its sentence', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'preset').selectOption('gc-stalls');
  await page.evaluate(() => {
    const place = document.querySelector('[data-testid="announcement"]');
    globalThis.said = [];
    new MutationObserver(() => globalThis.said.push([performance.now(), place.textContent])).observe(place, { childList: true, characterData: true, subtree: true });
  });
  await at(page, 'speed').selectOption('20');
  await at(page, 'run').click();
  await expect.poll(() => page.evaluate(() => globalThis.said.length), { timeout: 60_000 }).toBeGreaterThan(1);
  await at(page, 'speed').selectOption('max');
  await expect(at(page, 'status')).toHaveText('Done', { timeout: 60_000 });
  const { headline, evidence } = cli('run', 'gc-stalls', '--json');
  await expect(at(page, 'announcement')).toHaveText(headline);
  const said = await page.evaluate(() => globalThis.said);
  expect(said.at(-1)[1]).toBe(headline);
  const events = said.slice(0, -1);
  expect(events.length).toBeLessThan(evidence.length);
  for (const [, text] of events) expect(evidence.map((one) => one.text)).toContain(text);
  // They are told apart by the page's own clock: it waits, however slow the machine is.
  for (let n = 1; n < events.length; n++) expect(events[n][0] - events[n - 1][0]).toBeGreaterThan(3900);
  await at(page, 'reset').click();
  await expect(at(page, 'announcement')).toHaveText('');
});

for (const [scheme, width] of [['dark', 320], ['light', 390], ['light', 1920]]) {
  test(`axe finds nothing in it, and nothing scrolls sideways: ${scheme}, ${width} px`, async ({ page, site }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await run(page, site, 'game-day');
    await page.locator('#verdict summary').click();
    await expect(at(page, 'evidence').locator('li').first()).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).include('#verdict').analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
}
