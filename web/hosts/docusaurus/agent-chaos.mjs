// Experiments of Agent Chaos Playground in Docusaurus: a remark plugin for fenced blocks of the language `agent-chaos`.
//
//   exp-002                      a preset, or the token of a link
//   set: workers.count=6         and what an embed may be told, a line each
//   charts: queue

export const NAMES = ['preset', 'set', 'seed', 'link', 'view', 'charts', 'lock', 'free', 'ask', 'seeds', 'vs', 'theme', 'heading', 'verdict', 'playground'];
const OWN = ['as', 'height'];
const SANDBOX = 'allow-scripts allow-popups allow-popups-to-escape-sandbox';

/** @typedef {Map<string, string[]>} Given */

/** The lines of a block, by their names. @param {string} text @returns {Given} */
export function read(text) {
  /** @type {Given} */
  const given = new Map();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const refuse = (/** @type {string} */ problem) => new Error(`line ${index + 1}: ${problem}`);
    const named = /^([a-z]+):(.*)$/.exec(line);
    if (!named && /\s/.test(line)) throw refuse(`found "${line}", accepted: name: value`);
    const [name, value] = named ? [named[1], named[2].trim()] : [line.startsWith('v1') ? 'link' : 'preset', line];
    if (name === 'as' && !['element', 'frame'].includes(value)) throw refuse(`as: found "${value}", accepted: element, frame`);
    if (name === 'height' && !(/^[0-9]{1,9}$/.test(value) && Number(value) >= 100 && Number(value) <= 5000)) throw refuse(`height: found "${value}", accepted: 100 to 5000 pixels`);
    if (!NAMES.includes(name) && !OWN.includes(name)) throw refuse(`found "${name}", accepted: ${[...NAMES, ...OWN].join(', ')}`);
    if (given.has(name) && name !== 'vs' && !OWN.includes(name)) throw refuse(`${name}: found it twice, accepted: it once`);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  if (![...given.keys()].some((name) => !OWN.includes(name))) throw new Error('found nothing, accepted: a preset, or lines of the form name: value');
  return given;
}

const encoded = (/** @type {string} */ value) => encodeURIComponent(value).replace(/[!'()*~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

/** The token of a link to the experiment. @param {Given} given */
export function token(given) {
  const one = (/** @type {string} */ name) => given.get(name)?.[0];
  const link = one('link');
  if (link !== undefined) return link;
  const parts = [`v1.${one('preset') ?? 'exp-002'}`];
  for (const change of (one('set') ?? '').split('~').map((text) => text.trim()).filter(Boolean)) {
    const at = change.indexOf('=');
    parts.push(at < 0 ? `${change}=` : `${change.slice(0, at)}=${encoded(change.slice(at + 1))}`);
  }
  const seed = one('seed');
  if (seed !== undefined) parts.push(`seed=${encoded(seed)}`);
  return parts.join('~');
}

/** @param {Given} given */
export const isFrame = (given) => given.get('as')?.at(-1) === 'frame';

const escaped = (/** @type {string} */ text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** The HTML in the place of a block, but for the `div` around it. @param {Given} given @param {string} site */
function inside(given, site) {
  if (isFrame(given)) {
    const query = NAMES.filter((name) => name !== 'link').flatMap((name) => (given.get(name) ?? []).map((value) => `${name}=${encoded(value)}`)).join('&');
    const link = given.get('link')?.[0];
    const title = (given.get('heading') ?? given.get('preset'))?.[0];
    const height = given.get('height')?.at(-1);
    const address = `${site}embed.html${query && `?${query}`}${link === undefined ? '' : `#${link}`}`;
    const size = height === undefined ? 'aspect-ratio:16/10;min-height:24rem' : `height:${Number(height)}px`;
    return `<iframe src="${escaped(address)}" title="${escaped(title === undefined ? 'An experiment' : `Experiment: ${title}`)}" sandbox="${SANDBOX}" loading="lazy" style="width:100%;${size};border:0"></iframe>`;
  }
  const attributes = NAMES.filter((name) => given.has(name)).map((name) => ` ${name}="${escaped((given.get(name) ?? []).join('|'))}"`).join('');
  return `<agent-chaos${attributes}><a href="${escaped(`${site}#${token(given)}`)}">Run this experiment in the playground</a></agent-chaos>`;
}

/** All of it. @param {Given} given @param {string} site */
export const html = (given, site) => `<div class="agent-chaos">${inside(given, site)}</div>`;

/** The address of the playground, with a slash at its end. @param {string} site */
export function siteOf(site) {
  const folder = String(site ?? '').split(/[?#]/)[0].replace(/\/+$/, '');
  if (folder === '' || /\s/.test(site)) throw new Error(`agent-chaos: site: found "${site}", accepted: the address of the playground`);
  return `${folder}/`;
}

/**
 * React would give an element its attributes as properties, of which it has some with the same names. So it gets the HTML as it is.
 * @param {string} content
 */
function block(content) {
  const literal = (/** @type {string} */ value) => ({ type: 'Literal', value });
  const property = { type: 'Property', kind: 'init', method: false, shorthand: false, computed: false, key: { type: 'Identifier', name: '__html' }, value: literal(content) };
  const expression = { type: 'ObjectExpression', properties: [property] };
  const estree = { type: 'Program', sourceType: 'module', comments: [], body: [{ type: 'ExpressionStatement', expression }] };
  return {
    type: 'mdxJsxFlowElement', name: 'div', children: [],
    attributes: [
      { type: 'mdxJsxAttribute', name: 'className', value: 'agent-chaos' },
      { type: 'mdxJsxAttribute', name: 'dangerouslySetInnerHTML', value: { type: 'mdxJsxAttributeValueExpression', value: `{ __html: ${JSON.stringify(content)} }`, data: { estree } } },
    ],
  };
}

/** The plugin. @param {{ site: string }} options */
export default function agentChaos({ site: given }) {
  const site = siteOf(given);
  return (/** @type {any} */ tree, /** @type {any} */ file) => {
    const walk = (/** @type {any} */ node) => {
      for (const [index, child] of (node.children ?? []).entries()) {
        if (child.type !== 'code' || child.lang !== 'agent-chaos') {
          walk(child);
          continue;
        }
        try {
          node.children[index] = block(inside(read(child.value), site));
        } catch (error) {
          file.fail(`agent-chaos: ${error instanceof Error ? error.message : error}`, child);
        }
      }
    };
    walk(tree);
  };
}
