// The experiment and its run: preset, speed, seed, run, pause, step, reset, progress.

import * as format from '../shared/format.js';
import { LOCKED, may, mayChange } from '../shared/view.js';
import { AT_ONCE_EVENTS } from './conductor.js';
import { element, setText } from './dom.js';

const SPEEDS = ['0.1', '0.5', '1', '2', '5', '10', '20', '50', 'max'];
/** Marks an own experiment in the choice; no preset's name has a colon. */
const OWN = 'own:';
/** What a link's run is watched at, by whoever has chosen no speed. */
const WATCHING = 20;
const WORDS = { ready: 'Ready', running: 'Running', paused: 'Paused', done: 'Done', error: 'Error' };

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, presets: import('../engine/engine.js').PresetInfo[], own: import('./experiments.js').Experiments }} given
 */
export function controls(place, store, { actions, presets, own }) {
  /** @param {string} name @param {string} text @param {() => void} act @param {string} [kind] */
  const button = (name, text, act, kind) => element('button', { type: 'button', 'data-testid': name, class: kind, onclick: act }, text);
  /** @param {string} label @param {HTMLElement} input @param {string} [kind] */
  const field = (label, input, kind = '') => {
    input.id = `control-${input.dataset.testid}`;
    return element('div', { class: `field ${kind}` }, element('label', { for: input.id }, label), input);
  };

  const preset = element('select', { 'data-testid': 'preset', onchange: () => (preset.value.startsWith(OWN) ? own.open(preset.value.slice(OWN.length)) : actions.choosePreset(preset.value)) },
    ...[...new Set(presets.map((one) => one.group))].map((group) => element('optgroup', { label: group },
      ...presets.filter((one) => one.group === group).map((one) => element('option', { value: one.name }, one.title)))));
  const mine = element('optgroup', { label: 'Your experiments' });
  /** @type {unknown} */
  let listed = null;
  const speed = element('select', { 'data-testid': 'speed', onchange: () => actions.setSpeed(speed.value === 'max' ? Infinity : Number(speed.value)) },
    ...SPEEDS.map((value) => element('option', { value }, value === 'max' ? 'unlimited' : `${value}×`)));
  const seed = element('input', {
    'data-testid': 'seed', type: 'number', min: 0, max: 4294967295, step: 1, inputmode: 'numeric', 'aria-describedby': 'seed-problem',
    onchange: () => actions.setField('seed', seed.value.trim() === '' ? null : Number(seed.value)),
  });
  const newSeed = button('new-seed', 'New seed', actions.newSeed);
  const run = button('run', 'Run', () => void actions.play(), 'primary');
  const pause = button('pause', 'Pause', actions.pause);
  const stepBy = element('select', { 'data-testid': 'step-by', 'aria-label': 'Step by' },
    element('option', { value: 'tick' }, 'one tick'), element('option', { value: 'event' }, 'one event'), element('option', { value: 'second' }, 'one second'));
  const step = button('step', 'Step', () => actions.step(/** @type {'event' | 'tick' | 'second'} */ (stepBy.value)));
  const reset = button('reset', 'Reset', actions.reset);
  const collapse = button('to-collapse', 'Run to collapse', () => void actions.play(Infinity, 'collapse'));
  const recovery = button('to-recovery', 'Run to recovery', () => void actions.play(Infinity, 'recovery'));
  const progress = element('progress', { 'data-testid': 'progress', max: 1, value: 0, 'aria-label': 'Progress of the run' });
  const scrub = element('input', {
    'data-testid': 'scrub', type: 'range', min: 0, max: 0, step: 'any', value: 0, 'aria-label': 'Moment of the run', disabled: true,
    oninput: () => void actions.lookAt(Number(scrub.value)),
    onkeydown: (/** @type {KeyboardEvent} */ event) => scrubBy(event),
  });
  const live = button('live', 'Back to now', () => void actions.lookAt(null));
  const status = element('p', { class: 'status small' });
  const phase = element('strong', { 'data-testid': 'status', role: 'status' });
  const clock = element('span', { class: 'soft' });
  status.append(phase, ' ', clock);
  const note = element('p', { class: 'small note', role: 'status', 'data-testid': 'note' });
  const summary = element('p', { class: 'soft small' });
  const seedProblem = element('p', { id: 'seed-problem', class: 'visually-hidden' });
  const error = element('p', { class: 'notice bad', role: 'alert', 'data-testid': 'error', hidden: true });
  const notice = element('p', { class: 'notice', role: 'status', 'data-testid': 'notice', hidden: true });
  const noticeWords = element('span');
  const noticeAct = element('button', { type: 'button', class: 'quiet', hidden: true, onclick: () => store.get().notice?.action?.act() });
  notice.append(noticeWords, ' ', noticeAct, element('button', { type: 'button', class: 'quiet', 'aria-label': 'Dismiss this notice', onclick: () => {
    actions.say(null);
    preset.focus();
  } }, 'Dismiss'));
  const linkWords = element('span');
  const watch = element('button', { type: 'button', class: 'quiet', 'data-testid': 'watch', hidden: true, onclick: () => {
    if (store.get().speed === Infinity) actions.setSpeed(WATCHING);
    void actions.play();
  } });
  const linkStatus = element('p', { class: 'notice', role: 'status', 'data-testid': 'link-status', hidden: true }, linkWords, ' ', watch);
  const locking = element('p', { class: 'locked', hidden: true });
  /** When the present stretch of playing began. */
  let since = { run: -1, at: 0, progress: 0 };

  place.replaceChildren(
    element('div', { class: 'row' },
      field('Experiment', preset, 'wide'),
      element('div', { class: 'row buttons' }, run, pause, step, reset),
      field('Step by', stepBy), field('Speed', speed), field('Seed', seed), newSeed),
    locking, element('div', { class: 'told' }, summary, note), seedProblem, error, notice, linkStatus,
    element('div', { class: 'run-line' }, element('div', { class: 'row transport' }, collapse, recovery), element('div', { class: 'track' }, progress, scrub), element('div', { class: 'where' }, status, live)),
  );
  // What stays at the top covers so much: what is scrolled to stands below it.
  new ResizeObserver(() => document.documentElement.style.setProperty('--controls-height', `${place.offsetHeight}px`)).observe(place);

  /** Arrows go by ticks, page keys by a twentieth of what has been run. @param {KeyboardEvent} event */
  function scrubBy(event) {
    const tick = store.get().profile.telemetry.interval_seconds;
    const page = Math.max(Number(scrub.max) / 20, tick);
    const way = { ArrowLeft: -tick, ArrowDown: -tick, ArrowRight: tick, ArrowUp: tick, PageDown: -page, PageUp: page }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    void actions.lookAt((store.get().moment ?? Number(scrub.max)) + way);
  }

  /** What is left of a long run, by how fast it has gone since it was set going. @param {import('./store.js').State} state */
  function left(state) {
    const done = state.frame?.progress ?? 0;
    if (state.phase !== 'running') {
      since = { run: -1, at: 0, progress: 0 };
      return '';
    }
    if (since.run !== state.run) since = { run: state.run, at: performance.now(), progress: done };
    const taken = (performance.now() - since.at) / 1000;
    const seconds = ((1 - done) * taken) / (done - since.progress);
    return taken > 1 && seconds > 2 && seconds < 1e6 ? `, about ${format.span(seconds)} left` : '';
  }

  return store.subscribe((state) => {
    const running = state.phase === 'running';
    if (state.owned !== listed) {
      listed = state.owned;
      mine.replaceChildren(...state.owned.map(({ name }) => element('option', { value: OWN + name }, name)));
      if (state.owned.length === 0) mine.remove();
      else preset.prepend(mine);
    }
    const chosenValue = state.own === null ? state.preset : OWN + state.own;
    if (preset.value !== chosenValue) preset.value = chosenValue;
    const closed = { experiment: !may(state.view, 'preset'), run: !may(state.view, 'run'), seed: !mayChange(state.view, 'seed') };
    preset.disabled = closed.experiment;
    seed.disabled = closed.seed;
    newSeed.disabled = closed.seed;
    const which = [closed.experiment && 'the choice of the experiment', closed.seed && 'the seed', closed.run && 'running it'].filter(Boolean).join(', ');
    locking.hidden = which === '';
    setText(locking, `${LOCKED}: ${which}.`);
    const speedValue = state.speed === Infinity ? 'max' : String(state.speed);
    if (speed.value !== speedValue) speed.value = speedValue;
    const wrongSeed = state.problems.find((one) => one.path === 'seed');
    if (!wrongSeed && document.activeElement !== seed) seed.value = String(state.profile.seed);
    if (wrongSeed) seed.setAttribute('aria-invalid', 'true');
    else seed.removeAttribute('aria-invalid');
    setText(seedProblem, wrongSeed?.message ?? '');

    setText(run, state.phase === 'paused' ? 'Resume' : state.phase === 'done' ? 'Run again' : 'Run');
    const past = state.moment !== null;
    if (past && !running) setText(run, 'Go on');
    const still = running || state.working !== null;
    // The focus goes to the button that takes the place of the one that was pressed.
    const pressed = document.activeElement;
    run.disabled = still || closed.run;
    pause.disabled = !still;
    if (still && (pressed === run || pressed === collapse || pressed === recovery)) pause.focus();
    if (!still && pressed === pause) run.focus();
    setText(pause, state.working ? 'Stop' : 'Pause');
    step.disabled = still || closed.run;
    collapse.disabled = still || closed.run;
    recovery.disabled = still || closed.run;
    reset.disabled = state.phase === 'ready' || closed.run;
    setText(phase, state.working ? `${state.working.words} …` : past ? 'Looking back' : WORDS[state.phase]);
    progress.value = state.working ? state.working.progress : (state.frame?.progress ?? 0);
    const front = state.frame?.now_seconds ?? 0;
    setText(clock, state.working ? format.percent(state.working.progress, 0)
      : past ? `at ${format.moment(state.moment ?? 0)} of ${format.moment(front)}`
      : state.frame ? `${format.moment(front)} of virtual time, ${format.count(state.frame.events)} events${left(state)}`
      : `at most about ${format.rough(state.check.estimate.events)} events to come`);
    scrub.disabled = front === 0;
    if (scrub.max !== String(front)) scrub.max = String(front);
    if (Number(scrub.value) !== (state.moment ?? front)) scrub.value = String(state.moment ?? front);
    // The line of the past ends where the run has come to.
    scrub.style.width = `${100 * Math.max(state.frame?.progress ?? 0, 0.02)}%`;
    scrub.setAttribute('aria-valuetext', front === 0 ? 'nothing has been run' : `${format.moment(state.moment ?? front)} of ${format.moment(front)}`);
    live.classList.toggle('away', !past);
    live.disabled = !past;
    setText(note, state.note);

    const chosen = presets.find((one) => one.name === state.preset);
    const edits = own.edited() ? ' (edited)' : '';
    setText(summary, `${state.own === null ? (chosen?.summary ?? '') : `“${state.own}”, which builds on ${chosen?.title ?? state.preset}.`}${edits}`);

    const problem = state.problems[0];
    const words = state.failure || (problem ? `Not taken over: ${problem.message}. The last good profile stays.` : '');
    error.hidden = words === '';
    setText(error, words);

    notice.hidden = state.notice === null;
    setText(noticeWords, state.notice?.words ?? '');
    noticeAct.hidden = !state.notice?.action;
    setText(noticeAct, state.notice?.action?.words ?? '');

    linkStatus.hidden = state.link === null;
    if (!state.link) return;
    const [kind, told] = aboutLink(state.link, state);
    linkStatus.className = `notice ${kind}`;
    setText(linkWords, told);
    watch.hidden = state.link.outcome === null || state.phase !== 'done' || closed.run;
    setText(watch, `Watch it at ${state.speed === Infinity ? WATCHING : state.speed}×`);
  });
}

/** How a link turned out, and its kind of notice. @param {import('./store.js').LinkState} link @param {import('./store.js').State} state @returns {[string, string]} */
export function aboutLink(link, state) {
  const revision = state.report?.engine.revision;
  const { events } = state.check.estimate;
  if (link.outcome === null) {
    return ['', state.view.seeds === 'own' && state.view.by === '' ? 'Opened from a link, in which everybody has a seed of their own: take yours first, then run it.'
      : state.phase === 'running' ? 'Opened from a link; running it to see whether it reproduces …'
      : state.phase === 'ready' && events > AT_ONCE_EVENTS ? `Opened from a link. With about ${format.count(events)} events it does not run by itself: press Run to see whether it reproduces.`
      : 'Opened from a link. Run it to its end to see whether it reproduces.'];
  }
  return link.outcome === 'reproduced' ? ['good', 'reproduced ✓ The run gave the result that the link promises, bit for bit.']
    : link.outcome === 'edited' ? ['', 'edited since it was shared: the link was made for another profile, so its result is not compared.']
    : link.outcome === 'different' ? ['warn', `same experiment, different result: the link promises digest ${link.opened.expected_digest}… of engine revision ${link.opened.expected_revision}, this run has ${state.digest} of revision ${revision}. ${link.opened.expected_revision === revision ? 'Equal revisions give equal results: the link was changed by hand, or this is a bug worth reporting.' : 'Results of other revisions differ on purpose.'}`]
    : ['', 'not verified: the link does not say which result to expect.'];
}
