// The page in Firefox: the same results as natively, and the same ways to get at them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { puppeteer } from '../../web/firefoxkit.js';
import { cli, cliOn, presets } from './cli.mjs';
import { serve } from './server.mjs';

let site;
let browser;
let page;
let wrong = [];

before(async () => {
  site = await serve();
  browser = await puppeteer.launch({ browser: 'firefox', executablePath: process.env.FIREFOX, headless: true });
});
after(async () => {
  await browser?.close();
  site?.stop();
});

const id = (name) => `[data-testid="${name}"]`;
const text = (name) => page.$eval(id(name), (one) => one.textContent);
const value = (name) => page.$eval(id(name), (one) => one.value);
const click = (name) => page.locator(id(name)).click();

/** Waits until this holds; says what it saw last if it never does. */
async function until(what, holds, seconds = 30) {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    const seen = await what();
    if (holds(seen)) return seen;
    if (Date.now() > end) assert.fail(`still ${JSON.stringify(seen)} after ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
const says = (name, words) => until(() => text(name), (seen) => seen.includes(words));

async function open(url, { width = 1280, height = 900 } = {}) {
  await page?.close();
  page = await browser.newPage();
  await page.setViewport({ width, height });
  wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  await page.goto(url);
  await page.waitForSelector(id('status'));
}
async function finish() {
  await page.select(id('speed'), 'max');
  await click('run');
  await until(() => text('status'), (seen) => seen === 'Done', 60);
}
/** Nothing went wrong that only the console tells. */
const clean = () => assert.deepEqual(wrong, []);
const drag = (seconds) => page.$eval(id('scrub'), (input, to) => {
  input.value = String(to);
  input.dispatchEvent(new Event('input', { bubbles: true }));
}, seconds);
const label = () => page.$eval('#picture svg', (one) => one.getAttribute('aria-label'));

test('every preset has the digest and the state of the command line', async () => {
  await open(site.url);
  for (const preset of presets()) {
    const expected = cli('run', preset, '--json');
    await page.select(id('preset'), preset);
    await until(() => text('status'), (seen) => seen === 'Ready');
    await finish();
    assert.equal(await text('digest'), expected.digest, preset);
    assert.equal(await text('state'), expected.state ?? '—', preset);
  }
  clean();
});

test('a past moment is the very moment, and a run goes on from there', async () => {
  await open(site.url);
  await page.select(id('step-by'), 'second');
  for (let second = 1; second <= 7; second++) {
    await click('step');
    await until(() => page.$eval('.status span', (one) => one.textContent), (seen) => seen.startsWith(`${second}.00 s`));
  }
  const seven = await label();
  await finish();
  const digest = await text('digest');
  await drag(7);
  await until(label, (seen) => seen === seven);
  await finish();
  assert.equal(await text('digest'), digest);
  clean();
});

test('what is broken while it runs is in the link, which reproduces', async () => {
  await open(site.url);
  await click('run');
  await until(() => page.$eval(id('progress'), (bar) => bar.value), (seen) => seen > 0.1);
  await click('break-crash');
  await says('struck-list', '1 worker crashed');
  await finish();
  const [link, digest] = [await value('share-link'), await text('digest')];
  assert.equal(cliOn('', 'run', link, '--json').digest, digest);
  clean();
  await open(link);
  await says('link-status', 'reproduced ✓');
  assert.equal(await text('digest'), digest);
  clean();
});

test('a whole experiment by keyboard alone', async () => {
  await open(site.url);
  const tabTo = async (name) => {
    for (let tries = 0; tries < 60; tries++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), id(name))) return;
    }
    assert.fail(`Tab never comes to ${name}`);
  };
  await tabTo('run');
  await page.keyboard.press('Enter');
  await says('status', 'Running');
  await page.keyboard.press('k');
  await says('status', 'Paused');
  await page.keyboard.press(',');
  await says('status', 'Looking back');
  await page.keyboard.press('l');
  await says('status', 'Paused');
  await page.select(id('speed'), 'max');
  await page.focus(id('run'));
  await page.keyboard.press('Enter');
  await says('status', 'Done');
  assert.equal(await text('digest'), cli('run', 'exp-002', '--json').digest);
  clean();
});

test('charts are drawn, and nothing scrolls sideways on a phone', async () => {
  for (const width of [320, 390, 1280]) {
    await open(site.url, { width });
    await finish();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} px`);
    await page.$eval('[data-chart="queue"]', (one) => one.scrollIntoView());
    await until(() => page.$eval('[data-chart="queue"] canvas', (canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let inked = 0;
      for (let i = 3; i < data.length; i += 4) inked += data[i] > 0 ? 1 : 0;
      return inked;
    }), (inked) => inked > 2000);
    clean();
  }
});
