// Tables as text that other programs read.

/** @typedef {string | number | null} Cell */

/** @param {Cell} cell @param {string} between */
function written(cell, between) {
  if (cell === null || (typeof cell === 'number' && !Number.isFinite(cell))) return '';
  const text = String(cell);
  return text.includes(between) || /["\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Comma-separated values (RFC 4180); what is undefined is empty. @param {string[]} head @param {Cell[][]} rows @param {string} [between] */
export const csv = (head, rows, between = ',') => [head, ...rows].map((row) => row.map((cell) => written(cell, between)).join(between)).join('\r\n') + '\r\n';

/** A name that every file system takes. @param {string[]} parts @param {string} ending */
export const fileName = (parts, ending) => `${parts.filter(Boolean).join('-').replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 120)}.${ending}`;
