import { defineConfig } from 'vite';
import { fileURLToPath } from 'node:url';
import { embeds } from './build/embed.js';

const web = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: web('..'),
  base: './',
  publicDir: false,
  cacheDir: web('node_modules/.vite'),
  worker: { format: 'es' },
  plugins: [embeds()],
  build: {
    outDir: web('dist'),
    emptyOutDir: true,
    target: 'es2022',
    // Inlined assets and the preload polyfill would need a looser content-security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { checks: { pluginTimings: false }, input: { index: web('../index.html') } },
  },
});
