// What the specs share: the built page on a loopback port, the command line, and the page's hooks.
import { serve } from './server.mjs';
import { test as base } from '../../web/testkit.js';

export { expect, AxeBuilder, decodeQR } from '../../web/testkit.js';
export { cli, cliOn, presets, said } from './cli.mjs';
export { STORM } from './samples.mjs';

export const test = base.extend({
  // One server for all tests of a worker.
  site: [async ({}, use) => {
    const { url, stop } = await serve();
    await use(url);
    stop();
  }, { scope: 'worker' }],

  // Every test also fails on what the console calls an error, and on requests to elsewhere.
  page: async ({ page, site }, use) => {
    const wrong = [];
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== new URL(site).origin && !['data:', 'blob:'].includes(protocol)) wrong.push(`request to ${request.url()}`);
    });
    await use(page);
    if (wrong.length) throw new Error(wrong.join('\n'));
  },
});

export const at = (page, name) => page.getByTestId(name);

export async function open(page, url) {
  await page.goto(url);
  await at(page, 'status').waitFor();
  // Parts that come after the first picture.
  await page.locator('[data-later]').first().waitFor({ state: 'detached' });
}

export async function finish(page, expect) {
  await at(page, 'speed').selectOption('max');
  await at(page, 'run').click();
  await expect(at(page, 'status')).toHaveText('Done', { timeout: 60_000 });
}

/** Types a profile into the JSON view. */
export async function type(page, text) {
  await openText(page);
  // As a person does it: an editor that draws only what is seen selects all of it by its own key.
  await at(page, 'json').focus();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
}

/** Opens the JSON view and waits for its editor. */
export async function openText(page) {
  const details = page.locator('details.json');
  if (!(await details.evaluate((one) => one.open))) await details.locator('> summary').click();
  await at(page, 'json').waitFor();
}

/** The whole text of the JSON view, open or not. */
export const text = (page) => page.locator('#json-text').evaluate((one) => one.value);

/** Opens a section of the form, if it is not open. */
export async function unfold(page, section) {
  const details = page.locator(`[data-section="${section}"] > details`);
  if (!(await details.evaluate((one) => one.open))) await details.locator('> summary').click();
}
