import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { shadowed } from '../../web/build/shadow.js';
import { decode, encode } from '../../web/shared/base85.js';
import { EMBED_PARTS, NAMES, glance, paceOf, partsOf, readGiven } from '../../web/shared/embed.js';
import { PROTOCOL, REQUESTS, readMessage, tell } from '../../web/shared/protocol.js';
import { savedPage } from '../../web/shared/saved.js';
import { everything } from '../../web/shared/view.js';
import { hostile } from '../browser/hostile-messages.mjs';

const KNOWN = { presets: ['exp-001', 'exp-002'], charts: ['queue', 'latency'] };
const given = (entries) => readGiven(Object.entries(entries), KNOWN);
const refused = (entries) => given(entries).problems.map(({ field, message }) => [field, message]);

test('what is given becomes the token of a link', () => {
  assert.equal(given({}).token, 'v1.exp-002');
  assert.equal(given({ preset: 'exp-001', set: 'workers.count=6 ~ queue.capacity=40', seed: '007' }).token, 'v1.exp-001~workers.count=6~queue.capacity=40~seed=7');
  assert.equal(given({ set: 'arrivals={"rate_per_second":5}' }).token, 'v1.exp-002~arrivals=%7B%22rate_per_second%22%3A5%7D');
  assert.equal(given({ set: 'arrivals=%7B%22rate_per_second%22%3A5%7D' }).token, 'v1.exp-002~arrivals=%7B%22rate_per_second%22%3A5%7D');
  assert.equal(given({ link: ' v1.exp-002~h=1 ' }).token, 'v1.exp-002~h=1');
  assert.deepEqual(given({ view: 'charts,verdict', charts: 'queue', lock: 'all', free: 'workers.count', ask: 'Why?' }).view, { ...everything(), show: ['charts', 'verdict'], charts: ['queue'], lock: ['all'], free: ['workers.count'], ask: 'Why?' });
});

test('what is wrong is named, with what is accepted', () => {
  for (const [entries, field, accepted] of [
    [{ preset: 'exp-02' }, 'preset', /found "exp-02", accepted: exp-001, exp-002/],
    [{ preset: '__proto__' }, 'preset', /accepted: exp-001/],
    [{ set: 'workers' }, 'set', /found "workers", accepted: fields of the profile/],
    [{ set: 'h=123456789012' }, 'set', /accepted: fields/],
    [{ set: 'view.lock=all' }, 'set', /accepted: fields/],
    [{ seed: '-1' }, 'seed', /a whole number from 0 to 4294967295/],
    [{ seed: '4294967296' }, 'seed', /a whole number/],
    [{ seed: '1e3' }, 'seed', /a whole number/],
    [{ theme: 'blue' }, 'theme', /accepted: auto, light, dark/],
    [{ view: 'charts,editor' }, 'view', new RegExp(`found "editor", accepted: ${EMBED_PARTS.join(', ')}`)],
    [{ charts: 'queue,foo' }, 'charts', /found "foo", accepted: queue, latency/],
    [{ lock: '../x' }, 'lock', /accepted: all, run/],
    [{ ask: 'x'.repeat(501) }, 'ask', /at most 500/],
    [{ heading: 'x'.repeat(501) }, 'heading', /at most 500/],
    [{ playground: 'javascript:alert(1)' }, 'playground', /begins with https/],
    [{ utm: '1' }, 'utm', new RegExp(NAMES.join(', '))],
    [{ link: 'v1.exp-002', seed: '1' }, 'seed', /either a link/],
  ]) {
    const problems = refused(entries);
    assert.equal(problems.length, 1, JSON.stringify([entries, problems]));
    assert.equal(problems[0][0], field);
    assert.match(problems[0][1], accepted);
  }
  assert.deepEqual(readGiven([['seed', '1'], ['seed', '2']], KNOWN).problems.map(({ field }) => field), ['seed']);
});

test('a poster reads what it can in a token', () => {
  assert.deepEqual(glance('v1.exp-002'), { preset: 'exp-002', changes: [], whole: true, view: [] });
  assert.deepEqual(glance('v1.exp-002~workers.count=6~queue.when_full=%22block%22~view.ask=Why%3F~view.vs=seed=2~h=1234'), { preset: 'exp-002', changes: ['workers.count = 6', 'queue.when_full = "block"'], whole: false, view: [['ask', 'Why?']] });
  assert.equal(glance('https://example.org/play/#v1.exp-002~h=1').whole, true);
  assert.deepEqual(glance('v1z.abc~view.lock=all'), { preset: null, changes: [], whole: false, view: [['lock', 'all']] });
  for (const odd of ['', 'v1.', 'v2.exp-002', '%', 'v1.exp-002~x=%', '~~~', 'v1.<b>']) assert.equal(typeof glance(odd).whole, 'boolean');
  // The link's own view holds where none is given beside it, and only there.
  assert.equal(given({ link: 'v1.exp-002~view.ask=Why%3F' }).view.ask, 'Why?');
  assert.equal(given({ link: 'v1.exp-002~view.ask=Why%3F', lock: 'all' }).view.ask, '');
});

test('a view made for the page leaves an embed something to show', () => {
  assert.deepEqual(partsOf({ ...everything(), show: ['events', 'charts'] }), ['charts']);
  assert.deepEqual(partsOf({ ...everything(), show: ['events'] }), partsOf(everything()));
});

test('a run is watched for ten seconds or so', () => {
  for (const [seconds, speed] of [[5, 1], [10, 1], [11, 2], [120, 20], [500, 50], [501, Infinity]]) assert.equal(paceOf(seconds), speed);
});

test('bytes come back from their 85 letters', () => {
  for (let length = 0; length < 300; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 151 + length * 7) % 256);
    const text = encode(bytes);
    assert.match(text, /^[!#$%()*+,./0-9:;=?@A-Z[\]^_a-z{|}]*$/);
    assert.deepEqual(decode(text), bytes);
  }
  const most = new Uint8Array(9).fill(255);
  assert.deepEqual(decode(encode(most)), most);
  for (const odd of ['<script>', '     ', 'é', '~']) assert.throws(() => decode(odd), /accepted: the 85 letters/);
});

test('messages of another kind are not for us', () => {
  for (const other of [null, undefined, 1, 'run', [], {}, { type: 'run' }, { 'Agent-Chaos': 1 }, Object.create({ 'agent-chaos': 1, type: 'run' })]) assert.equal(readMessage(other), null);
});

test('a request is read as it is meant, and refused by name where it is not', () => {
  const of = (more) => readMessage({ 'agent-chaos': PROTOCOL, ...more });
  for (const type of REQUESTS.filter((one) => !['set', 'theme'].includes(one))) assert.deepEqual(of({ type, id: 'a' }), { type, id: 'a' });
  assert.deepEqual(of({ type: 'set', path: 'workers.count', value: 6 }), { type: 'set', id: null, path: 'workers.count', value: 6 });
  assert.deepEqual(of({ type: 'theme', theme: 'dark', id: 0 }), { type: 'theme', id: 0, theme: 'dark' });
  const round = {};
  round.self = round;
  for (const [more, field] of [
    [{ 'agent-chaos': 2, type: 'run' }, 'agent-chaos'], [{}, 'type'], [{ type: 'eval' }, 'type'], [{ type: '__proto__' }, 'type'], [{ type: 'run', id: {} }, 'id'],
    [{ type: 'theme' }, 'theme'], [{ type: 'theme', theme: ['dark'] }, 'theme'], [{ type: 'set', value: 1 }, 'path'], [{ type: 'set', path: '__proto__.x', value: 1 }, 'path'],
    [{ type: 'set', path: 'workers.count' }, 'value'], [{ type: 'set', path: 'workers.count', value: 1n }, 'value'], [{ type: 'set', path: 'workers.count', value: round }, 'value'],
    [{ type: 'set', path: 'workers.count', value: 'x'.repeat(200_000) }, 'value'],
  ]) assert.equal(of(more).field, field, JSON.stringify(more, (_, value) => (typeof value === 'bigint' ? 'big' : value === round ? 'round' : value)));
});

test('hostile messages are refused or ignored, never a throw', () => {
  const kinds = new Map();
  for (const message of hostile(5000, 20261125)) {
    const read = readMessage(message);
    assert.ok(read === null || read.type === 'refused' || REQUESTS.includes(read.type));
    kinds.set(read?.type, (kinds.get(read?.type) ?? 0) + 1);
  }
  // The generator reaches every answer.
  for (const kind of [undefined, 'refused', ...REQUESTS]) assert.ok(kinds.get(kind) > 10, `${kind}: ${kinds.get(kind)}`);
});

test('an answer carries the version and the request that it answers', () => {
  assert.deepEqual(tell('size', { height: 300 }), { 'agent-chaos': 1, type: 'size', height: 300 });
  assert.deepEqual(tell('state', { state: {} }, 7), { 'agent-chaos': 1, type: 'state', id: 7, state: {} });
});

test('styles of the page fit into a shadow root', () => {
  const css = (text) => shadowed(text, '.stage');
  assert.equal(css('/* a */\n:root {\n  --ink: #111;\n}\n'), '.stage{--ink: var(--agent-chaos-ink, #111)}');
  assert.equal(css('.a { width: calc(100% - 1.5rem); margin: -2rem; }'), '.a{width: calc(100% - calc(1.5 * var(--unit)));margin: calc(-2 * var(--unit))}');
  assert.equal(css('@media (max-width: 700px) {\n  .row { gap: 0; }\n}'), '@container (max-width: 700px){.row{gap: 0}}');
  assert.equal(css('@media (min-width: 701px) and (min-height: 600px) {\n  .row { gap: 0; }\n}'), '@media (min-width: 701px) and (min-height: 600px){.row{gap: 0}}');
  assert.equal(css('.editor .a, .b { gap: 0; }\n.editor { top: 0; }\n.controls { top: 0; }\n.controls-row { top: 0; }'), '.b{gap: 0}.controls-row{top: 0}');
  // Which theme holds is said by an attribute, in the tokens as they are.
  const tokens = css(readFileSync(new URL('../../web/style/tokens.css', import.meta.url), 'utf8'));
  assert.doesNotMatch(tokens, /prefers-color-scheme|:root|rem\b/);
  assert.match(tokens, /^\.stage\{.*\.stage\[data-theme='dark'\]\{color-scheme: dark;--page: var\(--agent-chaos-page, #11151b\)/s);
  assert.equal(tokens.split('{').length, tokens.split('}').length);
});

test('what is saved in a page stays text, whatever it is', () => {
  const template = '<title>A</title><script type="application/json" id="experiment"></script><script>own()</script>';
  const evil = '</script><script>alert(1)</script><!--$&\u2028';
  const page = savedPage(template, { title: evil, given: { link: evil } });
  assert.equal(page.match(/<script/g).length, 2);
  assert.equal(page.match(/<!--/g), null);
  assert.deepEqual(JSON.parse(/id="experiment">(.*?)<\/script>/s.exec(page)[1]), { link: evil });
  assert.match(page, /^<title>&lt;\/script&gt;/);
  assert.throws(() => savedPage('<title>A</title>', { title: '', given: {} }), /not found/);
  // The file that is built is such a template.
  const source = readFileSync(new URL('../../web/embed/embed.html', import.meta.url), 'utf8');
  assert.match(savedPage(source, { title: 'B', given: { link: 'v1.exp-001' } }), /<title>B<\/title>.*id="experiment">\{"link":"v1.exp-001"\}</s);
});

test('what can be given, said and coloured is documented', () => {
  const text = readFileSync(new URL('../../web/embedding.md', import.meta.url), 'utf8');
  for (const name of [...NAMES, ...EMBED_PARTS, ...REQUESTS, 'ready', 'size', 'state', 'report', 'error']) assert.match(text, new RegExp(`\`${name}\``), name);
  const charts = /\| `charts` \| the charts: ([^;]+);/.exec(text)[1].match(/[a-z]+/g);
  const list = readFileSync(new URL('../../web/page/charts/list.js', import.meta.url), 'utf8');
  assert.deepEqual(charts, [...list.matchAll(/^    name: '([a-z]+)'/gm)].map(([, name]) => name));
  const tokens = readFileSync(new URL('../../web/style/tokens.css', import.meta.url), 'utf8');
  const written = new Set([...text.matchAll(/`(?:--agent-chaos)?-([a-z]+(?:-[a-z]+)*(?:-\d)?)`/g)].map(([, name]) => name));
  for (const [, first, last] of text.matchAll(/`(?:--agent-chaos)?-([a-z]+)-1` to `-[a-z]+-(\d)`/g)) for (let number = 1; number <= Number(last); number++) written.add(`${first}-${number}`);
  for (const state of ['good', 'warn', 'bad']) written.add(`${state}-soft`);
  // Of the page alone are the height of its controls and the maps of its sweeps.
  for (const [, name] of tokens.matchAll(/^ +--([a-z0-9-]+):/gm)) if (!/^(controls-height|heat-.*)$/.test(name)) assert.ok(written.has(name), name);
});
