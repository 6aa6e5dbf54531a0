import { defineConfig } from '@playwright/test';

const chromium = {
  browserName: /** @type {const} */ ('chromium'),
  locale: 'en-US',
  launchOptions: {
    executablePath: process.env.CHROME,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-quic', '--no-first-run', '--disable-component-update', '--disable-sync'],
  },
};

export default defineConfig({
  testDir: '../tests/browser',
  outputDir: 'test-results',
  reporter: 'list',
  timeout: 120_000,
  workers: 1,
  forbidOnly: !!process.env.CI,
  projects: [
    { name: 'page', testMatch: /.*\.spec\.mjs/, testIgnore: /(wasm|shots)\.spec\.mjs/, use: chromium },
    { name: 'wasm', testMatch: /wasm\.spec\.mjs/, use: chromium },
    { name: 'shots', testMatch: /shots\.spec\.mjs/, use: chromium },
  ],
});
