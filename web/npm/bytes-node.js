// In Node.js the modules are files.

import { readFile } from 'node:fs/promises';

export const bytes = (/** @type {string} */ name) => readFile(new URL(name, import.meta.url));
