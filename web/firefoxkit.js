// What the Firefox tests take from npm: they lie outside this folder and cannot resolve its packages.
export { default as puppeteer } from 'puppeteer-core';
