// Keeps the page for offline use. `release`, which stands before this text in the site, has the version, the build and
// every file of it with its hash; a file is kept only if it is the one of that hash.
//
//   install    everything is fetched into a cache of this build; if one file cannot be had, nothing changes
//   wait       until no tab has the build before any more, or somebody asks for this one
//   activate   this build serves; the one before stays for tabs that still show it, older ones go
//
// It never reloads a page, and sees only to its own folder.

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const scope = worker.registration.scope;
/** Sites in other folders of this host have caches of their own. */
const prefix = `agent-chaos ${new URL(scope).pathname} `;
const present = prefix + release.build;
/** What stands in a cache once all of its files do. */
const COMPLETE = `${scope}complete`;
/** So many files are fetched at a time. */
const AT_ONCE = 4;

/** What a host says of headers does not matter here: a file is told by its address and its hash. */
const ANY = { ignoreVary: true };

const address = (/** @type {string} */ path) => new URL(path, scope).href;
/** The files by their addresses. */
const files = new Map(Object.entries(release.files).map(([path, hash]) => [address(path), hash]));

const ownCaches = async () => (await caches.keys()).filter((name) => name.startsWith(prefix));

/** @param {Response} response @param {string} hash */
async function isThat(response, hash) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
  return hash === `sha256-${btoa(String.fromCharCode(...digest))}`;
}

/** What another build has kept already, if it is the same file. @param {string} url @param {string} hash */
async function alreadyHere(url, hash) {
  for (const name of await ownCaches()) {
    const found = await (await caches.open(name)).match(url, ANY);
    if (found && (await isThat(found.clone(), hash))) return found;
  }
  return null;
}

/** @param {string} url @param {string} hash */
async function fetched(url, hash) {
  const response = await fetch(url, { cache: 'no-cache', integrity: hash, credentials: 'same-origin' });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  // An answer that was redirected is refused for a navigation.
  return response.redirected ? new Response(response.body, { headers: response.headers }) : response;
}

async function fill() {
  const cache = await caches.open(present);
  const open = [...files];
  const some = async () => {
    for (let next = open.pop(); next; next = open.pop()) {
      const [url, hash] = next;
      await cache.put(url, (await alreadyHere(url, hash)) ?? (await fetched(url, hash)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  await cache.put(COMPLETE, new Response(release.build));
}

/** Leaves this build, and the one before for tabs that still show it. */
async function tidy() {
  /** @type {string[]} */
  const whole = [];
  const names = await ownCaches();
  for (const name of names) {
    if (name !== present && (await (await caches.open(name)).match(COMPLETE, ANY))) whole.push(name);
  }
  const before = whole.at(-1);
  await Promise.all(names.filter((name) => name !== present && name !== before).map((name) => caches.delete(name)));
}

/** @param {Request} request */
async function answer(request) {
  const url = new URL(request.url);
  const path = url.href.split(/[?#]/)[0];
  const page = path === scope ? address('index.html') : path;
  if (files.has(page)) {
    const kept = await (await caches.open(present)).match(page, ANY);
    if (kept) return kept;
  } else if (request.mode !== 'navigate') {
    // A tab that shows the build before asks for one of its parts.
    for (const name of await ownCaches()) {
      const kept = await (await caches.open(name)).match(path, ANY);
      if (kept) return kept;
    }
  }
  try {
    return await fetch(request);
  } catch (error) {
    if (request.mode !== 'navigate') throw error;
    // The page of a preset is not kept, but the experiment is.
    const preset = /^presets\/([a-z0-9-]+)\/(?:index\.html)?$/.exec(path.slice(scope.length))?.[1];
    return Response.redirect(preset ? `${scope}#v1.${preset}` : scope);
  }
}

worker.addEventListener('install', (event) => event.waitUntil(fill()));
worker.addEventListener('activate', (event) => event.waitUntil(tidy().then(() => worker.clients.claim())));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && request.url.startsWith(scope)) event.respondWith(answer(request));
});
worker.addEventListener('message', (event) => {
  if (event.data === 'use') event.waitUntil(worker.skipWaiting());
  else if (event.data === 'which') event.ports[0]?.postMessage({ version: release.version, build: release.build });
});
