// Messages that no decent page would send, the same ones for the same seed.

/** @param {number} seed */
function random(seed) {
  let state = seed >>> 0;
  return (/** @type {number} */ below) => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const TYPES = ['run', 'pause', 'reset', 'set', 'theme', 'get report', 'get state', 'ready', 'size', 'eval', '__proto__', 'constructor', '', 'RUN', 'x'.repeat(5000)];
const PATHS = ['workers.count', 'queue.capacity', 'seed', 'agents', 'timeline', 'workers.service.distribution', 'run.duration_seconds', '__proto__.polluted', 'constructor.prototype.polluted', 'prototype', 'a.b.c.d.e', '', '.', '..', 'workers..count', 'workers.count.x', '0', 'toString', 'x'.repeat(300)];
const STRINGS = ['', '<img src=x onerror="document.title=1">', 'javascript:alert(1)', '\0', '\u202e', '💥'.repeat(50), 'auto', 'light', 'dark', 'null', 'NaN', '1e999', '../../etc', 'x'.repeat(20_000)];

/**
 * Only what a message may hold at all (a structured clone), so that they can be sent as well as read.
 * @param {number} many @param {number} seed
 */
export function* hostile(many, seed) {
  const below = random(seed);
  const one = (/** @type {any[]} */ list) => list[below(list.length)];
  /** @param {number} depth @returns {any} */
  const value = (depth) => {
    switch (below(depth > 3 ? 9 : 14)) {
      case 0: return null;
      case 1: return below(2) === 0;
      case 2: return one([0, -1, 1, 2, 6, 1.5, 1e308, -1e308, NaN, Infinity, -Infinity, -0, Number.MAX_SAFE_INTEGER, 4294967295, 4294967296]);
      case 3: return one(STRINGS);
      case 4: return undefined;
      case 5: return BigInt(below(1000));
      case 6: return new Date(below(2) ? NaN : 0);
      case 7: return new Uint8Array(below(20));
      case 8: return /x/;
      case 9: return new Map([[one(STRINGS), value(depth + 1)]]);
      case 10: return Array.from({ length: below(6) }, () => value(depth + 1));
      case 11: {
        const round = /** @type {any} */ ({ a: value(depth + 1) });
        round.round = round;
        return round;
      }
      case 12: return Object.defineProperty({}, '__proto__', { value: { polluted: true }, enumerable: true });
      default: return Object.fromEntries(Array.from({ length: below(6) }, () => [one([...PATHS, 'agent-chaos', 'type', 'id', 'version']), value(depth + 1)]));
    }
  };
  for (let count = 0; count < many; count++) {
    if (below(6) === 0) {
      yield value(0);
      continue;
    }
    /** @type {any} */
    const message = { 'agent-chaos': below(8) ? 1 : value(2), type: below(10) ? one(TYPES) : value(2) };
    if (below(2)) message.id = below(4) ? below(1e6) : value(2);
    if (below(2)) message.path = below(6) ? one(PATHS) : value(2);
    if (below(2)) message.value = value(0);
    if (below(2)) message.theme = below(3) ? one(['auto', 'light', 'dark']) : value(2);
    if (below(4) === 0) message[one(STRINGS)] = value(1);
    yield message;
  }
}
