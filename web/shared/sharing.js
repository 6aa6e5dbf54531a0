// The forms in which a link is given on, and where it fits: plain text in, plain text out.

/** @typedef {{ base: string, token: string, title: string }} Given `base` is the address of the page without query and fragment, `title` what the experiment is called */

/** @param {string} text */
const html = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
/** Beside the page, where what is embedded lies. @param {string} base @param {string} file */
const beside = (base, file) => new URL(file, base).href;

/** @type {{ name: string, title: string, hint: string, write: (given: Given) => string }[]} */
export const FORMS = [
  { name: 'link', title: 'Link', hint: 'For a mail, a chat, an address bar.', write: ({ base, token }) => `${base}#${token}` },
  {
    name: 'markdown', title: 'Markdown', hint: 'For a README, an issue, a wiki, a notebook.',
    write: ({ base, token, title }) => `[${title.replace(/[\\[\]]/g, '\\$&')}](${`${base}#${token}`.replaceAll('(', '%28').replaceAll(')', '%29')})`,
  },
  { name: 'html', title: 'HTML link', hint: 'For a page that is written by hand.', write: ({ base, token, title }) => `<a href="${html(`${base}#${token}`)}">${html(title)}</a>` },
  {
    name: 'frame', title: 'Frame', hint: 'Shows the experiment within another page: one line, in any documentation that allows HTML.',
    write: ({ base, token, title }) => `<iframe src="${html(`${beside(base, 'embed.html')}#${token}`)}" sandbox="allow-scripts" loading="lazy" title="${html(title)}" style="width:100%;aspect-ratio:16/10;border:0"></iframe>`,
  },
  {
    name: 'element', title: 'Web component', hint: 'Shows the experiment within another page, which follows its theme and can listen to it.',
    write: ({ base, token }) => `<script type="module" src="${html(beside(base, 'agent-chaos.js'))}"></script>\n<agent-chaos link="${html(token)}"></agent-chaos>`,
  },
];

/** Characters that take two places in the alphabet of short messages. */
const TWICE = /[~^{}[\]\\|€]/g;

/** A QR code of the largest version, with the least correction, holds so many bytes. */
export const MOST_QR = 2953;

/**
 * Where a link fits, shortest first.
 * @param {string} link in ASCII, as links are
 * @returns {{ where: string, takes: number, most: number, fits: boolean }[]}
 */
export function fits(link) {
  const { length } = link;
  return [
    { where: 'one SMS', takes: length + (link.match(TWICE)?.length ?? 0), most: 160 },
    { where: 'one line of a mail, which nothing may wrap', takes: length, most: 998 },
    { where: 'one Discord message', takes: length, most: 2000 },
    { where: 'a QR code', takes: length, most: MOST_QR },
    { where: 'one Telegram message', takes: length, most: 4096 },
  ].map((one) => ({ ...one, fits: one.takes <= one.most }));
}

/**
 * A QR code as the path of an SVG, each module a unit wide.
 * @param {number} size @param {(x: number, y: number) => boolean} dark
 */
export function path(size, dark) {
  let drawn = '';
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!dark(x, y)) continue;
      let to = x + 1;
      while (to < size && dark(to, y)) to += 1;
      drawn += `M${x} ${y}h${to - x}v1h${x - to}z`;
      x = to;
    }
  }
  return drawn;
}
