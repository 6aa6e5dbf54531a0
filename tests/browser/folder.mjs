// The static site as a host has it: a folder at a path of a loopback server, with what the server was asked for.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const KINDS = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json', '.png': 'image/png',
  '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8', '.xml': 'application/xml', '.webmanifest': 'application/manifest+json', '.woff2': 'font/woff2',
};

/** Makes the site around the built page into a folder; `change` may do something to the page before. */
export function makeSite(folder, { base, change } = {}) {
  const program = process.env.AGENT_CHAOS_SITE;
  if (!program) throw new Error('AGENT_CHAOS_SITE names the program that makes the site; `cargo xtask test` sets it');
  rmSync(folder, { recursive: true, force: true });
  cpSync(here('../../web/dist'), folder, { recursive: true });
  change?.(folder);
  const given = base ? ['--base', base] : [];
  execFileSync(program, ['--site', folder, '--web', here('../../web'), '--cli', process.env.AGENT_CHAOS, ...given], { stdio: ['ignore', 'ignore', 'pipe'] });
  return folder;
}

/** Gives the script of a later part another name, and changes it: as a new version of the page has it. */
export function newer(folder) {
  const assets = join(folder, 'assets');
  const old = readdirSync(assets).find((name) => /^desk-.*\.js$/.test(name));
  const name = old.replace(/^desk-.*\.js$/, 'desk-newer.js');
  renameSync(join(assets, old), join(assets, name));
  writeFileSync(join(assets, name), `${readFileSync(join(assets, name), 'utf8')}\ndocument.documentElement.dataset.newer = '';\n`);
  for (const script of readdirSync(assets).filter((one) => one.endsWith('.js'))) {
    const text = readFileSync(join(assets, script), 'utf8');
    if (text.includes(old)) writeFileSync(join(assets, script), text.replaceAll(old, name));
  }
  return old;
}

/**
 * Serves a folder below a path. `host.folder` may be changed; what `host.missing` says yes to is not there, what `host.wrong` says yes to is another file.
 * With `host.pretty` addresses have no `.html`, as some hosts do it.
 * @param {string} folder
 */
export async function host(folder, path = '/') {
  const host = { folder, missing: (_path) => false, wrong: (_path) => false, pretty: false, asked: [], url: '', stop: async () => {} };
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    // Browsers ask every host for it.
    if (asked === '/favicon.ico') return void response.writeHead(204).end();
    host.asked.push(asked);
    const inside = asked.startsWith(path) && !host.missing(asked) ? normalize(asked.slice(path.length) || 'index.html') : '..';
    let file = inside.startsWith('..') ? '' : join(host.folder, inside);
    if (file && existsSync(file) && statSync(file).isDirectory()) {
      if (!asked.endsWith('/')) return void response.writeHead(301, { location: `${asked}/` }).end();
      file = join(file, 'index.html');
    }
    if (host.pretty && asked.endsWith('.html')) return void response.writeHead(308, { location: asked.replace(/(index)?\.html$/, '') }).end();
    if (host.pretty && file && !existsSync(file) && existsSync(`${file}.html`)) file += '.html';
    const found = file !== '' && existsSync(file);
    if (!found) file = join(host.folder, '404.html');
    const content = host.wrong(asked) ? '/* another file */' : existsSync(file) ? readFileSync(file) : '';
    response.writeHead(found ? 200 : 404, { 'content-type': KINDS[extname(file)] ?? 'application/octet-stream', 'cache-control': 'max-age=600', 'access-control-allow-origin': '*', vary: 'Origin, Accept-Encoding' }).end(content);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  host.url = `http://127.0.0.1:${server.address().port}${path}`;
  host.stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return host;
}
