// How the page writes numbers, and how a test reads them.
export const number = (text) => Number(text.replace(/\s/g, ''));
export const seconds = (value) => `${value.toFixed(4)} s`;
/** As the page writes a length of time. */
export const time = (value) => (value === 0 ? '0 s' : value < 1 ? `${(value * 1000).toFixed(value < 0.1 ? 2 : 1)} ms` : `${value.toFixed(value < 100 ? 2 : 0)} s`);
