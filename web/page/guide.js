// The ways into the guided experiments: a line for newcomers, a link, and addresses (#guide lists all, #guide=name opens one).

/** @typedef {ReturnType<typeof import('./guide-card.js').card>} Card */

/** Whether the line for newcomers has been put away. */
const STORED = 'agent-chaos-welcome';

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, engine: import('../engine/engine.js').Engine, presets: import('../engine/engine.js').PresetInfo[] }} given
 */
export function guide(place, store, given) {
  /** @type {Promise<Card> | null} */
  let card = null;

  /** @param {(part: Card) => void} act */
  async function open(act) {
    card ??= import('./guide-card.js').then((part) => part.card(place, store, given));
    try {
      act(await card);
    } catch (error) {
      // The next attempt loads it anew.
      card = null;
      store.update({ failure: `The guides could not be loaded: ${error instanceof Error ? error.message : error}. Check the connection and try again.` });
    }
  }

  function byAddress() {
    const found = /^#guide(?:=(.*))?$/.exec(location.hash);
    if (!found) return;
    let name = found[1] ?? '';
    try { name = decodeURIComponent(name); } catch { /* as it is written */ }
    void open((part) => part.open(name));
  }
  /** A second click on the address that is there already opens too. @param {MouseEvent} event */
  function clicked(event) {
    const link = event.target instanceof Element ? event.target.closest('a[href^="#guide"]') : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    history.replaceState(null, '', link.getAttribute('href'));
    byAddress();
  }
  place.hidden = true;
  document.addEventListener('click', clicked);
  addEventListener('hashchange', byAddress);
  welcome();
  byAddress();
  // After a reload the way back is there again, also where the guide had been left.
  let offered = false;
  const unsubscribe = store.subscribe(({ before }) => {
    if (!before || offered) return;
    offered = true;
    if (!card) void open((part) => part.offer());
  });
  return () => {
    unsubscribe();
    document.removeEventListener('click', clicked);
    removeEventListener('hashchange', byAddress);
  };
}

/** The quiet line for newcomers, until it is put away. */
function welcome() {
  const line = document.getElementById('welcome');
  if (!line) return;
  // Some hosts lend no storage; then the choice holds for this visit.
  try { line.hidden = localStorage.getItem(STORED) === 'off'; } catch { /* it is shown */ }
  line.querySelector('button')?.addEventListener('click', () => {
    line.hidden = true;
    try { localStorage.setItem(STORED, 'off'); } catch { /* for this visit */ }
    document.getElementById('guides')?.focus();
  });
}
