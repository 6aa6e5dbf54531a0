// What an embed and the page around it say to each other by `postMessage`. Everything is a plain object with the protocol's version
// under `agent-chaos`; whatever else arrives is not for us.

/** The version of the protocol. */
export const PROTOCOL = 1;
const MARK = 'agent-chaos';
/** What the page around may ask for. */
export const REQUESTS = ['run', 'pause', 'reset', 'set', 'theme', 'get report', 'get state'];
const THEMES = ['auto', 'light', 'dark'];
/** A longer path, text or value is refused. */
const MOST = 100_000;

/** @typedef {string | number | null} Id */
/** @typedef {{ type: 'run' | 'pause' | 'reset' | 'get report' | 'get state', id: Id } | { type: 'set', id: Id, path: string, value: unknown } | { type: 'theme', id: Id, theme: 'auto' | 'light' | 'dark' }} Request */
/** @typedef {{ type: 'refused', id: Id, field: string, message: string }} Refusal */

/** A value as it is repeated in a message. @param {unknown} value */
const found = (value) => (typeof value === 'string' ? `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"` : value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'number' ? String(value) : typeof value === 'undefined' ? 'nothing' : `a value of type ${typeof value}`);

/**
 * Reads a message. Never throws.
 * @param {unknown} data
 * @returns {Request | Refusal | null} null is none of ours
 */
export function readMessage(data) {
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, MARK)) return null;
  const message = /** @type {Record<string, unknown>} */ (data);
  const own = (/** @type {string} */ name) => (Object.hasOwn(message, name) ? message[name] : undefined);
  const asked = own('id');
  const id = (typeof asked === 'string' && asked.length <= 100) || (typeof asked === 'number' && Number.isFinite(asked)) ? asked : null;
  const refuse = (/** @type {string} */ field, /** @type {unknown} */ value, /** @type {string} */ accepted) => /** @type {Refusal} */ ({ type: 'refused', id, field, message: `${field}: found ${found(value)}, accepted: ${accepted}` });

  if (own(MARK) !== PROTOCOL) return refuse(MARK, own(MARK), String(PROTOCOL));
  if (asked !== undefined && id === null) return refuse('id', asked, 'a number, or text of at most 100 characters');
  const type = own('type');
  if (typeof type !== 'string' || !REQUESTS.includes(type)) return refuse('type', type, REQUESTS.join(', '));
  if (type === 'theme') {
    const theme = own('theme');
    if (typeof theme !== 'string' || !THEMES.includes(theme)) return refuse('theme', theme, THEMES.join(', '));
    return { type, id, theme: /** @type {'auto' | 'light' | 'dark'} */ (theme) };
  }
  if (type === 'set') {
    const path = own('path');
    if (typeof path !== 'string' || path.length > 200 || !/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/.test(path)) return refuse('path', path, 'the path of a field, such as workers.count');
    const value = own('value');
    const text = json(value);
    if (text === null || text.length > MOST) return refuse('value', value, 'a JSON value');
    return { type, id, path, value: JSON.parse(text) };
  }
  return /** @type {Request} */ ({ type, id });
}

/** @param {unknown} value */
function json(value) {
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    return null;
  }
}

/** A message to the page around. @param {'ready' | 'size' | 'state' | 'report' | 'error'} type @param {{ [name: string]: unknown }} content @param {Id} [id] the request that it answers */
export const tell = (type, content, id = null) => ({ [MARK]: PROTOCOL, type, ...(id === null ? {} : { id }), ...content });
