// All plugins make the same of a block.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import agentChaos, { html, NAMES, read, siteOf } from '../../web/hosts/docusaurus/agent-chaos.mjs';
import { NAMES as OF_EMBED } from '../../web/shared/embed.js';

const { site, script, blocks } = JSON.parse(readFileSync(new URL('blocks.json', import.meta.url), 'utf8'));

/** @param {() => string} make */
function outcome(make) {
  try {
    return { html: make() };
  } catch (error) {
    return { error: error.message };
  }
}

test('the plugin for Docusaurus', () => {
  assert.ok(blocks.length > 10);
  for (const { block, ...expected } of blocks) assert.deepEqual(outcome(() => html(read(block), site)), expected, block);
});

test('the plugin for MkDocs and Sphinx', () => {
  const program = `
import json, sys
import agent_chaos_embed as embed
given = json.load(sys.stdin)
def outcome(block):
    try:
        return {"html": embed.render(embed.read(block), given["site"])}
    except embed.BlockError as error:
        return {"error": str(error)}
print(json.dumps({"script": embed.script(given["site"]), "outcomes": [outcome(one["block"]) for one in given["blocks"]]}))`;
  const python = process.env.PYTHON ?? 'python3';
  const answer = execFileSync(python, ['-c', program], {
    input: JSON.stringify({ site, blocks }), encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: fileURLToPath(new URL('../../web/hosts/python', import.meta.url)), PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' },
  });
  const said = JSON.parse(answer);
  assert.equal(said.script, script);
  for (const [index, { block, ...expected }] of blocks.entries()) assert.deepEqual(said.outcomes[index], expected, block);
});

test('a block may say what an embed may be told, and nothing else', () => assert.deepEqual(NAMES, OF_EMBED));

test('in Docusaurus a block becomes HTML, what is wrong ends the build at its place, and all else stays', () => {
  const plugin = agentChaos({ site });
  const code = (value, lang = 'agent-chaos') => ({ type: 'code', lang, value });
  const tree = { type: 'root', children: [code('x = 1', 'js'), { type: 'list', children: [{ type: 'listItem', children: [code('exp-002')] }] }] };
  plugin(tree, { fail: (message) => assert.fail(message) });
  assert.deepEqual(tree.children[0], code('x = 1', 'js'));
  const [made] = tree.children[1].children[0].children;
  assert.equal(made.name, 'div');
  const inside = made.attributes[1].value.data.estree.body[0].expression.properties[0].value.value;
  assert.equal(`<div class="agent-chaos">${inside}</div>`, blocks[0].html);
  const failed = [];
  plugin({ type: 'root', children: [code('colour: red')] }, { fail: (message, node) => failed.push([message, node.lang]) });
  assert.equal(failed.length, 1);
  assert.match(failed[0][0], /^agent-chaos: line 1: found "colour", accepted: preset, /);
  assert.equal(failed[0][1], 'agent-chaos');
});

test('the address of the playground has to be told', () => {
  assert.equal(siteOf('https://example.org/p'), 'https://example.org/p/');
  assert.equal(siteOf('https://example.org/p/?x#y'), 'https://example.org/p/');
  for (const wrong of ['', undefined, 'a b']) assert.throws(() => siteOf(wrong), /site: found/);
  assert.throws(() => agentChaos({}), /site: found/);
});
