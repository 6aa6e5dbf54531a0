import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv, fileName } from '../../web/shared/csv.js';
import { atOrAfter, extremes, nearest, spans, stride, thin } from '../../web/shared/decimate.js';
import { SvgPen } from '../../web/shared/svgpen.js';
import * as zoom from '../../web/shared/zoom.js';

/** Numbers that look random and are always the same. */
function noise(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

const MILLION = 1_000_000;
const times = Float64Array.from({ length: MILLION }, (_, row) => row * 0.001);
const next = noise(7);
const values = Float64Array.from({ length: MILLION }, () => next());
const other = Float64Array.from({ length: MILLION }, () => 5 - next());
// Spikes of one row, up and down, and a gap of one row.
for (const row of [0, 1234, 500_000, 777_777, MILLION - 1]) values[row] = 1000 + row;
for (const row of [4321, 600_001]) values[row] = -1000 - row;
values[333_333] = NaN;

for (const [from, to, buckets] of [[0, 1000, 800], [0, 1000, 320], [499.5, 500.5, 100], [600, 800, 1500]]) {
  test(`a million rows from ${from} to ${to} s become few, and every pixel keeps its extremes: ${buckets} pixels`, () => {
    const rows = thin(times, [values, other], from, to, buckets);
    assert.ok(rows.length <= 8 * (buckets + 2), `${rows.length} rows`);
    assert.ok(rows.every((row, index) => index === 0 || row > rows[index - 1]), 'in order, none twice');
    const width = (to - from) / buckets;
    for (const column of [values, other]) {
      const best = new Map();
      const note = (map, row) => {
        const bucket = Math.floor((times[row] - from) / width);
        const [low, high] = map.get(bucket) ?? [Infinity, -Infinity];
        if (!Number.isNaN(column[row])) map.set(bucket, [Math.min(low, column[row]), Math.max(high, column[row])]);
      };
      for (let row = atOrAfter(times, from); row < MILLION && times[row] <= to; row++) note(best, row);
      const kept = new Map();
      for (const row of rows) if (times[row] >= from && times[row] <= to) note(kept, row);
      assert.deepEqual([...kept].sort(), [...best].sort());
    }
    if (from < 333 && to > 334) assert.ok(rows.includes(333_333), 'the gap stays a gap');
  });
}

test('few rows are all kept, with one beyond either end', () => {
  assert.deepEqual(thin([0, 1, 2, 3, 4, 5], [[0, 0, 0, 0, 0, 0]], 2, 3, 100), [1, 2, 3, 4]);
  assert.deepEqual(thin([], [[]], 0, 1, 10), []);
  assert.deepEqual(thin([1], [[null]], 0, 1, 10), [0]);
});

test('the nearest row is found, and what lies between two times', () => {
  assert.equal(nearest([], 3), -1);
  assert.deepEqual([-1, 0, 0.4, 0.5, 0.6, 9].map((time) => nearest([0, 1, 2], time)), [0, 0, 0, 0, 1, 2]);
  assert.deepEqual(extremes([0, 1, 2, 3], [9, 1, null, 4], 1, 3), [1, 4]);
  assert.equal(extremes([0, 1], [null, NaN], 0, 1), null);
  assert.deepEqual([stride(0, 200), stride(200, 200), stride(201, 200), stride(4096, 200)], [1, 1, 2, 21]);
});

test('stretches begin where the row before them ends', () => {
  const column = [null, 0, 0, 2, 1, 1];
  assert.deepEqual(spans([1, 2, 3, 4, 5, 6], 6, (row) => column[row]), [
    { from: 0, to: 1, value: null }, { from: 1, to: 3, value: 0 }, { from: 3, to: 4, value: 2 }, { from: 4, to: 6, value: 1 },
  ]);
});

test('a zoom stays within the run, around what is pointed at', () => {
  assert.deepEqual(zoom.scale(null, 100, 0.5, 20), [10, 60]);
  assert.deepEqual(zoom.scale([10, 60], 100, 2, 35), null);
  assert.deepEqual(zoom.scale([80, 90], 100, 2, 90), [70, 90]);
  assert.deepEqual(zoom.within([90, 110], 100), [80, 100]);
  assert.equal(zoom.within([-5, 200], 100), null);
  assert.deepEqual(zoom.holding([10, 20], 100, 15), [10, 20]);
  assert.deepEqual(zoom.holding([10, 20], 100, 30), [21, 31]);
  assert.equal(zoom.holding(null, 100, 30), null);
  const [from, to] = zoom.scale([50, 50.01], 100, 0.001, 50.005);
  assert.ok(to - from >= 100 / 10_000 - 1e-9, 'there is a narrowest');
});

test('an axis has round numbers', () => {
  assert.deepEqual(zoom.ticks(0, 120, 6), [0, 20, 40, 60, 80, 100, 120]);
  assert.deepEqual(zoom.ticks(0.1, 0.75, 4), [0.2, 0.4, 0.6]);
  assert.deepEqual(zoom.ticks(-130, 120, 3), [-100, 0, 100]);
  assert.deepEqual(zoom.ticks(3, 3, 5), []);
  assert.deepEqual([0.05, 1000, 12_000, 1_500_000, -20_000].map(zoom.tick), ['0.05', '1000', '12k', '1.5M', '−20k']);
});

test('an axis of unknown length ends a little ahead of the run', () => {
  assert.deepEqual([0.5, 0.52, 1, 9.91, 74.2, 81.1, 1000.1].map(zoom.ahead), [0.5, 0.52, 1, 10, 75, 82, 1100]);
});

test('numbers become a table that other programs read', () => {
  assert.equal(csv(['a', 'b, c'], [[1, null], [NaN, 'say "so"']]), 'a,"b, c"\r\n1,\r\n,"say ""so"""\r\n');
  assert.equal(csv(['a', 'b'], [[0.1, 2]], '\t'), 'a\tb\r\n0.1\t2\r\n');
  assert.equal(fileName(['exp 002', '', 'a/b'], 'csv'), 'exp-002-a-b.csv');
});

test('what is drawn into a file is paths and text', () => {
  const pen = new SvgPen((text) => 6 * text.length);
  pen.save();
  pen.rect(0, 0, 10, 10);
  pen.clip();
  pen.strokeStyle = 'rgba(80, 95, 120, 0.09)';
  pen.setLineDash([4, 2]);
  pen.beginPath();
  pen.moveTo(0, 0);
  pen.lineTo(5.123, 6);
  pen.stroke();
  pen.restore();
  pen.font = '600 11px serif';
  pen.textAlign = 'right';
  pen.fillStyle = '#18202c';
  pen.fillText('Q < K & "so"', 3, 4);
  const text = pen.toSvg(100, 50, 'A <title>', 'what it shows');
  assert.match(text, /<path d="M0 0L5\.12 6" fill="none" stroke="rgb\(80,95,120\)" stroke-opacity="0\.09" [^>]*stroke-dasharray="4 2" clip-path="url\(#clip0\)"\/>/);
  assert.match(text, /<text x="3" y="4" font-family="serif" font-size="11" font-weight="600" fill="#18202c" text-anchor="end">Q &lt; K &amp; &quot;so&quot;<\/text>/);
  assert.match(text, /<title>A &lt;title&gt;<\/title>/);
  assert.equal(pen.measureText('four').width, 24);
});
