import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything, may, mayChange, readSweep, readView, shows, writeSweep, writeView } from '../../web/shared/view.js';

test('a view comes back as it was written', () => {
  const view = { show: ['verdict', 'charts'], charts: ['queue'], lock: ['all'], free: ['workers.count'], ask: 'How many workers?', seeds: 'own', by: 'Ada', answer: 'Six', sweep: 'agents.count=1..9;seeds=1..2', vs: ['workers.count=6'] };
  assert.deepEqual(readView(writeView(view)), { view, problems: [] });
  assert.deepEqual(writeView(everything()), []);
});

test('what is wrong in a view is left out and said', () => {
  const { view, problems } = readView([['show', 'charts,<b>'], ['lock', '__proto__,seed'], ['ask', 'x'.repeat(501)], ['seeds', 'mine'], ['constructor', '1'], ['vs', 'a'], ['vs', 'b'], ['vs', 'c'], ['vs', 'd']]);
  assert.deepEqual(view, { ...everything(), show: ['charts'], lock: ['seed'], vs: ['a', 'b', 'c'] });
  assert.equal(problems.length, 6);
});

test('what is locked is closed, but for what is free', () => {
  const { view } = readView([['lock', 'all'], ['free', 'workers,queue.capacity']]);
  assert.equal(mayChange(view, 'workers.count'), true);
  assert.equal(mayChange(view, 'workers_other'), false);
  assert.equal(mayChange(view, 'queue.when_full'), false);
  assert.equal(may(view, 'run'), true);
  assert.equal(may(view, 'break'), false);
  assert.equal(may(readView([['lock', 'run']]).view, 'run'), false);
  assert.equal(shows(view, 'charts'), true);
  assert.equal(shows(readView([['view', 'charts']]).view, 'editor'), false);
});

test('a sweep in a link comes back as it was written, and what is none is said', () => {
  const text = writeSweep(['agents.count=100..800: 100', 'workers.count=1,2'], 5, 10);
  assert.equal(text, 'agents.count=100..800:100;workers.count=1,2;seeds=5..14');
  assert.deepEqual(readSweep(text), { fields: [{ path: 'agents.count', values: '100..800:100' }, { path: 'workers.count', values: '1,2' }], first: 5, count: 10 });
  assert.equal(readView([['sweep', text]]).view.sweep, text);
  for (const none of ['agents.count=1..2', 'seeds=1..2', 'a=1;b=2;c=3;seeds=1..2', '<b>=1;seeds=1..2', 'a=1;seeds=x']) {
    const { view, problems } = readView([['sweep', none]]);
    assert.equal(view.sweep, '');
    assert.equal(problems.length, 1, none);
  }
});
