// The page in Firefox: the same results as natively, and the same ways to get at them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe } from '../../web/firefoxkit.js';
import { experiments } from '../../web/shared/guide.js';
import { cli, cliOn, presets, streamOf } from './cli.mjs';
import {
  another, chord, choose, clean, click, count, end, fill, finish, focus, focuses, front, goTo, hides, id, inEditor, is, json, launch, named, narrow, on, open,
  openText, page, press, reload, says, seen, shows, site, start, status, tabTo, text, texts, twice, type, unfold, until, value,
} from './fox.mjs';
import { drop, fillStorage, inked, refuseStorage, soon, sleep } from './inpage.mjs';
import { GUIDES, STORM, profileOf } from './samples.mjs';
import { number, seconds, time } from './words.mjs';

before(start);
after(end);

const drag = (to) => page.$eval(id('scrub'), (input, value) => {
  input.value = String(value);
  input.dispatchEvent(new Event('input', { bubbles: true }));
}, to);
const label = () => page.$eval('#picture svg', (one) => one.getAttribute('aria-label'));
const clock = () => text('.status span');
const attribute = (name, which) => page.$eval(id(name), (one, asked) => one.getAttribute(asked), which);
/** The accessibility checks find nothing. */
async function accessible(within = 'body') {
  await page.evaluate(axe);
  const found = await page.evaluate(async (place) => (await globalThis.axe.run(place)).violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`), within);
  assert.deepEqual(found, []);
}

test('every preset has the digest and the state of the command line', async () => {
  await open();
  for (const preset of presets()) {
    const expected = cli('run', preset, '--json');
    await choose('preset', preset);
    await status('Ready');
    await finish();
    assert.equal(await text('digest'), expected.digest, preset);
    assert.equal(await text('state'), expected.state ?? '—', preset);
  }
  clean();
});

// ---- A run

test('a past moment is the very moment, and a run goes on from there', async () => {
  await open();
  await choose('step-by', 'second');
  for (let second = 1; second <= 7; second++) {
    await click('step');
    await until(clock, (found) => found.startsWith(`${second}.00 s`));
  }
  const seven = await label();
  await finish();
  const digest = await text('digest');
  await drag(7);
  await until(label, (found) => found === seven);
  await finish();
  assert.equal(await text('digest'), digest);
  clean();
});

test('the line of the run is moved along by keys, and reads its moment', async () => {
  await open();
  await finish();
  const [end, whole] = [await front(), await label()];
  const reads = () => attribute('scrub', 'aria-valuetext');
  const at = async (moment) => {
    await until(reads, (found) => found === `${moment.toFixed(2)} s of ${end.toFixed(2)} s`);
    await status('Looking back');
  };
  await focus('scrub');
  const tick = JSON.parse(await json()).telemetry.interval_seconds;
  await press('PageDown');
  await at(end * 0.95);
  await press('PageDown');
  await at(end * 0.9);
  await press('ArrowLeft');
  await at(end * 0.9 - tick);
  assert.notEqual(await label(), whole);
  for (const key of ['ArrowRight', 'PageUp', 'PageUp']) await press(key);
  await status('Done');
  await until(label, (found) => found === whole);
  await press('PageDown');
  await at(end * 0.95);
  await press('l');
  await status('Done');
  clean();
});

test('what is broken while it runs is in the link, which reproduces', async () => {
  await open();
  await click('run');
  await until(() => page.$eval(id('progress'), (bar) => bar.value), (found) => found > 0.1);
  await click('break-crash');
  await says('struck-list', '1 worker crashed');
  await finish();
  const [link, digest] = [await value('share-link'), await text('digest')];
  assert.equal(cliOn('', 'run', link, '--json').digest, digest);
  clean();
  await open(link);
  await says('link-status', 'reproduced ✓');
  assert.equal(await text('digest'), digest);
  clean();
});

test('a whole experiment by keyboard alone', async () => {
  await open();
  await tabTo('run');
  await press('Enter');
  await status('Running');
  await press('k');
  await status('Paused');
  await press(',');
  await status('Looking back');
  await press('l');
  await status('Paused');
  await choose('speed', 'max');
  await focus('run');
  await press('Enter');
  await status('Done');
  assert.equal(await text('digest'), cli('run', 'exp-002', '--json').digest);
  clean();
});

test('charts are drawn, and nothing scrolls sideways on a phone', async () => {
  for (const width of [320, 390, 1280]) {
    await open(site, { width });
    await finish();
    await narrow();
    await page.$eval('[data-chart="queue"]', (one) => one.scrollIntoView());
    await until(() => page.$eval('[data-chart="queue"] canvas', inked), (points) => points > 2000);
    clean();
  }
});

test('every moment of the verdict leads to the charts', async () => {
  await open(site, { height: 500 });
  await choose('preset', 'retry-storm');
  await finish();
  const report = cli('run', 'retry-storm', '--json');
  assert.equal(await text('verdict-words'), report.headline);
  assert.equal(await text('recovery'), report.recovery.text);
  const moment = '[data-testid="facts"] button[aria-label="Look at 20.45 s on the charts"]';
  const top = () => page.$eval('#charts', (charts) => charts.getBoundingClientRect().top);
  await focus(moment);
  assert.ok((await top()) > 500);
  await press('Enter');
  await until(top, (found) => found < 400);
  await status('Looking back');
  await until(clock, (found) => found.startsWith('at 20.45 s'));
  await focuses(moment);
  await click('#verdict summary');
  await until(() => count('[data-testid="evidence"] li'), (found) => found === report.evidence.length);
  clean();
});

// ---- The editor

const AGENTS = '[name="agents.count"]';
const invalid = (name) => page.$eval(id(name), (one) => one.getAttribute('aria-invalid') === 'true');

test('a wrong value is said at its field and stays; edits are taken back and made again', async () => {
  await open();
  for (const bad of ['-3', 'many', '1e9', '2.5', '']) {
    await fill(AGENTS, bad);
    await until(() => invalid(AGENTS), (found) => found);
    await says('#field-agents-count-problem', 'a whole number from 1 to 1000000');
    assert.equal(await value(AGENTS), bad);
  }
  assert.equal(JSON.parse(await json()).agents.count, 400);
  await fill(AGENTS, '50');
  await until(() => invalid(AGENTS), (found) => !found);
  await choose('preset', 'exp-003');
  await click('new-seed');
  await until(() => value('seed'), (found) => found !== '1');
  const seed = await value('seed');
  assert.equal(await attribute('undo', 'aria-label'), 'Undo a change of seed');
  await click('undo');
  await is('seed', '1');
  await says('undone', 'Undone: a change of seed.');
  await click('undo');
  await is('preset', 'exp-002');
  await is(AGENTS, '50');
  await click('undo');
  await is(AGENTS, '400');
  // The keyboard is not lost with the button.
  await focuses('redo');
  for (let step = 0; step < 3; step++) await press('Enter');
  await is('seed', seed);
  await is(AGENTS, '1000');
  // By keys: what a field has of its own comes first.
  await fill(AGENTS, '60');
  await focus(AGENTS);
  await press('End');
  await page.keyboard.type('9');
  await is(AGENTS, '609');
  await chord('Control', 'z');
  await is(AGENTS, '60');
  await chord('Control', 'z');
  await is(AGENTS, '1000');
  await chord('Control', 'Shift', 'z');
  await is(AGENTS, '60');
  await finish();
  assert.equal(await text('digest'), cli('run', 'exp-003', '--set', 'agents.count=60', '--seed', seed, '--json').digest);
  clean();
});

test('mistakes in the text are marked where they are; what is proposed comes from the schema', async () => {
  await open();
  const marked = () => inEditor((root) => [...root.querySelectorAll('.cm-lintRange-error')].map((one) => one.textContent).join(''));
  const wrong = () => inEditor((root) => root.querySelector('.cm-content').getAttribute('aria-invalid') === 'true');
  await type('{\n  "agents": {"count": -4},\n  "queue": {"capacty": 3}\n}');
  await until(marked, (found) => found === '-4"capacty"');
  await until(wrong, (found) => found);
  await says('#json-problem', '/agents/count');
  await type('{"agents": {"count": 4');
  await until(marked, (found) => found === '4');
  assert.equal(await value(AGENTS), '400');
  await click('details.json button.quiet:not([hidden])');
  await until(json, (found) => JSON.parse(found).agents.count === 400);
  await type('{"agents": {"count": 4}}');
  await is(AGENTS, '4');
  await until(marked, (found) => found === '');
  await until(wrong, (found) => !found);

  const options = () => inEditor((root) => [...root.querySelectorAll('.cm-tooltip-autocomplete:not(.cm-tooltip-autocomplete-disabled) li')].map((one) => one.textContent));
  await type('{}');
  await chord('Control', 'Home');
  await press('ArrowRight');
  await page.keyboard.type('"queu');
  await until(options, (found) => found.length === 1 && found[0].includes('"queue"'));
  const take = async () => (await page.evaluateHandle(() => document.querySelector('#json-text .rich').shadowRoot.querySelector('.cm-tooltip-autocomplete li'))).asElement().click();
  await take();
  await until(json, (found) => /^\{"queue": \{/.test(found));
  await type('{"queue": {"discipline": }}');
  await chord('Control', 'End');
  for (let step = 0; step < 2; step++) await press('ArrowLeft');
  await chord('Control', ' ');
  await until(options, (found) => found.some((one) => one.includes('"fifo"')));
  await page.keyboard.type('"adap');
  await until(options, (found) => found.length === 1 && found[0].includes('"adaptive_lifo"'));
  await take();
  await until(json, (found) => found === '{"queue": {"discipline": "adaptive_lifo"}}');
  await is('[name="queue.discipline"]', 'adaptive_lifo');
  const word = await page.evaluateHandle(() => [...document.querySelector('#json-text .rich').shadowRoot.querySelectorAll('.cm-line span')].find((one) => one.textContent === '"discipline"'));
  await word.asElement().hover();
  await until(() => inEditor((root) => root.querySelector('.cm-help')?.textContent ?? ''), (found) => found.includes('one of "fifo"'));
  clean();
});

test('the text has an undo of its own, then that of the page; Escape and Tab leave it', async () => {
  await open();
  await fill(AGENTS, '50');
  await openText();
  const content = (root) => root.querySelector('.cm-content').focus();
  await inEditor(content);
  await chord('Control', 'Home');
  await press('Enter');
  await until(json, (found) => found.startsWith('\n'));
  await chord('Control', 'z');
  await until(json, (found) => found.startsWith('{'));
  assert.equal(await value(AGENTS), '50');
  await chord('Control', 'z');
  await is(AGENTS, '400');
  await chord('Control', 'y');
  await is(AGENTS, '50');
  await press('Tab');
  await focuses('.cm-content');
  await press('Escape');
  await press('Tab');
  await until(() => page.evaluate(() => document.activeElement?.matches('.rich') ?? false), (found) => !found);
  clean();
});

test('own experiments are saved, opened, renamed, deleted and put back, by keyboard', async () => {
  await open();
  await fill(AGENTS, '50');
  await focus('save');
  await press('Enter');
  await focuses('#shelf-name');
  await press('Enter');
  await says('#shelf-problem', 'A name is needed.');
  await page.keyboard.type('Fifty');
  await press('Enter');
  await says('standing', '“Fifty”, saved.');
  await focuses('save');
  await is('preset', 'own:Fifty');
  await choose('preset', 'exp-001');
  await click('save-as');
  await fill('#shelf-name', 'Fifty');
  await click('shelf-save');
  await says('#shelf-problem', 'already');
  await press('Escape');
  await reload();
  await focus('manage');
  await press('Enter');
  await shows('shelf');
  const row = (does) => `[data-own] [data-does="${does}"]`;
  await focus(row('Rename'));
  await press('Enter');
  await page.keyboard.type('Fifty “x” <b>');
  await press('Enter');
  await focuses(row('Rename'));
  await focus(row('Delete'));
  await press('Enter');
  await says('shelf', 'Nothing has been saved yet.');
  await press('Enter');
  await focuses(row('Open'));
  await press('Enter');
  await hides('shelf');
  await is(AGENTS, '50');
  await says('standing', '“Fifty “x” <b>”, saved.');
  await finish();
  assert.equal(await text('digest'), cli('run', 'exp-002', '--set', 'agents.count=50', '--json').digest);
  await page.evaluate(() => localStorage.clear());
  clean();
});

test('files are exported, chosen and dropped; what is no profile is said and changes nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'files-'));
  try {
    await open();
    await fill(AGENTS, '50');
    await page.evaluate(() => {
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        globalThis.exported = blob.text();
        return make(blob);
      };
    });
    await click('export');
    await says('notice', 'Exported as “exp-002.json”');
    const saved = await page.evaluate(() => globalThis.exported);
    assert.equal(saved, `${await json()}\n`);
    const at = (name, content) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const given = async (path) => (await page.$(id('file'))).uploadFile(path);
    await choose('preset', 'exp-001');
    await given(at('exp-002.json', saved));
    await says('notice', 'Opened “exp-002.json”.');
    await is(AGENTS, '50');
    const report = cli('run', 'exp-003', '--json');
    await given(at('report.json', JSON.stringify(report)));
    await says('notice', 'which is a report: its profile was taken');
    const before = await json();
    for (const [name, content, words] of [
      ['notes.txt', 'hello', 'is not JSON'], ['picture.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]), 'is not text in UTF-8'], ['list.json', '[1, 2]', 'a section in braces'],
      ['wrong.json', '{"agents": {"count": -3}}', '/agents/count'], ['empty.json', '', 'is empty'], ['large.json', ' '.repeat(1_500_000), '1.5 MB'],
    ]) {
      await given(at(name, content));
      await until(() => text('notice'), (found) => found.includes(words) && found.includes('othing was changed'));
    }
    assert.equal(await json(), before);
    await finish();
    assert.equal(await text('digest'), report.digest);

    await page.evaluate(drop, [[['a.json', '{}']], 'dragover']);
    await shows('drop');
    await page.evaluate(drop, [[['a.json', '{}']], 'dragleave']);
    await hides('drop');
    await page.evaluate(drop, [[], 'dragover']);
    assert.equal(await seen('drop'), false);
    await page.evaluate(drop, [[['a.json', '{}'], ['b.json', '{}']]]);
    await says('notice', '2 files at once');
    await choose('speed', '5');
    await click('run');
    await until(front, (found) => found > 0.2);
    await page.evaluate(drop, [[['a.json', '{"seed": 3}']]]);
    await says('notice', 'Opened “a.json”. The profile was changed; the run was ended at');
    await is('seed', '3');
    clean();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

// ---- Events

const KEPT = 20_000;
const total = async () => Number(await attribute('events', 'aria-rowcount')) - 1;
const drawn = () => page.$$eval('[data-testid="events"] .event-body [role="row"]', (lines) => lines.filter((line) => line.checkVisibility()).map((line) => ({
  index: Number(line.getAttribute('aria-rowindex')) - 2,
  cells: Array.from(line.children, (cell) => cell.textContent),
})).sort((a, b) => a.index - b.index));
/** Rows in view are those of this list, at the same places. */
async function agree(expected) {
  await until(total, (found) => found === expected.length);
  const found = await drawn();
  assert.ok(found.length >= Math.min(5, expected.length));
  for (const { index, cells: [when, , request, agent] } of found) {
    const { at_seconds: at, request: whose, agent: who } = expected[index];
    assert.deepEqual([when, request === '' ? undefined : number(request), agent === '' ? undefined : number(agent)], [seconds(at), whose, who]);
  }
}
async function ready(experiment) {
  if (typeof experiment === 'string') await choose('preset', experiment);
  else {
    await type(JSON.stringify(experiment));
    await focus('run');
    await until(async () => JSON.parse(await json()).run.duration_seconds, (found) => found === experiment.run.duration_seconds);
  }
  await finish();
  await page.$eval('#events', (one) => one.scrollIntoView());
  await says('events-count', /All|latest/);
}
const pick = async (name) => {
  const wanted = await page.$$eval(`${id('events-kind')} option`, (all, words) => all.find((one) => one.textContent === words).value, name);
  await choose('events-kind', wanted);
};
async function stepsAre(expected) {
  const rows = '[data-testid="life-steps"] tbody tr';
  await until(() => count(rows), (found) => found === expected.length);
  const found = await page.$$eval(rows, (all) => all.map((line) => Array.from(line.children, (cell) => cell.textContent).slice(0, 2)));
  assert.deepEqual(found, expected.map(({ at_seconds: at }) => [`+ ${seconds(at - expected[0].at_seconds)}`, seconds(at)]));
}
const sums = () => page.$$eval('[data-testid="life-sums"] li', (all) => Object.fromEntries(all.map((one) => [one.dataset.phaseSum ?? 'all', one.querySelector('strong').textContent])));

test('the list of events is the stream: scrolled, filtered, and walked through by keys', async () => {
  await open();
  await ready('exp-002');
  const stream = streamOf('exp-002');
  const kept = stream.slice(-KEPT);
  await agree(kept);
  assert.ok((await count('[data-testid="events"] [role="row"]')) < 40);
  assert.equal((await drawn()).at(-1).index, KEPT - 1);
  for (const share of [0.5, 0]) {
    await page.$eval(id('events'), (one, at) => { one.scrollTop = at * one.scrollHeight; }, share);
    await until(drawn, (found) => found[0].index < KEPT * share + 1);
    await agree(kept);
  }
  assert.equal(await attribute('events-follow', 'aria-pressed'), 'false');
  await click('events-follow');
  await until(drawn, (found) => found.at(-1).index === KEPT - 1);
  const refused = kept.filter(({ event }) => event === 'QUEUE_THROTTLED');
  await pick('Turned away');
  await agree(refused);
  await fill('events-text', 'overflow');
  await agree(refused.filter((one) => one['error.type'] === 'QUEUE_OVERFLOW'));
  await click('events-clear');
  await click('events-failures');
  await fill('events-agent', '7');
  const bad = (mode) => mode !== undefined && mode !== 'NOMINAL_OPERATION';
  await agree(kept.filter((one) => one.agent === 7 && (one.event === 'QUEUE_THROTTLED' || bad(one.outcome) || one.fault === 'error')));
  await click('events-clear');
  await fill('events-request', 'seven');
  await says('events-problem', 'found “seven”');
  assert.equal(await invalid('events-request'), true);
  await click('events-clear');
  await agree(kept);
  await focus('events');
  await press('Home');
  for (let times = 0; times < 3; times++) await press('ArrowDown');
  await until(() => page.$eval(id('events'), (grid) => Number(document.getElementById(grid.getAttribute('aria-activedescendant'))?.getAttribute('aria-rowindex'))), (found) => found === 5);
  await press('Enter');
  await shows('life');
  await says('#life-title', `Request ${kept[3].request.toString().replace(/\B(?=(\d{3})+$)/g, ' ')}`);
  await focuses('events');
  clean();
});

test('the life of any request, and the slowest ten, are those of the stream', async () => {
  await open();
  for (const [experiment, last] of [['exp-002', 'REQUEST_COMPLETED'], [STORM, 'REQUEST_SETTLED']]) {
    await ready(experiment);
    const stream = streamOf(experiment);
    const slowest = stream.filter(({ event }) => event === last).sort((a, b) => b.latency_seconds - a.latency_seconds).slice(0, 10);
    const button = '[data-testid="slowest"] button';
    await until(() => page.$$eval(button, (all) => all.map((one) => Number(one.value))), (found) => JSON.stringify(found) === JSON.stringify(slowest.map(({ request }) => request)));
    assert.deepEqual(await texts(`${button} .took`), slowest.map((one) => time(one.latency_seconds)));
    await click('[data-testid="slowest"] li:nth-child(2) button');
    await stepsAre(stream.filter(({ request }) => request === slowest[1].request));
    assert.equal((await sums()).all, time(slowest[1].latency_seconds));
    // One that has left the list is found by the same run once more.
    const early = stream.slice(0, (stream.length - KEPT) / 2).findLast(({ event }) => event === last);
    await fill('events-request', String(early.request));
    await click('events-show');
    await stepsAre(stream.filter(({ request }) => request === early.request));
    assert.equal((await sums()).all, time(early.latency_seconds));
  }
  clean();
});

// ---- Comparing

const read = (report, field) => field.split('.').reduce((place, name) => place?.[name], report);

test('a kept run stands beside the next with differences and reasons; many seeds are a band', async () => {
  const [first, second] = [cli('run', 'exp-002', '--json'), cli('run', 'exp-002', '--set', 'workers.count=6', '--json')];
  await open();
  assert.equal(await page.$eval(id('keep'), (one) => one.disabled), true);
  await finish();
  await click('keep');
  await says('compare-said', 'the baseline');
  await fill('[name="workers.count"]', '6');
  await finish();
  await shows('compared');
  const rows = await page.$$eval('[data-testid="compared"] tbody tr', (all) => all.map((row) => [...row.querySelectorAll('td')].map((cell) => [cell.dataset.field, cell.dataset.value])));
  assert.ok(rows.length > 15);
  for (const [[field, one], [, other]] of rows) assert.deepEqual([field, one, other], [field, String(read(first, field) ?? ''), String(read(second, field) ?? '')]);
  const by = 100 * (second.error_rate - first.error_rate);
  await says('[data-testid="compared"] td:nth-child(3)[data-field="error_rate"]', `${by < 0 ? '−' : '+'}${Math.abs(by).toFixed(2)} points`);
  assert.deepEqual(await texts('[data-testid="why"] li'), ['workers.count: 4 → 6']);
  assert.equal(await seen('seeds-differ'), false);

  const expected = cli('run', 'exp-002', '--set', 'workers.count=6', '--seeds', '3..8', '--json');
  await fill('replicate-count', '1');
  await click('replicate');
  await says('replicate-problem', 'from 2 to 200');
  await fill('replicate-count', '6');
  await fill('replicate-first', '3');
  await click('replicate');
  await says('replicate-status', 'Done: 6 seeds.', 90);
  const figures = await page.$$eval('[data-testid="replications"] [data-figure="mean"]', (cells) => cells.map((cell) => [cell.closest('tr').dataset.path, cell.dataset.mean, cell.dataset.half]));
  assert.ok(figures.length > 14);
  for (const [path, mean, half] of figures) assert.deepEqual([path, Number(mean), Number(half)], [path, expected.summary[path].mean, expected.summary[path].ci95]);
  assert.deepEqual(await texts('[data-testid="replicated-runs"] .digest'), expected.runs.map(({ digest }) => digest));
  await says('[data-chart="queue"] [data-key="band"] .name', 'mean of 6 seeds');
  // The band is ink on the chart: without it there is less.
  await page.$eval('[data-chart="queue"]', (one) => one.scrollIntoView());
  const ink = () => page.$eval('[data-chart="queue"] canvas', inked);
  const banded = await until(ink, (points) => points > 2000);
  await page.evaluate(() => scrollTo(0, 0));
  await fill('[name="workers.count"]', '5');
  await finish();
  await page.$eval('[data-chart="queue"]', (one) => one.scrollIntoView());
  await until(() => seen('[data-chart="queue"] [data-key="band"]'), (found) => !found);
  assert.ok((await until(ink, (points) => points > 2000 && points < banded)) > 0);
  clean();
});

// ---- Guides

const guideButton = (name) => `[data-testid="guide-${name}"]`;
const holding = () => page.$$eval('[data-testid="guide-figures"] dd', (all) => all.map((one) => [one.dataset.holds, one.textContent]));
async function held(wanted) {
  const found = await until(holding, (all) => all.length === wanted, 60);
  for (const [holds, words] of found) assert.equal(holds, 'true', words);
}
/** Speeds up a run of a guide, if it is not over by now. */
const hurry = () => page.evaluate((button) => document.querySelector(button)?.click(), guideButton('finish'));

for (const { name, guide } of GUIDES) {
  test(`the guide "${name}" is opened, answered and run to its end`, async () => {
    await open(`${site}#guide=${name}`);
    const [first] = experiments({ ...guide, steps: guide.steps.filter((step) => step.run) });
    let ran = false;
    for (const [index, step] of guide.steps.entries()) {
      await says('guide-progress', `Step ${index + 1} of ${guide.steps.length}`);
      await until(() => text('#guide h3'), (found) => found === step.title);
      if (step.question) {
        await click(`#guide-option-${step.question.options.findIndex((one) => one.right)}`);
        await click('guide-predict');
      } else await click('guide-run');
      if (step.sweep) {
        await says('#guide', `${step.sweep.values.length * step.sweep.seeds.length * step.sweep.cases.length} runs`, 90);
        await until(() => count('[data-testid="guide-curve"] tbody tr'), (found) => found === step.sweep.values.length);
      } else {
        await hurry();
        await held(step.figures.length);
        if (!ran) await until(() => text('digest'), (found) => found === cliOn(profileOf(first), 'run', '-', '--json').digest);
        ran = true;
      }
      if (step.question) await says('guide-verdict', '✓ As you expected');
      if (step.then) {
        await click('guide-try');
        await hurry();
        await until(() => count(id('guide-figures')), (found) => found === 2, 60);
        await held(step.figures.length + step.then.figures.length);
      }
      await click('guide-next');
    }
    await says('#guide', 'That was it');
    clean();
  });
}

test('what was there before a guide outlasts a reload', async () => {
  await open();
  await fill(AGENTS, '333');
  await click('#guides');
  await click('#guide a[href="#guide=retry-storm"]');
  await click('guide-skip');
  await click('guide-finish');
  await shows('guide-verdict');
  await reload();
  await shows('guide-question');
  await says('notice', 'what you had before the guide is still kept');
  await is('preset', 'retry-storm');
  await click('guide-leave');
  await reload();
  await shows('guide-restore');
  await click('guide-restore');
  await hides('#guide');
  await is('preset', 'exp-002');
  await is(AGENTS, '333');
  clean();
});

// ---- How it looks

test('dark as the system has it, at 320 px: readable, and nothing scrolls sideways', async () => {
  const dark = await launch({ 'layout.css.prefers-color-scheme.content-override': 0 });
  try {
    await open(site, { width: 320, within: dark });
    assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), true);
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const lightness = async () => (await background()).match(/[\d.]+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0) / 3;
    assert.ok((await lightness()) < 80);
    await accessible();
    await ready(STORM);
    await click('[data-testid="slowest"] li:nth-child(2) button');
    await click('#verdict summary');
    await narrow();
    await accessible();
    await click('#guides');
    await until(() => count('[data-testid="guide-list"] > li'), (found) => found === GUIDES.length);
    await narrow();
    await accessible('#guide');
    // The person's own choice has the last word.
    await click('theme');
    await until(lightness, (found) => found > 200);
    await click('theme');
    await until(lightness, (found) => found < 80);
    clean();
  } finally {
    await page.close();
    await dark.close();
  }
});

// ---- Hard cases

test('a browser that keeps nothing is said, and everything else works', async () => {
  await open(site, { before: refuseStorage });
  await says('standing', 'does not let the page keep anything');
  await fill(AGENTS, '50');
  await click('save');
  await page.keyboard.type('Mine');
  await press('Enter');
  await says('#shelf-problem', 'does not let the page keep anything');
  await press('Escape');
  await click('manage');
  await says('shelf', 'Nothing can be saved here.');
  await press('Escape');
  await goTo('#guide=collapse');
  await click('guide-skip');
  await says('notice', 'it is lost when the page is loaded again');
  await click('guide-leave');
  await click('guide-restore');
  await is(AGENTS, '50');
  await finish();
  assert.equal(await text('digest'), cli('run', 'exp-002', '--set', 'agents.count=50', '--json').digest);
  clean();
});

test('a storage that is full is said; what was saved stays, and so do the edits', async () => {
  await open();
  await click('save');
  await page.keyboard.type('First');
  await press('Enter');
  await says('standing', '“First”, saved.');
  await page.evaluate(fillStorage);
  await fill(AGENTS, '50');
  await click('save-as');
  await fill('#shelf-name', 'Second');
  await click('shelf-save');
  await says('#shelf-problem', 'storage for this page is full');
  await press('Escape');
  assert.equal(await value(AGENTS), '50');
  await choose('preset', 'own:First');
  await is(AGENTS, '400');
  await page.evaluate(() => localStorage.clear());
  clean();
});

const toTheEnd = async () => {
  await choose('speed', 'max');
  await status('Done');
  assert.equal(await text('digest'), cli('run', 'exp-002', '--json').digest);
};

test('a hidden tab stands still and does not catch up in a burst, nor does a device that sleeps', async () => {
  await open();
  await choose('speed', '5');
  await click('run');
  await until(front, (found) => found > 1);
  // A tab of its own takes its place, so that this one is really hidden.
  const other = await page.browser().newPage();
  await other.bringToFront();
  await until(() => page.evaluate(() => document.hidden), (found) => found);
  const before = await front();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const meanwhile = await front();
  assert.ok(meanwhile - before < 1, `${meanwhile - before} s while it was hidden`);
  await page.bringToFront();
  // Caught up with, two seconds would be ten of the run, with the first pictures.
  const right = await page.evaluate(soon);
  assert.ok(right - meanwhile < 4, `${right - meanwhile} s`);
  await other.close();
  await until(front, (found) => found > right);
  const [asleep, awake] = await page.evaluate(sleep, 2000);
  assert.ok(awake - asleep < 5, `${awake - asleep} s`);
  assert.equal(await text('status'), 'Running');
  await toTheEnd();
  clean();
});

test('resizing while it runs changes the picture, not the run', async () => {
  await open();
  await click('run');
  for (const width of [390, 1920, 320, 800, 1280]) {
    await page.setViewport({ width, height: 800 });
    await narrow();
  }
  assert.equal(await text('status'), 'Running');
  await toTheEnd();
  clean();
});

test('an edit while it runs ends that run, says so, and the next run has it', async () => {
  await open();
  await click('run');
  await until(front, (found) => found > 0.5);
  await fill('[name="workers.count"]', '5');
  await status('Ready');
  await says('notice', /The profile was changed; the run was ended at \d+\.\d\d s\./);
  await finish();
  assert.equal(await text('digest'), cli('run', 'exp-002', '--set', 'workers.count=5', '--json').digest);
  clean();
});

test('10,000 agents run, and the page answers meanwhile', async () => {
  await open();
  await fill(AGENTS, '10000');
  await choose('speed', 'max');
  await click('run');
  await focus('#find-field');
  await page.keyboard.type('latency');
  await says('found', 'fields in');
  await status('Done', 100);
  assert.equal(await text('digest'), cli('run', 'exp-002', '--set', 'agents.count=10000', '--json').digest);
  clean();
});

test('a run of some 20 million events can be stopped, looked back at, and goes on', async () => {
  await open();
  await choose('preset', 'mm4-80');
  await unfold('run');
  await fill('[name="run.max_requests"]', '4900000');
  await choose('speed', 'max');
  await click('run');
  await page.waitForFunction(() => document.querySelector('[data-testid="progress"]').value > 0.2, { timeout: 60_000 });
  await page.evaluate(() => document.querySelector('[data-testid="pause"]').click());
  await status('Paused');
  await focus('scrub');
  await press('PageDown');
  await until(async () => [await text('status'), await text('pause')], ([now, pause]) => now === 'Looking back' && pause === 'Pause', 90);
  await press('l');
  await click('run');
  await status('Done', 150);
  assert.ok(number((await clock()).match(/, (.*) events/)[1]) > 18e6, await clock());
  clean();
});

test('a double click does once what is done once', async () => {
  await open();
  for (const name of ['First', 'Second', 'Third']) {
    await twice('save-as');
    await fill('#shelf-name', name);
    await twice('shelf-save');
    await says('standing', `“${name}”, saved`);
  }
  await click('manage');
  await twice('[data-own="First"] [data-does="Delete"]');
  await says('shelf', '“First” was deleted');
  await until(() => count('li[data-own]'), (found) => found === 2);
  await press('Escape');
  await twice('run');
  await toTheEnd();
  await twice('keep');
  await until(() => count(id('kept-name')), (found) => found === 1);
  await fill('[name="workers.count"]', '5');
  await finish();
  await click('keep');
  await until(() => count(id('kept-name')), (found) => found === 2);
  await twice('kept-remove');
  await until(() => count(id('kept-name')), (found) => found === 1);
  await open(`${site}#guide=knee`);
  await says('guide-progress', 'Step 1 of');
  await twice('guide-next');
  await says('guide-progress', 'Step 2 of');
  await page.evaluate(() => localStorage.clear());
  clean();
});

test('another tab’s change of an own experiment is said and never overwritten unasked', async () => {
  await open();
  await fill(AGENTS, '50');
  await click('save');
  await page.keyboard.type('Shared');
  await press('Enter');
  await says('standing', '“Shared”, saved.');
  const other = await another();
  try {
    await on(other, async () => {
      await choose('preset', 'own:Shared');
      await fill(AGENTS, '70');
      await click('save');
      await says('standing', '“Shared”, saved.');
    });
    await page.bringToFront();
    await says('notice', '“Shared” was changed in another tab');
    assert.equal(await value(AGENTS), '50');
    await click('save');
    await says('#shelf-problem', 'was changed in another tab');
    await (await named('Replace it')).click();
    await says('standing', '“Shared”, saved.');
    await on(other, async () => {
      await page.bringToFront();
      await click('manage');
      await click('[data-own="Shared"] [data-does="Delete"]');
    });
    await page.bringToFront();
    await says('notice', 'deleted or renamed in another tab');
    assert.equal(await value(AGENTS), '50');
    await is('preset', 'exp-002');
  } finally {
    await other.close();
  }
  clean();
});

test('links: back and forth between them, opened while a run plays, and two that ask at once', async () => {
  await open();
  await fill(AGENTS, '333');
  const reads = async (seed, preset) => {
    await is('seed', seed);
    await status('Done');
    await until(() => text('digest'), (found) => found === cli('run', preset, '--seed', seed, '--json').digest);
  };
  await goTo('#v1.exp-001~seed=5');
  await goTo('#v1.exp-003~seed=6');
  await reads('6', 'exp-003');
  await page.goBack();
  await reads('5', 'exp-001');
  await page.goBack();
  await is(AGENTS, '333');
  await is('preset', 'exp-002');
  await page.goForward();
  await reads('5', 'exp-001');

  await choose('preset', 'exp-002');
  await choose('speed', '1');
  await click('run');
  await until(front, (found) => found > 0.3);
  await goTo('#v1.exp-099');
  await says('error', 'no preset');
  const then = await front();
  await until(front, (found) => found > then);
  assert.equal(await text('status'), 'Running');
  await goTo('#v1.exp-001~seed=7');
  await reads('7', 'exp-001');
  const long = (seed) => `#v1.mm1~run.duration_seconds=40000~run.max_requests=30000000~seed=${seed}`;
  await goTo(long(8));
  await says('link-status', 'does not run by itself');
  await click('run');
  await shows('#dialog');
  await goTo(long(9));
  await is('seed', '9');
  await click('#dialog button.primary');
  await hides('#dialog');
  await status('Running');
  await click('pause');
  await status('Paused');
  clean();
});
