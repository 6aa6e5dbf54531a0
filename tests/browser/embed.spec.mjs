// Experiments in pages of others: the frame of one file, the element, and what they say to the page around.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { AxeBuilder, at, cli, expect, finish, open, test } from './harness.mjs';
import { hostile } from './hostile-messages.mjs';

const STRICT = "default-src 'none'; script-src 'unsafe-inline'; frame-src 'self'; style-src 'unsafe-inline'; img-src data:";
const HEAR = `
  const heard = [];
  addEventListener('message', (event) => {
    const frame = document.querySelector('iframe');
    if (event.source !== frame?.contentWindow || event.data?.['agent-chaos'] !== 1) return;
    heard.push(event.data);
    if (event.data.type === 'size') frame.style.height = event.data.height + 'px';
  });
  let asked = 0;
  const ask = (message, target = document.querySelector('iframe')) => {
    const id = 'test-' + ++asked;
    target.contentWindow.postMessage({ 'agent-chaos': 1, id, ...message }, '*');
    return new Promise((resolve) => {
      const look = () => {
        const answer = heard.find((one) => one.id === id);
        if (answer) resolve(answer); else setTimeout(look, 10);
      };
      look();
    });
  };
  Object.assign(globalThis, { heard, ask });`;

/** A page of somebody else's around it. */
async function host(page, site, { body, style = '', policy = STRICT, script = HEAR }) {
  const address = `${site}somebody/else.html`;
  await page.route(address, (route) => route.fulfill({
    contentType: 'text/html', headers: { 'Content-Security-Policy': policy },
    body: `<!doctype html><html lang="en"><head><title>Somebody else's page</title><link rel="icon" href="data:,">${style && `<style>${style}</style>`}</head><body><main><h1>Somebody else's page</h1>${body}</main>${script && `<script>${script}</script>`}</body></html>`,
  }));
  await page.goto(address);
  return page;
}

const frameOf = (query = '', token = 'v1.exp-002') => `<iframe src="../embed.html${query}${token && `#${token}`}" sandbox="allow-scripts" loading="lazy" title="An experiment" style="width:100%;aspect-ratio:16/10;border:0"></iframe>`;

/** Opens a frame in a strict page, and gives what is in it. */
async function framed(page, site, query, token, more = {}) {
  await host(page, site, { body: frameOf(query, token), ...more });
  const inside = page.frameLocator('iframe[title="An experiment"]');
  await inside.locator('.inner > *').waitFor();
  return inside;
}

/** As fast as it can, from the poster to the end. */
async function runThrough(inside) {
  await at(inside, 'embed-play').click();
  await at(inside, 'embed-speed').selectOption('max');
  await expect(at(inside, 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
}

/** A page with elements in it. */
const elements = (page, site, body, more = {}) => host(page, site, { body: `${body}<script type="module" src="../agent-chaos.js"></script>`, policy: "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'", ...more });
const elementPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types";

test('a sandboxed frame in a strict page runs the experiment, and loads nothing but itself', async ({ page, site }) => {
  const loaded = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
  const inside = await framed(page, site);
  await expect(at(inside, 'embed-recorded')).toContainText('Degraded at 14.15');
  await runThrough(inside);
  await expect(inside.locator('[data-chart="queue"] canvas')).toBeVisible();
  const command = cli('run', 'exp-002', '--json');
  await expect(at(inside, 'verdict-words')).toHaveText(command.headline ?? /Degraded at 14\.15/);
  const { report } = await page.evaluate(() => globalThis.ask({ type: 'get report' }));
  expect(report.digest).toBe(command.digest);
  expect(loaded.filter((path) => path !== '/somebody/else.html')).toEqual(['/embed.html']);
});

test('it is under a policy that allows its own script and style and nothing else', () => {
  const html = readFileSync(new URL('../../web/dist/embed.html', import.meta.url), 'utf8');
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html);
  expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[\w+/=]+' 'wasm-unsafe-eval'; style-src 'sha256-[\w+/=]+'; img-src data: blob:; base-uri 'none'; form-action 'none'$/);
  expect(html.match(/<script/g)).toHaveLength(4);
  expect(Buffer.byteLength(html)).toBeLessThanOrEqual(700_000);
});

test('the frame says how high it is, and what happens, in order', async ({ page, site }) => {
  const inside = await framed(page, site);
  const heard = () => page.evaluate(() => globalThis.heard);
  await expect.poll(async () => (await heard()).map(({ type }) => type).slice(0, 2)).toEqual(['ready', 'size']);
  const [ready] = await heard();
  expect(ready.state).toMatchObject({ phase: 'poster', preset: 'exp-002' });
  await runThrough(inside);
  await expect.poll(async () => (await heard()).some(({ type }) => type === 'report')).toBe(true);
  const phases = (await heard()).filter(({ type }) => type === 'state').map(({ state }) => state.phase);
  const order = phases.filter((phase, index) => phase !== phases[index - 1]);
  expect(order).toEqual(['loading', 'ready', 'running', 'done']);
  // The frame has become as high as what is in it: nothing scrolls inside.
  const high = () => inside.locator('agent-chaos').evaluate((one) => [Math.ceil(one.getBoundingClientRect().height), document.documentElement.clientHeight]);
  await expect.poll(async () => Math.abs((await high())[0] - (await high())[1])).toBeLessThanOrEqual(1);
});

test('requests are answered, each with its own id', async ({ page, site }) => {
  await framed(page, site);
  const ask = (message) => page.evaluate((one) => globalThis.ask(one), message);
  expect(await ask({ type: 'get report' })).toMatchObject({ type: 'report', report: null });
  expect(await ask({ type: 'set', path: 'workers.count', value: 6 })).toMatchObject({ type: 'state' });
  expect(await ask({ type: 'run' })).toMatchObject({ type: 'state' });
  await expect.poll(async () => (await ask({ type: 'get state' })).state.phase).toBe('running');
  expect((await ask({ type: 'pause' })).type).toBe('state');
  await expect.poll(async () => (await ask({ type: 'get state' })).state.phase).toBe('paused');
  await expect.poll(async () => (await ask({ type: 'get state' })).state.now_seconds).toBeGreaterThan(0);
  expect(await ask({ type: 'reset' })).toMatchObject({ type: 'state', state: { phase: 'ready', now_seconds: 0 } });
  expect(await ask({ type: 'set', path: 'seed', value: 7 })).toMatchObject({ type: 'state', state: { seed: 7 } });
  const refusal = await ask({ type: 'set', path: 'workers.count', value: -6 });
  expect(refusal).toMatchObject({ type: 'error', error: { field: 'workers.count' } });
  expect(refusal.error.message).toContain('found -6');
  expect(await ask({ type: 'fly' })).toMatchObject({ type: 'error', error: { field: 'type' } });
  expect(await ask({ 'agent-chaos': 2, type: 'run' })).toMatchObject({ type: 'error', error: { field: 'agent-chaos' } });
  // The change from before the engine was there holds: the command line has the same result.
  const inside = page.frameLocator('iframe');
  await at(inside, 'embed-speed').selectOption('max');
  await ask({ type: 'run' });
  await expect.poll(async () => (await ask({ type: 'get report' })).report?.digest, { timeout: 60_000 }).toBe(cli('run', 'exp-002', '--set', 'workers.count=6', '--seed', '7', '--json').digest);
});

test('the theme changes while it stands there', async ({ page, site }) => {
  const inside = await framed(page, site, '?theme=light');
  const ground = () => inside.locator('.stage').evaluate((one) => getComputedStyle(one).backgroundColor);
  expect(await ground()).toBe('rgb(255, 255, 255)');
  await page.evaluate(() => globalThis.ask({ type: 'theme', theme: 'dark' }));
  await expect.poll(ground).toBe('rgb(26, 32, 41)');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.evaluate(() => globalThis.ask({ type: 'theme', theme: 'auto' }));
  await expect.poll(ground).toBe('rgb(255, 255, 255)');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(ground).toBe('rgb(26, 32, 41)');
});

test('it takes neither the keyboard nor the scroll position, nor rewrites an address', async ({ page, site }) => {
  await framed(page, site, '', undefined, { body: `<input id="mine"><p style="height:40px">…</p>${frameOf()}<p style="height:2000px">…</p>`.replace('loading="lazy"', '') });
  await page.locator('#mine').focus();
  await page.evaluate(() => scrollTo(0, 5));
  const address = () => page.frames()[1].evaluate(() => location.href);
  const before = await address();
  await page.evaluate(() => globalThis.ask({ type: 'run' }));
  const inside = page.frameLocator('iframe');
  await at(inside, 'embed-speed').evaluate((one) => {
    one.value = 'max';
    one.dispatchEvent(new Event('change'));
  });
  await expect(at(inside, 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
  await page.evaluate(() => globalThis.ask({ type: 'reset' }));
  await expect(page.locator('#mine')).toBeFocused();
  expect(await page.evaluate(() => scrollY)).toBe(5);
  expect(await address()).toBe(before);
});

test('a thousand hostile messages are answered or ignored, and it still runs', async ({ page, site }) => {
  const inside = await framed(page, site, '?view=controls,verdict');
  // A clone is what arrives: what cannot be written down here is left out, the others are sent as they are.
  const messages = [...hostile(1000, 85)].map((message) => {
    const seen = new WeakSet();
    try {
      return JSON.stringify(message, (_, value) => {
        if (typeof value === 'bigint') return { odd: 'bigint' };
        if (typeof value === 'object' && value !== null) {
          if (seen.has(value)) return { odd: 'round' };
          seen.add(value);
        }
        return value;
      });
    } catch {
      return undefined;
    }
  }).filter((message) => message !== undefined);
  expect(messages.length).toBeGreaterThan(900);
  const count = await page.evaluate(async (texts) => {
    const { contentWindow } = document.querySelector('iframe');
    let own = 0;
    for (const text of texts) {
      const message = JSON.parse(text, (_, value) => (value?.odd === 'bigint' ? 7n : value));
      if (message?.odd === 'round') message.round = message;
      if (typeof message === 'object' && message !== null && Object.hasOwn(message, 'agent-chaos')) {
        own += 1;
        message.id = `hostile-${own}`;
      }
      contentWindow.postMessage(message, '*');
    }
    return own;
  }, messages);
  expect(count).toBeGreaterThan(500);
  const answered = () => page.evaluate(() => globalThis.heard.filter(({ id }) => String(id).startsWith('hostile-')).map(({ id }) => id));
  await expect.poll(async () => (await answered()).length, { timeout: 60_000 }).toBe(count);
  expect(new Set(await answered()).size).toBe(count);
  expect(await page.frames()[1].evaluate(() => [document.title, ({}).polluted, document.querySelector('img')])).toEqual(['Agent Chaos Playground', undefined, null]);
  // It is as good as before: a decent request is done.
  await page.evaluate(() => globalThis.ask({ type: 'reset' }));
  await expect(at(inside, 'embed-phase').or(at(inside, 'embed-play')).first()).toBeVisible({ timeout: 60_000 });
  const state = await page.evaluate(() => globalThis.ask({ type: 'get state' }));
  expect(['poster', 'ready', 'error']).toContain(state.state.phase);
});

test('messages of other windows are ignored', async ({ page, site }) => {
  await framed(page, site, '', undefined, { body: `${frameOf()}<iframe id="other" sandbox="allow-scripts" srcdoc="&lt;script&gt;addEventListener('message', ({ data }) => { parent.frames[0].postMessage(data, '*'); parent.postMessage('passed on', '*'); })&lt;/script&gt;" title="Another"></iframe>` });
  const passed = page.evaluate(() => new Promise((resolve) => addEventListener('message', ({ data }) => data === 'passed on' && resolve(true))));
  await page.evaluate(() => document.querySelector('#other').contentWindow.postMessage({ 'agent-chaos': 1, type: 'run', id: 'foreign' }, '*'));
  await passed;
  // Whatever it sent would have come by now: this came later and is answered.
  expect((await page.evaluate(() => globalThis.ask({ type: 'get state' }))).state.phase).toBe('poster');
  expect(await page.evaluate(() => globalThis.heard.filter(({ id }) => id === 'foreign'))).toEqual([]);
});

for (const [query, token, words] of [
  ['?theme=blue', 'v1.exp-002', 'theme: found "blue", accepted: auto, light, dark'],
  ['?view=charts,editor', 'v1.exp-002', 'view: found "editor", accepted: controls, verdict, picture, charts'],
  ['?charts=foo', 'v1.exp-002', 'charts: found "foo", accepted: state, rates'],
  ['?colour=red', 'v1.exp-002', 'colour: found a name that means nothing here, accepted: preset, set'],
  ['?preset=exp-02', '', 'preset: found "exp-02", accepted: exp-001'],
]) test(`what is wrong in its address is said in its place: ${query}`, async ({ page, site }) => {
  const inside = await framed(page, site, query, token);
  await expect(at(inside, 'embed-refused')).toContainText(words);
  await expect(at(inside, 'embed-play')).toHaveCount(0);
});

for (const [query, token, words] of [
  ['', 'v1.exp-002~workers.count=-6', '/workers/count: found -6, accepted: a whole number from 1 to'],
  ['?set=workers.count%3D-6', '', 'set: /workers/count: found -6, accepted: a whole number from 1 to'],
  ['', 'v1.no-such-preset', 'no-such-preset'],
  ['', 'v9.exp-002', 'newer'],
  ['?vs=workers.count%3Dmany', '', 'vs: '],
]) test(`an experiment that is refused says why: ${query}#${token}`, async ({ page, site }) => {
  const inside = await framed(page, site, query, token);
  await at(inside, 'embed-play').click();
  await expect(at(inside, 'embed-refused')).toContainText(words);
});

test('a link proves itself, also a packed one', async ({ page, site }) => {
  const packed = readFileSync(new URL('../links/shipped-v1.txt', import.meta.url), 'utf8').split(/[\t\n]/).find((text) => text.startsWith('v1z.') && !text.includes('view.'));
  for (const [token, words] of [['v1.exp-002~workers.count=6~seed=7~h=841621f01673', /Reproduced ✓/], [packed, null]]) {
    const inside = await framed(page, site, '', token);
    await runThrough(inside);
    if (words) await expect(at(inside, 'embed-link')).toHaveText(words);
    await expect(at(inside, 'verdict-words')).not.toHaveText(/Press Run/);
  }
});

test('the way to the playground holds the experiment as it is shown, with its result', async ({ browser, site }) => {
  // A page of its own: here the console says that a window was not allowed.
  const page = await browser.newPage();
  const inside = await framed(page, site);
  await runThrough(inside);
  await at(inside, 'embed-seed').fill('7');
  await at(inside, 'embed-seed').blur();
  await at(inside, 'embed-run').click();
  await expect(at(inside, 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
  await expect(at(inside, 'embed-open')).toHaveAttribute('href', /#v1\.exp-002~seed=7~h=[0-9a-f]{12}$/);
  const away = await at(inside, 'embed-open').getAttribute('href');
  expect(away.startsWith(`${site}#`)).toBe(true);
  // This host allows no windows: the address is there to be copied.
  await at(inside, 'embed-open').click();
  await expect(at(inside, 'embed-address')).toHaveValue(away);
  await expect(at(inside, 'embed-address')).toBeFocused();
  await page.close();
});

test('where windows are allowed the playground opens with the experiment', async ({ page, site, context }) => {
  await host(page, site, { body: frameOf().replace('allow-scripts', 'allow-scripts allow-popups allow-popups-to-escape-sandbox') });
  const inside = page.frameLocator('iframe');
  await runThrough(inside);
  await expect(at(inside, 'embed-open')).toHaveAttribute('href', /~?h=[0-9a-f]{12}$/);
  const [opened] = await Promise.all([context.waitForEvent('page'), at(inside, 'embed-open').click()]);
  await expect(at(opened, 'preset')).toHaveValue('exp-002');
  await expect(at(opened, 'link-status')).toContainText('reproduced ✓', { timeout: 60_000 });
  await opened.close();
});

test('a link says itself how its experiment is shown, and what is given beside it comes first', async ({ page, site }) => {
  const token = 'v1.exp-002~view.show=charts,controls~view.charts=queue~view.lock=all~view.ask=Why%3F~view.vs=workers.count=12';
  let inside = await framed(page, site, '', token);
  await expect(inside.getByText('Why?')).toBeVisible();
  await runThrough(inside);
  await expect(inside.locator('[data-chart]')).toHaveCount(1);
  await expect(inside.locator('[data-chart="queue"] .legend')).toContainText('workers.count = 12');
  await expect(at(inside, 'verdict-words')).toHaveCount(0);
  await expect(at(inside, 'embed-seed')).toHaveCount(0);
  await expect(at(inside, 'embed-open')).toHaveAttribute('href', /#v1\.exp-002~view\.lock=all~view\.ask=Why%3F~view\.vs=workers\.count=12~h=/);
  inside = await framed(page, site, '?view=verdict,controls', token);
  await expect(inside.getByText('Why?')).toHaveCount(0);
  await runThrough(inside);
  await expect(at(inside, 'verdict-words')).toBeVisible();
  await expect(at(inside, 'embed-seed')).toBeVisible();
});

test('who is asked gets no answer beforehand, and what is locked stays', async ({ page, site }) => {
  const inside = await framed(page, site, `?ask=${encodeURIComponent('How many workers keep it stable?')}&lock=all&free=workers.count`);
  await expect(inside.getByText('How many workers keep it stable?')).toBeVisible();
  await expect(at(inside, 'embed-recorded')).toHaveCount(0);
  await runThrough(inside);
  await expect(at(inside, 'embed-seed')).toHaveCount(0);
  await inside.getByLabel('workers.count').fill('12');
  await inside.getByLabel('workers.count').press('Enter');
  await at(inside, 'embed-run').click();
  await expect(at(inside, 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
  const { report } = await page.evaluate(() => globalThis.ask({ type: 'get report' }));
  expect(report.digest).toBe(cli('run', 'exp-002', '--set', 'workers.count=12', '--json').digest);
  await inside.getByLabel('workers.count').fill('many');
  await inside.getByLabel('workers.count').press('Enter');
  await expect(at(inside, 'embed-error')).toContainText('found "many"');
});

test('what is locked is locked for the reader, not for the page around', async ({ page, site }) => {
  const inside = await framed(page, site, '?lock=all,run');
  await expect(at(inside, 'embed-play')).toHaveCount(0);
  expect(await page.evaluate(() => globalThis.ask({ type: 'set', path: 'workers.count', value: 12 }))).toMatchObject({ type: 'state' });
  await page.evaluate(() => globalThis.ask({ type: 'run' }));
  await expect.poll(async () => (await page.evaluate(() => globalThis.ask({ type: 'get report' }))).report?.digest, { timeout: 60_000 }).toBe(cli('run', 'exp-002', '--set', 'workers.count=12', '--json').digest);
  await expect(at(inside, 'embed-run')).toHaveCount(0);
});

test('each learner has a seed of their own', async ({ page, site }) => {
  const inside = await framed(page, site, '?seeds=own');
  await at(inside, 'embed-play').click();
  await expect(at(inside, 'embed-status')).toHaveText('First type your name or number.');
  await at(inside, 'embed-name').fill('Ada');
  await runThrough(inside);
  const { state } = await page.evaluate(() => globalThis.ask({ type: 'get state' }));
  await expect(at(inside, 'embed-own-seed')).toHaveText(`Seed ${state.seed}, from “Ada”.`);
  expect(state.seed).not.toBe(1);
  await expect(at(inside, 'embed-open')).toHaveAttribute('href', new RegExp(`~seed=${state.seed}~view\\.seeds=own~view\\.by=Ada~h=`));
  // Who has answered already is not asked for a name.
  const answered = await framed(page, site, '', `v1.exp-002~seed=${state.seed}~view.ask=Why%3F~view.seeds=own~view.by=Ada~view.answer=Because`);
  await expect(at(answered, 'embed-name')).toHaveCount(0);
  await runThrough(answered);
  await expect(at(answered, 'embed-answer')).toHaveText('Answer of Ada: Because');
});

test('what it is compared with is run first and stands in the charts', async ({ page, site }) => {
  const inside = await framed(page, site, '?vs=workers.count%3D12&vs=workers.count%3D6~queue.capacity%3D40');
  await runThrough(inside);
  await expect(inside.locator('[data-chart="queue"] .legend')).toContainText('workers.count = 12');
  await expect(inside.locator('[data-chart="queue"] .legend')).toContainText('workers.count = 6, queue.capacity = 40');
  const { report } = await page.evaluate(() => globalThis.ask({ type: 'get report' }));
  expect(report.digest).toBe(cli('run', 'exp-002', '--json').digest);
});

test('ten elements share one engine, which comes with the first run; only those in sight run', async ({ page, site }) => {
  await page.addInitScript(() => {
    globalThis.compiled = 0;
    for (const name of ['compile', 'compileStreaming', 'instantiate', 'instantiateStreaming']) {
      const original = WebAssembly[name];
      WebAssembly[name] = function (source, ...rest) {
        if (!(source instanceof WebAssembly.Module)) globalThis.compiled += 1;
        return original.call(this, source, ...rest);
      };
    }
  });
  await elements(page, site, Array.from({ length: 10 }, (_, index) => `<agent-chaos id="e${index}" preset="exp-002" seed="${index + 1}"></agent-chaos>`).join('<p style="height:600px">…</p>'), { script: '' });
  await expect(page.locator('agent-chaos').getByTestId('embed-play')).toHaveCount(10);
  expect(await page.evaluate(() => globalThis.compiled)).toBe(0);
  await page.evaluate(() => { for (const one of document.querySelectorAll('agent-chaos')) void one.run(); });
  const phases = () => page.evaluate(() => [...document.querySelectorAll('agent-chaos')].map((one) => one.state.phase));
  await expect.poll(async () => (await phases())[0]).toBe('running');
  await expect.poll(async () => (await phases()).slice(2)).toEqual(Array.from({ length: 8 }, () => 'ready'));
  expect(await page.evaluate(() => globalThis.compiled)).toBe(1);
  // Out of sight it rests, back in sight it goes on.
  await page.locator('#e9').scrollIntoViewIfNeeded();
  await expect.poll(async () => (await phases())[9]).toBe('running');
  await expect.poll(async () => (await phases())[0]).toBe('paused');
  await page.locator('#e0').scrollIntoViewIfNeeded();
  await page.locator('#e0').getByTestId('embed-speed').selectOption('max');
  await expect.poll(async () => (await phases())[0], { timeout: 60_000 }).toBe('done');
  expect(await page.evaluate(() => document.querySelector('#e0').report.digest)).toBe(cli('run', 'exp-002', '--seed', '1', '--json').digest);
  expect(await page.evaluate(() => globalThis.compiled)).toBe(1);
});

test('many elements on one page are for everybody, and a crash of their engine is told and mended', async ({ browser, site }) => {
  // A page of its own: here an error is expected. The clock that the engine reads fails once, as a panic would.
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => {
    const { now } = performance;
    performance.now = function () {
      if (globalThis.crash && new Error().stack.includes('wasm')) {
        globalThis.crash = false;
        throw new WebAssembly.RuntimeError('unreachable');
      }
      return now.call(this);
    };
  });
  await elements(page, site, '<div style="display:flex"><agent-chaos id="a" preset="exp-002"></agent-chaos><agent-chaos id="b" preset="exp-001"></agent-chaos></div><agent-chaos id="c" preset="exp-002"></agent-chaos>', { script: '' });
  const one = (id) => page.locator(`#${id}`);
  await expect(page.getByRole('button', { name: 'Run EXP-001 Control' })).toHaveCount(1);
  for (const id of ['a', 'b']) {
    await at(one(id), 'embed-play').click();
    await at(one(id), 'embed-speed').selectOption('1');
    await expect(at(one(id), 'embed-phase')).toHaveText('Running');
    expect((await one(id).boundingBox()).width).toBeGreaterThan(279);
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  await page.evaluate(() => { globalThis.crash = true; });
  for (const id of ['a', 'b']) await expect(at(one(id), 'embed-error')).toContainText(/engine failed/);
  for (const id of ['a', 'b']) {
    await at(one(id), 'embed-speed').selectOption('max');
    await at(one(id), 'embed-run').click();
    await expect(at(one(id), 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
    await expect(at(one(id), 'embed-error')).toBeHidden();
  }
  expect(await page.evaluate(() => document.querySelector('#a').report.digest)).toBe(cli('run', 'exp-002', '--json').digest);
  await page.close();
});

test('a long run asks first, and one that cannot fit is refused', async ({ page, site }) => {
  const inside = await framed(page, site, '', 'v1.exp-002~run.duration_seconds=50000');
  const run = at(inside, 'embed-run');
  await at(inside, 'embed-play').click();
  await expect(at(inside, 'embed-asking')).toContainText(/about \d+ million events/);
  await inside.getByRole('button', { name: 'Not now' }).click();
  await expect(at(inside, 'embed-asking')).toBeHidden();
  await expect(at(inside, 'embed-phase')).toHaveText('Ready');
  await run.click();
  await inside.getByRole('button', { name: 'Run it' }).click();
  await expect(at(inside, 'embed-phase')).toHaveText('Running');
  await run.click();
  await expect(at(inside, 'embed-phase')).toHaveText('Paused');
  const other = await framed(page, site, '', 'v1.exp-002~agents=null~arrivals=%7B%22rate_per_second%22%3A900000%7D~queue.capacity=null~run.duration_seconds=1000');
  await at(other, 'embed-play').click();
  await other.getByRole('button', { name: 'Run it' }).click();
  await expect(at(other, 'embed-error')).toContainText('GB of memory');
});

test('on paper there is no button to press', async ({ page, site }) => {
  await elements(page, site, '<agent-chaos preset="exp-002"></agent-chaos>', { script: '' });
  await expect(at(page, 'embed-play')).toBeVisible();
  await page.emulateMedia({ media: 'print' });
  await expect(at(page, 'embed-play')).toBeHidden();
  await expect(at(page, 'embed-recorded')).toBeVisible();
});

test('where there is no script, what stands inside the element is shown, and nowhere else', async ({ page, site }) => {
  const body = '<agent-chaos preset="exp-002"><a href="https://example.org/play/#v1.exp-002">Congestion</a></agent-chaos>';
  await host(page, site, { body });
  await expect(page.getByRole('link', { name: 'Congestion' })).toBeVisible();
  await elements(page, site, body, { script: '' });
  await expect(at(page, 'embed-play')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Congestion' })).toBeHidden();
});

test('an element has methods and properties, tells by events, and follows its attributes', async ({ page, site }) => {
  await elements(page, site, '<div id="around"><agent-chaos preset="exp-001" set="workers.count=6"></agent-chaos></div>', {
    script: `globalThis.told = []; for (const name of ['state', 'report', 'error']) document.querySelector('#around').addEventListener(name, ({ detail, composed }) => told.push([name, composed, detail]));`,
  });
  await expect(page.locator('agent-chaos').getByTestId('embed-play')).toBeVisible();
  const report = await page.evaluate(async () => {
    const one = document.querySelector('agent-chaos');
    if (one.report !== null) throw new Error('a report before any run');
    const run = one.run();
    // As fast as it can.
    await customElements.whenDefined('agent-chaos');
    const look = () => one.shadowRoot.querySelector('[data-testid="embed-speed"]');
    while (!look()) await new Promise((resolve) => setTimeout(resolve, 5));
    look().value = 'max';
    look().dispatchEvent(new Event('change'));
    const report = await run;
    if (report !== one.report) throw new Error('another report');
    return report;
  });
  expect(report.digest).toBe(cli('run', 'exp-001', '--set', 'workers.count=6', '--json').digest);
  expect(await page.evaluate(() => [document.querySelector('agent-chaos').set('workers.count', 0), document.querySelector('agent-chaos').set('seed', 9), document.querySelector('agent-chaos').state.seed])).toEqual([false, true, 9]);
  const told = await page.evaluate(() => globalThis.told.map(([name, composed, detail]) => [name, composed, detail.phase ?? detail.digest ?? detail.field]));
  expect(told).toContainEqual(['report', true, report.digest]);
  expect(told).toContainEqual(['error', true, 'workers.count']);
  for (const phase of ['loading', 'ready', 'running', 'done']) expect(told).toContainEqual(['state', true, phase]);
  // Another experiment is a poster again; a wrong one is named; a right one mends it.
  await page.evaluate(() => document.querySelector('agent-chaos').setAttribute('preset', 'exp-003'));
  await expect(page.locator('agent-chaos h2')).toHaveText('EXP-003 Saturation');
  await page.evaluate(() => document.querySelector('agent-chaos').setAttribute('seed', 'x'));
  await expect(at(page, 'embed-refused')).toContainText('seed: found "x", accepted: a whole number from 0 to 4294967295');
  await page.evaluate(() => document.querySelector('agent-chaos').removeAttribute('seed'));
  await expect(at(page, 'embed-play')).toBeVisible();
});

test('an element follows the theme around it, takes its colours, and keeps its size in any host', async ({ page, site }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await elements(page, site, '<agent-chaos preset="exp-002"></agent-chaos>', { script: '', style: 'html { font-size: 10px; color-scheme: light; } html.night { color-scheme: dark; } html.told { --agent-chaos-theme: light; } html.plain { color-scheme: normal; } html.plain body { background: #111; } main { letter-spacing: 4px; text-align: center; text-indent: 3em; white-space: pre; text-transform: uppercase; font: italic bold 30px serif; direction: rtl; }' });
  const stage = page.locator('agent-chaos .stage');
  await expect(stage).toHaveAttribute('data-theme', 'light');
  const html = (classes) => page.evaluate((one) => { document.documentElement.className = one; }, classes);
  await html('night');
  await expect(stage).toHaveAttribute('data-theme', 'dark');
  await html('night told');
  await expect(stage).toHaveAttribute('data-theme', 'light');
  await html('plain');
  await expect(stage).toHaveAttribute('data-theme', 'dark');
  // A change that no class tells of.
  await html('');
  await page.evaluate(() => { document.querySelector('main').style.colorScheme = 'dark'; });
  await expect(stage).toHaveAttribute('data-theme', 'dark');
  await page.evaluate(() => document.querySelector('main').style.setProperty('--agent-chaos-theme', 'light'));
  await expect(stage).toHaveAttribute('data-theme', 'light');
  await page.evaluate(() => document.querySelector('main').style.setProperty('--agent-chaos-theme', 'dark'));
  await expect(stage).toHaveAttribute('data-theme', 'dark');
  await page.locator('agent-chaos').evaluate((one) => one.setAttribute('theme', 'light'));
  await expect(stage).toHaveAttribute('data-theme', 'light');
  await page.locator('agent-chaos').evaluate((one) => one.style.setProperty('--agent-chaos-card', 'rgb(1, 2, 3)'));
  await expect(stage).toHaveCSS('background-color', 'rgb(1, 2, 3)');
  expect(await stage.evaluate((one) => [getComputedStyle(one).fontSize, getComputedStyle(one).letterSpacing, getComputedStyle(one).textAlign, getComputedStyle(one).textIndent, getComputedStyle(one).whiteSpace, getComputedStyle(one).fontStyle, getComputedStyle(one).textTransform, getComputedStyle(one).direction])).toEqual(['15px', 'normal', 'start', '0px', 'normal', 'normal', 'none', 'ltr']);
  // Colours of the host reach what is drawn on canvases as well.
  await at(page, 'embed-play').click();
  await at(page, 'embed-speed').selectOption('max');
  await expect(at(page, 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
  await page.locator('agent-chaos').evaluate((one) => one.style.setProperty('--agent-chaos-series-1', 'rgb(1, 254, 3)'));
  await page.locator('agent-chaos').evaluate((one) => one.setAttribute('theme', 'dark'));
  const green = () => page.locator('agent-chaos [data-chart="queue"] canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] === 1 && data[at + 1] === 254 && data[at + 2] === 3) found += 1;
    return found;
  });
  await expect.poll(green).toBeGreaterThan(50);
});

test('an element in the strictest page that can have one runs, and goes when it is taken away', async ({ page, site }) => {
  await elements(page, site, '<agent-chaos preset="exp-002" view="controls,verdict,picture,charts" charts="state,phase"></agent-chaos>', { script: '', policy: elementPolicy });
  const one = page.locator('agent-chaos');
  await at(one, 'embed-play').click();
  await expect(at(one, 'embed-phase')).toHaveText('Running');
  await page.evaluate(() => {
    const gone = document.querySelector('agent-chaos');
    globalThis.gone = gone;
    gone.remove();
  });
  expect(await page.evaluate(() => globalThis.gone.state.phase)).not.toBe('done');
  await page.evaluate(() => document.querySelector('main').append(globalThis.gone));
  await at(one, 'embed-play').click();
  await at(one, 'embed-speed').selectOption('max');
  await expect(at(one, 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
  await expect(one.locator('[data-chart]')).toHaveCount(2);
});

test('poster, running, done and refused are for everybody, light and dark', async ({ page, site }) => {
  const check = async (what) => {
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${what}: ${id} ${nodes.map(({ target }) => target).join(' ')}`)).toEqual([]);
  };
  for (const theme of ['light', 'dark']) {
    const inside = await framed(page, site, `?theme=${theme}&view=controls,verdict,picture,charts&ask=Why%3F&free=workers.count`);
    await check(`poster, ${theme}`);
    await at(inside, 'embed-play').click();
    await at(inside, 'embed-speed').selectOption('1');
    await expect(at(inside, 'embed-phase')).toHaveText('Running');
    await check(`running, ${theme}`);
    await at(inside, 'embed-speed').selectOption('max');
    await expect(at(inside, 'embed-phase')).toHaveText('Done', { timeout: 60_000 });
    await inside.locator('.rests summary').click();
    await check(`done, ${theme}`);
    await inside.getByLabel('workers.count').fill('many');
    await inside.getByLabel('workers.count').press('Enter');
    await expect(at(inside, 'embed-error')).toBeVisible();
    await check(`not taken over, ${theme}`);
    await framed(page, site, `?theme=${theme}&view=nothing`);
    await check(`refused, ${theme}`);
  }
});

test('the keyboard alone is enough, from the poster on', async ({ page, site }) => {
  const inside = await framed(page, site);
  await page.keyboard.press('Tab');
  await expect(at(inside, 'embed-play')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(at(inside, 'embed-run')).toBeFocused();
  await expect(at(inside, 'embed-run')).toHaveText('Pause');
  await page.keyboard.press('Enter');
  await expect(at(inside, 'embed-phase')).toHaveText('Paused');
  await page.keyboard.press('Tab');
  await expect(at(inside, 'embed-reset')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(at(inside, 'embed-run')).toBeFocused();
});

for (const width of [320, 640, 1000]) test(`nothing is cut off or too small to hit: ${width} px`, async ({ page, site }) => {
  await page.setViewportSize({ width, height: 900 });
  const inside = await framed(page, site, '?view=controls,verdict,picture,charts&free=workers.count,queue.capacity', undefined, { style: 'body { margin: 0; }' });
  await runThrough(inside);
  expect(await inside.locator('agent-chaos').evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  const buttons = await inside.locator('button:visible, summary:visible, a:visible, select:visible, input:visible').evaluateAll((all) => all.map((one) => [one.textContent?.slice(0, 20), one.getBoundingClientRect().height, one.getBoundingClientRect().width, one.tagName === 'BUTTON' && one.scrollWidth > one.clientWidth + 1]));
  expect(buttons.length).toBeGreaterThan(8);
  for (const [words, height, wide, cut] of buttons) {
    expect(Math.min(height, wide), words).toBeGreaterThanOrEqual(23.5);
    expect(cut, words).toBe(false);
  }
});

test('a page of a single file is saved with the experiment in it, and runs from a disk', async ({ page, site, browser }, info) => {
  await open(page, site);
  await at(page, 'seed').fill('7');
  await finish(page, expect);
  const [saved] = await Promise.all([page.waitForEvent('download'), at(page, 'download-page').click()]);
  const digest = await page.getByTestId('digest').first().textContent();
  expect(saved.suggestedFilename()).toBe(`exp-002-${digest.slice(0, 8)}.html`);
  const file = info.outputPath(saved.suggestedFilename());
  await saved.saveAs(file);
  const text = readFileSync(file, 'utf8');
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(700_000);
  expect(text).toContain('<title>EXP-002 Congestion, seed 7 – Agent Chaos Playground</title>');
  await expect(at(page, 'download-said')).toContainText(`Saved as ${saved.suggestedFilename()}`);

  // Without any network, in a window of its own.
  const away = await browser.newContext({ offline: true });
  const opened = await away.newPage();
  const wrong = [];
  opened.on('pageerror', (error) => wrong.push(String(error)));
  opened.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  await opened.goto(pathToFileURL(file).href);
  await expect(at(opened, 'embed-recorded')).toContainText('Verdict when it was shared:');
  await runThrough(opened);
  await expect(at(opened, 'embed-link')).toHaveText(/Reproduced ✓/);
  await expect(opened.locator('[data-chart]')).toHaveCount(4);
  expect(await opened.evaluate(() => document.querySelector('agent-chaos').report.digest)).toBe(digest);
  await expect(at(opened, 'embed-open')).toHaveAttribute('href', new RegExp(`^${site}#v1.exp-002~seed=7`));
  const { violations } = await new AxeBuilder({ page: opened }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  expect(wrong).toEqual([]);
  await away.close();
});

test('where a page cannot be saved, that is said', async ({ browser, site }) => {
  // A page of its own: here a failed request is expected.
  const page = await browser.newPage();
  await page.route('**/embed.html', (route) => route.abort());
  await open(page, site);
  await at(page, 'download-page').click();
  await expect(at(page, 'download-said')).toContainText('could not be made');
  await page.close();
});
