// What the JSON Schema says of a field, in words and as proposals.

import * as format from './format.js';

/** @typedef {any} Node a node of the JSON Schema */

/** @param {Node} schema @param {string[]} path @returns {Node | undefined} */
export function nodeAt(schema, path) {
  return path.reduce((/** @type {Node} */ node, name) => (node?.items && /^\d+$/.test(name) ? node.items : node?.properties?.[name]), schema);
}

/** A value as it is written in a profile, short. @param {unknown} value */
export const written = (value) => (typeof value === 'number' && Math.abs(value) >= 1e4 && Number.isInteger(value) ? format.count(value) : JSON.stringify(value));

/** @type {Record<string, string>} */
const KINDS = { integer: 'a whole number', number: 'a number', string: 'text', boolean: 'true or false', array: 'a list', object: 'a section' };

/**
 * @param {Node} node
 * @returns {{ title: string, facts: string, description: string }}
 */
export function words(node) {
  const types = [node.type].flat();
  const kind = types.find((/** @type {string} */ one) => one !== 'null');
  const unit = format.unit(node['x-unit']);
  const facts = [
    node.enum ? `one of ${node.enum.map((/** @type {string} */ one) => JSON.stringify(one)).join(', ')}` : KINDS[kind] ?? '',
    unit && (unit.startsWith('(') ? unit : `in ${unit}`), format.limits(node),
    types.includes('null') && `null: ${node['x-null-title'] ?? 'off'}`,
    plain(node.default) && `default ${written(node.default)}`,
    node['x-when'] && `with ${Object.entries(node['x-when']).map(([path, value]) => `${path} = ${[value].flat().join(' or ')}`).join(', ')}`,
  ];
  return { title: node.title ?? '', facts: facts.filter(Boolean).join(' · '), description: node.description ?? '' };
}

/** @param {unknown} value */
const plain = (value) => value !== undefined && (value === null || typeof value !== 'object');

/** What a new field starts with. @param {Node} node */
const start = (node) => node['x-template'] ?? (node.default !== null && node.default !== undefined ? node.default : [node.type].flat().includes('object') ? {} : [node.type].flat().includes('array') ? [] : null);

/** @typedef {{ label: string, detail: string, insert: string, node: Node | null }} Proposal */

/** The fields that a section may still get. @param {Node} schema @param {string[]} path @param {string[]} taken @returns {Proposal[]} */
export function keys(schema, path, taken) {
  const properties = /** @type {Record<string, Node>} */ (nodeAt(schema, path)?.properties ?? {});
  return Object.entries(properties).filter(([name]) => !taken.includes(name))
    .map(([name, node]) => ({ label: name, detail: node.title ?? '', insert: JSON.stringify(start(node)), node }));
}

/** The values that a field may have, as far as they can be listed. @param {Node} schema @param {string[]} path @param {string[]} settable what a timeline may set @returns {Proposal[]} */
export function values(schema, path, settable) {
  const node = nodeAt(schema, path);
  if (!node) return [];
  const types = [node.type].flat();
  /** @param {unknown} value @param {string} detail @returns {Proposal} */
  const one = (value, detail) => ({ label: JSON.stringify(value), detail, insert: JSON.stringify(value), node: null });
  const aims = path.length === 4 && path[0] === 'timeline' && path[2] === 'set' && path[3] === 'path';
  const found = aims ? settable.map((name) => one(name, '')) : [];
  if (node.enum) found.push(...node.enum.map((/** @type {string} */ value, /** @type {number} */ index) => one(value, node['x-enum-titles']?.[index] ?? '')));
  if (types.includes('boolean')) found.push(one(true, 'on'), one(false, 'off'));
  if (types.includes('null')) found.push(one(null, node['x-null-title'] ?? 'off'));
  if (!node.enum && !aims && !types.includes('boolean') && plain(node.default) && node.default !== null) found.push(one(node.default, 'default'));
  if (types.includes('object')) found.push({ label: '{…}', detail: 'with its defaults', insert: JSON.stringify(start(node) ?? {}), node: null });
  return found;
}
