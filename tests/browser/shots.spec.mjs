// Pictures of every state of the page, at every width, light and dark, to be looked at: STATE-THEME-WIDTH.png.
import { STORM, at, expect, finish, open, openText, test, type, unfold } from './harness.mjs';

const output = new URL('output/', import.meta.url).pathname;
const SIZES = [[320, 640], [390, 844], [1280, 900], [1920, 1080]];
const THEMES = ['light', 'dark'];

/** Moves the line of the run to a moment, as dragging does. */
async function lookBack(page, seconds) {
  await at(page, 'scrub').evaluate((input, value) => {
    input.value = String(value);
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }, seconds);
  await expect(at(page, 'status')).toHaveText('Looking back');
}

async function run(page, preset) {
  await at(page, 'preset').selectOption(preset);
  await finish(page, expect);
}

async function set(page, field, value) {
  await page.locator(`[name="${field}"]`).fill(String(value));
  await page.locator(`[name="${field}"]`).blur();
}

async function storm(page) {
  await type(page, JSON.stringify(STORM));
  await at(page, 'json').blur();
  await page.locator('details.json > summary').click();
}

async function keep(page, count) {
  for (let workers = 4; workers < 4 + count; workers++) {
    await set(page, 'workers.count', workers);
    await finish(page, expect);
    await at(page, 'keep').click();
    await expect(at(page, 'kept-list').locator('li')).toHaveCount(workers - 3);
  }
}

/** The list is kept up to date only while it is in view. */
async function toEvents(page, preset) {
  await run(page, preset);
  await page.locator('#events').scrollIntoViewIfNeeded();
  await expect(at(page, 'events-count')).toContainText(/All|latest/);
}

async function seeds(page) {
  await finish(page, expect);
  await at(page, 'replicate-count').fill('6');
  await at(page, 'replicate').click();
  await expect(at(page, 'replicate-status')).toContainText('Done', { timeout: 60_000 });
}

/** Reads a chart by keyboard, at its middle. */
async function pointAt(page, chart) {
  await page.locator(`[data-chart="${chart}"] .plot`).focus();
  await page.keyboard.press('Home');
  for (let times = 0; times < 12; times++) await page.keyboard.press('Shift+ArrowRight');
}

async function answer(page, site, name) {
  await open(page, `${site}#guide=${name}`);
  await page.locator('#guide-option-1').check();
}

async function refuseText(page) {
  await type(page, '{\n  "agents": {"count": -4},\n  "queue": {"capacty": 3}\n}');
  await expect(page.locator('.cm-lintRange-error').first()).toBeVisible();
}

/**
 * What is shown: `set` sets it up on a page that has been opened, or opens it itself where the state is one of opening (`opens`). `of` is
 * the part that is taken, `view` takes what is in the window as it stands; else the whole page is, with `top` also what is seen first. `after` is done again at every size.
 * `fails` is a state in which the console has an error to tell.
 * @type {Record<string, { set?: (page: any, site: string) => Promise<unknown>, after?: (page: any) => Promise<unknown>, opens?: boolean, fails?: boolean, of?: string, view?: boolean, top?: boolean, sizes?: number[][], media?: any }>}
 */
const STATES = {
  ready: { top: true },
  loading: { opens: true, view: true, set: async (page, site) => {
    await page.route(/\.wasm/, () => {});
    await page.goto(site, { waitUntil: 'commit' });
    await page.locator('#controls').getByText('Loading').waitFor();
  } },
  'engine-missing': { opens: true, fails: true, view: true, set: async (page, site) => {
    await page.route(/\.wasm/, (route) => route.abort());
    await page.goto(site);
    await at(page, 'error').waitFor();
  } },
  running: { set: async (page) => {
    await at(page, 'speed').selectOption('20');
    await at(page, 'run').click();
    await expect.poll(() => at(page, 'progress').evaluate((bar) => bar.value)).toBeGreaterThan(0.3);
    await at(page, 'speed').selectOption('0.1');
  } },
  'done-stable': { view: true, set: (page) => run(page, 'exp-001') },
  'done-degraded': { top: true, set: (page) => run(page, 'exp-002') },
  'done-collapsed': { set: (page) => run(page, 'exp-003') },
  'done-metastable': { set: (page) => run(page, 'retry-storm') },
  'done-too-short': { view: true, set: (page) => run(page, 'published-002') },
  'done-storm': { set: async (page) => {
    await storm(page);
    await finish(page, expect);
  } },
  paused: { set: async (page) => {
    await storm(page);
    await at(page, 'step-by').selectOption('second');
    for (let second = 0; second < 23; second++) await at(page, 'step').click();
  } },
  'stopped-at-collapse': { view: true, set: async (page) => {
    await at(page, 'preset').selectOption('exp-003');
    await at(page, 'to-collapse').click();
    await expect(at(page, 'note')).toContainText('Stopped');
  } },
  'looking-back': { set: async (page) => {
    await run(page, 'exp-002');
    await lookBack(page, 20);
  } },
  breaks: { of: '#picture', set: async (page) => {
    await at(page, 'step-by').selectOption('second');
    for (let second = 0; second < 10; second++) await at(page, 'step').click();
    for (const kind of ['crash', 'traffic', 'slow_workers']) {
      await at(page, `break-${kind}`).click();
      await expect(at(page, 'struck-list')).toContainText({ crash: 'crash', traffic: 'agents', slow_workers: 'slow' }[kind]);
    }
    await at(page, 'break-loss').click();
    await page.locator('.breaks .more summary').click();
  } },
  charts: { of: '#charts', set: async (page) => {
    await storm(page);
    await finish(page, expect);
    await pointAt(page, 'queue');
  } },
  'charts-zoom-table': { of: '#charts', set: async (page) => {
    await run(page, 'retry-storm');
    await pointAt(page, 'queue');
    await page.keyboard.press('+');
    await page.keyboard.press('t');
    await page.locator('[data-chart="latency"] .save summary').click();
    await page.locator('details.keys summary').click();
  } },
  'charts-empty': { of: '#charts' },
  'compare-1': { of: '#compare', set: async (page) => {
    await keep(page, 1);
    await set(page, 'workers.count', 6);
    await finish(page, expect);
  } },
  'compare-4': { of: '#compare', set: async (page) => {
    await keep(page, 4);
    await set(page, 'workers.count', 8);
    await finish(page, expect);
  } },
  'compare-charts': { of: '#charts', set: async (page) => {
    await keep(page, 4);
    await set(page, 'workers.count', 8);
    await finish(page, expect);
  } },
  'compare-empty': { of: '#compare' },
  'seeds-table': { of: '#compare', set: async (page) => {
    await seeds(page);
    await at(page, 'replicated').locator('summary').click();
  } },
  'seeds-charts': { of: '#charts', set: seeds },
  'seeds-report': { of: '#report', set: seeds },
  report: { of: '#report', set: (page) => run(page, 'game-day') },
  'events-empty': { of: '#events' },
  events: { of: '#events', set: (page) => toEvents(page, 'exp-002') },
  'events-filter': { of: '#events', set: async (page) => {
    await toEvents(page, 'exp-003');
    await at(page, 'events-kind').selectOption({ label: 'Turned away' });
    await at(page, 'events-failures').check();
    await at(page, 'events-agent').fill('seven');
    await expect(at(page, 'events-problem')).toContainText('seven');
  } },
  life: { of: '#events', set: async (page) => {
    await toEvents(page, 'retry-storm');
    await at(page, 'slowest').locator('button').first().click();
    await expect(at(page, 'life')).toBeVisible();
  } },
  'life-searching': { of: '#events', set: async (page) => {
    await toEvents(page, 'exp-002');
    await at(page, 'events-request').fill('99999999');
    await at(page, 'events-request').press('Enter');
    await expect(at(page, 'life')).toBeVisible();
  } },
  editor: { of: '#editor', set: async (page) => {
    for (const section of ['agents', 'queue', 'workers', 'faults', 'timeline', 'run']) await unfold(page, section);
  } },
  'editor-view': { view: true, set: (page) => page.locator('#editor').scrollIntoViewIfNeeded(), after: (page) => page.locator('#editor').evaluate((one) => one.scrollIntoView()) },
  'editor-storm': { of: '#editor', set: async (page) => {
    await storm(page);
    for (const section of ['client', 'network', 'admission', 'downstream', 'timeline', 'arrivals']) await unfold(page, section);
  } },
  'field-error': { view: true, set: (page) => set(page, 'agents.count', '-3'), after: (page) => page.locator('[name="agents.count"]').evaluate((one) => one.scrollIntoView({ block: 'center' })) },
  'find-field': { of: '#editor', set: (page) => page.locator('#find-field').fill('retr') },
  'text-completion': { view: true, set: async (page) => {
    await type(page, '{\n  "queue": {\n    "discipline": \n  }\n}');
    for (const key of ['Control+End', 'ArrowUp', 'ArrowUp', 'End', 'Control+Space']) await page.keyboard.press(key);
    await expect(page.locator('.cm-tooltip-autocomplete li').first()).toBeVisible();
  }, after: (page) => page.locator('details.json').evaluate((one) => one.scrollIntoView({ block: 'center' })) },
  'text-error': { view: true, set: refuseText, after: (page) => page.locator('#json-problem').evaluate((one) => one.scrollIntoView({ block: 'center' })) },
  'text-help': { view: true, set: async (page) => {
    await openText(page);
    await at(page, 'json').getByText('"capacity"').hover();
    await expect(page.locator('.cm-help')).toBeVisible();
  }, after: async (page) => {
    await page.mouse.move(1, 1);
    await at(page, 'json').getByText('"capacity"').scrollIntoViewIfNeeded();
    await at(page, 'json').getByText('"capacity"').hover();
    await expect(page.locator('.cm-help')).toBeVisible();
  } },
  'own-list': { view: true, set: async (page) => {
    for (const [name, agents] of [['Fifty', 50], ['With a name that says very exactly what it is about', 60]]) {
      await set(page, 'agents.count', agents);
      await at(page, 'save-as').click();
      await page.locator('#shelf-name').fill(name);
      await at(page, 'shelf-save').click();
    }
    await at(page, 'manage').click();
  } },
  'own-save': { view: true, set: async (page) => {
    await at(page, 'save').click();
    await page.keyboard.press('Enter');
    await expect(page.locator('#shelf-problem')).toHaveText('A name is needed.');
  } },
  'import-error': { view: true, set: async (page) => {
    await at(page, 'file').setInputFiles({ name: 'mine.json', mimeType: 'application/json', buffer: Buffer.from('{"agents": {"count": -1}}') });
    await expect(at(page, 'notice')).toBeVisible();
  } },
  'edited-while-running': { view: true, set: async (page) => {
    await at(page, 'run').click();
    await expect.poll(() => at(page, 'progress').evaluate((bar) => bar.value)).toBeGreaterThan(0.1);
    await set(page, 'agents.count', 50);
    await expect(at(page, 'notice')).toBeVisible();
  }, after: (page) => page.evaluate(() => scrollTo(0, 0)) },
  'guide-list': { of: '#guide', set: (page, site) => open(page, `${site}#guide`).then(() => page.getByTestId('guide-list').or(page.locator('#guide li')).first().waitFor()) },
  'guide-question': { view: true, set: (page, site) => answer(page, site, 'collapse'), after: (page) => page.locator('#guide').evaluate((one) => one.scrollIntoView()) },
  'guide-running': { of: '#guide', set: async (page, site) => {
    await answer(page, site, 'collapse');
    await at(page, 'guide-predict').click();
    await expect.poll(() => at(page, 'progress').evaluate((bar) => bar.value)).toBeGreaterThan(0.4);
    await at(page, 'pause').click();
  } },
  'guide-answered': { of: '#guide', set: async (page, site) => {
    await answer(page, site, 'collapse');
    await at(page, 'guide-predict').click();
    await at(page, 'guide-finish').click();
    await at(page, 'guide-try').click();
    await at(page, 'guide-finish').click();
    await expect(at(page, 'guide-figures')).toHaveCount(2);
  } },
  'guide-curve': { of: '#guide', set: async (page, site) => {
    await open(page, `${site}#guide=knee`);
    // On to the step that runs through a range.
    const words = page.locator('#guide').getByText(/\d+ short runs/);
    for (let index = 1; !(await words.isVisible()); index++) {
      await expect(at(page, 'guide-progress')).toContainText(`Step ${index} `);
      await at(page, 'guide-next').click();
    }
    await page.locator('#guide-option-1').check();
    await at(page, 'guide-predict').click();
    await expect(page.locator('#guide h4', { hasText: /^\d+ runs$/ })).toBeVisible({ timeout: 60_000 });
  } },
  keys: { view: true, set: (page) => at(page, 'keys').click() },
  share: { of: '#share', set: async (page) => {
    await finish(page, expect);
    await page.context().grantPermissions(['clipboard-write']);
    await at(page, 'share').click();
    await expect(page.locator('#share [role="status"]').first()).toContainText('Copied');
  } },
  'long-run': { view: true, set: async (page) => {
    await at(page, 'preset').selectOption('mm1');
    await unfold(page, 'run');
    await set(page, 'run.max_requests', 30_000_000);
    await set(page, 'run.duration_seconds', 40_000);
    await at(page, 'run').click();
    await expect(page.locator('#dialog')).toBeVisible();
  } },
  'refused-run': { view: true, set: async (page) => {
    await type(page, JSON.stringify({ agents: null, arrivals: { rate_per_second: 900_000 }, queue: { capacity: null }, run: { duration_seconds: 1000 } }));
    await expect(page.locator('[name="arrivals.rate_per_second"]')).toHaveValue('900000');
    await at(page, 'run').click();
    await page.locator('#dialog').getByRole('button', { name: 'Run it' }).click();
    await expect(at(page, 'error')).toContainText('GB of memory');
  }, after: (page) => page.evaluate(() => scrollTo(0, 0)) },
  'link-reproduced': { view: true, set: (page) => link(page, (one) => one, 'reproduced') },
  'link-different': { view: true, set: (page) => link(page, (one) => one.slice(0, -1) + (one.endsWith('0') ? '1' : '0'), 'different') },
  'link-broken': { view: true, set: async (page, site) => {
    await open(page, `${site}#v1.exp-002~agents.count=-1`);
    await expect(at(page, 'error')).toBeVisible();
  } },
  print: { media: { media: 'print' }, set: (page) => run(page, 'retry-storm'), sizes: [[794, 1123]] },
  forced: { media: { forcedColors: 'active' }, set: (page) => run(page, 'retry-storm'), sizes: [[390, 844], [1280, 900]] },
  'zoom-400': { view: true, set: (page) => run(page, 'exp-002'), sizes: [[320, 256]] },
  'zoom-400-keys': { view: true, set: (page) => at(page, 'keys').click(), sizes: [[320, 256]] },
};

/** Opens a link of a run of its own, after something has been done to it. */
async function link(page, change, outcome) {
  await finish(page, expect);
  const address = change(await at(page, 'share-link').inputValue());
  await page.goto('about:blank');
  await open(page, address);
  await expect(at(page, 'link-status')).toContainText(outcome);
}

/** Two pictures later everything that was due has been drawn. */
const drawn = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** Charts are drawn when they come into view: so each of them does. */
async function drawAll(page) {
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const { scrollX, scrollY } = window;
    for (const chart of document.querySelectorAll('[data-chart]')) {
      chart.scrollIntoView({ block: 'center' });
      await frame();
      await frame();
    }
    scrollTo(scrollX, scrollY);
    await frame();
  });
}

for (const [name, { set: prepare, after, opens, fails, of, view, top, sizes = SIZES, media = {} }] of Object.entries(STATES)) {
  test(name, async ({ page: quiet, browser, site }) => {
    const page = fails ? await browser.newPage() : quiet;
    if (!opens) await open(page, site);
    await prepare?.(page, site);
    // A part is taken without the bar that would lie across it.
    if (of) await page.locator('#controls').evaluate((one) => { one.style.position = 'static'; });
    for (const [width, height] of sizes) {
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme, ...media });
        await page.setViewportSize({ width, height });
        await after?.(page);
        await drawn(page);
        if (!opens && !view && (of === undefined || of === '#charts')) await drawAll(page);
        if (of === undefined && !view) await page.evaluate(() => scrollTo(0, 0));
        const path = `${output}${name}-${colorScheme}-${width}.png`;
        if (of) await page.locator(of).screenshot({ path });
        else await page.screenshot({ path, fullPage: !view });
        if (top) await page.screenshot({ path: path.replace(name, `${name}-top`) });
      }
    }
    if (fails) await page.close();
  });
}
