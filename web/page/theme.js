// Light, dark, or as the system has it.

const NEXT = /** @type {const} */ ({ system: 'light', light: 'dark', dark: 'system' });

/** @param {HTMLElement} button @param {import('./store.js').Store} store */
export function theme(button, store) {
  const media = matchMedia('(prefers-color-scheme: dark)');
  const changed = () => store.update({ theme: store.get().theme });
  media.addEventListener('change', changed);
  button.addEventListener('click', () => {
    const now = /** @type {keyof typeof NEXT} */ (store.get().theme);
    const next = NEXT[now];
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    button.textContent = `Theme: ${next}`;
    store.update({ theme: next });
  });
  return () => media.removeEventListener('change', changed);
}
