// Break it now: interventions on the running system, which become part of its profile.

import * as timeline from '../shared/timeline.js';
import * as typed from '../shared/typed.js';
import { read } from '../shared/paths.js';
import { LOCKED, may, mayChange } from '../shared/view.js';
import { element, setText } from './dom.js';

/**
 * What can be broken. `lacks` says what a profile needs first, with the section that switches it on.
 * @typedef {{ kind: string, title: string, key: string, lacks?: (profile: any, schema: any) => { words: string, section: string, path: string, value: any } | null }} Break
 */

/** @param {any} schema @param {string} path the template of a section that can be switched on */
const template = (schema, path) => path.split('.').reduce((node, name) => node.properties[name], schema)['x-template'];

/** @type {Break[]} */
export const BREAKS = [
  { kind: 'traffic', title: 'Traffic spike', key: '1' },
  { kind: 'crash', title: 'Kill a worker', key: '2' },
  { kind: 'stall', title: 'Stall all workers', key: '3' },
  { kind: 'slow_workers', title: 'Slow the workers', key: '4' },
  {
    kind: 'slow_downstream', title: 'Slow the downstream', key: '5',
    lacks: (profile, schema) => (profile.downstream ? null : { words: 'The workers call no downstream dependency.', section: 'Downstream', path: 'downstream', value: template(schema, 'downstream') }),
  },
  {
    kind: 'loss', title: 'Lose packets', key: '6',
    lacks: (profile, schema) => (profile.network ? null : { words: 'There is no network between agents and queue.', section: 'Network', path: 'network', value: template(schema, 'network') }),
  },
  {
    kind: 'pool', title: 'Shrink the pool', key: '7',
    lacks: (profile, schema) => {
      if (profile.network?.pool || profile.downstream?.network?.pool) return null;
      const pool = template(schema, 'network.pool');
      return { words: 'There is no connection pool.', section: 'Connection pool', ...(profile.network ? { path: 'network.pool', value: pool } : { path: 'network', value: { ...template(schema, 'network'), pool } }) };
    },
  },
];

/** How long an intervention lasts, in seconds; 0 leaves it to the length of the run. */
const SPANS = ['0', '1', '2', '5', '10', '30', '60'];

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, schema: any }} given
 */
export function breaks(place, store, { actions, schema }) {
  const kinds = schema.properties.timeline.items.properties;
  const span = element('select', { 'data-testid': 'break-for', id: 'break-for' }, ...SPANS.map((value) => element('option', { value }, value === '0' ? 'an eighth of the run' : `${value} s`)));
  const said = element('p', { class: 'small said', role: 'status', 'data-testid': 'break-said' });
  const buttons = BREAKS.map((one) => element('button', { type: 'button', 'data-testid': `break-${one.kind}`, onclick: () => void strike(one) }, one.title));
  const field = element('input', { type: 'text', id: 'from-here-field', 'data-testid': 'from-here-field', list: 'settable', autocomplete: 'off', spellcheck: 'false', onchange: () => {
    const now = read(store.get().profile, field.value.trim());
    if (typeof now === 'number' && value.value === '') value.value = String(now);
  } });
  const value = element('input', { type: 'text', id: 'from-here-value', 'data-testid': 'from-here-value', inputmode: 'decimal', autocomplete: 'off' });
  const change = element('form', { class: 'row from-here', onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    void act({ for_seconds: null, set: { path: field.value.trim(), value: typed.value(value.value) } }, `${field.value.trim()} = ${value.value}`);
  } },
  element('div', { class: 'field grow' }, element('label', { for: 'from-here-field' }, 'Change a value from here on'), field),
  element('div', { class: 'field' }, element('label', { for: 'from-here-value' }, 'to'), value),
  element('button', { type: 'submit', 'data-testid': 'from-here' }, 'Change'));
  const list = element('ul', { class: 'struck-list', 'data-testid': 'struck-list', 'aria-label': 'Interventions of this experiment' });
  const locking = element('p', { class: 'locked', hidden: true }, `${LOCKED}.`);
  const more = element('details', { class: 'more' }, element('summary', {}, 'Another value'), change);

  place.classList.add('breaks');
  place.replaceChildren(
    element('div', { class: 'row', role: 'group', 'aria-label': 'Break it now' }, element('div', { class: 'break-head' }, element('strong', { class: 'label' }, 'Break it now'),
      element('div', { class: 'field inline' }, element('label', { for: 'break-for' }, 'for'), span)), ...buttons),
    locking, more, said, list);

  /** @param {Omit<import('../shared/timeline.js').Entry, 'at_seconds'>} entry @param {string} words */
  async function act(entry, words) {
    const why = idle();
    if (why) return say(why);
    say('');
    const done = await actions.intervene(entry);
    if (done) say(`${words}: written into the timeline, so that the link and the next run have it too.`);
    else say('');
  }

  /** @param {Break} one */
  async function strike({ kind, title, lacks }) {
    const { profile } = store.get();
    const missing = lacks?.(profile, schema);
    if (missing) {
      say(`${missing.words} `, element('button', { type: 'button', class: 'quiet', 'data-testid': 'break-switch', onclick: () => {
        if (actions.setField(missing.path, missing.value)) say(`${missing.section} is on; run the experiment again and break it.`);
      } }, `Switch on: ${missing.section}`));
      return;
    }
    const usual = timeline.newEntry(kind, kinds[kind]['x-template'], profile);
    const { at_seconds: _, ...entry } = usual;
    const given = Number(span.value);
    await act({ ...entry, [kind]: timeline.hit(kind, usual[kind], profile), for_seconds: given > 0 ? given : usual.for_seconds }, title);
  }

  /** Why nothing can be broken at present. */
  function idle() {
    const { phase, moment } = store.get();
    if (phase === 'ready') return 'Nothing runs yet: press Run, then break it.';
    if (phase === 'error') return 'Nothing runs: press Run first.';
    if (phase === 'done' && moment === null) return 'This run is over: drag the line under the controls back to a moment and break it there, or run it again.';
    return '';
  }

  /** @param {(string | Node)[]} words */
  function say(...words) {
    said.replaceChildren(...words);
  }

  /** @type {any} */
  let seen = null;
  /** @type {import('../shared/view.js').View | null} */
  let shown = null;
  return store.subscribe((state) => {
    if (state.profile.timeline === seen && seen !== undefined && state.view === shown) return;
    seen = state.profile.timeline;
    if (state.view !== shown) {
      shown = state.view;
      const locked = !may(shown, 'break');
      for (const one of place.querySelectorAll('button, select, input')) /** @type {HTMLButtonElement} */ (one).disabled = locked;
      locking.hidden = !locked;
    }
    const bound = !mayChange(state.view, 'timeline');
    /** @type {import('../shared/timeline.js').Entry[]} */
    const entries = state.profile.timeline ?? [];
    list.hidden = entries.length === 0;
    list.replaceChildren(...entries.map((entry, index) => element('li', {},
      element('span', {}, `${index + 1}: ${timeline.words(entry)}, ${timeline.when(entry)}`),
      element('button', { type: 'button', class: 'quiet', 'aria-label': `Edit intervention ${index + 1}`, onclick: () => edit(index) }, 'Edit'),
      element('button', { type: 'button', class: 'quiet', disabled: bound, 'aria-label': `Delete intervention ${index + 1}`, onclick: () => {
        const rest = entries.filter((_, at) => at !== index);
        if (actions.setField('timeline', rest)) requestAnimationFrame(() => /** @type {HTMLElement | null} */ (list.querySelector(`li:nth-child(${Math.min(index + 1, rest.length)}) button:last-child`) ?? buttons[0])?.focus());
      } }, 'Delete'))));
    setText(span.options[0], `${timeline.newEntry('stall', {}, state.profile).for_seconds} s (usual)`);
  });

  /** Goes to the entry in the form. @param {number} index */
  function edit(index) {
    const section = document.querySelector('[data-section="timeline"] > details');
    if (section instanceof HTMLDetailsElement) section.open = true;
    const input = document.getElementsByName(`timeline.${index}.at_seconds`)[0];
    input?.scrollIntoView({ block: 'center' });
    input?.focus();
  }
}
