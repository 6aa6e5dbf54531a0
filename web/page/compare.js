// Runs kept to compare with, and the same experiment under many seeds.

import { Series } from '../shared/series.js';
import * as format from '../shared/format.js';
import { DASHES, MOST_KEPT, difference, freeToken, plain, shares } from '../shared/kept.js';
import { read } from '../shared/paths.js';
import { element, setText, svg } from './dom.js';
import { replicate } from './replicate.js';
import { MODES, PARTS, ROWS } from './report.js';

/** @typedef {import('./store.js').State} State */
/** @typedef {import('./store.js').Kept} Kept */
/** @typedef {import('../engine/engine.js').Report} Report */
/** A column of the table: a run, kept or present. @typedef {{ name: string, token: string | null, profile: string, report: Report }} Column */
/** @typedef {{ actions: import('./conductor.js').Actions, engine: import('../engine/engine.js').Engine, presets: import('../engine/engine.js').PresetInfo[] }} Given */

/** A name is cut to this. */
const LONGEST_NAME = 60;
/** So many changed fields are listed. */
const MOST_CHANGES = 20;

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {Given} given */
export function compare(place, store, given) {
  const { actions, engine, presets } = given;
  const keep = element('button', { type: 'button', 'data-testid': 'keep', onclick: () => keepRun() }, 'Keep this run');
  const hint = element('p', { class: 'soft small', 'data-testid': 'keep-hint' });
  const said = element('p', { class: 'small said', role: 'status', 'data-testid': 'compare-said' });
  const list = element('ul', { class: 'kept-list', 'data-testid': 'kept-list', 'aria-label': 'Kept runs' });
  const words = element('p', { class: 'small', 'data-testid': 'shared-draws' });
  const seeds = element('p', { class: 'notice warn', 'data-testid': 'seeds-differ', hidden: true });
  const head = element('tr');
  const table = element('table', { 'data-testid': 'compared', 'aria-label': 'Kept runs and this run' }, element('thead', {}, head));
  const scroll = element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of the compared runs' }, table);
  const why = element('div', { class: 'why', 'data-testid': 'why' });
  const compared = element('div', { class: 'stack compared', hidden: true }, words, seeds, scroll, why);
  const runs = element('div', { class: 'replicate' });
  place.append(element('div', { class: 'row keep-row' }, keep, hint), said, list, compared, runs);
  const unsubscribeRuns = replicate(runs, store, given);
  let ids = 0;
  /** What was drawn, to draw it only when it changes. @type {unknown[]} */
  let drawn = [];

  /** The run of the present profile, if it has ended. @param {State} state @returns {Column | null} */
  const present = ({ report, check, phase }) => (report && phase === 'done' ? { name: 'This run', token: null, profile: check.profile, report } : null);
  /** @param {State} state */
  const isKept = ({ kept, report, check }) => kept.find((one) => one.profile === check.profile && one.report.digest === report?.digest);

  /** What a run is called until somebody calls it something else: by what it changes of the baseline, else by its experiment. @param {State} state */
  function nameOf({ kept, preset, check, profile }) {
    const changes = kept.length ? engine.differences(kept[0].profile, check.profile) : [];
    const title = presets.find((one) => one.name === preset)?.title ?? preset;
    const [first] = changes;
    const name = (changes.length === 1 ? `${first.path} = ${plain(first.to)}` : `${title}, seed ${profile.seed}`).slice(0, LONGEST_NAME - 4);
    let free = name;
    for (let number = 2; kept.some((one) => one.name === free); number++) free = `${name} (${number})`;
    return free;
  }

  function keepRun() {
    const state = store.get();
    const run = present(state);
    if (!run || state.kept.length >= MOST_KEPT || isKept(state)) return;
    // The run's own columns grow no more, but may be taken apart by the next.
    const series = new Series();
    for (const [name, column] of Object.entries(actions.series.columns)) series.columns[name] = [...column];
    const name = nameOf(state);
    ids += 1;
    store.update({ kept: [...state.kept, { id: ids, name, preset: state.preset, profile: run.profile, report: run.report, series, token: freeToken(state.kept) }] });
    setText(said, `Kept as “${name}”${state.kept.length ? '' : ', the baseline'}.`);
  }

  /** @param {Kept} one @param {string} typed */
  function rename(one, typed) {
    const name = typed.trim().slice(0, LONGEST_NAME);
    // An empty name is no name: the old one comes back.
    store.update({ kept: store.get().kept.map((other) => (other.id === one.id && name ? { ...other, name } : { ...other })) });
  }

  /** @param {Kept} one */
  function remove(one) {
    const { kept } = store.get();
    const index = kept.findIndex(({ id }) => id === one.id);
    const left = kept.filter(({ id }) => id !== one.id);
    store.update({ kept: left });
    setText(said, `“${one.name}” is kept no more.${index === 0 && left.length ? ` “${left[0].name}” is the baseline now.` : ''}`);
    draw(store.get());
    const next = left[Math.min(index, left.length - 1)];
    if (next) focus(`remove-${next.id}`);
    else if (keep.disabled) place.querySelector('h2')?.focus();
    else keep.focus();
  }

  /** @param {Kept} one */
  function makeBaseline(one) {
    store.update({ kept: [one, ...store.get().kept.filter(({ id }) => id !== one.id)] });
    setText(said, `“${one.name}” is the baseline now: differences are to it.`);
    draw(store.get());
    focus(`name-${one.id}`);
  }

  /** @param {Kept} one */
  function load(one) {
    store.update({ preset: one.preset, link: null });
    actions.setText(one.profile, false);
    setText(said, `The profile of “${one.name}” is loaded. Press Run to see it again.`);
  }

  /** @param {string} key */
  const focus = (key) => /** @type {HTMLElement | null} */ (list.querySelector(`[data-focus="${key}"]`))?.focus();

  /** @param {Kept} one @param {number} index */
  function item(one, index) {
    const id = `kept-name-${one.id}`;
    const input = element('input', {
      id, type: 'text', value: one.name, maxlength: LONGEST_NAME, 'data-focus': `name-${one.id}`, 'data-testid': 'kept-name',
      onchange: () => rename(one, input.value),
    });
    const button = (/** @type {string} */ key, /** @type {string} */ text, /** @type {() => void} */ act) =>
      element('button', { type: 'button', 'data-focus': `${key}-${one.id}`, 'data-testid': `kept-${key}`, 'aria-label': `${text}: ${one.name}`, onclick: act }, text);
    const state = one.report.state ?? one.report.worst_state;
    return element('li', { 'data-kept': one.id },
      element('div', { class: 'kept-head' }, swatch(one.token), element('label', { for: id, class: 'visually-hidden', text: `Name of kept run ${index + 1}` }), input),
      element('p', { class: 'small kept-facts' }, index === 0 ? element('strong', { text: 'Baseline' }) : null, index === 0 ? ' · ' : null,
        `seed ${one.report.seed}${state ? ` · ${one.report.state ? '' : 'worst '}${state}` : ''}`),
      element('div', { class: 'row kept-acts' },
        ...(index === 0 ? [] : [button('baseline', 'Make baseline', () => makeBaseline(one))]),
        button('load', 'Load', () => load(one)), button('remove', 'Remove', () => remove(one))));
  }

  /** @param {Column[]} columns */
  function drawTable(columns) {
    const base = columns[0];
    head.replaceChildren(element('th', { scope: 'col', text: 'Measure' }), ...columns.map((column, index) => element('th', { scope: 'col' },
      element('span', { class: 'column-head' }, column.token ? swatch(column.token) : null, element('span', { text: column.name }),
        element('span', { class: 'soft', text: index === 0 ? 'baseline' : 'and difference to the baseline' })))));
    /** @param {string} label @param {string} field @param {(value: any) => string} write */
    const line = (label, field, write) => element('tr', {}, element('th', { scope: 'row', text: label }), ...columns.map((column, index) => {
      const value = read(column.report, field);
      const cell = element('td', { 'data-field': field, 'data-value': value ?? '' }, element('span', { text: value === undefined ? '' : write(value) }));
      const by = index ? difference(value, read(base.report, field), write) : '';
      if (by) cell.append(element('span', { class: 'difference', 'data-testid': 'difference', text: by }));
      return cell;
    }));
    const any = (/** @type {string} */ field) => columns.some(({ report }) => read(report, field) !== undefined);
    const modes = [...new Set(columns.flatMap(({ report }) => Object.entries(report.failures).filter(([, failed]) => failed > 0).map(([mode]) => mode)))];
    const bodies = [element('tbody', {},
      line('State', 'state', (value) => value ?? '—'),
      ...ROWS.map(([label, field, write]) => line(label, field, write)),
      ...(any('clients') ? [line('Requests given up by their clients', 'requests.abandoned', format.count)] : []),
      ...modes.map((mode) => line(`Failed by ${mode}${MODES[mode] ? ` (${MODES[mode]})` : ''}`, `failures.${mode}`, format.count)))];
    for (const part of PARTS.filter(({ field }) => any(field))) {
      bodies.push(element('tbody', {},
        element('tr', { class: 'part' }, element('th', { scope: 'rowgroup', colspan: columns.length + 1, text: part.title })),
        ...part.rows.map(([label, field, write]) => line(label, `${part.field}.${field}`, write))));
    }
    table.querySelectorAll('tbody').forEach((old) => old.remove());
    table.append(...bodies);
  }

  /** Why runs differ from the baseline: every field that was changed, and nothing else. @param {Column[]} columns */
  function drawWhy([base, ...others]) {
    why.hidden = others.length === 0;
    why.replaceChildren(element('h3', { text: 'Why different' }), ...others.map((column) => {
      const changes = engine.differences(base.profile, column.profile);
      const told = changes.slice(0, MOST_CHANGES).map(({ path, from, to }) => element('li', {}, element('code', { text: path }), `: ${plain(from)} → ${plain(to)}`));
      if (changes.length > MOST_CHANGES) told.push(element('li', { text: `and ${changes.length - MOST_CHANGES} more fields` }));
      return element('div', {}, element('p', { class: 'small' }, element('strong', { text: column.name }),
        changes.length ? ` differs from “${base.name}” in` : ` has the very profile of “${base.name}”, so that both are the same run, bit for bit.`), told.length ? element('ul', { class: 'small' }, ...told) : null);
    }));
  }

  /** @param {State} state */
  function draw(state) {
    const { kept, report, check, phase, preset } = state;
    const now = [kept, report, check, phase, preset];
    if (now.every((value, index) => value === drawn[index])) return;
    const before = drawn[0];
    drawn = now;
    const run = present(state);
    const same = run && isKept(state);
    const full = kept.length >= MOST_KEPT;
    const why = same ? `This run is kept already, as “${same.name}”. Change something and run again: the next run is drawn over it.`
      : full ? `${MOST_KEPT} runs are kept, which is the most. Remove one to keep another.`
      : !run ? (kept.length ? 'A run can be kept when it has ended.' : 'Keep a run when it has ended. The next one is drawn over it with the same draws, and stands beside it here.')
      : kept.length ? 'Keeps this run beside the others.' : 'The next run is drawn over it with the same draws, and stands beside it here.';
    const wasFocused = document.activeElement === keep;
    keep.disabled = !run || full || Boolean(same);
    setText(hint, why);
    if (kept !== before) {
      const key = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.focus;
      list.replaceChildren(...kept.map(item));
      list.hidden = kept.length === 0;
      if (key) focus(key);
      // The focus goes to what has come of the button that was pressed.
      else if (wasFocused && keep.disabled && kept.length) focus(`name-${kept[kept.length - 1].id}`);
    }
    /** @type {Column[]} */
    const columns = [...kept, ...(run && !same ? [run] : [])];
    compared.hidden = kept.length === 0;
    if (kept.length === 0) return;
    const profiles = columns.map(({ profile }) => JSON.parse(profile));
    const [first, ...rest] = columns.map((column) => column.report.seed);
    const differ = rest.some((seed) => seed !== first);
    setText(words, columns.length === 1 ? 'Change something and run again: the next run stands beside this one.' : shares(profiles));
    seeds.hidden = !differ;
    setText(seeds, differ ? 'These runs have different seeds, so that they share no draws: a part of each difference is chance. Give them the same seed, or run many seeds below.' : '');
    // Alone, a kept run is what the report has.
    scroll.hidden = columns.length === 1;
    drawTable(columns);
    drawWhy(columns);
  }

  place.querySelector('h2')?.setAttribute('tabindex', '-1');
  const unsubscribe = store.subscribe(draw);
  return () => {
    unsubscribe();
    unsubscribeRuns();
  };
}

/** A piece of the line a kept run is drawn with. @param {string} token */
export function swatch(token) {
  return svg('svg', { class: 'swatch', viewBox: '0 0 28 8', 'aria-hidden': 'true' },
    svg('line', { x1: 0, y1: 4, x2: 28, y2: 4, 'stroke-dasharray': DASHES[token]?.join(' '), 'data-token': token }));
}
