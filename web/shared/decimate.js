// Fewer rows for the same picture: what a pixel column shows are the first, the last, the lowest and the highest value in it.

/** @typedef {ArrayLike<number | null>} Column */

/** The first index whose time is not before this. @param {ArrayLike<number>} times ascending @param {number} time */
export function atOrAfter(times, time) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the row nearest to a time; −1 where there are no rows. @param {ArrayLike<number>} times ascending @param {number} time */
export function nearest(times, time) {
  const after = atOrAfter(times, time);
  if (after === 0) return times.length ? 0 : -1;
  if (after === times.length) return times.length - 1;
  return time - times[after - 1] <= times[after] - time ? after - 1 : after;
}

/**
 * The rows to draw between two times, as indices, with one row beyond either end, so that lines run out of the picture.
 * Of each of `buckets` equal stretches the first and the last row are kept, and for each column the rows of its least and of its
 * greatest value and of the first that is undefined: no spike and no gap is lost, and a million rows cost one look at each.
 * @param {ArrayLike<number>} times ascending @param {Column[]} columns @param {number} from @param {number} to @param {number} buckets
 * @returns {number[]} ascending
 */
export function thin(times, columns, from, to, buckets) {
  const first = Math.max(atOrAfter(times, from) - 1, 0);
  const end = Math.min(atOrAfter(times, to) + 2, times.length);
  /** @type {number[]} */
  const kept = [];
  if (end - first <= 2 * buckets || !(to > from)) {
    for (let row = first; row < end; row++) kept.push(row);
    return kept;
  }
  const width = (to - from) / buckets;
  /** Least, greatest, and first undefined, of each column. */
  const marks = new Int32Array(3 * columns.length);
  /** @param {number} start @param {number} stop */
  const close = (start, stop) => {
    marks.fill(-1);
    columns.forEach((column, index) => {
      const at = 3 * index;
      for (let row = start; row < stop; row++) {
        const value = column[row];
        if (value === null || Number.isNaN(value)) {
          if (marks[at + 2] < 0) marks[at + 2] = row;
          continue;
        }
        if (marks[at] < 0 || value < /** @type {number} */ (column[marks[at]])) marks[at] = row;
        if (marks[at + 1] < 0 || value > /** @type {number} */ (column[marks[at + 1]])) marks[at + 1] = row;
      }
    });
    const rows = [start, stop - 1, ...marks].filter((row) => row >= 0).sort((a, b) => a - b);
    rows.forEach((row, index) => { if (index === 0 || row !== rows[index - 1]) kept.push(row); });
  };
  const bucketOf = (/** @type {number} */ row) => Math.floor((times[row] - from) / width);
  let start = first;
  let bucket = bucketOf(first);
  for (let row = first + 1; row < end; row++) {
    const here = bucketOf(row);
    if (here === bucket) continue;
    close(start, row);
    start = row;
    bucket = here;
  }
  close(start, end);
  return kept;
}

/** The least and the greatest value between two times; null where there is none. @param {ArrayLike<number>} times @param {Column} values @param {number} from @param {number} to @returns {[number, number] | null} */
export function extremes(times, values, from, to) {
  let low = Infinity;
  let high = -Infinity;
  const end = Math.min(atOrAfter(times, to) + 1, times.length);
  for (let row = atOrAfter(times, from); row < end; row++) {
    const value = values[row];
    if (value === null || Number.isNaN(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

/** Every how many rows one is shown, so that there are at most `most`. @param {number} rows @param {number} most */
export const stride = (rows, most) => Math.max(1, Math.ceil(rows / most));

/**
 * Stretches in which a column does not change. A row says what was between the one before it and itself.
 * @template T
 * @param {ArrayLike<number>} times @param {number} rows @param {(row: number) => T} of what a row is; equal ones are one stretch
 * @returns {{ from: number, to: number, value: T }[]}
 */
export function spans(times, rows, of) {
  /** @type {{ from: number, to: number, value: T }[]} */
  const found = [];
  for (let row = 0; row < rows; row++) {
    const value = of(row);
    const last = found.at(-1);
    if (last && last.value === value) last.to = times[row];
    else found.push({ from: row ? times[row - 1] : 0, to: times[row], value });
  }
  return found;
}
