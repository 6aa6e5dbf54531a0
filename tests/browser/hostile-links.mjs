// Hostile links for the page: always the same ones, made by a small generator of its own.

let state = 0x9e3779b9;
const next = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
};
const below = (limit) => next() % limit;
const pick = (list) => list[below(list.length)];
const random = (most) => Array.from({ length: below(most) }, () => String.fromCharCode(below(0x250))).join('');

const PATHS = ['workers.count', 'agents.count', 'seed', 'timeline.0.at_seconds', 'timeline.999999999.at_seconds', '__proto__.polluted', 'constructor.prototype.polluted', 'toString', '', 'a.b.c.d', 'view', 'workers.service.empirical_ratios'];
const VALUES = [
  '1e999', '-0', '99999999999999999999', 'NaN', 'null', '[]', '{}', '{"__proto__":{"polluted":1}}', '[[[[[[', '%', '%zz', '%00', '%FF', 'javascript:globalThis.hit=1',
  '<script>globalThis.hit=1</script>', '<img src=x onerror="globalThis.hit=1">', '<img src="https://evil.example/x.png">', '"><svg onload=globalThis.hit=1>', '</textarea><iframe src="https://evil.example">', '${globalThis.hit=1}',
];
const KEYS = ['show', 'charts', 'lock', 'free', 'ask', 'seeds', 'vs', 'by', 'answer', '__proto__', 'constructor'];
const GOOD = 'v1.exp-001~workers.count=6~view.show=verdict~view.ask=Why%3F~view.vs=workers.count=7~h=841621f01673';

const KINDS = [
  () => random(300),
  () => `v1.${random(200)}`,
  () => `v1z.${Array.from({ length: below(400) }, () => pick([...'ABCDEFabcdef0123456789-_'])).join('')}`,
  () => `v1.exp-001~${pick(PATHS)}=${pick(VALUES)}`,
  () => `v1.exp-001~${pick(PATHS)}=${encodeURIComponent(pick(VALUES))}`,
  () => `v1.exp-001~workers=${'%5B'.repeat(1 << below(12))}`,
  () => `v1.exp-001${`~${pick(PATHS)}=${pick(VALUES)}`.repeat(1 << below(9))}`,
  // What is shown comes from the link: as text, whatever it looks like.
  () => `v1.exp-001~view.${pick(['ask', 'answer', 'by'])}=${encodeURIComponent(pick(VALUES.slice(13)))}`,
  () => `v1.exp-001~view.ask=${encodeURIComponent(pick(VALUES.slice(13)))}~view.seeds=own~view.by=${encodeURIComponent(pick(VALUES.slice(13)))}`,
  () => `v1.exp-001~view.${pick(KEYS)}=${encodeURIComponent(pick(VALUES))}`,
  () => `v1.exp-001~view.vs=${pick(PATHS)}=${encodeURIComponent(pick(VALUES))}`,
  () => {
    const at = below(GOOD.length);
    return GOOD.slice(0, at) + pick(['', '~', '%', '<', '\u0000', 'é', GOOD.slice(at + 1)]) + GOOD.slice(at + below(3));
  },
  () => `v${below(99)}${pick(['', 'z', 'q'])}.${pick(VALUES)}`,
  () => `v1.${encodeURIComponent(pick(VALUES))}`,
];

/** @param {number} count */
export const hostile = (count) => Array.from({ length: count }, (_, number) => KINDS[number % KINDS.length]());
