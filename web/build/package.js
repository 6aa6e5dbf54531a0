// Writes the npm package into a folder: `node build/package.js FOLDER`.

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, madeOf } from './embed.js';

const web = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** @param {string} folder is emptied first */
export async function writePackage(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const put = (/** @type {string} */ from, /** @type {string} */ to) => copyFileSync(web(from), join(folder, to));
  for (const name of ['index.js', 'index.d.ts', 'element.d.ts', 'bytes.js', 'bytes-node.js', 'README.md']) put(`npm/${name}`, name);
  for (const module of ['agent_chaos_wasm', 'agent_chaos_wasm_pack']) {
    for (const ending of ['.js', '_bg.wasm']) put(`pkg/${module}${ending}`, module + ending);
    // Few have the library of types that knows `Symbol.dispose`.
    writeFileSync(join(folder, `${module}.d.ts`), readFileSync(web(`pkg/${module}.d.ts`), 'utf8').replace(/^ *\[Symbol\.dispose\]\(\): void;\n/gm, ''));
  }
  put('../LICENSE', 'LICENSE');
  put('embedding.md', 'embedding.md');
  await bundle('element/index.js', 'element.js', { ...(await madeOf()), beside: false }, folder);
  const { version } = JSON.parse(readFileSync(web('package.json'), 'utf8'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({
    name: 'agent-chaos',
    version,
    description: 'See why a queue collapses: a seeded, exactly reproducible simulation of congestion and fault propagation',
    keywords: ['simulation', 'queueing', 'discrete-event', 'metastable', 'retry-storm', 'web-component', 'wasm'],
    license: 'MIT',
    type: 'module',
    exports: { '.': { types: './index.d.ts', default: './index.js' }, './element': { types: './element.d.ts', default: './element.js' }, './package.json': './package.json' },
    imports: { '#bytes': { node: './bytes-node.js', default: './bytes.js' } },
    sideEffects: ['./element.js'],
    engines: { node: '>=20' },
  }, null, 2)}\n`);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [, , folder] = process.argv;
  if (!folder) throw new Error('the folder of the package is missing');
  await writePackage(resolve(folder));
}
