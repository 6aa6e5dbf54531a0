// Runs kept to compare with: how many, how they are told apart, and how a difference is written.

/** At most so many runs are kept. */
export const MOST_KEPT = 4;

/** The colours they are drawn in, and the dash that goes with each, so that colour is not the only sign. */
export const TOKENS = ['--kept-1', '--kept-2', '--kept-3', '--kept-4'];
/** @type {Record<string, number[]>} */
export const DASHES = { '--kept-1': [10, 4], '--kept-2': [10, 3, 2, 3], '--kept-3': [4, 3], '--kept-4': [2, 3] };

/** The first colour that no kept run has. @param {{ token: string }[]} kept */
export const freeToken = (kept) => TOKENS.find((token) => kept.every((one) => one.token !== token)) ?? TOKENS[0];

/** What is written in percent differs by percentage points. @param {string} text */
const points = (text) => text.replace(' %', ' points');
/** Whether nothing but zeros is left of a number once it is written. @param {string} text */
const vanishes = (text) => !/[1-9]/.test(text);

/**
 * A difference in the unit of its measure, with its sign.
 * @param {number} value @param {(value: number) => string} write
 */
export function signed(value, write) {
  const text = points(write(Math.abs(value)));
  if (value === 0 || vanishes(text)) return text;
  return `${value > 0 ? '+' : '−'}${text}`;
}

/**
 * How a figure differs from the baseline's, absolute and in percent of it; empty where one of them is undefined.
 * @param {unknown} value @param {unknown} base @param {(value: number) => string} write
 */
export function difference(value, base, write) {
  if (typeof value !== 'number' || typeof base !== 'number') return '';
  const by = value - base;
  if (by === 0) return 'same';
  const text = signed(by, write);
  if (vanishes(text)) return 'nearly the same';
  if (base === 0) return text;
  const percent = (100 * Math.abs(by)) / Math.abs(base);
  return `${text} (${by > 0 ? '+' : '−'}${percent.toFixed(percent < 10 ? 1 : 0)} %)`;
}

/**
 * What an interval around a paired difference says, in words.
 * @param {{ mean: number, ci95: number | null, min: number, max: number }} paired
 */
export function reading({ mean, ci95, min, max }) {
  if (min === 0 && max === 0) return 'equal in every seed';
  if (ci95 === null) return 'one seed: no interval';
  if (Math.abs(mean) <= ci95) return 'includes zero: no difference shown';
  return `excludes zero: ${mean > 0 ? 'higher' : 'lower'}`;
}

/**
 * What the same seed has in common between two runs of these profiles, in words.
 * @param {any[]} profiles
 */
export function shares(profiles) {
  const open = profiles.some((profile) => profile.arrivals || profile.extra_arrivals?.length);
  const closed = profiles.some((profile) => profile.agents);
  const loads = [
    open && 'Open load: the very same requests arrive at the very same moments, unless the load itself was changed; then the same draws are mapped through the other load.',
    closed && 'Closed loop: each agent’s n-th request has the same draws, but its moment moves, because an agent sends the next one when it has its answer.',
  ];
  return ['Runs with the same seed share their draws (common random numbers), so that chance does to one what it does to the other.', ...loads.filter(Boolean)].join(' ');
}

/** A value of a profile, short. @param {unknown} value */
export function plain(value) {
  if (value === null || value === undefined) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
