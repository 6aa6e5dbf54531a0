// How the tests drive the page in Firefox: one browser, one page at a time, and waiting for what is to be seen.
import assert from 'node:assert/strict';
import { puppeteer } from '../../web/firefoxkit.js';
import { sideways } from './inpage.mjs';
import { serve } from './server.mjs';

/** The present page. */
export let page;
/** Where the page is served. */
export let site;
let browser;
let stop = () => {};
let wrong = [];

/** Starts Firefox, with these preferences. */
export const launch = (preferences = {}) => puppeteer.launch({ browser: 'firefox', executablePath: process.env.FIREFOX, headless: true, extraPrefsFirefox: preferences });

export async function start() {
  ({ url: site, stop } = await serve());
  browser = await launch();
}
export async function end() {
  await browser?.close();
  stop();
}

/** A new page in the place of the present one; `before` is run in it before anything else. */
export async function open(url = site, { width = 1280, height = 900, before, within = browser } = {}) {
  await page?.close().catch(() => {});
  page = await another(url, { width, height, before, within });
  return page;
}

/** A page beside the present one. */
export async function another(url = site, { width = 1280, height = 900, before, within = browser } = {}) {
  const opened = await within.newPage();
  wrong = [];
  opened.on('pageerror', (error) => wrong.push(String(error)));
  opened.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  await opened.setViewport({ width, height });
  if (before) await opened.evaluateOnNewDocument(before);
  await opened.goto(url);
  await opened.waitForSelector(id('status'));
  return opened;
}

/** Does something with another page in the place of the present one. */
export async function on(other, act) {
  const mine = page;
  page = other;
  try {
    return await act();
  } finally {
    page = mine;
  }
}

export async function reload() {
  await page.reload();
  await page.waitForSelector(id('status'));
}

/** Nothing went wrong that only the console tells. */
export const clean = () => assert.deepEqual(wrong, []);

/** A part by its test name, or by a selector if it looks like one. */
export const id = (name) => (/^[a-z-]+$/.test(name) ? `[data-testid="${name}"]` : name);
// What is not there yet says nothing, so that it can be waited for.
/** What stands there; spaces that keep words together are spaces. */
export const text = (name) => page.$$eval(id(name), ([one]) => one?.textContent.replaceAll('\u00a0', ' ') ?? '');
export const texts = (name) => page.$$eval(id(name), (all) => all.map((one) => one.textContent));
export const value = (name) => page.$$eval(id(name), ([one]) => one?.value ?? '');
export const count = (name) => page.$$eval(id(name), (all) => all.length);
/** Whether it is there and seen. */
export const seen = (name) => page.$$eval(id(name), ([one]) => one !== undefined && one.checkVisibility());
/** Where the middle of a part is, as soon as it stands still there, can be pressed, and nothing lies over it. */
async function place(name) {
  const one = await page.waitForSelector(id(name), { visible: true });
  let before = '';
  const found = await until(() => one.evaluate((part) => {
    if (part.disabled) return { why: 'it is disabled' };
    const { x, y, width, height } = part.getBoundingClientRect();
    const [left, top] = [x + width / 2, y + height / 2];
    const over = document.elementFromPoint(left, top);
    if (part.contains(over)) return { left, top };
    part.scrollIntoView({ block: 'center', behavior: 'instant' });
    return { why: `${over?.outerHTML.slice(0, 80)} lies over it` };
  }), ({ why, left, top }) => {
    const still = `${left} ${top}` === before;
    before = `${left} ${top}`;
    return !why && still;
  });
  return [found.left, found.top];
}
export const click = async (name, times = 1) => page.mouse.click(...await place(name), { count: times, delay: 10 });
export const choose = (name, option) => page.select(id(name), option);
export const focus = (name) => page.focus(id(name));
export const press = (key) => page.keyboard.press(key);
/** Several keys at once; the last one is pressed while the others are held. */
export async function chord(...keys) {
  const last = keys.pop();
  for (const key of keys) await page.keyboard.down(key);
  await page.keyboard.press(last);
  for (const key of keys.reverse()) await page.keyboard.up(key);
}
/** What has the focus, within the text editor's own tree too. */
export const focused = (name) => page.evaluate((wanted) => {
  let now = document.activeElement;
  while (now?.shadowRoot?.activeElement) now = now.shadowRoot.activeElement;
  return now?.matches(wanted) ?? false;
}, id(name));

/** Waits until this holds; says what it saw last if it never does. */
export async function until(what, holds, seconds = 30) {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    const found = await what();
    if (holds(found)) return found;
    if (Date.now() > end) assert.fail(`still ${JSON.stringify(found)} after ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
export const says = (name, words, seconds) => until(() => text(name), (found) => (words instanceof RegExp ? words.test(found) : found.includes(words)), seconds);
export const is = (name, wanted) => until(() => value(name), (found) => found === wanted);
export const status = (wanted, seconds = 60) => until(() => text('status'), (found) => found === wanted, seconds);
export const shows = (name) => until(() => seen(name), (found) => found);
export const hides = (name) => until(() => seen(name), (found) => !found);
export const focuses = (name) => until(() => focused(name), (found) => found);

/** Types into a field in the place of what is there, as a person does, and leaves it. */
export async function fill(name, words) {
  await focus(name);
  await chord('Control', 'a');
  if (words === '') await press('Delete');
  else await page.keyboard.type(words);
  await press('Tab');
}
/** Moves the focus on by Tab until it is there. */
export async function tabTo(name, most = 60) {
  for (let tries = 0; tries < most; tries++) {
    if (await focused(name)) return;
    await press('Tab');
  }
  assert.fail(`Tab never comes to ${name}`);
}
/** Presses a button twice as a double click does. */
export const twice = (name) => click(name, 2);
/** A button by what it is called. */
export async function named(words) {
  const found = await page.evaluateHandle((name) => [...document.querySelectorAll('button, a')].find((one) => one.checkVisibility() && (one.getAttribute('aria-label') ?? one.textContent).includes(name)), words);
  return found.asElement() ?? assert.fail(`there is no button “${words}”`);
}
/** Opens a section of the form, if it is not open. */
export async function unfold(section) {
  const details = `[data-section="${section}"] > details`;
  if (!(await page.$eval(details, (one) => one.open))) await click(`${details} > summary`);
}

export async function finish() {
  await choose('speed', 'max');
  await click('run');
  await status('Done', 100);
}
/** How far the run has come, in virtual seconds. */
export const front = () => page.$eval(id('scrub'), (input) => Number(input.max));
export const goTo = (hash) => page.evaluate((to) => { location.hash = to; }, hash);

/** The JSON text, whether its editor is open or not. */
export const json = () => page.$eval('#json-text', (one) => one.value);
/** Something of the text editor, which has a tree of its own. */
export const inEditor = (act, ...given) => page.evaluate(`(${act})(document.querySelector('#json-text .rich').shadowRoot, ...${JSON.stringify(given)})`);
export async function openText() {
  if (!(await page.$eval('details.json', (one) => one.open))) await click('details.json > summary');
  await page.waitForFunction(() => document.querySelector('#json-text .rich')?.shadowRoot?.querySelector('.cm-content'));
}
/** Puts a text in the place of what the text editor has. */
export async function type(words) {
  await openText();
  await inEditor((root) => root.querySelector('.cm-content').focus());
  await chord('Control', 'a');
  await page.evaluate((put) => document.execCommand('insertText', false, put), words);
}

/** Nothing can be scrolled sideways. */
export const narrow = () => until(() => page.evaluate(sideways), (by) => by <= 0, 5);
