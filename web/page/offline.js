// Use without a network: keeps the page for it, says in the footer what works, and offers a newer version. Only where the
// site has a worker, and not in a frame. Nothing is reloaded unless somebody asks for it.

import { element, setText } from './dom.js';

/** A tab that is looked at again asks for a newer version no more often than this. */
const ASK_AGAIN_MS = 3_600_000;

/** @typedef {{ version: string, build: string }} Release */

/** Which release a worker serves; null if it does not answer. @param {ServiceWorker} worker @returns {Promise<Release | null>} */
function releaseOf(worker) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(() => resolve(null), 3000);
    worker.postMessage('which', [port2]);
  });
}

/** @param {HTMLElement} footer @param {HTMLElement} page where news about versions stand */
export async function offline(footer, page) {
  // The page as it was built, before it became part of a site, is of no build and has no worker.
  const own = document.querySelector('meta[name="build"]')?.getAttribute('content');
  if (!own) return;
  footer.append(` Build ${own}.`);
  if (window.top !== window || !('serviceWorker' in navigator)) return;
  const { serviceWorker } = navigator;
  const said = element('p', { role: 'status', 'data-testid': 'offline' });
  footer.append(said);

  /** @type {'getting' | 'ready' | 'failed'} */
  let state = serviceWorker.controller ? 'ready' : 'getting';
  function tell() {
    const there = navigator.onLine ? '' : 'There is no network. ';
    said.classList.toggle('away', !navigator.onLine);
    setText(said, there + {
      getting: 'Getting ready for use without a network …',
      ready: navigator.onLine ? 'Ready for use without a network.' : 'All of this page works without it.',
      failed: 'The page could not be kept for use without a network.',
    }[state]);
  }
  addEventListener('online', tell);
  addEventListener('offline', tell);
  tell();

  const bar = element('section', { class: 'news', 'aria-label': 'A new version', 'data-testid': 'news', hidden: true });
  // Announced, and reached by Tab after what one is at; it takes no focus.
  const words = element('p', { role: 'status' });
  const use = element('button', { type: 'button', class: 'primary', 'data-testid': 'use-new' });
  const later = element('button', { type: 'button', 'data-testid': 'not-now', onclick: () => { bar.hidden = true; } }, 'Not now');
  bar.append(words, element('div', { class: 'row' }, use, later));
  page.append(bar);
  const KEPT = 'Your experiment and unsaved edits are kept; results on the screen are not.';
  let accepted = false;
  let newest = '';

  /** @param {string} text @param {string} action @param {() => void} act */
  function news(text, action, act) {
    setText(words, text);
    setText(use, action);
    use.disabled = false;
    use.onclick = act;
    bar.hidden = false;
  }
  const named = (/** @type {Release} */ { version, build }) => `Version ${version}, build ${build},`;

  /** @param {ServiceWorker} worker one that has everything and waits */
  async function offer(worker) {
    const release = await releaseOf(worker);
    // The page may be the newer one already, fetched past the worker.
    if (!release || release.build === own || release.build === newest) return;
    newest = release.build;
    news(`${named(release)} is ready. Reload to use it. ${KEPT}`, 'Reload to use it', () => {
      accepted = true;
      use.disabled = true;
      setText(words, 'Changing to the new version …');
      worker.postMessage('use');
    });
  }

  let controlled = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', async () => {
    state = 'ready';
    tell();
    if (accepted) location.reload();
    else if (controlled && serviceWorker.controller) {
      const release = await releaseOf(serviceWorker.controller);
      if (release && release.build !== own) news(`${named(release)} has been taken into use in another tab. This tab goes on with build ${own} until it is reloaded. ${KEPT}`, 'Reload', () => location.reload());
    }
    controlled = true;
  });

  try {
    const registration = await serviceWorker.register(new URL('sw.js', location.href), { updateViaCache: 'none' });
    const watch = (/** @type {ServiceWorker} */ worker) => worker.addEventListener('statechange', () => {
      if (worker.state === 'installed' && serviceWorker.controller) void offer(worker);
      else if (worker.state === 'redundant' && !serviceWorker.controller) {
        state = 'failed';
        tell();
      }
    });
    // One that was passed by, as when somebody reloads without the cache, is there all the same.
    if (registration.active) {
      state = 'ready';
      tell();
    }
    if (registration.installing) watch(registration.installing);
    registration.addEventListener('updatefound', () => registration.installing && watch(registration.installing));
    if (registration.waiting && serviceWorker.controller) void offer(registration.waiting);

    let asked = Date.now();
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible' || Date.now() - asked < ASK_AGAIN_MS) return;
      asked = Date.now();
      registration.update().catch((error) => console.warn(error));
    });
  } catch (error) {
    // A browser may refuse to keep anything, in private windows for one.
    console.warn(error);
    if (state === 'getting') {
      state = 'failed';
      tell();
    }
  }
}
