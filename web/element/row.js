// The one row of controls of an embed: run, reset, speed, seed, and the line of the run.

import { element, setText } from '../page/dom.js';
import * as format from '../shared/format.js';
import { read } from '../shared/paths.js';
import { nodeAt } from '../shared/schema.js';
import { value as typed } from '../shared/typed.js';
import { may, mayChange } from '../shared/view.js';

const SPEEDS = ['1', '2', '5', '10', '20', '50', 'max'];
const WORDS = { ready: 'Ready', running: 'Running', paused: 'Paused', done: 'Done', error: 'Error' };
/** More fields than these are no row any more. */
const MOST_FIELDS = 12;

/** @typedef {import('../shared/view.js').View} View */

/** The fields that a reader may change, each with what the schema says of it. @param {View} view @param {any} schema @returns {[string, any][]} */
export function fieldsOf({ free }, schema) {
  const leaf = (/** @type {any} */ node) => node && !node.properties && !node.items && [node.type].flat().some((type) => ['integer', 'number', 'boolean', 'string'].includes(type));
  return free.flatMap((path) => {
    const node = nodeAt(schema, path.split('.'));
    if (leaf(node)) return /** @type {[string, any][]} */ ([[path, node]]);
    return Object.entries(node?.properties ?? {}).filter(([, inner]) => leaf(inner)).map(([name, inner]) => /** @type {[string, any]} */ ([`${path}.${name}`, inner]));
  }).slice(0, MOST_FIELDS);
}

/**
 * @param {HTMLElement} place
 * @param {import('../page/store.js').Store} store
 * @param {{ actions: import('../page/conductor.js').Actions, view: View, schema: any }} given
 */
export function row(place, store, { actions, view, schema }) {
  /** @param {string} name @param {string} label @param {HTMLElement} input */
  const field = (name, label, input) => {
    input.id = `embed-${name}`;
    return element('div', { class: 'field' }, element('label', { for: input.id }, label), input);
  };
  const toggle = element('button', { type: 'button', class: 'primary', 'data-testid': 'embed-run', onclick: () => (store.get().phase === 'running' ? actions.pause() : void actions.play()) });
  const reset = element('button', { type: 'button', 'data-testid': 'embed-reset', onclick: actions.reset }, 'Reset');
  const speed = element('select', { 'data-testid': 'embed-speed', onchange: () => actions.setSpeed(speed.value === 'max' ? Infinity : Number(speed.value)) },
    ...SPEEDS.map((one) => element('option', { value: one }, one === 'max' ? 'unlimited' : `${one}×`)));
  const seed = element('input', { 'data-testid': 'embed-seed', type: 'number', min: 0, max: 4294967295, step: 1, inputmode: 'numeric', onchange: () => actions.setField('seed', seed.value.trim() === '' ? null : Number(seed.value)) });
  const newSeed = element('button', { type: 'button', 'data-testid': 'embed-new-seed', onclick: actions.newSeed }, 'New seed');
  const progress = element('progress', { max: 1, value: 0, 'aria-label': 'Progress of the run' });
  const scrub = element('input', { type: 'range', class: 'scrub', 'data-testid': 'embed-scrub', min: 0, max: 0, step: 'any', value: 0, 'aria-label': 'Moment of the run', disabled: true, oninput: () => void actions.lookAt(Number(scrub.value)), onkeydown: (/** @type {KeyboardEvent} */ event) => scrubBy(event) });
  const live = element('button', { type: 'button', class: 'quiet', 'data-testid': 'embed-live', hidden: true, onclick: () => {
    void actions.lookAt(null);
    toggle.focus({ preventScroll: true });
  } }, 'Back to now');
  const phase = element('strong', { 'data-testid': 'embed-phase', role: 'status' });
  const clock = element('span', { class: 'soft', 'data-testid': 'embed-clock' });
  const error = element('p', { class: 'notice bad', role: 'alert', 'data-testid': 'embed-error', hidden: true });

  const running = may(view, 'run');
  const seeded = mayChange(view, 'seed');
  const fields = fieldsOf(view, schema).map(([path, node]) => {
    const take = () => actions.setField(path, node.enum || [node.type].flat().includes('boolean') ? JSON.parse(input.value) : typed(input.value));
    const choices = node.enum ?? ([node.type].flat().includes('boolean') ? [true, false] : null);
    const input = choices
      ? element('select', { onchange: take }, ...choices.map((/** @type {unknown} */ one) => element('option', { value: JSON.stringify(one) }, String(one))))
      : element('input', { type: 'text', inputmode: [node.type].flat().includes('string') ? 'text' : 'decimal', autocomplete: 'off', onchange: take });
    return { path, input, choices, made: field(path, path, input) };
  });
  place.append(
    element('div', { class: 'row controls-row' }, ...(running ? [element('div', { class: 'row' }, toggle, reset), field('speed', 'Speed', speed)] : []), ...(seeded ? [field('seed', 'Seed', seed), newSeed] : [])),
    ...(fields.length ? [element('div', { class: 'row knobs', role: 'group', 'aria-label': 'What you can change' }, ...fields.map(({ made }) => made))] : []),
    error,
    element('div', { class: 'run-line' }, element('div', { class: 'track' }, progress, ...(running ? [scrub] : [])), element('p', { class: 'small told' }, phase, ' ', clock, ' ', live)));

  /** Arrows go by ticks, page keys by a twentieth of what has been run. @param {KeyboardEvent} event */
  function scrubBy(event) {
    const tick = store.get().profile.telemetry.interval_seconds;
    const page = Math.max(Number(scrub.max) / 20, tick);
    const way = { ArrowLeft: -tick, ArrowDown: -tick, ArrowRight: tick, ArrowUp: tick, PageDown: -page, PageUp: page }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    void actions.lookAt((store.get().moment ?? Number(scrub.max)) + way);
  }

  return store.subscribe((state) => {
    const past = state.moment !== null;
    const focused = /** @type {Document | ShadowRoot} */ (place.getRootNode()).activeElement;
    setText(toggle, state.phase === 'running' ? 'Pause' : past ? 'Go on' : state.phase === 'paused' ? 'Resume' : state.phase === 'done' ? 'Run again' : 'Run');
    if (state.working) toggle.setAttribute('aria-disabled', 'true');
    else toggle.removeAttribute('aria-disabled');
    if (state.phase === 'ready' && focused === reset) toggle.focus({ preventScroll: true });
    reset.disabled = state.phase === 'ready';
    const speedValue = state.speed === Infinity ? 'max' : String(state.speed);
    if (speed.value !== speedValue) speed.value = speedValue;
    for (const [path, input] of /** @type {[string, HTMLInputElement | HTMLSelectElement][]} */ ([['seed', seed], ...fields.map(({ path, input }) => [path, input])])) {
      const wrong = state.problems.some((one) => one.path === path);
      if (wrong) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      const value = read(state.profile, path);
      const shown = input instanceof HTMLSelectElement ? JSON.stringify(value) : value == null ? '' : String(value);
      if (!wrong && focused !== input && input.value !== shown) input.value = shown;
    }
    setText(phase, state.working ? `${state.working.words} …` : past ? 'Looking back' : WORDS[state.phase]);
    progress.value = state.working ? state.working.progress : (state.frame?.progress ?? 0);
    const front = state.frame?.now_seconds ?? 0;
    setText(clock, state.working ? format.percent(state.working.progress, 0)
      : past ? `at ${format.moment(state.moment ?? 0)} of ${format.moment(front)}`
      : state.frame ? `${format.moment(front)} of virtual time, ${format.count(state.frame.events)} events`
      : `about ${format.count(state.check.estimate.events)} events to come`);
    scrub.disabled = front === 0;
    if (scrub.max !== String(front)) scrub.max = String(front);
    if (Number(scrub.value) !== (state.moment ?? front)) scrub.value = String(state.moment ?? front);
    scrub.style.width = `${100 * Math.max(state.frame?.progress ?? 0, 0.02)}%`;
    scrub.setAttribute('aria-valuetext', front === 0 ? 'nothing has been run' : `${format.moment(state.moment ?? front)} of ${format.moment(front)}`);
    live.hidden = !past;
    const problem = state.problems[0];
    const words = state.failure || (problem ? `Not taken over: ${problem.message}.` : '');
    error.hidden = words === '';
    setText(error, words);
  });
}
