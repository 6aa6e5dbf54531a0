// What the Firefox tests take from npm: they lie outside this folder and cannot resolve its packages.
import axeCore from 'axe-core';

export { default as puppeteer } from 'puppeteer-core';
/** The accessibility checks as a script. */
export const axe = axeCore.source;
