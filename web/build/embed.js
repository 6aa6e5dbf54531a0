// Makes what is embedded elsewhere: `embed.html`, one file with everything in it, and `agent-chaos.js` with its engine beside it.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compress, decompress } from 'lzma1';
import { build } from 'vite';
import { encode } from '../shared/base85.js';
import { shadowed } from './shadow.js';

const web = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (/** @type {string} */ path) => readFileSync(web(path), 'utf8');
const SHEETS = ['style/tokens.css', 'style/page.css', 'style/verdict.css', 'style/charts.css', 'node_modules/uplot/dist/uPlot.min.css', 'element/embed.css'];
/** What is around the element in its frame. */
const STYLE = 'html{color-scheme:light dark}body{margin:0}noscript{display:block;padding:1rem;font-family:system-ui,sans-serif}.whole{background:light-dark(#f6f7f9,#11151b);color:light-dark(#18202c,#e8edf4)}.whole body{max-width:72rem;margin:0 auto;padding:1rem}.whole h1{margin:0 0 .75rem;font:600 1rem/1.5 system-ui,sans-serif}';

/** What the engine has of presets, and what the recorded runs of them came to. */
async function postersOf() {
  const engine = await import('../pkg/agent_chaos_wasm.js');
  engine.initSync({ module: readFileSync(web('pkg/agent_chaos_wasm_bg.wasm')) });
  const verdict = (/** @type {string} */ name) => {
    const recorded = web(`../tests/golden/${name}.json`);
    return existsSync(recorded) ? JSON.parse(readFileSync(recorded, 'utf8')).headline : '';
  };
  return Object.fromEntries(engine.presets().map(({ name, title, summary }) => [name, { title, summary, verdict: verdict(name) }]));
}

/** The styles inside the shadow root. What a host has its text inherit ends there. */
export const sheetOf = () => ['.stage{all:initial}', ...SHEETS.map((path) => shadowed(read(path), '.stage'))].join('\n');

/** What the element is made of beside its modules. */
export const madeOf = async () => ({ posters: await postersOf(), sheet: sheetOf() });

const ID = 'virtual:agent-chaos';
/** @param {{ posters: object, sheet: string, beside: boolean }} made @returns {import('vite').Plugin} */
const given = (made) => ({
  name: 'agent-chaos-given',
  resolveId: (id) => (id === ID ? `\0${ID}` : null),
  load: (id) => (id === `\0${ID}` ? Object.entries(made).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`).join('\n') : null),
});

/**
 * One module with everything in it, and the files beside it.
 * @param {string} entry @param {string} name of the module @param {{ posters: object, sheet: string, beside: boolean }} made @param {string} [folder] where it is written, if it is
 * @param {import('vite').Plugin[]} [more]
 */
export async function bundle(entry, name, made, folder, more = []) {
  const output = await build({
    configFile: false,
    root: web('.'),
    base: './',
    publicDir: false,
    logLevel: 'warn',
    plugins: [given(made), ...more],
    build: {
      outDir: folder, write: folder !== undefined, emptyOutDir: false, copyPublicDir: false, target: 'es2022', assetsInlineLimit: 0, modulePreload: false,
      rollupOptions: {
        input: web(entry), preserveEntrySignatures: 'strict',
        output: { format: 'es', entryFileNames: name, assetFileNames: '[name][extname]', codeSplitting: false },
      },
    },
  });
  const [{ output: parts }] = /** @type {any} */ ([output].flat());
  return /** @type {string} */ (parts.find((/** @type {any} */ one) => one.type === 'chunk').code);
}

const hash = (/** @type {string} */ text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** A module as text: a quarter less than with gzip, which takes some seconds, so that what has been packed once is kept. @param {string} path */
function packed(path) {
  const bytes = readFileSync(web(path));
  const folder = web('node_modules/.cache/agent-chaos');
  const kept = join(folder, `${createHash('sha256').update(bytes).digest('hex')}.lzma85`);
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  const small = compress(bytes, 9);
  if (!bytes.equals(decompress(small))) throw new Error(`${path} does not come back as it was packed`);
  const text = encode(small);
  mkdirSync(folder, { recursive: true });
  writeFileSync(kept, text);
  return text;
}

/** What packs is for this build alone. @type {import('vite').Plugin} */
const unpacksOnly = {
  name: 'agent-chaos-unpacks-only',
  enforce: 'pre',
  resolveId: (id, importer) => (id === './encoder.js' && importer?.includes('/lzma1/') ? '\0no-encoder' : null),
  load: (id) => (id === '\0no-encoder' ? 'export class Encoder {}' : null),
};

/** @param {{ posters: object, sheet: string }} made */
async function frame(made) {
  const script = `${(await bundle('embed/frame.js', 'frame.js', { ...made, beside: false }, undefined, [unpacksOnly])).trim().replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--')}`;
  const policy = `default-src 'none'; script-src ${hash(script)} 'wasm-unsafe-eval'; style-src ${hash(STYLE)}; img-src data: blob:; base-uri 'none'; form-action 'none'`;
  /** @type {Record<string, string>} */
  const parts = { policy, style: STYLE, engine: packed('pkg/agent_chaos_wasm_bg.wasm'), packing: packed('pkg/agent_chaos_wasm_pack_bg.wasm'), script };
  return read('embed/embed.html').replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
}

/** Writes all of it beside the page. @returns {import('vite').Plugin} */
export function embeds() {
  return {
    name: 'agent-chaos-embeds',
    apply: 'build',
    async writeBundle({ dir }) {
      if (!dir) return;
      const made = await madeOf();
      writeFileSync(join(dir, 'embed.html'), await frame(made));
      await bundle('element/index.js', 'agent-chaos.js', { ...made, beside: true }, dir);
    },
  };
}
