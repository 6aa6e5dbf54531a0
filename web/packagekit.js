// What the tests of the npm package need of the packages here: they lie outside this folder and cannot resolve them.
import { build } from 'vite';

export { writePackage } from './build/package.js';

/** A module as a bundler makes it, with its files beside it. @param {string} entry @param {string} folder */
export const bundled = (entry, folder) => build({
  configFile: false, root: folder.replace(/[/\\][^/\\]*$/, ''), base: './', publicDir: false, logLevel: 'error',
  build: { outDir: folder, target: 'es2022', modulePreload: false, assetsInlineLimit: 0, rollupOptions: { input: entry, output: { entryFileNames: '[name].js', assetFileNames: '[name]-[hash][extname]' } } },
});
