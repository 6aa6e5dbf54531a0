// Links: what they show and lock, how they are opened, mangled and hostile ones, and the dialogs that make them.
import { AxeBuilder, at, cli, decodeQR, expect, finish, open, said, test, type, unfold } from './harness.mjs';
import { CHARTS } from '../../web/page/charts/list.js';
import { LOCKS, PARTS } from '../../web/shared/view.js';
import { hostile } from './hostile-links.mjs';

const part = (page, id) => page.locator(`#${id}`);
const field = (page, path) => page.locator(`[name="${path}"]`);

async function afresh(page, url) {
  await page.goto('about:blank');
  await open(page, url);
}

async function clean(page, place) {
  const { violations } = await new AxeBuilder({ page }).include(place).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
}

const inWidth = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

test('a link runs by itself, says that it reproduces, and can be watched', async ({ page, site }) => {
  const token = said('link', 'exp-002', '--set', 'workers.count=6');
  await open(page, `${site}#${token}`);
  await expect(at(page, 'link-status')).toContainText('reproduced ✓');
  // What somebody has chosen to watch runs at stays what it was.
  await expect(at(page, 'speed')).toHaveValue('20');
  await expect(at(page, 'watch')).toHaveText('Watch it at 20×');
  await at(page, 'watch').click();
  await expect(at(page, 'status')).toHaveText('Running');
  await expect(at(page, 'watch')).toBeHidden();
  await at(page, 'pause').click();
  await expect(at(page, 'status')).toHaveText('Paused');
  // Half a run says nothing else.
  await expect(at(page, 'link-status')).toContainText('reproduced ✓');
});

test('a long run waits until somebody wants it', async ({ page, site }) => {
  await open(page, `${site}#v1.exp-002~run.duration_seconds=3000.0~h=aaaabbbbcccc`);
  await expect(at(page, 'link-status')).toContainText('it does not run by itself');
  await expect(at(page, 'status')).toHaveText('Ready');
  await at(page, 'speed').selectOption('0.1');
  await at(page, 'run').click();
  await expect(at(page, 'status')).toHaveText('Running');
  await at(page, 'pause').click();
  await expect(at(page, 'link-status')).toContainText('Run it to its end');
});

test('what mail and chat make of a link opens all the same', async ({ page, site }) => {
  const token = 'v1.exp-001~agents.count=81~view.ask=100%25%3F~h=000000000000';
  const every = [...token].map((one) => (/[\w.~-]/.test(one) ? one : `%${one.charCodeAt(0).toString(16).toUpperCase()}`)).join('');
  for (const [mangled, address] of [
    [`#${token}.`, /#v1\.exp-001/], [`?${token}`, /\/#v1\.exp-001/], [`?x=${token}&amp;utm_source=mail`, /\/#v1\.exp-001/], [`#${every}`, /#v1\.exp-001/], [`#${token.replaceAll('~', '%7e')}`, /#v1/],
    [`#"${token}"`, /#/], [`#“(${token})”`, /#/], [`#${token.replaceAll('%', '%25')}`, /#v1/],
  ]) {
    await afresh(page, `${site}${mangled}`);
    await expect(field(page, 'agents.count'), mangled).toHaveValue('81');
    await expect(at(page, 'question'), mangled).toHaveText('100%?');
    expect(page.url()).toMatch(address);
  }
});

test('a link that cannot be opened says why, and how to go on', async ({ page, site }) => {
  await open(page, `${site}#v1.mm1~workers.cou`);
  await expect(at(page, 'error')).toContainText('"workers.cou"');
  await expect(at(page, 'ways')).toBeVisible();
  await clean(page, '#task');
  await page.locator('#task summary').click();
  await expect(at(page, 'link-text')).toHaveText(`${site}#v1.mm1~workers.cou`);
  await at(page, 'preset-alone').click();
  await expect(at(page, 'preset')).toHaveValue('mm1');
  await expect(part(page, 'task')).toBeHidden();
  await expect(at(page, 'error')).toBeHidden();

  await afresh(page, `${site}#v1.nothing~view.looks=good`);
  await expect(at(page, 'preset-alone')).toBeHidden();
  await at(page, 'start-anew').click();
  await expect(part(page, 'task')).toBeHidden();
  await finish(page, expect);
  for (const [token, words] of [['v1.exp-002~view.looks=good', 'accepted: show, charts'], ['v1.exp-002~view.vs=workers.count=many', '/workers/count']]) {
    await afresh(page, `${site}#${token}`);
    await expect(at(page, 'error')).toContainText(words);
  }
});

test('a link shows the parts and charts that it names, and a way to all of them', async ({ page, site }) => {
  await page.goto(`${site}#v1.exp-002~view.show=verdict,charts~view.charts=queue,nonsense`);
  await expect(part(page, 'verdict')).toBeVisible();
  for (const id of ['controls', 'picture', 'break', 'compare', 'events', 'report', 'share', 'editor', 'share-open']) await expect(part(page, id), id).toBeHidden();
  await expect(page.locator('[data-chart]')).toHaveCount(1);
  await expect(page.locator('[data-chart="queue"]')).toBeVisible();
  await expect(at(page, 'task-odd')).toContainText('no charts: nonsense');
  // Its run, and what it came to, need no controls.
  await expect(at(page, 'task-outcome')).toContainText('not verified');
  await expect(at(page, 'task-run')).toHaveText('Run again');
  await clean(page, '#task');
  await at(page, 'unlock').click();
  for (const id of ['controls', 'picture', 'break', 'editor', 'share-open']) await expect(part(page, id), id).toBeVisible();
  await expect(page.locator('[data-chart="rates"]')).toBeVisible();
  await expect(part(page, 'task')).toBeHidden();

  await afresh(page, `${site}#v1.exp-002~view.show=controls,break`);
  await expect(part(page, 'break')).toBeVisible();
  await expect(page.locator('#picture svg')).toBeHidden();
});

test('what is locked is seen, says so and stays as it is; what is free can be changed', async ({ page, site }) => {
  await open(page, `${site}#v1.exp-002~view.lock=all~view.free=workers.count`);
  await expect(at(page, 'status')).toHaveText('Done');
  for (const name of ['preset', 'seed', 'new-seed', 'break-traffic', 'from-here']) await expect(at(page, name), name).toBeDisabled();
  await expect(field(page, 'agents.count')).toBeDisabled();
  await expect(field(page, 'agents.count')).toHaveAccessibleDescription(/Locked in this task/);
  await expect(page.locator('[data-field="agents.count"] .locked')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Switch off: Agents' })).toBeDisabled();
  await expect(page.locator('[data-field="workers.count"] .locked')).toBeHidden();
  await unfold(page, 'run');
  await expect(field(page, 'run.duration_seconds')).toBeDisabled();
  await field(page, 'workers.count').fill('6');
  await field(page, 'workers.count').blur();
  await expect(at(page, 'status')).toHaveText('Ready');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--set', 'workers.count=6', '--json').digest);
  await clean(page, '#editor');
  await clean(page, '#controls');

  // Neither keys nor the text are a way around it.
  await page.locator('body').click({ position: { x: 1, y: 1 } });
  await page.keyboard.press('n');
  await page.keyboard.press('1');
  await type(page, '{"version": 1}');
  await page.locator('#json-text').evaluate((one) => { one.value = '{"version": 1, "agents": {"count": 3}}'; });
  await expect(at(page, 'error')).toContainText('locked in this task');
  await expect(at(page, 'seed')).toHaveValue('1');
  await expect(field(page, 'agents.count')).toHaveValue('400');
  await expect(page.locator('#json-text [contenteditable]')).toHaveAttribute('aria-readonly', 'true');

  await at(page, 'unlock').click();
  await expect(field(page, 'agents.count')).toBeEnabled();
  await expect(at(page, 'preset')).toBeEnabled();
  await expect(at(page, 'break-traffic')).toBeEnabled();
  await expect(at(page, 'notice')).toContainText('nothing is locked any more');
  await page.reload();
  await expect(field(page, 'agents.count')).toBeDisabled();
});

test('where running is locked it runs once, and where single fields are locked the others are free', async ({ page, site }) => {
  await open(page, `${site}#v1.exp-002~view.lock=run,workers`);
  await expect(at(page, 'status')).toHaveText('Done');
  for (const name of ['run', 'step', 'reset', 'to-collapse']) await expect(at(page, name), name).toBeDisabled();
  await expect(at(page, 'watch')).toBeHidden();
  await page.locator('body').click({ position: { x: 1, y: 1 } });
  await page.keyboard.press('.');
  await page.keyboard.press('k');
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(field(page, 'workers.count')).toBeDisabled();
  await expect(field(page, 'agents.count')).toBeEnabled();
  await expect(at(page, 'preset')).toBeEnabled();
  await at(page, 'preset').selectOption('mm1');
  await expect(at(page, 'run')).toBeEnabled();
  await expect(part(page, 'task')).toBeHidden();
  // Back to the link is back to its limits.
  await at(page, 'undo').click();
  await expect(at(page, 'run')).toBeDisabled();
});

test('a student takes a seed of their own and hands in an answer, which the teacher opens and checks', async ({ page, site }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, `${site}#v1.exp-002~view.show=controls,verdict~view.ask=Does%20it%20collapse%3F%0AWhy%3F~view.seeds=own`);
  await expect(at(page, 'question')).toHaveText('Does it collapse?\nWhy?');
  // Nothing runs before it is known for whom.
  await expect(at(page, 'status')).toHaveText('Ready');
  await at(page, 'take-seed').click();
  await expect(page.locator('#task-name-problem')).toHaveText('Write your name or number first.');
  await expect(at(page, 'student')).toBeFocused();
  await at(page, 'student').fill(' Ada  Lovelace ');
  await page.keyboard.press('Enter');
  const seed = String(cli('run', 'exp-002', '--seed', 'name:Ada Lovelace', '--json').seed);
  await expect(at(page, 'seed')).toHaveValue(seed);
  await expect(at(page, 'whose')).toHaveText(`Seed ${seed}: the one of “Ada Lovelace” ✓`);
  await finish(page, expect);
  const digest = cli('run', 'exp-002', '--seed', seed, '--json').digest;
  await at(page, 'answer').fill('No: <b>the throttle</b> holds it.');
  await at(page, 'hand-in').click();
  await expect(at(page, 'answer-link')).toHaveValue(new RegExp(`seed=${seed}~.*view.by=Ada%20Lovelace.*~h=....${digest.slice(0, 8)}$`));
  const link = await at(page, 'answer-link').inputValue();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await clean(page, '#task');

  await afresh(page, link);
  await expect(page.locator('#task-title')).toHaveText('Answer of Ada Lovelace');
  await expect(at(page, 'answered')).toHaveText('No: <b>the throttle</b> holds it.');
  await expect(at(page, 'whose')).toContainText('the one of “Ada Lovelace” ✓');
  await expect(at(page, 'link-status')).toContainText('reproduced ✓');
  await clean(page, '#task');
  await afresh(page, link.replace('Ada%20', 'Bob%20'));
  await expect(at(page, 'whose')).toContainText('which is not the one of “Bob Lovelace”');
});

test('the variants of a link are run and kept beside it', async ({ page, site }) => {
  const link = said('link', 'exp-001', '--view', 'vs=agents.count=90', '--view', 'vs=workers.count=11,queue.capacity=50');
  await open(page, `${site}#${link}`);
  await expect(at(page, 'kept-name')).toHaveCount(3);
  await expect(at(page, 'kept-name').nth(0)).toHaveValue('as the link has it');
  await expect(at(page, 'kept-name').nth(1)).toHaveValue('agents.count = 90');
  await expect(at(page, 'kept-name').nth(2)).toHaveValue(/workers.count = 11/);
  const created = await at(page, 'compared').locator('[data-field="requests.created"]').evaluateAll((all) => all.map((cell) => Number(cell.dataset.value)));
  const told = (...sets) => cli('run', 'exp-001', ...sets.flatMap((one) => ['--set', one]), '--json').requests.created;
  expect(created).toEqual([told(), told('agents.count=90'), told('workers.count=11', 'queue.capacity=50')]);
  await expect(at(page, 'task-compared')).toContainText('Compared with agents.count = 90');
  // What is changed and run next stands beside them, and they stay what they are.
  await field(page, 'workers.count').fill('10');
  await field(page, 'workers.count').blur();
  await finish(page, expect);
  await expect(at(page, 'compared').locator('[data-field="requests.created"]')).toHaveCount(4);
  await expect(at(page, 'kept-name')).toHaveCount(3);
});

test('variants take the place of kept runs only when somebody says so', async ({ page, site }) => {
  await open(page, site);
  await finish(page, expect);
  await at(page, 'keep').click();
  await page.evaluate(() => { location.hash = 'v1.exp-001~view.vs=agents.count=90'; });
  await expect(at(page, 'task-compared')).toContainText('They take the place of the runs that are kept');
  await expect(at(page, 'kept-name')).toHaveCount(1);
  await at(page, 'run-variants').click();
  await expect(at(page, 'kept-name')).toHaveCount(2);
  await expect(at(page, 'kept-name').nth(1)).toHaveValue('agents.count = 90');
  await expect(at(page, 'run-variants')).toBeHidden();
});

test('the share dialog gives every form of the link, and a QR code that holds it', async ({ page, site }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, site);
  await page.locator('body').click({ position: { x: 1, y: 1 } });
  await page.keyboard.press('s');
  const dialog = at(page, 'share-dialog');
  await expect(dialog).toBeVisible();
  await expect(page.locator('#share-dialog-title')).toBeFocused();
  await expect(page.locator('#share-result')).toBeDisabled();
  await expect(at(page, 'share-as-text')).toHaveValue(`${site}#v1.exp-002`);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);

  await finish(page, expect);
  await at(page, 'share-open').click();
  const text = at(page, 'share-as-text');
  await expect(text).toHaveValue(new RegExp(`^${site}#v1\\.exp-002~h=[0-9a-f]{12}$`));
  const link = await text.inputValue();
  await expect(at(page, 'share-as-length')).toHaveText(`The link has ${link.length} characters.`);
  await expect(at(page, 'share-as-fits').locator('[data-fits="true"]')).toHaveCount(5);
  await clean(page, '[data-testid="share-dialog"]');
  for (const [form, words] of [['markdown', `[EXP-002 Congestion – Agent Chaos Playground](${link})`], ['html', `<a href="${link}">`], ['frame', `embed.html#v1.exp-002~h=`], ['element', '<agent-chaos link="v1.exp-002~h=']]) {
    await at(page, 'share-as-form').selectOption(form);
    expect(await text.inputValue()).toContain(words);
    await at(page, 'share-as-copy').click();
    await expect(at(page, 'share-as-said')).toHaveText('Copied.');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await text.inputValue());
  }
  await page.locator('#share-result').uncheck();
  await at(page, 'share-as-form').selectOption('link');
  await expect(text).toHaveValue(`${site}#v1.exp-002`);
  await page.locator('#share-result').check();
  await expect(text).toHaveValue(link);
  expect(await read(at(page, 'share-as-fits').locator('xpath=..').getByTestId('qr'))).toBe(link);

  await at(page, 'share-as-large').click();
  const screen = at(page, 'qr-screen');
  await expect(screen).toBeVisible();
  expect(await read(screen.getByTestId('qr'))).toBe(link);
  await clean(page, '[data-testid="qr-screen"]');
  await screen.getByRole('button', { name: 'Close' }).click();
  await expect(screen).toHaveCount(0);
  await expect(at(page, 'share-as-large')).toBeFocused();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(at(page, 'share-open')).toBeFocused();
});

/** What a phone would read. @param {import('@playwright/test').Locator} code */
async function read(code) {
  const dark = await code.evaluate(async (svg) => {
    const copy = svg.cloneNode(true);
    copy.setAttribute('width', '600');
    copy.setAttribute('height', '600');
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
    await image.decode();
    const canvas = new OffscreenCanvas(600, 600);
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, 600, 600);
    return Array.from({ length: 600 * 600 }, (_, at) => (data[4 * at] < 128 ? '1' : '0')).join('');
  });
  return decodeQR({ width: 600, height: 600, data: Uint8Array.from({ length: 4 * dark.length }, (_, at) => (at % 4 === 3 || dark[at >> 2] === '0' ? 255 : 0)) });
}

test('a link too long for a chat or a QR code says so', async ({ page, site }) => {
  await open(page, site);
  // Rates without a pattern: nothing that packs well.
  let seed = 7;
  const rates = Array.from({ length: 1500 }, () => ((seed = (seed * 48271) % 2147483647) % 1e6) / 1000);
  await type(page, JSON.stringify({ version: 1, arrivals: { replay: { interval_seconds: 0.05, rates_per_second: rates } } }));
  await expect(at(page, 'share-link')).toHaveValue(/#v1z\./);
  await at(page, 'share-more').click();
  await expect(at(page, 'share-as-no-code')).toContainText('too long for a QR code');
  await expect(at(page, 'qr')).toHaveCount(0);
  await expect(at(page, 'share-as-fits').locator('[data-fits="false"]')).toHaveCount(5);
});

test('a teacher makes a task, and the preview is what students get', async ({ page, site, context }) => {
  await open(page, site);
  await finish(page, expect);
  await at(page, 'keep').click();
  await field(page, 'workers.count').fill('5');
  await field(page, 'workers.count').blur();
  await finish(page, expect);
  await at(page, 'make-task').focus();
  await page.keyboard.press('Enter');
  const dialog = at(page, 'task-dialog');
  await expect(dialog).toContainText('they do not protect');
  await expect(page.locator('#task-dialog-title')).toBeFocused();
  const text = at(page, 'task-as-text');
  await at(page, 'make-ask').fill('Why is it “stable” now?');
  await expect(page.locator('#make-ask-left')).toHaveText('477 characters left');
  await at(page, 'make-show-events').uncheck();
  await at(page, 'make-mode-free').check();
  await at(page, 'make-field').fill('wrokers');
  await page.keyboard.press('Enter');
  await expect(page.locator('#make-field-problem')).toHaveText('This experiment has no field wrokers.');
  for (const path of ['workers.count', 'queue']) {
    await at(page, 'make-field').fill(path);
    await page.keyboard.press('Enter');
  }
  await expect(at(page, 'make-picked').locator('li')).toHaveCount(2);
  await at(page, 'make-vs').check();
  await expect(text).toHaveValue(/~view\.show=controls,verdict,picture,break,charts,compare,sweep,theory,report,share,editor~view\.lock=all~view\.free=workers\.count,queue~view\.ask=Why%20is%20it%20%E2%80%9Cstable%E2%80%9D%20now%3F~view\.vs=workers\.count=4~h=/);
  await clean(page, '[data-testid="task-dialog"]');
  await at(page, 'make-seeds').check();
  // Nobody's own seed has the result of this one.
  await expect(text).toHaveValue(/~view\.seeds=own~view\.vs=workers\.count=4$/);

  const [preview] = await Promise.all([context.waitForEvent('page'), at(page, 'make-preview').click()]);
  await expect(at(preview, 'question')).toHaveText('Why is it “stable” now?');
  await expect(preview.locator('[name="agents.count"]')).toBeDisabled();
  await expect(preview.locator('[name="queue.capacity"]')).toBeEnabled();
  await expect(preview.locator('#events')).toBeHidden();
  await expect(at(preview, 'status')).toHaveText('Ready');
  await at(preview, 'student').fill('7');
  await at(preview, 'take-seed').click();
  await finish(preview, expect);
  await expect(at(preview, 'kept-name')).toHaveCount(2);
  await preview.close();

  for (const one of await dialog.locator('[data-testid^="make-show-"]').all()) await one.uncheck();
  await expect(dialog.getByRole('alert').filter({ hasText: 'nothing would be shown' })).toBeVisible();
  await expect(at(page, 'make-preview')).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(at(page, 'make-task')).toBeFocused();
});

for (const [width, scheme] of [[320, 'light'], [390, 'dark'], [1280, 'dark']]) {
  test(`task and dialogs fit ${width} px and pass axe, ${scheme}`, async ({ page, site }) => {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 700 });
    const ask = 'Averyveryverylongwordthatnobodywouldwrite'.repeat(3);
    await open(page, `${site}#v1.exp-002~view.lock=all~view.free=workers.count~view.ask=${ask}~view.seeds=own`);
    await expect(at(page, 'question')).toBeVisible();
    expect(await inWidth(page)).toBeLessThanOrEqual(0);
    await clean(page, '#task');
    for (const [button, name] of [['share-open', 'share-dialog'], ['make-task', 'task-dialog']]) {
      await at(page, button).click();
      const dialog = at(page, name);
      await dialog.getByTestId('qr').waitFor();
      expect(await dialog.evaluate((one) => one.scrollWidth - one.clientWidth), name).toBeLessThanOrEqual(0);
      const small = await dialog.locator('button:visible, select:visible, input:visible, label.check:visible').evaluateAll((all) => all.filter((one) => {
        const box = (one.closest('label') ?? one).getBoundingClientRect();
        return box.height < 24 || box.width < 24;
      }).map((one) => one.outerHTML.slice(0, 80)));
      expect(small).toEqual([]);
      await clean(page, `[data-testid="${name}"]`);
      await page.keyboard.press('Escape');
    }
  });
}

test('hostile links neither hang nor crash the page, nor put anything into it', async ({ page, site }) => {
  await open(page, site);
  const seen = await page.evaluate(async (links) => {
    const settled = () => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))); });
    const count = { opened: 0, refused: 0 };
    const elements = (selector) => document.querySelectorAll(selector).length;
    for (const link of links) {
      const { hash } = location;
      location.hash = link;
      await settled();
      if (location.hash === hash) continue;
      const shown = (name) => document.querySelector(`[data-testid="${name}"]`)?.hidden === false;
      if (shown('error')) count.refused += 1;
      else if (shown('link-status')) count.opened += 1;
      if ( elements('iframe, object, embed, img, [onerror], [onload], script:not([src])') || 'hit' in globalThis || 'polluted' in {}) throw new Error(`${link} got into the page`);
    }
    return count;
  }, hostile(300));
  expect(seen.refused).toBeGreaterThan(100);
  expect(seen.opened).toBeGreaterThan(30);
  // The engine is the same as before.
  await afresh(page, `${site}#${said('link', 'exp-001')}`);
  await expect(at(page, 'link-status')).toContainText('reproduced ✓');
});

test('hostile links opened afresh', async ({ page, site }) => {
  for (const link of hostile(330).slice(300)) {
    await page.goto('about:blank');
    await page.goto(`${site}#${link}`);
    await expect(at(page, 'status')).toHaveText(/Ready|Running|Done|Error/);
    expect(await page.evaluate(() => 'hit' in globalThis)).toBe(false);
  }
});

test('the command line knows the parts and charts that the page has', async () => {
  const shown = said('link', 'exp-002', '--no-run', '--view', `show=${PARTS.join(',')}`, '--view', `charts=${CHARTS.map(({ name }) => name).join(',')}`, '--view', `lock=${LOCKS.join(',')}`);
  expect(shown).toContain(PARTS.join(','));
});
