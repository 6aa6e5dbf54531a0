// Places in JSON text that may be unfinished or wrong: which range a path has, and what may stand at a position.

/** @typedef {{ from: number, to: number }} Range */
/** @typedef {{ path: string[], key: Range | null, value: Range | null }} Spot a field or an entry, where it stands */
/** @typedef {{ path: string[], list: boolean, index: number, expects: 'key' | 'colon' | 'value' | 'comma', spot: Spot | null, self: Spot | null }} Place a section or list that has been entered, the field in it that is under way, and where it stands itself */
/** @typedef {Range & { kind: 'string' | 'word' | 'mark', text: string, whole: boolean }} Token */

/** @param {string} text @returns {Generator<Token>} */
function* tokens(text) {
  // A string may lack its end; then it ends with its line.
  const pattern = /"(?:[^"\\\n]|\\.)*("?)|[{}[\],:]|[^\s{}[\],:"]+/g;
  for (const match of text.matchAll(pattern)) {
    const [found, end] = match;
    const kind = found[0] === '"' ? 'string' : /^[{}[\],:]$/.test(found) ? 'mark' : 'word';
    yield { from: match.index, to: match.index + found.length, kind, text: found, whole: kind !== 'string' || (end === '"' && found.length > 1) };
  }
}

/** What a string token says. @param {Token} token */
function said(token) {
  if (token.kind !== 'string') return token.text;
  try { return String(JSON.parse(token.whole ? token.text : `${token.text}"`)); } catch { return token.text.replaceAll('"', ''); }
}

/**
 * Reads what can be read.
 * @param {string} text
 * @returns {{ spots: Spot[], open: Place[], last: { token: Token, role: 'key' | 'value' | null } | null }} `open` are the sections and lists that have not been closed, the innermost last
 */
export function scan(text) {
  /** @type {Spot[]} */
  const spots = [{ path: [], key: null, value: null }];
  /** @type {Place[]} */
  const open = [];
  /** @type {{ token: Token, role: 'key' | 'value' | null } | null} */
  let last = null;
  /** What the next value belongs to. @returns {Spot | null} */
  const target = () => {
    const around = open.at(-1);
    if (!around) return spots[0].value === null ? spots[0] : null;
    if (!around.list) return around.expects === 'value' ? around.spot : null;
    if (around.expects !== 'value') return null;
    const spot = { path: [...around.path, String(around.index)], key: null, value: null };
    spots.push(spot);
    return spot;
  };
  const filled = () => {
    const around = open.at(-1);
    if (around) around.expects = 'comma';
  };
  for (const token of tokens(text)) {
    const around = open.at(-1);
    last = { token, role: null };
    if (token.text === '{' || token.text === '[') {
      const spot = target();
      if (spot) spot.value = { from: token.from, to: text.length };
      filled();
      const list = token.text === '[';
      open.push({ path: spot?.path ?? [...(around?.path ?? []), '?'], list, index: 0, expects: list ? 'value' : 'key', spot: null, self: spot });
    } else if (token.text === '}' || token.text === ']') {
      // What is closed although it was never opened is left alone.
      const at = open.findLastIndex((one) => one.list === (token.text === ']'));
      if (at < 0) continue;
      const [{ self }] = open.splice(at);
      if (self?.value) self.value.to = token.to;
    } else if (token.text === ',') {
      if (!around) continue;
      around.index += 1;
      around.expects = around.list ? 'value' : 'key';
      around.spot = null;
    } else if (token.text === ':') {
      if (around && !around.list) around.expects = 'value';
    } else if (around && !around.list && around.expects !== 'value') {
      // A key; also where the comma before it is missing.
      around.spot = { path: [...around.path, said(token)], key: { from: token.from, to: token.to }, value: null };
      spots.push(around.spot);
      around.expects = 'colon';
      last.role = 'key';
    } else {
      const spot = target();
      if (spot) spot.value = { from: token.from, to: token.to };
      filled();
      last.role = 'value';
    }
  }
  return { spots, open, last };
}

/** An offset from a line and a column that counts bytes, both from 1. @param {string} text @param {number} line @param {number} column */
export function offset(text, line, column) {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const end = text.indexOf('\n', start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  let bytes = 0;
  for (const letter of text.slice(start)) {
    if (bytes >= column - 1 || letter === '\n') break;
    const code = letter.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    start += letter.length;
  }
  return start;
}

/**
 * Where a problem stands in the text: at the line and column that it names, else at its field, else at the nearest section around it.
 * @param {string} text @param {{ path: string, message: string }} problem @returns {Range}
 */
export function placeOf(text, { path, message }) {
  const named = / at line (\d+) column (\d+)/.exec(message);
  if (named) {
    const at = Math.min(offset(text, Number(named[1]), Math.max(1, Number(named[2]))), text.length);
    // Something to see, also at the very end or before a line's end.
    const from = at >= text.length || text[at] === '\n' ? Math.max(0, at - 1) : at;
    return { from, to: Math.min(text.length, from + 1) };
  }
  const { spots } = scan(text);
  const wanted = path === '' ? [] : path.split('.');
  for (let length = wanted.length; length > 0; length--) {
    // A field that stands twice is wrong where it stands last.
    const spot = spots.findLast((one) => one.path.join('.') === wanted.slice(0, length).join('.'));
    if (!spot) continue;
    const unknown = /found an unknown field/.test(message) && length === wanted.length;
    const range = (unknown || (spot.value && /^[{[]/.test(text.slice(spot.value.from, spot.value.from + 1)) && spot.key) ? spot.key : spot.value) ?? spot.key;
    if (range) return range;
  }
  const start = text.search(/\S/);
  return { from: Math.max(0, start), to: Math.min(text.length, Math.max(0, start) + 1) };
}

/**
 * What may be written at a position.
 * @param {string} text @param {number} at
 * @returns {{ role: 'key' | 'value', path: string[], from: number, to: number, taken: string[] } | null} `path` is the section around a key, or the field of a value; `taken` are the keys that are there already
 */
export function around(text, at) {
  const { open, last } = scan(text.slice(0, at));
  const inner = open.at(-1);
  if (!inner) return null;
  const all = [...tokens(text)];
  // Whoever stands in or right behind an unfinished word means that word.
  const begun = last && last.role && last.token.to === at && (last.token.kind === 'word' || !last.token.whole) ? last : null;
  const whole = begun && all.find((one) => one.from === begun.token.from);
  const from = begun ? begun.token.from : at;
  const to = whole && whole.kind === begun?.token.kind ? Math.max(at, whole.to) : at;
  const taken = scan(text).spots.filter((one) => one.key && one.key.from !== from && one.path.length === inner.path.length + 1 && inner.path.every((part, index) => one.path[index] === part)).map((one) => one.path[inner.path.length]);
  if (begun?.role === 'key' || (!begun && !inner.list && inner.expects === 'key')) return { role: 'key', path: inner.path, from, to, taken };
  if (begun?.role === 'value' || (!begun && inner.expects === 'value')) {
    const path = inner.list ? [...inner.path, String(inner.index)] : (inner.spot?.path ?? inner.path);
    return { role: 'value', path, from, to, taken: [] };
  }
  return null;
}

/** The field whose name or plain value stands at a position. @param {string} text @param {number} at @returns {{ path: string[], range: Range } | null} */
export function fieldAt(text, at) {
  const inside = (/** @type {Range | null} */ range) => range !== null && range.from <= at && at < range.to;
  for (const spot of scan(text).spots) {
    if (spot.key && inside(spot.key)) return { path: spot.path, range: spot.key };
    if (spot.value && inside(spot.value) && !/[{[]/.test(text[spot.value.from])) return { path: spot.path, range: spot.value };
  }
  return null;
}
