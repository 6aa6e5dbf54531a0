// Links that are too long to be readable: what packs them is loaded when one turns up, and not before.
import { at, cli, expect, finish, open, test, type } from './harness.mjs';

const rates = Array.from({ length: 400 }, (_, at) => 100 + ((at * 37) % 91) + 0.5);
const LONG = JSON.stringify({ version: 1, arrivals: { replay: { interval_seconds: 0.05, rates_per_second: rates } }, run: { duration_seconds: 20, warmup_seconds: 2 } });
const MODULE = /agent_chaos_wasm_pack[^/]*\.wasm$/;

test('a long experiment is packed into its link, which opens again and reproduces', async ({ page, site }) => {
  const asked = [];
  page.on('request', (request) => MODULE.test(request.url()) && asked.push(request.url()));
  await open(page, site);
  await finish(page, expect);
  await expect(at(page, 'share-link')).toHaveValue(/#v1\.exp-002/);
  expect(asked).toEqual([]);

  await type(page, LONG);
  await finish(page, expect);
  await expect(at(page, 'share-link')).toHaveValue(/#v1z\.[\w-]+~h=[0-9a-f]{12}$/);
  expect(asked.length).toBe(1);
  const [link, digest] = [await at(page, 'share-link').inputValue(), await at(page, 'digest').textContent()];
  expect(link.length).toBeLessThan(2_000);

  await page.goto('about:blank');
  await open(page, link);
  await expect(at(page, 'link-status')).toContainText('reproduced ✓');
  await expect(at(page, 'digest')).toHaveText(digest);
  // The command line reads what the page has packed.
  expect(cli('run', link, '--json').digest).toBe(digest);

  await page.goto('about:blank');
  await open(page, link.replace(/~h=.*/, '').slice(0, -9));
  await expect(at(page, 'error')).toContainText('damaged or cut');
});

test('without that module the page says so and works on, and copying tries again', async ({ browser, site }) => {
  // A page of its own: the console says what is wrong here, on purpose.
  const page = await browser.newPage();
  await page.route(MODULE, (route) => route.abort());
  await open(page, `${site}#v1z.AAAAAAAA`);
  await expect(at(page, 'error')).toContainText('long links could not be loaded');
  await type(page, LONG);
  await finish(page, expect);
  const said = page.locator('#share [role="status"]').first();
  await expect(said).toContainText('could not be loaded. Copying tries again');
  await expect(at(page, 'share-link')).toHaveValue('');
  await page.unroute(MODULE);
  await at(page, 'share').click();
  await expect(at(page, 'share-link')).toHaveValue(/#v1z\./);
  await page.close();
});
