// The card of a link that says more than its experiment: its question and an answer, a seed of one's own, what is
// compared, what is hidden or locked and the way out of it; and ways on from a link that could not be opened.

import '../style/sharing.css';
import { nodeAt } from '../shared/schema.js';
import * as format from '../shared/format.js';
import { LOCKS, MOST_QUESTION, MOST_VARIANTS, limits, may, plain, shows } from '../shared/view.js';
import { AT_ONCE_EVENTS } from './conductor.js';
import { CHARTS } from './charts/list.js';
import { copyText } from './copy.js';
import { aboutLink } from './controls.js';
import { element, setText } from './dom.js';
import { runVariants, variantsOf } from './variants.js';

/** @typedef {import('./store.js').State} State */
/** @typedef {{ actions: import('./conductor.js').Actions, engine: import('../engine/engine.js').Engine, presets: import('../engine/engine.js').PresetInfo[], schema: any }} Given */

/** A longer name is cut. */
const MOST_NAME = 80;

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {Given} given */
export function task(place, store, { actions, engine, presets, schema }) {
  const title = element('h2', { id: 'task-title', tabindex: -1 });
  const question = element('p', { class: 'question', 'data-testid': 'question' });
  const answered = element('blockquote', { 'data-testid': 'answered' });
  const whose = element('p', { class: 'small', 'data-testid': 'whose' });

  const name = element('input', { id: 'task-name', type: 'text', maxlength: MOST_NAME, autocomplete: 'off', 'aria-describedby': 'task-name-hint task-name-problem', 'data-testid': 'student' });
  const nameProblem = element('p', { class: 'problem', id: 'task-name-problem', role: 'alert', hidden: true });
  const seat = element('form', { class: 'seat', onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    const by = name.value.trim().replace(/\s+/g, ' ');
    nameProblem.hidden = by !== '';
    setText(nameProblem, by ? '' : 'Write your name or number first.');
    if (!by) return name.focus();
    actions.takeSeed(by);
    const { view } = store.get();
    // Where nobody can press Run, it runs by itself.
    if (!shows(view, 'controls') || !may(view, 'run')) void actions.play(Infinity);
    title.focus();
  } },
  element('div', { class: 'field' }, element('label', { for: 'task-name' }, 'Your name or number'), name), element('button', { class: 'primary', 'data-testid': 'take-seed' }, 'Take my seed'), nameProblem,
  element('p', { class: 'soft small', id: 'task-name-hint' }, 'Everybody works with a seed of their own, made of what is written here. It stays in this page, and in your answer’s link.'));

  const answer = element('textarea', { id: 'task-answer', maxlength: MOST_QUESTION, rows: 3, 'data-testid': 'answer', oninput: () => { forget(); } });
  const made = element('input', { readonly: true, hidden: true, 'aria-label': 'Link to your answer', 'data-testid': 'answer-link', onfocus: () => made.select() });
  const answerSaid = element('p', { class: 'soft small', role: 'status' });
  const hand = element('div', { class: 'hand' },
    element('div', { class: 'field' }, element('label', { for: 'task-answer' }, 'Your answer'), answer),
    element('p', { class: 'soft small', text: 'Hand in the link to your answer: it holds what you wrote and your experiment as it stands, and opening it repeats your run.' }),
    element('div', { class: 'line' }, made, element('button', { type: 'button', 'data-testid': 'hand-in', onclick: () => void handIn() }, 'Copy the link to my answer')), answerSaid);

  const outcome = element('p', { class: 'notice', role: 'status', 'data-testid': 'task-outcome' });
  const failure = element('p', { class: 'notice bad', role: 'alert', hidden: true });
  const run = element('button', { type: 'button', class: 'primary', 'data-testid': 'task-run', onclick: () => (store.get().phase === 'running' ? actions.pause() : void actions.play()) });
  const status = element('p', { class: 'small soft' });
  const running = element('div', { class: 'row running' }, run, status);

  const compared = element('p', { class: 'small', role: 'status', 'data-testid': 'task-compared' });
  const compareNow = element('button', { type: 'button', 'data-testid': 'run-variants', hidden: true, onclick: () => void compare() }, 'Run them');
  const comparing = element('div', { class: 'row' }, compared, compareNow);

  const unlock = element('button', { type: 'button', class: 'quiet start', 'data-testid': 'unlock', onclick: () => {
    actions.unlock();
    actions.say({ words: 'Everything is shown and nothing is locked any more. Loading the page again brings the limits back.', until: 'edit' });
    if (place.hidden) document.getElementById('results')?.focus();
    else title.focus();
  } }, 'Open without the limits');
  const limited = element('p', { class: 'small soft' });
  const odd = element('p', { class: 'notice warn', hidden: true, 'data-testid': 'task-odd' });
  const bounds = element('div', { class: 'bounds' }, odd, limited, unlock);

  const text = element('pre', { class: 'link-text', tabindex: 0, 'aria-label': 'Text of the link', 'data-testid': 'link-text' });
  const alone = element('button', { type: 'button', 'data-testid': 'preset-alone', onclick: () => leave(store.get().broken?.preset ?? '') });
  const ways = element('div', { class: 'ways', 'data-testid': 'ways' },
    element('p', {}, 'The reason stands above, beside the controls. The experiment that you see is not the one of the link. You can go on like this:'),
    element('div', { class: 'row' }, alone, element('button', { type: 'button', 'data-testid': 'start-anew', onclick: () => leave(store.get().preset) }, 'Start from the experiment shown')),
    element('details', {}, element('summary', {}, 'The text of the link'), text, element('p', { class: 'soft small', text: 'Often a mail or a chat has cut it, or put something into it. It can be mended in the address bar.' })));

  place.replaceChildren(title, question, answered, whose, seat, running, outcome, failure, comparing, hand, ways, bounds);

  /** @param {string} preset */
  function leave(preset) {
    actions.reset();
    actions.choosePreset(preset);
    const { broken } = store.get();
    if (broken) store.update({ broken: null, failure: '' });
    document.getElementById('results')?.focus();
  }

  function forget() {
    made.hidden = true;
    made.value = '';
    setText(answerSaid, '');
  }

  async function handIn() {
    const { view } = store.get();
    try {
      const link = await actions.link({ view: { ...view, answer: answer.value.trim(), by: view.by } });
      made.value = link;
      made.hidden = false;
      setText(answerSaid, await copyText(link, made, `Copied, ${link.length} characters.${store.get().report ? '' : ' You have not run it to its end: the link cannot be checked then.'}`));
    } catch (error) {
      setText(answerSaid, `No link: ${error instanceof Error ? error.message : error}.`);
    }
  }

  /** What is compared: the experiment as the link has it, or as it stood when somebody took their seed. @type {{ vs: string[], by: string, profile: string, preset: string }} */
  let base = { vs: [], by: '', profile: '', preset: '' };
  /** @type {'waiting' | 'offered' | 'running' | 'over'} */
  let stage = 'waiting';
  /** How many times that was begun. */
  let turn = 0;
  let progress = '';

  /** @param {State} state */
  function drawCompared(state) {
    const { view, phase, kept } = state;
    comparing.hidden = view.vs.length === 0;
    if (view.vs !== base.vs || view.by !== base.by) {
      base = { vs: view.vs, by: view.by, profile: state.check.profile, preset: state.preset };
      stage = 'waiting';
      turn += 1;
    }
    if (view.vs.length === 0) return;
    const what = view.vs.length === 1 ? 'a variant' : `${view.vs.length} variants`;
    if (stage === 'waiting') {
      progress = `It is compared with ${what} when this run has ended.`;
      if (phase === 'done') offer(kept.some(({ id }) => id > 0), what);
    }
    setText(compared, progress);
    compareNow.hidden = stage !== 'offered';
  }

  /** Runs the variants, unless that takes long or something else has been kept: then it is offered. @param {boolean} others @param {string} what */
  function offer(others, what) {
    try {
      const events = variantsOf(engine, base.profile, base.vs).reduce((sum, one) => sum + one.events, 0);
      if (!others && events <= AT_ONCE_EVENTS * MOST_VARIANTS) return void compare();
      stage = 'offered';
      progress = `Compared with ${what}: about ${format.count(events)} events more.${others ? ' They take the place of the runs that are kept.' : ''}`;
    } catch (error) {
      stage = 'over';
      progress = `It cannot be compared as the link has it: ${error instanceof Error ? error.message : error}.`;
    }
  }

  async function compare() {
    const mine = ++turn;
    stage = 'running';
    compareNow.hidden = true;
    try {
      const variants = variantsOf(engine, base.profile, base.vs);
      const kept = await runVariants(engine, variants, base.preset, (done, of) => {
        if (mine !== turn) return false;
        progress = `Running what it is compared with: ${Math.min(done + 1, of)} of ${of} …`;
        setText(compared, progress);
        return true;
      });
      if (mine !== turn || !kept) return;
      progress = `Compared with ${variants.slice(1).map((one) => one.name).join('; ')}: drawn over it on the charts, and beside it under “Compare”.`;
      store.update({ kept });
    } catch (error) {
      if (mine !== turn) return;
      progress = `The variants could not be run: ${error instanceof Error ? error.message : error}.`;
    }
    stage = 'over';
    draw(store.get());
  }

  /** What a view names and nobody knows. @param {import('../shared/view.js').View} view */
  function unknown(view) {
    const fields = [...view.lock.filter((one) => !LOCKS.includes(one)), ...view.free].filter((path) => !nodeAt(schema, path.split('.')));
    const charts = (view.charts ?? []).filter((name) => !CHARTS.some((chart) => chart.name === name));
    return [fields.length && `no fields: ${fields.join(', ')}`, charts.length && `no charts: ${charts.join(', ')} (there are ${CHARTS.map((chart) => chart.name).join(', ')})`].filter(Boolean).join('; ');
  }

  /** The view whose fields and charts have been looked up. @type {import('../shared/view.js').View | null} */
  let looked = null;
  /** @param {State} state */
  function draw(state) {
    const { view, broken, phase, link } = state;
    place.hidden = plain(view) && broken === null;
    if (place.hidden) return;
    setText(title, broken ? 'This link cannot be opened' : view.answer || (view.by && view.seeds !== 'own') ? `Answer${view.by ? ` of ${view.by}` : ''}` : view.ask ? 'Question' : view.vs.length && !limits(view) ? 'Comparison' : 'A view of this experiment');
    question.hidden = view.ask === '';
    setText(question, view.ask);
    answered.hidden = view.answer === '';
    setText(answered, view.answer);

    const own = view.seeds === 'own';
    seat.hidden = !own || view.by !== '';
    whose.hidden = !own || view.by === '';
    if (!whose.hidden) {
      const seed = engine.seed_of(view.by.normalize('NFC'));
      const right = seed === state.profile.seed;
      setText(whose, right ? `Seed ${seed}: the one of “${view.by}” ✓` : `Seed ${state.profile.seed}, which is not the one of “${view.by}”: that is ${seed}.`);
      whose.classList.toggle('wrong', !right);
    }
    hand.hidden = view.ask === '' || view.answer !== '';

    const bare = !shows(view, 'controls');
    running.hidden = !bare || !may(view, 'run') || !seat.hidden;
    setText(run, phase === 'running' ? 'Pause' : phase === 'paused' ? 'Resume' : phase === 'done' ? 'Run again' : 'Run');
    setText(status, phase === 'ready' ? `at most about ${format.rough(state.check.estimate.events)} events to come` : state.frame ? `${format.moment(state.frame.now_seconds)} of virtual time` : '');
    outcome.hidden = !bare || !link;
    if (link && bare) {
      const [kind, words] = aboutLink(link, state);
      outcome.className = `notice ${kind}`;
      setText(outcome, words);
    }
    failure.hidden = !bare || state.failure === '';
    setText(failure, failure.hidden ? '' : state.failure);

    drawCompared(state);

    if (view !== looked) {
      looked = view;
      const strange = unknown(view);
      odd.hidden = strange === '';
      setText(odd, strange ? `Whoever made this link named what there is not: ${strange}.` : '');
    }
    const what = [view.show || view.charts ? 'shows a part of the page' : '', view.lock.length ? `locks some of ${view.show || view.charts ? 'it' : 'the page'}` : ''].filter(Boolean).join(' and ');
    limited.hidden = what === '';
    setText(limited, `This link ${what}.`);
    unlock.hidden = what === '';
    bounds.hidden = odd.hidden && what === '';

    ways.hidden = broken === null;
    setText(text, broken?.text ?? '');
    alone.hidden = !broken?.preset;
    setText(alone, `Open ${presets.find((one) => one.name === broken?.preset)?.title ?? ''} alone`);
  }

  /** The last answer belongs to the last task. */
  let asked = '';
  /** The profile of the last drawing. */
  let before = '';
  return store.subscribe((state) => {
    if (state.view.ask !== asked) {
      asked = state.view.ask;
      answer.value = '';
      name.value = '';
      forget();
    }
    // A link to an answer is one to the experiment as it stood.
    if (made.value && (state.phase === 'running' || state.check.profile !== before)) forget();
    before = state.check.profile;
    draw(state);
  });
}
