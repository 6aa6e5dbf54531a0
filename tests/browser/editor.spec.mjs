// The editor: undo, sliders, text, own experiments, files.
import { readFileSync } from 'node:fs';
import { AxeBuilder, STORM, at, cli, expect, finish, open, openText, test, text, type, unfold } from './harness.mjs';
import { drop as dropped, refuseStorage } from './inpage.mjs';

const agents = (page) => page.locator('[name="agents.count"]');
const set = async (field, value) => {
  await field.fill(value);
  await field.blur();
};
const profile = async (page) => JSON.parse(await text(page));
const axe = async (page, without = []) => {
  const { violations } = await new AxeBuilder({ page }).disableRules(without).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
};
const file = (name, content) => ({ name, mimeType: 'application/json', buffer: Buffer.from(content) });

test('every kind of edit can be taken back and made again', async ({ page, site }) => {
  await open(page, site);
  await expect(at(page, 'undo')).toBeDisabled();
  await set(agents(page), '50');
  await at(page, 'preset').selectOption('exp-003');
  await type(page, '{"seed": 7}');
  await at(page, 'json').blur();
  await expect(at(page, 'seed')).toHaveValue('7');
  await at(page, 'new-seed').click();
  await expect(at(page, 'seed')).not.toHaveValue('7');
  const seed = await at(page, 'seed').inputValue();
  await at(page, 'file').setInputFiles(file('mine.json', '{"seed": 11}'));
  await expect(at(page, 'seed')).toHaveValue('11');

  const undo = at(page, 'undo');
  await expect(undo).toHaveAccessibleName('Undo opening mine.json');
  await undo.click();
  await expect(at(page, 'seed')).toHaveValue(seed);
  await expect(at(page, 'undone')).toHaveText('Undone: opening mine.json.');
  await undo.click();
  await expect(at(page, 'seed')).toHaveValue('7');
  await undo.click();
  await expect(at(page, 'preset')).toHaveValue('exp-003');
  await expect(agents(page)).toHaveValue('1000');
  await undo.click();
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  await expect(agents(page)).toHaveValue('50');
  await undo.click();
  await expect(agents(page)).toHaveValue('400');
  await expect(undo).toBeDisabled();
  // The keyboard is not lost with the button.
  await expect(at(page, 'redo')).toBeFocused();
  for (let step = 0; step < 5; step++) await page.keyboard.press('Enter');
  await expect(at(page, 'seed')).toHaveValue('11');
  await expect(at(page, 'redo')).toBeDisabled();
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-001', '--set', 'seed=11', '--json').digest);
});

test('undo by keys: a field’s own first, then that of the page; a draft can come back', async ({ page, site }) => {
  await open(page, site);
  await set(agents(page), '50');
  await agents(page).focus();
  await page.keyboard.press('End');
  await page.keyboard.type('9');
  await expect(agents(page)).toHaveValue('509');
  await page.keyboard.press('Control+z');
  await expect(agents(page)).toHaveValue('50');
  expect((await profile(page)).agents.count).toBe(50);
  await page.keyboard.press('Control+z');
  await expect(agents(page)).toHaveValue('400');
  await page.keyboard.press('Control+Shift+z');
  await expect(agents(page)).toHaveValue('50');
  await at(page, 'run').focus();
  await page.keyboard.press('Control+z');
  await expect(agents(page)).toHaveValue('400');
  await page.keyboard.press('Control+y');
  await expect(agents(page)).toHaveValue('50');

  await set(agents(page), '-1');
  await expect(agents(page)).toHaveAttribute('aria-invalid', 'true');
  await at(page, 'undo').click();
  await expect(agents(page)).toHaveValue('50');
  await expect(agents(page)).not.toHaveAttribute('aria-invalid', 'true');

  await type(page, '{"agents": ');
  await expect(page.locator('#json-problem')).toBeVisible();
  await at(page, 'undo').click();
  await expect.poll(() => text(page)).toContain('"count": 50');
  await at(page, 'redo').click();
  await expect.poll(() => text(page)).toBe('{"agents": ');
  await at(page, 'undo').click();
  await at(page, 'undo').click();
  await expect(agents(page)).toHaveValue('400');
  await expect(at(page, 'undo')).toBeDisabled();
});

test('an edit while a run plays says when the run was ended; undo gives the same run', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'run').click();
  await expect.poll(() => at(page, 'progress').evaluate((bar) => bar.value)).toBeGreaterThan(0.02);
  await set(agents(page), '50');
  await expect(at(page, 'notice')).toContainText(/The profile was changed; the run was ended at \d+\.\d\d s\./);
  await expect(at(page, 'status')).toHaveText('Ready');
  // A further edit does not wipe it away.
  await set(agents(page), '60');
  await expect(at(page, 'notice')).toContainText('was ended at');
  await at(page, 'undo').click();
  await expect(agents(page)).toHaveValue('400');
  await finish(page, expect);
  await expect(at(page, 'notice')).toBeHidden();
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--json').digest);
});

test('an opened link can be taken back, and the address with it', async ({ page, site }) => {
  await open(page, site);
  await set(agents(page), '50');
  await page.evaluate(() => { location.hash = '#v1.exp-001~seed=5'; });
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(at(page, 'seed')).toHaveValue('5');
  await at(page, 'undo').click();
  await expect(agents(page)).toHaveValue('50');
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  expect(new URL(page.url()).hash).toBe('');
});

test('a slider follows its number, and its number the slider', async ({ page, site }) => {
  await open(page, site);
  const slider = page.locator('[data-slider="agents.count"]');
  const place = () => slider.evaluate((one) => one.valueAsNumber);
  await expect(slider).toHaveAccessibleName('Agents, slider');
  await expect(slider).toHaveAttribute('aria-valuetext', '400 agents');
  await set(agents(page), '1000');
  await expect.poll(place).toBe(500);
  await slider.focus();
  await page.keyboard.press('PageUp');
  await expect(agents(page)).toHaveValue('4000');
  await page.keyboard.press('ArrowLeft');
  await expect(agents(page)).toHaveValue('3500');
  await page.keyboard.press('Home');
  await expect(agents(page)).toHaveValue('1');
  await page.keyboard.press('ArrowRight');
  await expect(agents(page)).toHaveValue('2');
  await expect(slider).toHaveAttribute('aria-valuetext', '2 agents');
  // Quick steps of one slider are one step back.
  await at(page, 'undo').click();
  await expect(agents(page)).toHaveValue('400');

  // Dragging shows, letting go takes over, Escape takes back.
  await slider.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await slider.boundingBox();
  const from = x + width * 0.434;
  await page.mouse.move(from, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.7, y + height / 2, { steps: 4 });
  await expect(agents(page)).not.toHaveValue('400');
  expect((await profile(page)).agents.count).toBe(400);
  await page.keyboard.press('Escape');
  await expect(agents(page)).toHaveValue('400');
  await page.mouse.up();
  expect((await profile(page)).agents.count).toBe(400);
  await page.mouse.move(from, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.7, y + height / 2, { steps: 4 });
  await page.mouse.up();
  const dragged = Number(await agents(page).inputValue());
  expect(dragged).toBeGreaterThan(5_000);
  expect(String(dragged)).toMatch(/^\d\d?0*$/);
  await expect.poll(async () => (await profile(page)).agents.count).toBe(dragged);

  const capacity = page.locator('[data-slider="queue.capacity"]');
  await expect(capacity).toBeEnabled();
  await page.locator('#field-queue-capacity-off').check();
  await expect(capacity).toBeDisabled();
});

test('a field says its unit, range, default and help, and can be reset', async ({ page, site }) => {
  await open(page, site);
  const entry = page.locator('[data-field="agents.count"]');
  await expect(entry).toContainText('1 to 1 000 000; default 80');
  await expect(entry.locator('.unit')).toHaveText('agents');
  await expect(agents(page)).toHaveAccessibleDescription(/default 80 How many agents there are/);
  await set(agents(page), '50');
  await entry.getByRole('button', { name: 'Reset Agents to 400' }).click();
  await expect(agents(page)).toHaveValue('400');
});

test('the text editor is loaded when the text is opened, not before', async ({ page, site }) => {
  const loaded = [];
  page.on('request', (request) => loaded.push(request.url()));
  await open(page, site);
  await finish(page, expect);
  expect(loaded.filter((url) => url.includes('codemirror'))).toEqual([]);
  await openText(page);
  expect(loaded.filter((url) => url.includes('codemirror')).length).toBe(1);
  await expect(at(page, 'json')).toHaveRole('textbox');
  await expect(at(page, 'json')).toHaveAccessibleName(/Profile as JSON/);
});

test('where the text editor cannot be loaded, a plain field does the same', async ({ browser, site }) => {
  // A page of its own: here a failed request is expected.
  const page = await browser.newPage();
  await page.route(/codemirror/, (route) => route.abort());
  await open(page, site);
  await type(page, '{"seed": 7}');
  await expect(page.locator('details.json')).toContainText('could not be loaded');
  await expect(at(page, 'seed')).toHaveValue('7');
  await at(page, 'json').blur();
  await expect.poll(() => text(page)).toContain('"version": 1');
  await page.close();
});

test('mistakes are marked where they are, and the rest is coloured', async ({ page, site }) => {
  await open(page, site);
  const marked = () => page.locator('.cm-lintRange-error').allTextContents().then((all) => all.join(''));
  await type(page, '{\n  "agents": {"count": -4},\n  "queue": {"capacty": 3}\n}');
  await expect.poll(marked).toBe('-4"capacty"');
  await expect(at(page, 'json')).toHaveAttribute('aria-invalid', 'true');
  await type(page, '{\n  "agents": {"count": 4,},\n  "seed": 2\n}');
  await expect.poll(marked).toBe('}');
  await type(page, '{"agents": {"count": 4');
  await expect.poll(marked).toBe('4');
  await expect(agents(page)).toHaveValue('400');
  await type(page, '{"agents": {"count": 4}}');
  await expect.poll(marked).toBe('');
  await expect(agents(page)).toHaveValue('4');
  await expect(at(page, 'json')).not.toHaveAttribute('aria-invalid', 'true');
});

test('fields, choices and help come from the schema while typing', async ({ page, site }) => {
  await open(page, site);
  await type(page, '{}');
  const json = at(page, 'json');
  // While more is typed, the list does not answer.
  const option = (name) => page.locator('.cm-tooltip-autocomplete:not(.cm-tooltip-autocomplete-disabled) li', { hasText: name });
  const take = async (name) => {
    await expect(page.locator('.cm-tooltip-autocomplete li')).toHaveCount(1);
    await option(name).click();
  };
  await json.press('Control+Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.type('"queu');
  await take('"queue"');
  await expect.poll(() => text(page)).toMatch(/^\{"queue": \{/);
  await type(page, '{"queue": {"discipline": }}');
  await json.press('Control+End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Control+Space');
  await expect(option('"fifo"')).toBeVisible();
  await page.keyboard.type('"adap');
  await take('"adaptive_lifo"');
  await expect.poll(() => text(page)).toBe('{"queue": {"discipline": "adaptive_lifo"}}');
  await expect(page.locator('[name="queue.discipline"]')).toHaveValue('adaptive_lifo');
  await json.getByText('"discipline"').hover();
  await expect(page.locator('.cm-help')).toContainText('one of "fifo"');
});

test('the text has an undo of its own, then that of the page; Escape and Tab leave it', async ({ page, site }) => {
  await open(page, site);
  await set(agents(page), '50');
  await openText(page);
  const json = at(page, 'json');
  await json.press('Control+Home');
  await page.keyboard.type('\n');
  await expect.poll(() => text(page)).toMatch(/^\n/);
  await page.keyboard.press('Control+z');
  await expect.poll(() => text(page)).toMatch(/^\{/);
  await expect(agents(page)).toHaveValue('50');
  await page.keyboard.press('Control+z');
  await expect(agents(page)).toHaveValue('400');
  await expect.poll(() => text(page)).toContain('"count": 400');
  await page.keyboard.press('Control+y');
  await expect(agents(page)).toHaveValue('50');
  await page.keyboard.press('Tab');
  await expect(json).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(json).not.toBeFocused();
  await expect(page.locator('#json-keys')).toContainText('Escape, then Tab leaves the text');
});

test('own experiments are saved, opened, renamed, deleted and put back, by keyboard', async ({ page, site }) => {
  await open(page, site);
  await set(agents(page), '50');
  await expect(at(page, 'standing')).toHaveText('exp-002, edited and not saved.');
  await at(page, 'save').focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#shelf-name')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#shelf-problem')).toHaveText('A name is needed.');
  await page.keyboard.type('Fifty');
  await page.keyboard.press('Enter');
  await expect(at(page, 'standing')).toHaveText('“Fifty”, saved.');
  await expect(at(page, 'save')).toBeFocused();
  await expect(at(page, 'preset')).toHaveValue('own:Fifty');
  await set(agents(page), '60');
  await expect(at(page, 'standing')).toHaveText('“Fifty”, edited and not saved.');
  await at(page, 'save').click();
  await expect(at(page, 'standing')).toHaveText('“Fifty”, saved.');

  // A taken name is not overwritten unasked.
  await at(page, 'preset').selectOption('exp-001');
  await at(page, 'save-as').click();
  await page.locator('#shelf-name').fill('Fifty');
  await page.keyboard.press('Enter');
  await expect(page.locator('#shelf-problem')).toContainText('already');
  await page.keyboard.press('Escape');
  await at(page, 'preset').selectOption('own:Fifty');
  await expect(agents(page)).toHaveValue('60');
  await at(page, 'undo').click();
  await expect(at(page, 'preset')).toHaveValue('exp-001');

  await page.reload();
  await at(page, 'status').waitFor();
  await at(page, 'manage').focus();
  await page.keyboard.press('Enter');
  const dialog = at(page, 'shelf');
  await axe(page);
  await dialog.getByRole('button', { name: 'Rename Fifty' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('Sixty “x” <b>');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('button', { name: 'Rename Sixty “x” <b>' })).toBeFocused();
  await dialog.getByRole('button', { name: 'Delete Sixty' }).focus();
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText('Nothing has been saved yet.');
  await expect(dialog.getByRole('button', { name: 'Put it back' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('button', { name: 'Open Sixty' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(agents(page)).toHaveValue('60');
  await expect(at(page, 'standing')).toHaveText('“Sixty “x” <b>”, saved.');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(cli('run', 'exp-002', '--set', 'agents.count=60', '--json').digest);
});

test('another tab’s change is said and never overwritten unasked', async ({ page, site, context }) => {
  await open(page, site);
  await set(agents(page), '50');
  await at(page, 'save').click();
  await page.locator('#shelf-name').fill('Shared');
  await page.keyboard.press('Enter');
  const other = await context.newPage();
  await open(other, site);
  await at(other, 'preset').selectOption('own:Shared');
  await set(agents(other), '70');
  await at(other, 'save').click();
  await expect(at(page, 'notice')).toContainText('“Shared” was changed in another tab');
  await expect(agents(page)).toHaveValue('50');
  await at(page, 'save').click();
  await expect(page.locator('#shelf-problem')).toContainText('was changed in another tab');
  await page.getByRole('button', { name: 'Replace it' }).click();
  await expect(at(page, 'standing')).toHaveText('“Shared”, saved.');
  await at(other, 'manage').click();
  await at(other, 'shelf').getByRole('button', { name: 'Delete Shared' }).click();
  await expect(at(page, 'notice')).toContainText('deleted or renamed in another tab');
  await expect(agents(page)).toHaveValue('50');
  await expect(at(page, 'preset')).toHaveValue('exp-002');
  await other.close();
});

test('unsaved edits outlast a reload; a link comes first and overwrites nothing', async ({ page, site }) => {
  await open(page, site);
  await set(agents(page), '50');
  await type(page, '{"agents": {"count": ');
  await expect(page.locator('#json-problem')).toBeVisible();
  await page.reload();
  await at(page, 'status').waitFor();
  await expect(agents(page)).toHaveValue('50');
  await expect(at(page, 'notice')).toContainText('unsaved edits');
  await expect(page.locator('#json-problem')).toHaveCount(1);
  await expect.poll(() => text(page)).toBe('{"agents": {"count": ');

  const link = `${site}#v1.exp-001~seed=5`;
  await page.goto('about:blank');
  await open(page, link);
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(agents(page)).toHaveValue('80');
  await set(agents(page), '90');
  await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(2);
  await page.reload();
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(agents(page)).toHaveValue('80');
  await at(page, 'notice').getByRole('button', { name: 'Bring the edits back' }).click();
  await expect(agents(page)).toHaveValue('90');

  await page.goto('about:blank');
  await open(page, site);
  await expect(agents(page)).toHaveValue('50');
  await at(page, 'notice').getByRole('button', { name: 'Start afresh' }).click();
  await expect(agents(page)).toHaveValue('400');
  await expect(at(page, 'notice')).toBeHidden();
  await page.reload();
  await at(page, 'status').waitFor();
  await expect(agents(page)).toHaveValue('400');
  await expect(at(page, 'notice')).toBeHidden();
});

test('a link that nobody has edited, and one that was copied here, come back without a word', async ({ page, site }) => {
  await open(page, `${site}#v1.exp-001~seed=5`);
  await expect(at(page, 'status')).toHaveText('Done');
  await page.reload();
  await expect(at(page, 'link-status')).toContainText('not verified');
  await expect(at(page, 'notice')).toBeHidden();
  await set(agents(page), '90');
  await expect(at(page, 'share-link')).toHaveValue(/agents.count=90/);
  await at(page, 'share').click();
  await expect.poll(() => page.url()).toContain('agents.count=90');
  await expect.poll(() => page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.includes('count=90')).length)).toBe(0);
  await page.reload();
  await expect(at(page, 'status')).toHaveText('Done');
  await expect(agents(page)).toHaveValue('90');
  await expect(at(page, 'notice')).toBeHidden();
});

test('a browser that keeps nothing is said, and everything else works', async ({ page, site }) => {
  await page.addInitScript(refuseStorage);
  await open(page, site);
  await expect(at(page, 'standing')).toContainText('does not let the page keep anything');
  await set(agents(page), '50');
  await at(page, 'save').click();
  await page.locator('#shelf-name').fill('Mine');
  await page.keyboard.press('Enter');
  await expect(page.locator('#shelf-problem')).toContainText('does not let the page keep anything');
  await page.keyboard.press('Escape');
  await at(page, 'manage').click();
  await expect(at(page, 'shelf')).toContainText('Nothing can be saved here.');
  await page.keyboard.press('Escape');
  await expect(agents(page)).toHaveValue('50');
  await at(page, 'undo').click();
  await finish(page, expect);
});

test('a full storage is said, and what was saved before stays', async ({ page, site }) => {
  await open(page, site);
  await at(page, 'save').click();
  await page.locator('#shelf-name').fill('First');
  await page.keyboard.press('Enter');
  await page.evaluate(() => {
    Storage.prototype.setItem = () => { throw new DOMException('exceeded', 'QuotaExceededError'); };
  });
  await set(agents(page), '50');
  await at(page, 'save').click();
  await expect(at(page, 'notice')).toContainText('storage for this page is full');
  await expect(at(page, 'standing')).toHaveText('“First”, edited and not saved.');
  await at(page, 'undo').click();
  await expect(at(page, 'standing')).toHaveText('“First”, saved.');
});

test('a file is exported and opened again, also a report', async ({ page, site }) => {
  await open(page, site);
  await set(agents(page), '50');
  const downloading = page.waitForEvent('download');
  await at(page, 'export').click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('exp-002.json');
  const saved = readFileSync(await download.path(), 'utf8');
  expect(JSON.parse(saved)).toEqual(await profile(page));
  await at(page, 'preset').selectOption('exp-001');
  const choosing = page.waitForEvent('filechooser');
  await at(page, 'open-file').click();
  await (await choosing).setFiles(file('exp-002.json', saved));
  await expect(at(page, 'notice')).toContainText('Opened “exp-002.json”.');
  await expect(agents(page)).toHaveValue('50');
  const report = cli('run', 'exp-003', '--json');
  await at(page, 'file').setInputFiles(file('report.json', JSON.stringify(report)));
  await expect(at(page, 'notice')).toContainText('which is a report: its profile was taken');
  await finish(page, expect);
  await expect(at(page, 'digest')).toHaveText(report.digest);
});

test('what is no profile is said and changes nothing', async ({ page, site }) => {
  await open(page, site);
  const before = await text(page);
  for (const [name, content, words] of [
    ['notes.txt', 'hello', 'is not JSON'],
    ['picture.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]), 'is not text in UTF-8'],
    ['list.json', '[1, 2]', 'a section in braces'],
    ['slip.json', '{"agents": {"count": 3,}}', '/agents'],
    ['wrong.json', '{"agents": {"count": -3}}', '/agents/count'],
    ['empty.json', '', 'is empty'],
    ['large.json', ' '.repeat(1_500_000), '1.5 MB'],
  ]) {
    await at(page, 'file').setInputFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) });
    await expect(at(page, 'notice')).toContainText(words);
    await expect(at(page, 'notice')).toContainText('othing was changed');
  }
  expect(await text(page)).toBe(before);
  await expect(at(page, 'undo')).toBeDisabled();
});

const drop = (page, files, last) => page.evaluate(dropped, [files, last]);

test('a profile can be dropped anywhere, also while a run plays', async ({ page, site }) => {
  await open(page, site);
  await drop(page, [['a.json', '{}']], 'dragover');
  await expect(at(page, 'drop')).toBeVisible();
  await drop(page, [['a.json', '{}']], 'dragleave');
  await expect(at(page, 'drop')).toBeHidden();
  await drop(page, [], 'dragover');
  await expect(at(page, 'drop')).toBeHidden();
  await drop(page, [['a.json', '{}'], ['b.json', '{}']]);
  await expect(at(page, 'notice')).toContainText('2 files at once');
  await at(page, 'run').click();
  await expect.poll(() => at(page, 'progress').evaluate((bar) => bar.value)).toBeGreaterThan(0.01);
  await drop(page, [['a.json', '{"seed": 3}']]);
  await expect(at(page, 'notice')).toContainText('Opened “a.json”. The profile was changed; the run was ended at');
  await expect(at(page, 'seed')).toHaveValue('3');
  // Several drops are taken in their order, each a step of its own.
  await Promise.all([drop(page, [['b.json', '{"seed": 4}']]), drop(page, [['c.json', '{"seed": 5}']])]);
  await expect(at(page, 'seed')).toHaveValue('5');
  await at(page, 'undo').click();
  await expect(at(page, 'seed')).toHaveValue('4');
});

for (const [scheme, width] of [['dark', 1280], ['light', 320]]) {
  test(`axe finds nothing in the editor, and nothing scrolls sideways: ${scheme}, ${width} px`, async ({ page, site }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await open(page, site);
    await type(page, JSON.stringify(STORM, null, 2));
    await at(page, 'json').blur();
    await unfold(page, 'faults');
    await axe(page);
    await type(page, '{"agents": {"count": -4}, "queue": {}}');
    await at(page, 'json').press('Control+End');
    for (let step = 0; step < 2; step++) await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Control+Space');
    await expect(page.locator('.cm-tooltip-autocomplete')).toBeVisible();
    // The list of proposals is scrolled by the arrow keys of the text, which keeps the focus.
    await axe(page, ['scrollable-region-focusable']);
    await page.keyboard.press('Escape');
    await at(page, 'save-as').click();
    await axe(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
}
