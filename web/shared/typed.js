// What people type, as JSON would have it.

/** A number, else the text itself, which the engine refuses by name. @param {string} text @returns {number | string} */
export function value(text) {
  const trimmed = text.trim().replace(',', '.');
  const number = Number(trimmed);
  return trimmed === '' || Number.isNaN(number) ? text : number;
}

/**
 * A list of numbers, as it comes out of a spreadsheet, a log or a sentence: between spaces, lines or semicolons a comma is a
 * decimal comma; without those it stands between the numbers.
 * @param {string} text
 */
export function list(text) {
  const spaced = text.split(/[\s;]+/).map((part) => part.replace(/^,|,$/g, '')).filter((part) => part !== '');
  const parts = spaced.length > 1 ? spaced : spaced.flatMap((part) => part.split(','));
  return parts.map(value);
}
