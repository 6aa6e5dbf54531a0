// Light or dark, as the place has it where the element stands; a host may change its mind at any time.

/** @type {MediaQueryList | null} */
let query = null;
const prefersDark = () => (query ??= matchMedia('(prefers-color-scheme: dark)'));

/** How bright a colour is, from 0 to 1; null of one that cannot be seen. @param {string} colour as computed */
function brightness(colour) {
  const [red, green, blue, alpha = 1] = (/^rgba?\(([^)]+)\)$/.exec(colour)?.[1] ?? '').split(/[\s,/]+/).filter(Boolean).map(Number);
  if (![red, green, blue].every(Number.isFinite) || alpha < 0.5) return null;
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/** @param {Element} one */
const above = (one) => one.assignedSlot ?? one.parentElement ?? /** @type {ShadowRoot} */ (one.getRootNode()).host ?? null;

/** What holds around an element: what its host says in so many words, else its color scheme, else how bright it is there. @param {Element} host @returns {'light' | 'dark'} */
export function around(host) {
  const style = getComputedStyle(host);
  const told = style.getPropertyValue('--agent-chaos-theme').trim();
  if (told === 'light' || told === 'dark') return told;
  const schemes = style.colorScheme.split(/\s+/);
  const [light, dark] = [schemes.includes('light'), schemes.includes('dark')];
  if (light !== dark) return dark ? 'dark' : 'light';
  if (light && dark) return prefersDark().matches ? 'dark' : 'light';
  for (let at = /** @type {Element | null} */ (host); at; at = above(at)) {
    const bright = brightness(getComputedStyle(at).backgroundColor);
    if (bright !== null) return bright < 0.4 ? 'dark' : 'light';
  }
  return 'light';
}

/**
 * Calls back whenever the theme around may have changed.
 * @param {HTMLElement} probe whose colours hang on the color scheme and on what the host says, with a transition: the one way to hear of a change of them
 * @param {() => void} changed
 */
export function watch(probe, changed) {
  const soon = () => requestAnimationFrame(changed);
  // Hosts that say it with a class or an attribute put it there.
  const observer = new MutationObserver(soon);
  for (const one of [document.documentElement, document.body]) if (one) observer.observe(one, { attributes: true });
  probe.addEventListener('transitionrun', soon);
  prefersDark().addEventListener('change', soon);
  return () => {
    observer.disconnect();
    probe.removeEventListener('transitionrun', soon);
    prefersDark().removeEventListener('change', soon);
  };
}
