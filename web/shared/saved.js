// A page of a single file with an experiment in it: `embed.html`, with what it would have been given by its address.

/** Where the experiment goes; the file has it empty. */
const PLACE = '<script type="application/json" id="experiment"></script>';
const TITLE = /<title>[^<]*<\/title>/;

const ESCAPED = /** @type {Record<string, string>} */ ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' });

/**
 * The text of the file. Nothing of what is put into it can be anything but text: the script's policy allows no other one, and in the
 * data no markup is left.
 * @param {string} template the text of `embed.html`
 * @param {{ title: string, given: { [name: string]: string } }} content `given` by the names of an embed's parameters
 */
export function savedPage(template, { title, given }) {
  if (!template.includes(PLACE) || !TITLE.test(template)) throw new Error('what belongs into a saved page was not found where the playground keeps it');
  const data = JSON.stringify(given).replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return template
    .replace(TITLE, () => `<title>${title.replace(/[&<>"]/g, (letter) => ESCAPED[letter])}</title>`)
    .replace(PLACE, () => PLACE.replace('></', () => `>${data}</`));
}
