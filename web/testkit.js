// What specs in tests/ and the benchmark need of the packages here: they cannot resolve
// web/node_modules themselves.
export { chromium, expect, test } from '@playwright/test';
export { default as AxeBuilder } from '@axe-core/playwright';
export { default as decodeQR } from 'qr/decode.js';
