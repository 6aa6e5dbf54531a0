import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { GuideError, MOST_TEXT, changed, expected, experiments, holds, pieces, readGuide, written } from '../../web/shared/guide.js';

const folder = new URL('../../web/guides/', import.meta.url);
const STEP = { title: 'A', text: 'B', preset: 'mm1', run: {} };
const GUIDE = { guide: 1, title: 'T', summary: 'S', minutes: 2, steps: [STEP] };
const step = (/** @type {any} */ change) => ({ ...GUIDE, steps: [{ ...STEP, ...change }] });
const option = (right = false) => ({ text: 'x', feedback: 'y', ...(right ? { right } : {}) });

/** The problems of a guide as lines. */
function problems(guide) {
  try {
    readGuide(typeof guide === 'string' ? guide : JSON.stringify(guide));
  } catch (error) {
    assert.ok(error instanceof GuideError);
    return error.message.split('\n');
  }
  return [];
}

test('every guide of the page is read, and so is the example for teachers', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  assert.ok(files.length >= 7);
  for (const name of files) {
    const guide = readGuide(readFileSync(new URL(name, folder), 'utf8'));
    assert.ok(experiments(guide).length >= 2, name);
    // Each step that runs says what is to come out.
    for (const one of guide.steps) assert.ok(!one.run || one.figures.length > 0, `${name}: ${one.title}`);
  }
  const [, example] = /```json\n([^]*?)```/.exec(readFileSync(new URL('README.md', folder), 'utf8')) ?? [];
  assert.equal(readGuide(example).steps.length, 1);
});

test('what is wrong with a guide is said with its place, all of it at once', () => {
  assert.deepEqual(problems(GUIDE), []);
  assert.match(problems('{')[0], /^this is not JSON/);
  assert.deepEqual(problems('[]')[0], 'found a list, accepted: an object with guide, title, summary, minutes, preset, steps');
  assert.match(problems('x'.repeat(MOST_TEXT + 1))[0], /accepted: at most 200000/);
  assert.deepEqual(problems({ ...GUIDE, guide: 2 }), ['guide: found 2, accepted: 1, the version of this form']);
  assert.deepEqual(problems({ ...GUIDE, titel: 'x' }), ['titel: unknown field, accepted: guide, title, summary, minutes, preset, steps']);
  assert.deepEqual(problems({ ...GUIDE, minutes: 0, title: ' ' }), ['title: found an empty text, accepted: words', 'minutes: found 0, accepted: a number from 1 to 240']);
  assert.deepEqual(problems({ ...GUIDE, steps: [] }), ['steps: found 0 entries, accepted: 1 to 20']);
  assert.match(problems(step({ preset: undefined }))[0], /^steps\[0\]\.preset: found nothing/);
  assert.match(problems(step({ sets: {} }))[0], /^steps\[0\]\.sets: unknown field/);
  assert.match(problems(step({ set: { 'a b': 1 } }))[0], /^steps\[0\]\.set\.a b: this is no path/);
  assert.match(problems(step({ set: { 'a.__proto__.b': 1 } }))[0], /this is no path/);
  assert.match(problems(step({ run: { speed: 'fast' } }))[0], /^steps\[0\]\.run\.speed: found "fast", accepted: "max"/);
  assert.match(problems(step({ run: undefined, question: { text: 'q', options: [option(true), option()] } }))[0], /question without a run/);
  assert.match(problems(step({ question: { text: 'q', options: [option(), option()] } }))[0], /^steps\[0\]\.question\.options: found 0 options with "right": true, accepted: exactly one/);
  assert.match(problems(step({ question: { text: 'q', options: [option(true)] } }))[0], /found 1 entries, accepted: 2 to 6/);
  assert.match(problems(step({ figures: [{ field: 'errors' }] }))[0], /^steps\[0\]\.figures\[0\]\.field: found "errors", accepted: "state"/);
  assert.match(problems(step({ figures: [{ field: 'error_rate', from: 0.2, to: 0.1 }] }))[0], /accepted: the lower one first/);
  assert.match(problems(step({ look: { at: 'nowhere', text: 'x' } }))[0], /^steps\[0\]\.look\.at/);
  assert.match(problems(step({ try: { text: 'x', set: {}, expect: 'y' } }))[0], /^steps\[0\]\.try\.set: found no change/);
  const sweep = { path: 'seed', label: 'x', values: [1, 2], measure: 'error_rate' };
  assert.deepEqual(problems(step({ run: undefined, sweep })), []);
  assert.match(problems(step({ sweep }))[0], /"run" and "sweep", accepted: one of them/);
  assert.match(problems(step({ run: undefined, sweep: { ...sweep, values: [2, 1] } }))[0], /accepted: numbers that rise/);
  assert.match(problems(step({ run: undefined, sweep: { ...sweep, measure: 'state' } }))[0], /^steps\[0\]\.sweep\.measure/);
  assert.match(problems(step({ run: undefined, sweep: { ...sweep, claims: [{ value: 3 }] } }))[0], /^steps\[0\]\.sweep\.claims\[0\]\.value: found 3/);
  assert.match(problems(step({ run: undefined, sweep: { ...sweep, values: Array.from({ length: 30 }, (_, i) => i), seeds: Array.from({ length: 20 }, (_, i) => i) } }))[0], /found 600 runs/);
});

test('the experiments of a guide are those of its steps, with their changes in order', () => {
  const guide = readGuide(JSON.stringify(step({ set: { 'a.b': 1 }, try: { text: 'x', set: { 'a.b': 2, c: null }, expect: 'y' } })));
  const [main, then] = experiments(guide);
  assert.deepEqual(changed({ a: { b: 0, d: 9 }, c: 1 }, ...main.changes), { a: { b: 1, d: 9 }, c: 1 });
  assert.deepEqual(changed({ a: { b: 0, d: 9 }, c: 1 }, ...then.changes), { a: { b: 2, d: 9 }, c: null });
  assert.equal(then.place, 'steps[0].try.set');
});

test('a figure is written with its unit, and a run bears it out or does not', () => {
  const report = { error_rate: 0.142, state: 'STABLE', recovery: { recovered: false } };
  assert.equal(written('error_rate', 0.142), '14.2 %');
  assert.equal(written('recovery.recovered', false), 'no');
  assert.equal(written('clients.amplification', undefined), '–');
  assert.ok(holds({ field: 'error_rate', label: '', from: 0.14, to: 0.15 }, report));
  assert.ok(!holds({ field: 'error_rate', label: '', from: 0.15 }, report));
  assert.ok(!holds({ field: 'queue.mean', label: '', from: 0 }, report));
  assert.ok(holds({ field: 'recovery.recovered', label: '', is: false }, report));
  assert.ok(!holds({ field: 'state', label: '', is: 'COLLAPSED' }, report));
  assert.equal(expected({ field: 'error_rate', label: '', from: 0.1, to: 0.2 }), '10.0 % to 20.0 %');
  assert.equal(expected({ field: 'error_rate', label: '', to: 0.2 }), 'at most 20.0 %');
});

test('stress is the only mark in a text', () => {
  assert.deepEqual(pieces('a *b* <i>c</i> 2*3'), [{ text: 'a ', stressed: false }, { text: 'b', stressed: true }, { text: ' <i>c</i> 2*3', stressed: false }]);
});
