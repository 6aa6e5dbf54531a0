// What specs in tests/ need of the packages here: they cannot resolve web/node_modules themselves.
export { test, expect } from '@playwright/test';
export { default as AxeBuilder } from '@axe-core/playwright';
