import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../web/shared/format.js';
import { outcome } from '../../web/shared/outcome.js';
import { fromPointer, read, write } from '../../web/shared/paths.js';
import { Series } from '../../web/shared/series.js';

test('numbers carry their unit, and what is undefined is a dash', () => {
  assert.equal(format.time(0.0123), '12.30 ms');
  assert.equal(format.time(0.412), '412.0 ms');
  assert.equal(format.time(12.3456), '12.35 s');
  assert.equal(format.time(null), '–');
  assert.equal(format.percent(0.142), '14.20 %');
  assert.equal(format.rate(271.4), '271/s');
  assert.equal(format.count(1234567), '1 234 567');
  assert.equal(format.unit('{request}'), 'requests');
});

test('a path is written without touching the original', () => {
  const tree = { a: { b: 1, c: 2 }, d: null };
  assert.deepEqual(write(tree, 'a.b', 9), { a: { b: 9, c: 2 }, d: null });
  assert.deepEqual(write(tree, 'd.e', 1).d, { e: 1 });
  assert.equal(tree.a.b, 1);
  assert.equal(read(tree, 'a.c'), 2);
  assert.equal(read(tree, 'd.e'), undefined);
  assert.equal(fromPointer('/queue/a~1b~0c'), 'queue.a/b~c');
});

test('frames append, replace an open row, and start again after thinning', () => {
  const series = new Series();
  series.append({ reset: false, replace_last: false, columns: { time: [1, 2], queue: [5, NaN] } });
  series.append({ reset: false, replace_last: true, columns: { time: [3], queue: [7] } });
  assert.deepEqual(series.columns, { time: [1, 3], queue: [5, 7] });
  series.append({ reset: false, replace_last: true, columns: { time: [], queue: [] } });
  assert.equal(series.rows, 2);
  series.append({ reset: true, replace_last: false, columns: { time: [9], queue: [1] } });
  assert.deepEqual(series.columns, { time: [9], queue: [1] });
});

test('opening a link tells four cases apart', () => {
  const opened = { expected_digest: 'abcd0123', profile_matches: true };
  assert.equal(outcome(opened, 'abcd0123ffffffff'), 'reproduced');
  assert.equal(outcome(opened, 'ffff0123ffffffff'), 'different');
  assert.equal(outcome({ ...opened, profile_matches: false }, 'abcd0123ffffffff'), 'edited');
  assert.equal(outcome({ expected_digest: null, profile_matches: null }, 'abcd0123ffffffff'), 'unverified');
});
