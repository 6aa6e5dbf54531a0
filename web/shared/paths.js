// Dotted paths and JSON pointers into a profile.

/** @typedef {{ [name: string]: any }} Tree */

/** @param {Tree} tree @param {string} path @returns {any} */
export function read(tree, path) {
  return path.split('.').reduce((/** @type {any} */ place, name) => (place == null ? undefined : place[name]), tree);
}

/**
 * What holds at a path: what is written there, else the schema's default.
 * @param {Tree} tree @param {string} path @param {any} schema @returns {any}
 */
export function effective(tree, path, schema) {
  const written = read(tree, path);
  if (written !== undefined) return written;
  return path.split('.').reduce((node, name) => node?.properties?.[name] ?? node?.items, schema)?.default;
}

/**
 * A copy of the tree with one value replaced; the tree itself stays as it is. A number in the path is an entry of a list.
 * @param {Tree} tree @param {string} path @param {unknown} value @returns {Tree}
 */
export function write(tree, path, value) {
  const [name, ...rest] = path.split('.');
  const inner = rest.length ? write(tree[name] ?? (/^\d+$/.test(rest[0]) ? [] : {}), rest.join('.'), value) : value;
  return Object.assign(Array.isArray(tree) ? [...tree] : { ...tree }, { [name]: inner });
}

/** @param {string} pointer */
export const fromPointer = (pointer) =>
  pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
