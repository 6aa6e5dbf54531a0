// Puts a brotli and a gzip file beside each file of the site that gets smaller by it, for hosts that serve such files.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const KINDS = /\.(css|html|js|json|mjs|svg|txt|wasm|webmanifest|xml)$/;
/** Less than a network packet is not worth another file. */
const LEAST_BYTES = 1000;

const [site] = process.argv.slice(2);
if (!site) throw new Error('which folder?');
const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

let [plain, small] = [0, 0];
for (const entry of await readdir(site, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !KINDS.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const content = await readFile(path);
  if (content.length < LEAST_BYTES) continue;
  const [br, gz] = await Promise.all([
    brotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
    zip(content, { level: constants.Z_BEST_COMPRESSION }),
  ]);
  await writeFile(`${path}.br`, br);
  await writeFile(`${path}.gz`, gz);
  plain += content.length;
  small += br.length;
}
console.error(`  ${(plain / 1e6).toFixed(1)} MB become ${(small / 1e6).toFixed(1)} MB`);
