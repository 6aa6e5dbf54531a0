import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../web/shared/format.js';
import * as kept from '../../web/shared/kept.js';
import * as has from '../../web/shared/mechanisms.js';
import { outcome, tone } from '../../web/shared/outcome.js';
import { effective, fromPointer, read, write } from '../../web/shared/paths.js';
import * as rows from '../../web/shared/rows.js';
import { Series } from '../../web/shared/series.js';
import * as timeline from '../../web/shared/timeline.js';
import * as typed from '../../web/shared/typed.js';

test('numbers carry their unit, and what is undefined is a dash', () => {
  assert.equal(format.time(0.0123), '12.30 ms');
  assert.equal(format.time(0.412), '412.0 ms');
  assert.equal(format.time(12.3456), '12.35 s');
  assert.equal(format.time(null), '–');
  assert.equal(format.percent(0.142), '14.20 %');
  assert.equal(format.rate(271.4), '271/s');
  assert.equal(format.rate(-3.25), '−3.3/s');
  assert.equal(format.number(-0.5), '−0.50');
  assert.equal(format.bound('for 5 s (n = 510), 0.3 s or 2 % of 5 seconds'), 'for 5\u00a0s (n\u00a0=\u00a0510), 0.3\u00a0s or 2\u00a0% of 5 seconds');
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

test('what is not written has the default of the schema', () => {
  const schema = { properties: { a: { properties: { b: { default: 4 }, c: { default: 5 } } } } };
  assert.equal(effective({ a: { b: 1 } }, 'a.b', schema), 1);
  assert.equal(effective({ a: { b: null } }, 'a.b', schema), null);
  assert.equal(effective({ a: { b: 1 } }, 'a.c', schema), 5);
  assert.equal(effective({ a: {} }, 'a.d.e', schema), undefined);
});

test('numbers are read as people write them', () => {
  assert.equal(typed.value(' 2,5 '), 2.5);
  assert.equal(typed.value('1e3'), 1000);
  assert.equal(typed.value('many'), 'many');
  assert.deepEqual(typed.list('0.5, 0.75, 1'), [0.5, 0.75, 1]);
  assert.deepEqual(typed.list('1,2,3'), [1, 2, 3]);
  assert.deepEqual(typed.list('12,5\n13,25\r\n\n9'), [12.5, 13.25, 9]);
  assert.deepEqual(typed.list('1;2\t3 ,4,'), [1, 2, 3, 4]);
  assert.deepEqual(typed.list('7'), [7]);
  assert.deepEqual(typed.list('1 x'), [1, 'x']);
  assert.deepEqual(typed.list('  '), []);
});

test('a path leads into lists, also into those that are not there yet', () => {
  const tree = { list: [{ a: 1 }, { a: 2 }] };
  assert.deepEqual(write(tree, 'list.1.a', 9), { list: [{ a: 1 }, { a: 9 }] });
  assert.deepEqual(write(tree, 'list.2.a', 3).list, [{ a: 1 }, { a: 2 }, { a: 3 }]);
  assert.deepEqual(write(tree, 'more.0.inner.0', 5).more, [{ inner: [5] }]);
  assert.equal(read(tree, 'list.1.a'), 2);
  assert.equal(read(tree, 'list.2.a'), undefined);
  assert.equal(fromPointer('/list/1/a'), 'list.1.a');
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

test('an intervention is told in words, with when', () => {
  const told = (entry) => `${timeline.words(entry)}; ${timeline.when(entry)}; ${timeline.now(entry)}`;
  assert.equal(told({ at_seconds: 30, for_seconds: 10, traffic: { arrivals_factor: 6, extra_agents: 0 } }), 'traffic ×6; from 30 s to 40 s; traffic ×6 until 40 s');
  assert.equal(told({ at_seconds: 0.1, for_seconds: 0.2, crash: { workers: 1 } }), '1 worker crashed; from 0.1 s to 0.3 s; 1 worker crashed until 0.3 s');
  assert.equal(told({ at_seconds: 5, for_seconds: null, set: { path: 'workers.count', value: 2 } }), 'workers.count = 2; from 5 s to the end; workers.count = 2 to the end');
  assert.equal(timeline.words({ at_seconds: 5, traffic: { arrivals_factor: 1, extra_agents: 20 } }), '20 agents more');
  assert.equal(timeline.words({ at_seconds: 5, loss: { ratio: 0.07 } }), '7 % of messages lost');
  for (const kind of timeline.KINDS) {
    const given = { arrivals_factor: 2, extra_agents: 1, workers: 2, factor: 2, ratio: 0.1, of: 'network', size: 3, path: 'a.b', value: 1 };
    assert.notEqual(timeline.words({ at_seconds: 1, for_seconds: 1, [kind]: given }), 'nothing', kind);
  }
});

test('an intervention works on one node of the picture', () => {
  const place = (kind, given) => timeline.placeOf({ at_seconds: 0, for_seconds: 1, [kind]: given });
  assert.equal(place('traffic', {}), 'agents');
  assert.equal(place('pool', { of: 'downstream' }), 'downstream');
  assert.equal(place('set', { path: 'client.timeout_seconds' }), 'clients');
  assert.equal(place('set', { path: 'queue.capacity' }), 'queue');
  assert.equal(place('loss', {}), 'network');
});

test('a new intervention lies within the run, whatever its length', () => {
  for (const [duration, warmup] of [[120, 10], [0.5, 0.1], [1e6, 0], [3, 2.999]]) {
    const entry = timeline.newEntry('stall', {}, { run: { duration_seconds: duration, warmup_seconds: warmup } });
    assert.ok(entry.at_seconds >= 0 && entry.for_seconds > 0 && timeline.endOf(entry) < duration, JSON.stringify(entry));
    assert.equal(timeline.kindOf(entry), 'stall');
  }
  const profile = { run: { duration_seconds: 10, warmup_seconds: 0 }, network: { pool: { size: 4 } } };
  assert.deepEqual(timeline.newEntry('pool', { of: 'downstream', size: 1 }, profile).pool, { of: 'network', size: 1 });
});

test('another field to set comes with the value it has', () => {
  const profile = { queue: { capacity: 80 }, workers: { count: 4 } };
  assert.deepEqual(timeline.aim({ path: 'workers.count', value: 2 }, 'queue.capacity', profile), { path: 'queue.capacity', value: 80 });
  assert.deepEqual(timeline.aim({ path: 'workers.count', value: 2 }, 'no.such', profile), { path: 'no.such', value: 2 });
});

test('a mechanism is there exactly if the profile has it', () => {
  const plain = { queue: { capacity: 80 }, workers: { count: 4 }, faults: { spike: {} } };
  for (const mechanism of [has.hasClients, has.removes, has.crewChanges, has.queueHasRules]) assert.equal(mechanism(plain), false);
  assert.ok(has.hasClients({ ...plain, network: {} }));
  assert.ok(has.removes({ ...plain, queue: { codel: {} } }) && has.removes({ ...plain, client: { withdraws: true } }));
  assert.ok(!has.removes({ ...plain, client: { withdraws: false } }));
  assert.ok(has.queueHasRules({ ...plain, queue: { discipline: 'lifo' } }));
  assert.ok(has.crewChanges({ ...plain, timeline: [{ stall: {} }] }) && has.crewChanges({ ...plain, workers: { autoscaler: {} } }));
  assert.ok(!has.crewChanges({ ...plain, timeline: [{ traffic: {} }] }));
  assert.equal(has.removers({ queue: { codel: {}, drops_expired: true }, client: { withdraws: true } }), 'CoDel, deadlines, withdrawn');
});

test('a system that stays down is worse news than one that has not come back yet', () => {
  assert.equal(tone({ recovered: true, metastable: false }), 'good');
  assert.equal(tone({ recovered: false, metastable: false }), 'warn');
  assert.equal(tone({ recovered: false, metastable: true }), 'bad');
  assert.equal(tone({ recovered: null, metastable: null }), '');
});

test('a list of a million rows is laid out within what browsers can, and every row can be seen', () => {
  for (const total of [0, 1, 13, 500, 1_000_000, 40_000_000]) {
    const shape = { total, row: 28, view: 300 };
    assert.ok(rows.height(shape) <= rows.MOST_PIXELS);
    for (const index of [0, 1, Math.floor(total / 3), total - 2, total - 1]) {
      if (index < 0 || index >= total) continue;
      const scrolled = rows.reveal(shape, rows.scrollFor(shape, 0), index);
      const { first, last, offset } = rows.inView(shape, scrolled);
      const top = offset + (index - first) * shape.row;
      assert.ok(index >= first && index < last, `${index} of ${total} is drawn`);
      assert.ok(top > -0.5 && top + shape.row < shape.view + 0.5, `${index} of ${total} is seen whole: ${top}`);
      assert.ok(last - first <= Math.ceil(shape.view / shape.row) + 1);
      assert.equal(rows.reveal(shape, scrolled, index), scrolled, 'what is seen stays where it is');
    }
    const end = rows.inView(shape, Infinity);
    assert.equal(end.last, total);
  }
});

test('differences have a sign, their unit, and percent of the baseline; of percentages they are points', () => {
  const { difference } = kept;
  assert.equal(difference(0.15, 0.1, format.time), '+50.00 ms (+50 %)');
  assert.equal(difference(0.1, 0.15, format.time), '−50.00 ms (−33 %)');
  assert.equal(difference(0.142, 0.1, (value) => format.percent(value)), '+4.20 points (+42 %)');
  assert.equal(difference(5, 0, format.count), '+5');
  assert.equal(difference(-1, -2, format.rate), '+1.0/s (+50 %)');
  assert.equal(difference(3, 3, format.count), 'same');
  assert.equal(difference(0.100000001, 0.1, format.time), 'nearly the same');
  assert.equal(difference(null, 3, format.count), '');
  assert.equal(difference('STABLE', 'STABLE', String), '');
});

test('what a paired interval says is said in words', () => {
  const reading = (mean, ci95, min = -1, max = 1) => kept.reading({ mean, ci95, min, max });
  assert.equal(reading(0, 0, 0, 0), 'equal in every seed');
  assert.match(reading(0.5, 0.6), /includes zero/);
  assert.match(reading(-0.5, 0.5), /includes zero/);
  assert.match(reading(0.5, 0.4), /excludes zero: higher/);
  assert.match(reading(-0.5, 0.4), /excludes zero: lower/);
  assert.match(reading(0.5, null), /no interval/);
});

test('what a seed shares is said of each kind of load, and each kept run has a line of its own', () => {
  assert.match(kept.shares([{ agents: null, arrivals: {} }]), /Open load/);
  assert.doesNotMatch(kept.shares([{ agents: null, arrivals: {} }]), /Closed loop/);
  assert.match(kept.shares([{ agents: {} }, { agents: null, extra_arrivals: [{}] }]), /Open load.*Closed loop/);
  assert.equal(kept.freeToken([{ token: '--kept-1' }, { token: '--kept-3' }]), '--kept-2');
  assert.equal(new Set(kept.TOKENS.map((token) => String(kept.DASHES[token]))).size, kept.MOST_KEPT);
});
