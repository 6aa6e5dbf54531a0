// The event list and the life of a request, held to what the command line writes down.
import { AxeBuilder, STORM, at, expect, finish, open, test, type } from './harness.mjs';
import { streamOf } from './cli.mjs';
import { number, seconds, time } from './words.mjs';

/** Records that the page keeps. */
const KEPT = 20_000;

const grid = (page) => at(page, 'events');
const rows = (page) => grid(page).locator('.event-body [role="row"]:visible');
const total = async (page) => Number(await grid(page).getAttribute('aria-rowcount')) - 1;

async function ready(page, preset) {
  if (typeof preset === 'string') await at(page, 'preset').selectOption(preset);
  else {
    await type(page, JSON.stringify(preset));
    await at(page, 'json').blur();
  }
  await finish(page, expect);
  await page.locator('#events').scrollIntoViewIfNeeded();
  await expect(at(page, 'events-count')).toContainText(/All|latest/);
}

/** Time, request and agent of the rows in view, by their place in the list. */
const drawn = (page) => rows(page).evaluateAll((lines) => lines.map((line) => ({
  index: Number(line.getAttribute('aria-rowindex')) - 2,
  cells: Array.from(line.children, (cell) => cell.textContent),
})).sort((a, b) => a.index - b.index));

/** Rows in view are those of this list, at the same places. */
async function agree(page, expected) {
  await expect.poll(() => total(page)).toBe(expected.length);
  const found = await drawn(page);
  expect(found.length).toBeGreaterThan(Math.min(5, expected.length) - 1);
  for (const { index, cells: [when, , request, agent] } of found) {
    const one = expected[index];
    expect(when).toBe(seconds(one.at_seconds));
    expect(request === '' ? undefined : number(request)).toBe(one.request);
    expect(agent === '' ? undefined : number(agent)).toBe(one.agent);
  }
}

test('the list has the latest events of the stream, and only what is in view is in the page', async ({ page, site }) => {
  await open(page, site);
  await expect(at(page, 'events-empty')).toContainText('Run the experiment');
  await ready(page, 'exp-002');
  const stream = streamOf('exp-002');
  const kept = stream.slice(-KEPT);
  expect(kept.length).toBe(KEPT);
  await agree(page, kept);
  expect(number((await at(page, 'events-count').textContent()).match(/of (.*) events/)[1])).toBe(stream.length);
  expect(await grid(page).locator('[role="row"]').count()).toBeLessThan(40);
  // It followed the end; from the middle and from the start it is the same list.
  expect((await drawn(page)).at(-1).index).toBe(KEPT - 1);
  for (const share of [0.5, 0]) {
    await grid(page).evaluate((one, share) => { one.scrollTop = share * one.scrollHeight; }, share);
    await expect.poll(async () => (await drawn(page))[0].index).toBeLessThan(KEPT / 2 + 1);
    await agree(page, kept);
  }
  await expect(at(page, 'events-follow')).toHaveAttribute('aria-pressed', 'false');
  await at(page, 'events-follow').click();
  await expect.poll(async () => (await drawn(page)).at(-1).index).toBe(KEPT - 1);
});

test('the list is filtered by kind, request, agent, words and failures', async ({ page, site }) => {
  await open(page, site);
  await ready(page, 'exp-002');
  const kept = streamOf('exp-002').slice(-KEPT);
  const refused = kept.filter(({ event }) => event === 'QUEUE_THROTTLED');
  await at(page, 'events-kind').selectOption({ label: 'Turned away' });
  await agree(page, refused);
  await expect(at(page, 'events-status')).toContainText(String(refused.length % 1000));
  await at(page, 'events-text').fill('overflow');
  await agree(page, refused.filter((one) => one['error.type'] === 'QUEUE_OVERFLOW'));
  await at(page, 'events-clear').click();
  await agree(page, kept);
  await at(page, 'events-failures').check();
  const bad = (mode) => mode !== undefined && mode !== 'NOMINAL_OPERATION';
  const fails = (one) => one.event === 'QUEUE_THROTTLED' || bad(one.outcome) || one.fault === 'error';
  await agree(page, kept.filter(fails));
  await at(page, 'events-agent').fill('7');
  await agree(page, kept.filter((one) => fails(one) && one.agent === 7));
  await at(page, 'events-clear').click();
  const last = kept.findLast(({ request }) => request !== undefined).request;
  await at(page, 'events-request').fill(String(last));
  await agree(page, kept.filter(({ request }) => request === last));

  await at(page, 'events-request').fill('seven');
  await expect(at(page, 'events-problem')).toContainText('found “seven”');
  await expect(at(page, 'events-request')).toHaveAttribute('aria-invalid', 'true');
  await expect(at(page, 'events-clear')).toBeEnabled();
  await at(page, 'events-request').fill('99999999');
  await expect(at(page, 'events-problem')).toHaveText('');
  await expect(at(page, 'events-empty')).toContainText('has not been created');
  await at(page, 'events-clear').click();
  await at(page, 'events-text').fill('no such words');
  await expect(at(page, 'events-empty')).toContainText('None of the latest events passes');
});

test('the list is walked through by keyboard', async ({ page, site }) => {
  await open(page, site);
  await ready(page, 'exp-002');
  const kept = streamOf('exp-002').slice(-KEPT);
  await grid(page).focus();
  const active = async () => {
    const id = await grid(page).getAttribute('aria-activedescendant');
    return id === null ? null : Number(await page.locator(`#${id}`).getAttribute('aria-rowindex')) - 2;
  };
  await expect.poll(active).toBe(KEPT - 1);
  await page.keyboard.press('Home');
  await expect.poll(active).toBe(0);
  await page.keyboard.press('ArrowUp');
  await expect.poll(active).toBe(0);
  for (let times = 0; times < 3; times++) await page.keyboard.press('ArrowDown');
  await expect.poll(active).toBe(3);
  await page.keyboard.press('PageDown');
  await expect.poll(active).toBeGreaterThan(8);
  const there = await active();
  // The row that the keyboard is at is in view, and the only one that looks like it.
  await expect(grid(page).locator('.event-row.active:visible')).toHaveCount(1);
  await expect(grid(page).locator('.event-row.active')).toBeInViewport();
  await page.keyboard.press('PageUp');
  await expect.poll(active).toBe(3);
  await page.keyboard.press('PageDown');
  await expect.poll(active).toBe(there);
  await page.keyboard.press('Enter');
  await expect(at(page, 'life')).toBeVisible();
  await expect(at(page, 'life').getByRole('heading')).toHaveText(`Request ${kept[there].request.toString().replace(/\B(?=(\d{3})+$)/g, ' ')}`);
  await expect(grid(page)).toBeFocused();
  await page.keyboard.press('End');
  await expect.poll(active).toBe(KEPT - 1);
  await at(page, 'life-only').focus();
  await page.keyboard.press('Escape');
  await expect(at(page, 'life')).toBeHidden();
  await expect(grid(page)).toBeFocused();
});

/** The steps of the life that is shown are these records. */
async function stepsAre(page, expected) {
  const lines = at(page, 'life-steps').locator('tbody tr');
  await expect(lines).toHaveCount(expected.length);
  const found = await lines.evaluateAll((all) => all.map((line) => Array.from(line.children, (cell) => cell.textContent)));
  found.forEach(([after, when], index) => {
    expect(when).toBe(seconds(expected[index].at_seconds));
    expect(after).toBe(`+ ${seconds(expected[index].at_seconds - expected[0].at_seconds)}`);
  });
}

const sums = (page) => at(page, 'life-sums').locator('li').evaluateAll((all) => Object.fromEntries(all.map((one) => [one.dataset.phaseSum ?? 'all', one.querySelector('strong').textContent])));

test('the life of a request that has left the list is found again, with its times', async ({ page, site }) => {
  await open(page, site);
  await ready(page, 'exp-002');
  const stream = streamOf('exp-002');
  const oldest = stream.length - KEPT;
  // Without clients a life is short: one that was served, and one that was turned away.
  const early = stream.slice(0, oldest / 2);
  const served = early.findLast(({ event }) => event === 'REQUEST_COMPLETED').request;
  const refused = early.findLast(({ event }) => event === 'QUEUE_THROTTLED').request;
  const latest = stream.findLast(({ event }) => event === 'REQUEST_COMPLETED').request;
  for (const request of [served, refused, latest]) {
    await at(page, 'events-request').fill(String(request));
    await at(page, 'events-request').press('Enter');
    const own = stream.filter((one) => one.request === request);
    await stepsAre(page, own);
    const when = (name) => own.find(({ event }) => event === name)?.at_seconds;
    if (request === refused) {
      await expect(at(page, 'life-words')).toContainText('Turned away at once');
      await expect(at(page, 'life-sums')).toHaveCount(0);
      continue;
    }
    const [created, admitted, started, completed] = ['REQUEST_CREATED', 'REQUEST_ADMITTED', 'REQUEST_STARTED', 'REQUEST_COMPLETED'].map(when);
    const found = await sums(page);
    expect(found.all).toBe(time(own.at(-1).latency_seconds));
    expect(found.queue).toBe(started > admitted ? time(started - admitted) : undefined);
    expect(found.service).toBe(time(completed - started));
    expect(found.entrance).toBe(admitted > created ? time(admitted - created) : undefined);
  }
});

test('the sends of a request are told apart, each with its times and its end', async ({ page, site }) => {
  await open(page, site);
  await ready(page, STORM);
  const stream = streamOf(STORM);
  const { request } = stream.find(({ event, attempts }) => event === 'REQUEST_SETTLED' && attempts === 3);
  const attempts = stream.filter((one) => one.event === 'ATTEMPT_SENT' && one.request === request);
  const own = stream.filter((one) => one.request === request);
  await at(page, 'events-request').fill(String(request));
  await at(page, 'events-show').click();
  await stepsAre(page, own);
  const settled = own.find(({ event }) => event === 'REQUEST_SETTLED');
  await expect(at(page, 'life-words')).toContainText(`after 3 sends, ${time(settled.latency_seconds)} from its creation`);
  expect((await sums(page)).all).toBe(time(settled.latency_seconds));
  const lines = at(page, 'life-attempts').locator('li');
  await expect(lines).toHaveCount(attempts.length);
  for (const [index, { at_seconds: began }] of attempts.entries()) {
    const ended = own.find((one) => ['ATTEMPT_ANSWERED', 'ATTEMPT_TIMED_OUT', 'ATTEMPT_CANCELLED'].includes(one.event) && (one.attempt ?? 0) === index);
    await expect(lines.nth(index)).toContainText(`Send ${index + 1}`);
    await expect(lines.nth(index)).toContainText(` – ${time(ended.at_seconds - began)} – `);
    await expect(lines.nth(index)).toContainText(ended.event === 'ATTEMPT_TIMED_OUT' ? 'timed out' : 'answered');
  }
  await at(page, 'life-only').click();
  await agree(page, own.filter((one) => stream.indexOf(one) >= stream.length - KEPT));
});

test('the slowest ten are those of the whole run', async ({ page, site }) => {
  await open(page, site);
  for (const [experiment, end] of [['exp-002', 'REQUEST_COMPLETED'], [STORM, 'REQUEST_SETTLED']]) {
    await ready(page, experiment);
    const stream = streamOf(experiment);
    const ends = stream.filter(({ event }) => event === end).sort((a, b) => b.latency_seconds - a.latency_seconds).slice(0, 10);
    const buttons = at(page, 'slowest').getByRole('button');
    await expect(buttons).toHaveCount(10);
    await expect.poll(() => buttons.evaluateAll((all) => all.map(({ value }) => Number(value)))).toEqual(ends.map(({ request }) => request));
    expect(await buttons.locator('.took').allTextContents()).toEqual(ends.map((one) => time(one.latency_seconds)));
    await buttons.nth(1).click();
    await stepsAre(page, stream.filter(({ request }) => request === ends[1].request));
    expect((await sums(page)).all).toBe(time(ends[1].latency_seconds));
  }
});

test('a search for a request says how far it is, and can be stopped and taken up again', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'preset').selectOption('mm4-80');
  await finish(page, expect);
  await page.locator('#events').scrollIntoViewIfNeeded();
  await expect(at(page, 'events-count')).toContainText('latest');
  await at(page, 'events-request').fill('900000');
  await expect(at(page, 'events-empty')).toContainText('in the list any more');
  // Both clicks in one task, so that no machine is too fast for the second.
  const said = await page.evaluate(() => {
    const by = (name) => document.querySelector(`[data-testid="${name}"]`);
    by('events-show').click();
    const words = by('life-search').textContent;
    by('life-stop').click();
    return words;
  });
  expect(said).toContain('The run is played again to find them: 0 %');
  await expect(at(page, 'life-search')).toContainText('was stopped');
  await expect(at(page, 'life-steps')).toHaveCount(0);
  await at(page, 'life-stop').click();
  await expect(at(page, 'life-steps')).toBeVisible({ timeout: 30_000 });
  await expect(at(page, 'life-search')).toBeHidden();
  await expect(at(page, 'life-steps').locator('tbody tr').first()).toContainText('created');
  // Another run: its numbers mean others, and nothing of the last one stays.
  await at(page, 'preset').selectOption('exp-001');
  await expect(at(page, 'life')).toBeHidden();
  await expect(at(page, 'events-count')).toHaveText('No events yet.');
  await expect(at(page, 'slowest').getByRole('button')).toHaveCount(0);
});

test('while a run plays the list follows its end, and holds still for whoever reads', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'speed').selectOption('1');
  await at(page, 'run').click();
  await page.locator('#events').scrollIntoViewIfNeeded();
  await expect.poll(() => total(page)).toBeGreaterThan(100);
  const before = await total(page);
  await expect.poll(() => total(page)).toBeGreaterThan(before);
  await expect.poll(async () => (await drawn(page)).at(-1).index + 1 - await total(page)).toBe(0);
  await grid(page).evaluate((one) => { one.scrollTop = 200; });
  await expect(at(page, 'events-follow')).toHaveAttribute('aria-pressed', 'false');
  const read = (await drawn(page)).map(({ cells }) => cells.join());
  const then = await total(page);
  await expect.poll(() => total(page)).toBeGreaterThan(then);
  expect((await drawn(page)).map(({ cells }) => cells.join())).toEqual(read);
  await at(page, 'pause').click();
  await expect(at(page, 'status')).toContainText('Paused');
  // A step at a time, the list is never behind.
  await at(page, 'step-by').selectOption('event');
  const paused = await total(page);
  await at(page, 'step').click();
  await expect.poll(() => total(page)).toBeGreaterThan(paused);
});

for (const scheme of ['light', 'dark']) {
  test(`nothing is in the way of anybody (${scheme})`, async ({ page, site }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, site);
    await ready(page, STORM);
    await at(page, 'slowest').getByRole('button').nth(2).click();
    await expect(at(page, 'life-steps')).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).include('#events').analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`)).toEqual([]);
    await page.setViewportSize({ width: 320, height: 800 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    const small = await page.locator('#events').evaluate((place) => Array.from(place.querySelectorAll('button, select, input'), (one) => [one.dataset.testid ?? one.textContent, one.getBoundingClientRect()])
      .filter(([, { width, height }]) => width > 0 && Math.min(width, height) < 24).map(([name]) => name));
    expect(small).toEqual([]);
  });
}
