// The frame of a chart: title, note, the buttons for its table and its files, its legend, and what is said of it to those who do not see it.

import { element, setText, svg } from '../dom.js';

/** @typedef {import('./list.js').Chart} Chart */
/** @typedef {import('./scene.js').Entry} Entry */
/** @typedef {'png' | 'svg' | 'csv' | 'copy'} Way */
/**
 * @typedef {object} Figure
 * @property {HTMLElement} root
 * @property {HTMLElement} box where the chart is drawn, and what has the keyboard
 * @property {(entries: Entry[]) => void} legend
 * @property {(note: string, summary: string, about: string) => void} say
 * @property {HTMLElement} table
 * @property {(open: boolean) => void} showTable
 */

/** @type {[Way, string][]} */
const WAYS = [['png', 'Picture (PNG)'], ['svg', 'Drawing (SVG)'], ['csv', 'All rows (CSV)'], ['copy', 'Copy the table']];

/** @param {Chart} chart @param {{ save: (way: Way) => void, toggleTable: () => void }} act @returns {Figure} */
export function figure(chart, act) {
  const id = `chart-${chart.name}`;
  const note = element('span', { class: 'soft small note' });
  const summary = element('p', { class: 'visually-hidden', id: `${id}-summary` });
  const about = element('p', { class: 'soft small about', hidden: true });
  const list = element('ul', { class: 'legend', 'aria-label': `Values: ${chart.title}` });
  const button = element('button', { type: 'button', class: 'quiet', 'aria-expanded': 'false', 'aria-controls': `${id}-table`, 'aria-label': `Table: ${chart.title}`, text: 'Table', onclick: act.toggleTable });
  const menu = element('details', { class: 'save' },
    element('summary', { 'aria-label': `Save: ${chart.title}`, text: 'Save' }),
    element('ul', {}, ...WAYS.map(([way, text]) => element('li', {}, element('button', {
      type: 'button', 'data-way': way, text, onclick: () => {
        menu.open = false;
        menu.querySelector('summary')?.focus();
        act.save(way);
      },
    })))));
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
  menu.addEventListener('focusout', (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  const box = element('div', { class: `plot ${chart.kind}`, role: 'application', 'aria-roledescription': 'chart', tabindex: 0, 'aria-label': chart.title, 'aria-describedby': `${id}-summary`, 'aria-keyshortcuts': 'T' });
  const table = element('div', { class: 'rows', id: `${id}-table`, role: 'region', tabindex: 0, 'aria-label': `Table: ${chart.title}`, hidden: true });
  const root = element('figure', { class: `chart ${chart.kind}`, 'data-chart': chart.name },
    element('figcaption', {}, element('h3', { text: chart.title }), note, element('span', { class: 'tools' }, button, menu)), summary, box, list, about, table);
  /** @type {{ key: string, value: HTMLElement }[]} */
  let items = [];
  return {
    root, box, table,
    legend(entries) {
      if (entries.map(({ key, label, token }) => `${key} ${label} ${token}`).join() !== items.map(({ key }) => key).join()) {
        items = entries.map(({ key, label, token }) => ({ key: `${key} ${label} ${token}`, value: element('span', { class: 'value' }) }));
        list.replaceChildren(...entries.map((entry, index) => element('li', { 'data-key': entry.key, class: entry.key.startsWith('rail') ? 'wide' : '' }, sample(entry), element('span', { class: 'name', text: entry.label }), items[index].value)));
      }
      entries.forEach(({ value }, index) => setText(items[index].value, value));
    },
    say(words, whole, fluid) {
      setText(note, words);
      setText(summary, whole);
      about.hidden = fluid === '';
      setText(about, fluid);
    },
    showTable(open) {
      table.hidden = !open;
      button.setAttribute('aria-expanded', String(open));
    },
  };
}

/** How a line of the legend is drawn. @param {Entry} entry */
function sample({ token, dash, kind = 'line' }) {
  if (!token) return null;
  const picture = svg('svg', { class: 'sample', viewBox: '0 0 28 12', 'aria-hidden': 'true' });
  const mark = kind === 'area' ? svg('rect', { x: 0, y: 1, width: 28, height: 10 })
    : svg('line', { x1: 0, x2: 28, y1: 6, y2: 6, 'stroke-width': { ticks: 9, few: 3, line: 2, none: 0 }[kind], 'stroke-dasharray': (kind === 'few' ? [2, 2] : kind === 'ticks' ? [1.5, 4] : dash ?? []).join(' ') || undefined });
  mark.style[kind === 'area' ? 'fill' : 'stroke'] = `var(${token})`;
  if (kind === 'area' && token.startsWith('--series')) mark.style.opacity = '0.3';
  picture.append(mark);
  return picture;
}
