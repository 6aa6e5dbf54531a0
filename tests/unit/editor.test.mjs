import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as file from '../../web/shared/file.js';
import * as edits from '../../web/shared/history.js';
import * as json from '../../web/shared/json.js';
import * as schemaWords from '../../web/shared/schema.js';
import { shelf, tidy, fileName, unsaved } from '../../web/shared/shelf.js';
import * as slider from '../../web/shared/slider.js';

const schema = JSON.parse(readFileSync(new URL('../../crates/agent-chaos-core/profile.schema.json', import.meta.url), 'utf8'));

/** @param {string} profile */
const standing = (profile) => ({ preset: 'exp-001', profile, own: null, draft: null });

test('edits are taken back and made again in turn', () => {
  let kept = edits.record(edits.NONE, standing('a'), 'one', null, 0);
  kept = edits.record(kept, standing('b'), 'two', null, 1);
  const back = edits.undo(kept, standing('c'));
  assert.equal(back.step.standing.profile, 'b');
  assert.equal(back.step.what, 'two');
  const further = edits.undo(back.edits, standing('b'));
  assert.equal(further.step.standing.profile, 'a');
  assert.equal(edits.undo(further.edits, standing('a')), null);
  const again = edits.redo(further.edits, standing('a'));
  assert.equal(again.step.standing.profile, 'b');
  assert.equal(edits.redo(again.edits, standing('b')).step.standing.profile, 'c');
  // An edit after an undo forgets what had been undone.
  assert.equal(edits.redo(edits.record(back.edits, standing('b'), 'three', null, 2), standing('d')), null);
});

test('quick edits of one field are one step, others are not', () => {
  let kept = edits.record(edits.NONE, standing('a'), 'x', 'x', 0);
  kept = edits.record(kept, standing('b'), 'x', 'x', 900);
  kept = edits.record(kept, standing('c'), 'x', 'x', 1800);
  assert.equal(kept.undo.length, 1);
  assert.equal(edits.undo(kept, standing('d')).step.standing.profile, 'a');
  assert.equal(edits.record(kept, standing('d'), 'x', 'x', 2900).undo.length, 2);
  assert.equal(edits.record(kept, standing('d'), 'y', 'y', 1900).undo.length, 2);
  // Right after an undo a further edit is a step of its own.
  const back = edits.undo(kept, standing('d'));
  assert.equal(edits.record(back.edits, standing('a'), 'x', 'x', 1801).undo.length, 1);
});

test('the oldest steps go first, by number and by length', () => {
  let kept = edits.NONE;
  for (let step = 0; step < edits.MOST_STEPS + 5; step++) kept = edits.record(kept, standing(String(step)), 'x', null, step);
  assert.equal(kept.undo.length, edits.MOST_STEPS);
  assert.equal(kept.undo[0].standing.profile, '5');
  const long = 'x'.repeat(edits.MOST_CHARACTERS / 2);
  for (const mark of 'abc') kept = edits.record(kept, standing(mark + long), 'x', null, 0);
  assert.deepEqual(kept.undo.map((step) => step.standing.profile[0]), ['c']);
});

test('a slider is logarithmic where the range is', () => {
  const scale = (path) => slider.scaleOf(schemaWords.nodeAt(schema, path.split('.')));
  assert.equal(scale('agents.count').curve, 'log');
  assert.equal(scale('requests.light.priority').curve, 'linear');
  assert.equal(scale('network.loss_ratio').curve, 'linear');
  assert.equal(scale('timeline.0.at_seconds').curve, 'zero');
  assert.equal(slider.scaleOf({ type: 'number' }), null);
  assert.equal(slider.scaleOf({ type: 'number', minimum: 2, maximum: 2 }), null);

  const agents = scale('agents.count');
  assert.equal(slider.value(agents, 0), 1);
  assert.equal(slider.value(agents, 0.5), 1000);
  assert.equal(slider.value(agents, 1), 1e6);
  assert.equal(slider.position(agents, 1000), 0.5);
  assert.equal(slider.position(agents, -5), 0);
  assert.equal(slider.position(agents, 1e12), 1);
  assert.equal(slider.value(scale('network.loss_ratio'), 0.123), 0.12);
});

test('every bounded number has a slider that stays in its range, with few digits, and steps both ways', () => {
  let sliders = 0;
  const walk = (node, path) => {
    const scale = [node.type].flat().some((one) => one === 'number' || one === 'integer') ? slider.scaleOf(node) : null;
    if (scale) {
      sliders += 1;
      let before = -Infinity;
      for (let step = 0; step <= 1000; step++) {
        const value = slider.value(scale, step / 1000);
        assert.ok(value >= scale.min && value <= scale.max && value >= before, `${path} at ${step}: ${value}`);
        assert.ok(!scale.integer || Number.isInteger(value), `${path}: ${value}`);
        assert.ok([scale.min, scale.max].includes(value) || Number(value.toPrecision(scale.integer ? 6 : 3)) === value, `${path}: ${value} has more than three digits`);
        before = value;
      }
      for (const from of [scale.min, node.default ?? scale.min, slider.value(scale, 0.5), scale.max]) {
        for (const by of [0.01, 0.1]) {
          const [up, down] = [slider.moved(scale, from, by), slider.moved(scale, from, -by)];
          assert.ok(from >= scale.max ? up === scale.max : up > from && up <= scale.max, `${path} up from ${from}: ${up}`);
          assert.ok(from <= scale.min ? down === scale.min : down < from && down >= scale.min, `${path} down from ${from}: ${down}`);
        }
      }
      if (typeof node.default === 'number') assert.ok(node.default === scale.min || slider.position(scale, node.default) > 0, `${path}: the default is not on the slider`);
    }
    for (const [name, inner] of Object.entries(node.properties ?? {})) walk(inner, `${path}.${name}`);
    if (node.items) walk(node.items, `${path}.0`);
  };
  walk(schema, '');
  assert.ok(sliders > 100);
});

test('small whole numbers move by one', () => {
  const priority = slider.scaleOf({ type: 'integer', minimum: 0, maximum: 7 });
  assert.equal(slider.moved(priority, 3, 0.01), 4);
  assert.equal(slider.moved(priority, 3, -0.01), 2);
  assert.equal(slider.moved(priority, 7, 0.01), 7);
  const workers = slider.scaleOf({ type: 'integer', minimum: 1, maximum: 100000, 'x-scale': 'log' });
  assert.equal(slider.moved(workers, 4, 0.01), 5);
  assert.equal(slider.moved(workers, 4, -0.01), 3);
});

const of = (text, path, message = 'wrong') => {
  const { from, to } = json.placeOf(text, { path, message });
  return text.slice(from, to);
};

test('a problem stands at its field, or as near as can be', () => {
  const text = '{\n  "agents": {"count": -4},\n  "timeline": [{"at_seconds": 1}, {"at_seconds": -2, "ü": "a}b"}],\n  "queue": {"capacty": 3, "codel": {"x": [1, 2]}}\n}';
  assert.equal(of(text, 'agents.count'), '-4');
  assert.equal(of(text, 'timeline.1.at_seconds'), '-2');
  assert.equal(of(text, 'timeline.1'), '{"at_seconds": -2, "ü": "a}b"}');
  assert.equal(of(text, 'queue.capacty', '/queue/capacty: found an unknown field'), '"capacty"');
  assert.equal(of(text, 'queue.codel'), '"codel"');
  assert.equal(of(text, 'queue.codel.x.1'), '2');
  assert.equal(of(text, 'workers.count'), '{');
  assert.equal(of(text, 'queue.capacity.deep'), '"queue"');
  assert.equal(of('  [1]', ''), '[');
  assert.equal(of('', ''), '');
});

test('a slip in the text stands at its line and column, counted in bytes', () => {
  assert.equal(of('{"ä": NaN}', '', 'found a mistake at line 1 column 8 (expected value)'), 'N');
  assert.equal(of('{\n "a": 3,}\n', '', 'found a mistake at line 2 column 9 (trailing comma)'), '}');
  assert.equal(of('{"a": 3', 'a', 'found a mistake at line 1 column 7 (the text ends within an object)'), '3');
  assert.equal(of('{"a": 3\n', 'a', 'found a mistake at line 2 column 0 (the text ends within an object)'), '\n');
  assert.equal(json.offset('ab\ncd', 9, 1), 5);
});

/** @param {string} marked text with | where the person is */
const around = (marked) => {
  const at = marked.indexOf('|');
  const text = marked.replace('|', '');
  const found = json.around(text, at);
  return found && `${found.role} ${found.path.join('.')} “${text.slice(found.from, found.to)}” ${found.taken}`.trim();
};

test('what may be written follows from where one is, also in unfinished text', () => {
  assert.equal(around('{|'), 'key  “”');
  assert.equal(around('{"queue": {|}}'), 'key queue “”');
  assert.equal(around('{"queue": {"capacity": 3, "disc|'), 'key queue “"disc” capacity');
  assert.equal(around('{"queue": {"disc|ipline": "fifo", "capacity": 3}}'), 'key queue “"discipline"” capacity');
  assert.equal(around('{"queue": {"discipline": |, "capacity": 3}}'), 'value queue.discipline “”');
  assert.equal(around('{"queue": {"discipline": "li|"}}'), 'value queue.discipline “"li"”');
  assert.equal(around('{"client": {"withdraws": tr|'), 'value client.withdraws “tr”');
  assert.equal(around('{"timeline": [{"at_seconds": 1}, {|'), 'key timeline.1 “”');
  assert.equal(around('{"queue": {"weights": [1, |'), 'value queue.weights.1 “”');
  assert.equal(around('{"seed": 3 |'), null);
  assert.equal(around('|{}'), null);
});

test('what may be written comes from the schema', () => {
  const labels = (found) => found.map((one) => one.label);
  assert.ok(labels(schemaWords.keys(schema, [], ['queue'])).includes('workers'));
  assert.ok(!labels(schemaWords.keys(schema, [], ['queue'])).includes('queue'));
  assert.ok(labels(schemaWords.keys(schema, ['timeline', '3'], [])).includes('traffic'));
  assert.deepEqual(schemaWords.keys(schema, ['no', 'such'], []), []);
  assert.ok(labels(schemaWords.values(schema, ['queue', 'discipline'], [])).includes('"lifo"'));
  assert.deepEqual(labels(schemaWords.values(schema, ['client', 'withdraws'], [])), ['true', 'false']);
  assert.deepEqual(labels(schemaWords.values(schema, ['queue', 'capacity'], [])), ['null', '200']);
  assert.deepEqual(labels(schemaWords.values(schema, ['timeline', '0', 'set', 'path'], ['queue.capacity'])), ['"queue.capacity"']);
  for (const { insert, label } of schemaWords.keys(schema, [], [])) assert.doesNotThrow(() => JSON.parse(insert), label);
});

test('a field is told with unit, range and default', () => {
  const told = (path) => schemaWords.words(schemaWords.nodeAt(schema, path.split('.')));
  assert.equal(told('queue.capacity').facts, 'a whole number · in requests · 1 to 10 000 000 · null: unbounded · default 200');
  assert.match(told('queue.lifo_above').facts, /with queue\.discipline = adaptive_lifo$/);
  assert.equal(told('agents.count').title, 'Agents');
  const found = json.fieldAt('{"agents": {"count": 80}}', 13);
  assert.deepEqual(found, { path: ['agents', 'count'], range: { from: 12, to: 19 } });
  assert.deepEqual(json.fieldAt('{"agents": {"count": 80}}', 21).path, ['agents', 'count']);
  assert.equal(json.fieldAt('{"agents": {"count": 80}}', 10), null);
});

/** A storage in memory, as a browser has it. */
function memory(room = Infinity) {
  const all = new Map();
  return {
    get length() { return all.size; },
    key: (index) => [...all.keys()][index] ?? null,
    getItem: (key) => all.get(key) ?? null,
    setItem: (key, value) => {
      if (value.length > room) throw Object.assign(new Error('exceeded the quota'), { name: 'QuotaExceededError' });
      all.set(key, value);
    },
    removeItem: (key) => void all.delete(key),
  };
}
const entry = (profile) => ({ preset: 'exp-001', profile, saved: '2026-01-02T03:04:05Z' });
const kind = (wanted) => (error) => error.kind === wanted && error.message.length > 10;

test('own experiments are kept by name, and never overwritten unasked', () => {
  const store = memory();
  const mine = shelf(() => store);
  const stamp = mine.write('B', entry('{}'));
  mine.write('A', entry('{"seed": 1}'));
  store.setItem('somebody/else', 'x');
  assert.deepEqual(mine.list().map(({ name }) => name), ['A', 'B']);
  assert.throws(() => mine.write('B', entry('{"seed": 2}')), kind('exists'));
  const next = mine.write('B', entry('{"seed": 2}'), { stamp });
  assert.throws(() => mine.write('B', entry('{"seed": 3}'), { stamp }), kind('changed'));
  assert.equal(mine.read('B').profile, '{"seed": 2}');
  assert.equal(mine.read('B').stamp, next);
  mine.write('B', entry('{"seed": 3}'), { replace: true });
  assert.throws(() => mine.rename('A', 'B'), kind('exists'));
  mine.rename('A', 'C');
  assert.throws(() => mine.read('A'), kind('missing'));
  assert.throws(() => mine.rename('A', 'D'), kind('missing'));
  const back = mine.remove('C');
  assert.throws(() => mine.remove('C'), kind('missing'));
  back();
  assert.equal(mine.read('C').profile, '{"seed": 1}');
  assert.throws(back, kind('exists'));
  mine.remove('B');
  assert.throws(() => mine.write('B', entry('{}'), { stamp: next }), kind('missing'));
  store.setItem('agent-chaos/experiment/odd', '{');
  assert.throws(() => mine.read('odd'), kind('unreadable'));
  assert.deepEqual(mine.list().map(({ name }) => name), ['C', 'odd']);
});

test('a storage that refuses or is full is said, and nothing is lost', () => {
  const refused = shelf(() => { throw new Error('SecurityError'); });
  for (const act of [() => refused.list(), () => refused.read('A'), () => refused.write('A', entry('{}')), () => refused.remove('A')]) assert.throws(act, kind('refused'));
  const store = memory(100);
  const full = shelf(() => store);
  full.write('A', entry('{}'));
  assert.throws(() => full.write('A', entry('x'.repeat(200)), { replace: true }), kind('full'));
  assert.equal(full.read('A').profile, '{}');
  const edits = unsaved(() => { throw new Error('no'); }, () => '');
  assert.equal(edits.keep({ preset: 'a', profile: '{}', own: null, draft: null, before: null }), false);
  assert.equal(edits.found(), null);
});

test('unsaved edits of a link have a place of their own', () => {
  const store = memory();
  let link = '';
  const kept = unsaved(() => store, () => link);
  const mine = { preset: 'a', profile: '{}', own: 'mine', draft: '{', before: null };
  kept.keep(mine);
  link = '#v1.exp-002';
  assert.equal(kept.found(), null);
  kept.keep({ preset: 'b', profile: '{"seed": 2}', own: null, draft: null, before: null });
  link = '';
  assert.deepEqual(kept.found(), mine);
  for (const speed of [20, Infinity]) {
    const aside = { ...mine, before: { preset: 'c', profile: '{"seed": 3}', own: null, draft: null, speed, set: '{}' } };
    kept.keep(aside);
    assert.deepEqual(kept.found(), aside);
  }
  store.setItem('agent-chaos/unsaved', JSON.stringify({ ...mine, before: { preset: 'c' } }));
  assert.deepEqual(kept.found(), mine);
  kept.keep(null);
  assert.equal(kept.found(), null);
  store.setItem('agent-chaos/unsaved', '[1]');
  assert.equal(kept.found(), null);
});

test('names are tidied, refused with words, and made fit for files', () => {
  assert.equal(tidy('  a \n b '), 'a b');
  assert.throws(() => tidy('  '), kind('name'));
  assert.throws(() => tidy('x'.repeat(81)), kind('name'));
  assert.equal(fileName('a/b: "c"?'), 'a-b- -c-.json');
  assert.equal(fileName('..'), 'experiment.json');
});

test('a file that is no profile says what it is', () => {
  const bytes = (text) => new TextEncoder().encode(text);
  assert.equal(file.refusal([{ name: 'a.json', size: 10 }]), '');
  assert.match(file.refusal([]), /No file/);
  assert.match(file.refusal([{ name: 'a', size: 1 }, { name: 'b', size: 1 }]), /2 files/);
  assert.match(file.refusal([{ name: 'a', size: 2_500_000 }]), /2\.5 MB.*at most 1 MB/);
  assert.match(file.refusal([{ name: 'a', size: 0 }]), /empty/);
  assert.match(file.contents('a.png', new Uint8Array([0x89, 0x50, 0xff])).wrong, /not text in UTF-8/);
  assert.match(file.contents('a.txt', bytes('hello')).wrong, /not JSON/);
  assert.match(file.contents('a.json', bytes('[1]')).wrong, /a section in braces/);
  assert.deepEqual(file.contents('a.json', bytes('\ufeff{"seed": 2}')), { profile: '{"seed": 2}', of: 'profile' });
  assert.deepEqual(file.contents('a.json', bytes('{"seed": 2,')), { profile: '{"seed": 2,', of: 'profile' });
  assert.deepEqual(file.contents('r.json', bytes('{"digest": "ab", "profile": {"seed": 3}}')), { profile: '{"seed":3}', of: 'report' });
});
