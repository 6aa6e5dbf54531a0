// Dotted paths and JSON pointers into a profile.

/** @typedef {{ [name: string]: any }} Tree */

/** @param {Tree} tree @param {string} path @returns {any} */
export function read(tree, path) {
  return path.split('.').reduce((/** @type {any} */ place, name) => (place == null ? undefined : place[name]), tree);
}

/**
 * A copy of the tree with one value replaced; the tree itself stays as it is.
 * @param {Tree} tree @param {string} path @param {unknown} value @returns {Tree}
 */
export function write(tree, path, value) {
  const [name, ...rest] = path.split('.');
  const inner = rest.length ? write(tree[name] ?? {}, rest.join('.'), value) : value;
  return { ...tree, [name]: inner };
}

/** @param {string} pointer */
export const fromPointer = (pointer) =>
  pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
