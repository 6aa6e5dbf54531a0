// What tests have the page itself do, whichever browser it is in: each of these is handed over as it is written, and knows
// nothing of this file.

/** As a browser does for a hidden tab: it says so, and draws no more pictures. */
export function hide() {
  globalThis.held = [];
  globalThis.really = requestAnimationFrame;
  globalThis.requestAnimationFrame = (then) => globalThis.held.push(then);
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
  document.dispatchEvent(new Event('visibilitychange'));
}

/** The tab is seen again; gives how far the run has come with the first pictures. */
export function reveal() {
  delete document.hidden;
  globalThis.requestAnimationFrame = globalThis.really;
  document.dispatchEvent(new Event('visibilitychange'));
  for (const then of globalThis.held.splice(0)) requestAnimationFrame(then);
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(Number(document.querySelector('[data-testid="scrub"]').max)))));
}

/** How far the run has come two pictures later. */
export const soon = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(Number(document.querySelector('[data-testid="scrub"]').max)))));

/** As of a device that sleeps: nothing at all happens for so long. Gives how far the run had come, and how far it is soon after. */
export function sleep(ms) {
  const seconds = () => Number(document.querySelector('[data-testid="scrub"]').max);
  const before = seconds();
  const end = performance.now() + ms;
  while (performance.now() < end);
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve([before, seconds()]))));
}

/** Drags files over the page, by name and content, and drops them there; none is a piece of text. */
export function drop([files, last = 'drop', place = '#charts']) {
  const dataTransfer = new DataTransfer();
  for (const [name, content] of files) dataTransfer.items.add(new File([content], name));
  if (files.length === 0) dataTransfer.setData('text/plain', 'words');
  for (const kind of ['dragenter', 'dragover', last]) document.querySelector(place).dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true, relatedTarget: null }));
}

/** A browser that lends no storage; before the page is loaded. */
export function refuseStorage() {
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) Object.defineProperty(window, name, { get() { throw new DOMException('refused', 'SecurityError'); } });
}

/** Fills the storage of this page to the last character. */
export function fillStorage() {
  let piece = 'x'.repeat(1 << 20);
  for (let number = 0; piece !== ''; number++) {
    try {
      localStorage.setItem(`filler${number}`, piece);
    } catch {
      piece = piece.slice(0, piece.length >> 1);
    }
  }
}

/** How many points of a canvas have a colour. */
export function inked(canvas) {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 3; i < data.length; i += 4) count += data[i] > 0 ? 1 : 0;
  return count;
}

/** How far the page can be scrolled sideways. */
export const sideways = () => document.documentElement.scrollWidth - innerWidth;
