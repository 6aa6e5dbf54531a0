// The documentation tools that people use, each with its plugin: the site is built by the tool itself and opened in a browser.
// The playground is on another origin, as where somebody else serves it. `cargo xtask test --hosts` installs the tools and names them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { chromium, expect } from '../../web/testkit.js';
import { cli } from '../browser/cli.mjs';
import { host, makeSite } from '../browser/folder.mjs';

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const needed = (name) => process.env[name] ?? assert.fail(`${name} is not set; cargo xtask test --hosts sets it`);
/** Where the tools are, and where the sites are built. */
const hosts = needed('HOSTS');
const work = join(hosts, 'work');
const python = (program) => join(hosts, process.platform === 'win32' ? 'python/Scripts' : 'python/bin', program);

/** What every site shows: the numbers are those of the command line. */
const EXPECTED = cli('run', 'exp-002', '--set', 'workers.count=6', '--json');

let playground;
let browser;

/** A copy of a site's sources with the addresses in it. */
function copied(name, to = join(work, name)) {
  cpSync(here(name), to, { recursive: true, filter: (path) => !/node_modules|package-lock/.test(path) });
  for (const file of readdirSync(to, { recursive: true })) {
    if (!/(?<!package)\.(toml|yml|py|js|html)$/.test(file) || /node_modules/.test(file)) continue;
    const text = readFileSync(join(to, file), 'utf8');
    if (/PLAYGROUND|AGENT_CHAOS/.test(text)) writeFileSync(join(to, file), text.replaceAll('PLAYGROUND', playground.url).replaceAll('AGENT_CHAOS', needed('AGENT_CHAOS')));
  }
  return to;
}

/** Runs a program; what it said is in the error if it fails. */
async function tool(program, parameters, options) {
  try {
    return await run(program, parameters, { maxBuffer: 1 << 26, timeout: 540_000, ...options });
  } catch (error) {
    throw new Error(`${program} ${parameters.join(' ')}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

const TOOLS = {
  'plain HTML': {
    build: async () => copied('plain'),
    frames: 'frames.html',
    dark: (page) => page.emulateMedia({ colorScheme: 'dark' }),
  },
  mdBook: {
    build: async () => {
      const folder = copied('mdbook');
      await tool(join(hosts, 'bin', 'mdbook'), ['build', folder]);
      return join(folder, 'book');
    },
    frames: 'second.html',
    dark: async (page) => {
      await page.locator('#mdbook-theme-toggle').click();
      await page.getByRole('menuitem', { name: 'Navy' }).click();
    },
    refuses: async () => {
      const folder = copied('mdbook', join(work, 'mdbook-wrong'));
      writeFileSync(join(folder, 'src/second.md'), '```agent-chaos\nexp-002\nset: workers.cuont=6\n```\n');
      await tool(join(hosts, 'bin', 'mdbook'), ['build', folder]);
    },
    says: /chapter "Frames": the block of line 1: .*cuont/,
  },
  MkDocs: {
    build: async () => {
      const folder = copied('mkdocs');
      await tool(python('mkdocs'), ['build', '--strict', '--quiet'], { cwd: folder });
      return join(folder, 'site');
    },
    frames: 'frames/',
    dark: (page) => page.locator('label[title="Dark"]').click(),
    refuses: async () => {
      const folder = copied('mkdocs', join(work, 'mkdocs-wrong'));
      writeFileSync(join(folder, 'docs/index.md'), '# Wrong\n\n```agent-chaos\nexp-002\ncolour: red\n```\n');
      await tool(python('mkdocs'), ['build', '--strict', '--quiet'], { cwd: folder });
    },
    says: /agent-chaos: line 2: found "colour", accepted: preset,/,
  },
  Sphinx: {
    build: async () => {
      const folder = copied('sphinx');
      await tool(python('sphinx-build'), ['-W', '-q', '-b', 'html', '.', '_build'], { cwd: folder });
      return join(folder, '_build');
    },
    frames: 'frames.html',
    // From “as the system has it” over light to dark.
    dark: async (page) => {
      const toggle = page.locator('.theme-toggle:visible').first();
      for (let clicks = 0; clicks < 3 && (await page.locator('body').getAttribute('data-theme')) !== 'dark'; clicks++) await toggle.click();
    },
    refuses: async () => {
      const folder = copied('sphinx', join(work, 'sphinx-wrong'));
      writeFileSync(join(folder, 'frames.rst'), 'Wrong\n=====\n\n.. agent-chaos:: exp-002\n   :height: tall\n');
      await tool(python('sphinx-build'), ['-W', '-q', '-b', 'html', '.', '_build'], { cwd: folder });
    },
    says: /agent-chaos: line 2: height: found "tall", accepted: 100 to 5000 pixels/,
  },
  Docusaurus: {
    build: async () => {
      const folder = join(hosts, 'docusaurus');
      for (const old of ['build', 'docs', '.docusaurus']) rmSync(join(folder, old), { recursive: true, force: true });
      copied('docusaurus', folder);
      cpSync(here('../../web/hosts/docusaurus/agent-chaos.mjs'), join(folder, 'agent-chaos.mjs'));
      await tool(process.execPath, ['node_modules/@docusaurus/core/bin/docusaurus.mjs', 'build'], { cwd: folder, env: { ...process.env, NODE_ENV: 'production', DOCUSAURUS_IGNORE_SSG_WARNINGS: 'true' } });
      return join(folder, 'build');
    },
    frames: 'frames/',
    dark: async (page) => {
      const toggle = page.getByRole('button', { name: /Switch between dark and light mode/ }).first();
      for (let clicks = 0; clicks < 3 && (await page.locator('html').getAttribute('data-theme')) !== 'dark'; clicks++) await toggle.click();
    },
    refuses: async () => {
      const folder = join(hosts, 'docusaurus');
      writeFileSync(join(folder, 'docs/frames.md'), '# Wrong\n\n```agent-chaos\nexp-002\npreset: mm1\n```\n');
      try {
        await tool(process.execPath, ['node_modules/@docusaurus/core/bin/docusaurus.mjs', 'build', '--out-dir', 'build-wrong'], { cwd: folder, env: { ...process.env, NODE_ENV: 'production' } });
      } finally {
        copied('docusaurus', folder);
      }
    },
    says: /agent-chaos: line 2: preset: found it twice, accepted: it once/,
    // Pages are changed without loading them anew.
    wanders: (page) => page.getByRole('link', { name: 'Queues' }).last().click(),
  },
};

before(async () => {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  playground = await host(makeSite(join(work, 'playground')), '/play/');
  browser = await chromium.launch({ executablePath: needed('CHROME'), args: ['--no-sandbox', '--disable-background-networking', '--disable-quic', '--no-first-run', '--disable-component-update', '--disable-sync'] });
});
after(async () => {
  await browser?.close();
  await playground?.stop();
});

// One of them alone, for somebody who works on its plugin.
const chosen = Object.entries(TOOLS).filter(([name]) => !process.env.HOST || name === process.env.HOST);
assert.ok(chosen.length, `HOST is none of ${Object.keys(TOOLS).join(', ')}`);
for (const [name, one] of chosen) {
  describe(name, () => {
    let served;
    before(async () => { served = await host(await one.build(), '/'); });
    after(() => served?.stop());

    /** A page of the site; what goes wrong in it, or leaves it for elsewhere, fails the test. */
    async function visit(path, act, options = {}) {
      const context = await browser.newContext({ locale: 'en-US', colorScheme: 'light', viewport: { width: 1280, height: 900 }, ...options });
      const page = await context.newPage();
      const wrong = [];
      page.on('pageerror', (error) => wrong.push(String(error)));
      page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
      page.on('request', (request) => {
        const { origin, protocol } = new URL(request.url());
        if (![new URL(served.url).origin, new URL(playground.url).origin].includes(origin) && !['data:', 'blob:'].includes(protocol)) wrong.push(`request to ${request.url()}`);
      });
      try {
        await page.goto(served.url + path);
        await act(page);
        assert.deepEqual(wrong, []);
      } finally {
        await context.close();
      }
    }
    const theme = (page) => page.locator('agent-chaos').evaluate((element) => element.shadowRoot.querySelector('.stage').dataset.theme);
    const standing = (page) => page.locator('agent-chaos').evaluate((element) => ({ phase: element.state.phase, digest: element.state.digest }));
    /** Runs it, and compares what it comes to with the command line. */
    async function runs(page) {
      await page.getByTestId('embed-play').click();
      await page.getByTestId('embed-speed').selectOption('max');
      await expect.poll(() => standing(page), { timeout: 60_000 }).toEqual({ phase: 'done', digest: EXPECTED.digest });
      await expect(page.locator('agent-chaos').getByTestId('verdict-words')).toHaveText(EXPECTED.headline);
    }

    test('the experiment runs where its block was, with the numbers of the command line', async () => {
      playground.asked.length = 0;
      await visit('', async (page) => {
        await expect(page.locator('agent-chaos .title').first()).toBeVisible();
        // Nothing of the engine is loaded before somebody asks for it.
        assert.deepEqual(playground.asked.filter((path) => path.endsWith('.wasm')), []);
        await runs(page);
        assert.equal(await page.locator('agent-chaos').count(), 1);
      });
    });

    test('it fits its column, from a phone to a desk', async () => {
      for (const width of [320, 390, 768, 1280, 1920]) {
        await visit('', async (page) => {
          await expect(page.locator('agent-chaos .title').first()).toBeVisible();
          const before = await page.evaluate(() => document.documentElement.scrollWidth);
          await runs(page);
          const [own, column, whole] = await page.evaluate(() => {
            const element = document.querySelector('agent-chaos');
            const place = element.closest('.agent-chaos')?.parentElement ?? element.parentElement;
            return [element.getBoundingClientRect().width, place.clientWidth, document.documentElement.scrollWidth];
          });
          assert.ok(own <= column && own > 0.75 * column - 40, `${width}: ${own} of ${column}`);
          assert.ok(whole <= Math.max(before, width), `${width}: the page is ${whole} wide`);
        }, { viewport: { width, height: 800 } });
      }
    });

    test('it follows the dark mode of its host while it is shown, and the run stays', async () => {
      await visit('', async (page) => {
        await runs(page);
        assert.equal(await theme(page), 'light');
        await one.dark(page);
        await expect.poll(() => theme(page)).toBe('dark');
        assert.deepEqual(await standing(page), { phase: 'done', digest: EXPECTED.digest });
      });
    });

    test('it is printed as a poster, without what can be pressed', async () => {
      await visit('', async (page) => {
        await expect(page.getByTestId('embed-play')).toBeVisible();
        await page.emulateMedia({ media: 'print' });
        await expect(page.getByTestId('embed-play')).toBeHidden();
        await expect(page.locator('agent-chaos .title').first()).toBeVisible();
        await expect(page.locator('agent-chaos .summary')).toBeVisible();
        const sheet = await page.pdf({ format: 'A4' });
        assert.ok(sheet.length > 5000);
      });
    });

    test('without scripts there is a link to the playground', async () => {
      await visit('', async (page) => {
        const link = page.getByRole('link', { name: 'Run this experiment in the playground' });
        await expect(link).toBeVisible();
        assert.equal(await link.getAttribute('href'), `${playground.url}#v1.exp-002~workers.count=6`);
      }, { javaScriptEnabled: false });
    });

    test('in a frame it runs in a sandbox of its own, as wide as its column', async () => {
      await visit(one.frames, async (page) => {
        const frame = page.locator('iframe[sandbox]');
        assert.equal(await frame.getAttribute('title'), 'Experiment: exp-002');
        await frame.scrollIntoViewIfNeeded();
        const inside = page.frameLocator('iframe[sandbox]');
        await inside.getByTestId('embed-play').click();
        await inside.getByTestId('embed-speed').selectOption('max');
        await expect.poll(() => inside.locator('agent-chaos').evaluate((element) => element.state.digest), { timeout: 60_000 }).toBe(EXPECTED.digest);
        const [own, column, high] = await frame.evaluate((element) => [element.getBoundingClientRect().width, element.closest('.agent-chaos, body').clientWidth, element.clientHeight]);
        assert.ok(own <= column && own > column - 40, `${own} of ${column}`);
        assert.ok(Math.abs(high - 560) <= 4, `${high} high`);
      });
    });

    if (one.wanders) {
      test('it is there as well when somebody comes from another page', async () => {
        await visit(one.frames, async (page) => {
          await one.wanders(page);
          await expect(page.locator('agent-chaos .title').first()).toBeVisible();
          await runs(page);
        });
      });
    }

    if (one.refuses) {
      test('a block that makes no sense ends the build, and says why', async () => {
        await assert.rejects(one.refuses, (error) => {
          assert.match(error.message.replace(/\s+/g, ' '), one.says);
          return true;
        });
      });
    }
  });
}
