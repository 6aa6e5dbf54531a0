// The wasm tests in Chromium: the published runner serves its page, this browser opens it.
import { spawn, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '../../web/testkit.js';

const top = fileURLToPath(new URL('../../', import.meta.url));

test('the contract of the wasm module holds in Chromium', async ({ page }) => {
  test.setTimeout(600_000);
  const built = execFileSync('cargo', ['test', '--quiet', '--release', '--package', 'agent-chaos-wasm', '--features', 'lab', '--target', 'wasm32-unknown-unknown', '--test', 'api', '--no-run', '--message-format=json'], { cwd: top, encoding: 'utf8', maxBuffer: 1 << 28 });
  const wasm = built.split('\n').filter(Boolean).map((line) => JSON.parse(line)).findLast((one) => one.executable)?.executable;
  const address = '127.0.0.1:8173';
  const runner = spawn(process.env.WASM_RUNNER, [wasm], {
    cwd: top, env: { ...process.env, NO_HEADLESS: '1', WASM_BINDGEN_TEST_ADDRESS: address, WASM_BINDGEN_USE_BROWSER: '1' }, stdio: 'ignore',
  });
  try {
    await expect.poll(() => fetch(`http://${address}/`).then((answer) => answer.ok, () => false), { timeout: 60_000 }).toBe(true);
    await page.goto(`http://${address}/`);
    await expect(page.locator('#output')).toContainText('test result:', { timeout: 120_000 });
    const output = await page.locator('#output').textContent();
    expect(output).toMatch(/test result: ok\. ([1-9]\d*) passed; 0 failed/);
  } finally {
    runner.kill();
  }
});
