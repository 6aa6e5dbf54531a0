// Guided experiments: a question, a prediction, the run, and what it shows.

import { GuideError, pace, parse } from '../shared/guide.js';
import { write } from '../shared/paths.js';
import { element, setText } from './dom.js';

/** @typedef {import('../shared/guide.js').Guide} Guide */
/** The guides, each a file that is fetched when it is wanted. @type {{ [path: string]: () => Promise<string> }} */
// @ts-expect-error: the bundler replaces this.
const FILES = import.meta.glob('../guides/*.json', { query: '?raw', import: 'default' });
/** The order of the list: from the first look on. */
const ORDER = ['why-a-queue-collapses', 'the-knee', 'retry-storm', 'last-in-first-out', 'up-and-down', 'feedback', 'bulkheads'];
const MOST_FILE = 200_000;

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, presets: import('../engine/engine.js').PresetInfo[], entry: HTMLElement }} given
 */
export function guide(place, store, { actions, presets, entry }) {
  /** @type {{ name: string, guide: Guide, step: number, stage: 'ask' | 'run' | 'told' | 'tried', choice: number, run: number, before: { preset: string, profile: string, own: string | null } } | null} */
  let open = null;
  const body = element('div', { class: 'guide-body' });
  place.append(body);
  const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

  const dialog = element('dialog', { class: 'guides', 'aria-labelledby': 'guides-title', 'data-testid': 'guides' });
  document.body.append(dialog);
  entry.replaceChildren('New here? ',
    element('button', { type: 'button', class: 'link', 'data-testid': 'guide-first', onclick: () => void show(ORDER[0]) }, 'Why a queue collapses'),
    ', in two minutes. ', element('button', { type: 'button', class: 'link', 'data-testid': 'guide-list', onclick: () => void list() }, 'All guided experiments'));

  /** @param {string} name */
  const path = (name) => `../guides/${name}.json`;

  async function list() {
    const said = element('p', { class: 'problem', role: 'alert', 'data-testid': 'guide-problem' });
    const file = element('input', { type: 'file', id: 'guide-file', accept: '.json,application/json', onchange: () => void take(file.files, said) });
    const items = element('ul', { class: 'guide-list' }, element('li', { class: 'soft' }, 'Loading …'));
    dialog.replaceChildren(
      element('h2', { id: 'guides-title' }, 'Guided experiments'),
      element('p', { class: 'soft' }, 'Each asks a question, runs the experiment and explains what happened. Your own experiment is kept.'),
      items,
      element('div', { class: 'field' }, element('label', { for: 'guide-file' }, 'Open a guide file of your own'), file), said,
      element('form', { method: 'dialog', class: 'row end' }, element('button', {}, 'Close')));
    if (!dialog.open) dialog.showModal();
    const all = await Promise.all(ORDER.map(async (name) => ({ name, guide: await load(name) })));
    items.replaceChildren(...all.map(({ name, guide }) => element('li', {}, guide instanceof Error
      ? element('p', { class: 'problem' }, `${name}: ${guide.message}`)
      : element('button', { type: 'button', onclick: () => { dialog.close(); void show(name); } }, element('strong', {}, guide.title), element('span', {}, guide.summary), element('span', { class: 'soft small' }, `${guide.minutes} minutes`)))));
    items.querySelector('button')?.focus();
  }

  /** @param {string} name @returns {Promise<Guide | Error>} */
  async function load(name) {
    const file = FILES[path(name)];
    if (!file) return new GuideError(`there is no guide "${name}"; there are ${ORDER.join(', ')}`);
    try {
      return parse(await file());
    } catch (error) {
      return error instanceof GuideError ? error : new Error(`the guide "${name}" could not be loaded; try again when the page can be reached`);
    }
  }

  /** A file of somebody's own. @param {FileList | null | undefined} files @param {HTMLElement} said */
  async function take(files, said) {
    setText(said, '');
    const file = files?.[0];
    if (!file) return;
    try {
      if (files.length > 1) throw new GuideError(`found ${files.length} files, accepted: one`);
      if (file.size > MOST_FILE) throw new GuideError(`${file.name} has ${file.size} bytes, accepted: at most ${MOST_FILE}`);
      const mine = parse(await file.text());
      for (const [index, step] of mine.steps.entries()) {
        for (const [where, name] of [['preset', step.preset], ['try/preset', step.try?.preset]]) {
          if (name && !presets.some((preset) => preset.name === name)) throw new GuideError(`/steps/${index}/${where}: there is no experiment "${name}"`);
        }
      }
      dialog.close();
      begin('', mine);
    } catch (error) {
      setText(said, `${file.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  for (const target of [dialog, place]) {
    target.addEventListener('dragover', (event) => event.preventDefault());
    target.addEventListener('drop', (event) => {
      event.preventDefault();
      event.stopPropagation();
      const said = /** @type {HTMLElement | null} */ (dialog.querySelector('.problem[role="alert"]'));
      const files = /** @type {DragEvent} */ (event).dataTransfer?.files;
      if (dialog.open && said) void take(files, said);
      else void list().then(() => take(files, /** @type {HTMLElement} */ (dialog.querySelector('.problem[role="alert"]'))));
    });
  }

  /** Opens a guide by name, or says why not. @param {string} name */
  async function show(name) {
    const found = await load(name);
    if (found instanceof Error) {
      store.update({ failure: `No guide was opened: ${found.message}.` });
      return;
    }
    begin(name, found);
  }

  /** @param {string} name @param {Guide} guide */
  function begin(name, guide) {
    const { preset, check, own } = store.get();
    open = { name, guide, step: 0, stage: 'ask', choice: -1, run: -1, before: open?.before ?? { preset, profile: check.profile, own } };
    history.replaceState(null, '', name ? `#guide=${name}` : location.pathname + location.search);
    go(0);
  }

  /** @param {number} step */
  function go(step) {
    if (!open) return;
    Object.assign(open, { step, stage: 'ask', choice: -1, run: -1 });
    draw();
    place.querySelector('h3')?.focus();
    place.scrollIntoView({ block: 'nearest' });
  }

  /** Sets up an experiment and runs it. @param {string | undefined} preset @param {{ [path: string]: unknown }[]} sets */
  function run(preset, sets) {
    const found = presets.find((one) => one.name === preset);
    if (!found) return `there is no experiment "${preset}"`;
    let profile = JSON.parse(found.profile);
    for (const set of sets) for (const [path, value] of Object.entries(set)) profile = write(profile, path, value);
    const wrong = actions.take({ preset: found.name, profile: JSON.stringify(profile), own: null }, 'a step of the guide');
    if (wrong) return wrong;
    if (open?.name) history.replaceState(null, '', `#guide=${open.name}`);
    const { check } = store.get();
    void actions.play(pace(JSON.parse(check.profile).run.duration_seconds, still()));
    return '';
  }

  function predict() {
    if (!open) return;
    const step = open.guide.steps[open.step];
    const wrong = run(step.preset, [step.set ?? {}]);
    if (wrong) store.update({ failure: `This step of the guide cannot be run: ${wrong}.` });
    else Object.assign(open, { stage: 'run', run: store.get().run });
    draw();
  }

  function attempt() {
    if (!open) return;
    const step = open.guide.steps[open.step];
    if (!step.try) return;
    const sets = step.try.preset ? [step.try.set ?? {}] : [step.set ?? {}, step.try.set ?? {}];
    const wrong = run(step.try.preset ?? step.preset, sets);
    if (wrong) store.update({ failure: `This cannot be run: ${wrong}.` });
    else Object.assign(open, { stage: 'tried', run: store.get().run });
    draw();
  }

  function look(/** @type {string} */ at) {
    const target = document.querySelector(`[data-chart="${CSS.escape(at)}"]`) ?? document.getElementById(at);
    if (!target) return;
    for (const one of document.querySelectorAll('.looked')) one.classList.remove('looked');
    target.scrollIntoView({ block: 'center', behavior: still() ? 'auto' : 'smooth' });
    target.classList.add('looked');
    setTimeout(() => target.classList.remove('looked'), 2500);
  }

  function leave() {
    open = null;
    place.hidden = true;
    history.replaceState(null, '', location.pathname + location.search);
    /** @type {HTMLElement | null} */ (entry.querySelector('button'))?.focus();
  }

  function back() {
    const before = open?.before;
    leave();
    if (!before) return;
    actions.take({ preset: before.preset, profile: before.profile, own: before.own }, 'going back from the guide');
  }

  function draw() {
    if (!open) return;
    const now = open;
    place.hidden = false;
    const { guide, stage } = now;
    const step = guide.steps[now.step];
    const last = now.step === guide.steps.length - 1;
    const button = (/** @type {string} */ name, /** @type {string} */ text, /** @type {() => void} */ act, kind = '', disabled = false) => element('button', { type: 'button', 'data-testid': name, class: kind, disabled, onclick: act }, text);
    const told = stage === 'told' || stage === 'tried';
    /** @type {HTMLElement[]} */
    const parts = [
      element('p', { class: 'soft small' }, `${guide.title} · step ${now.step + 1} of ${guide.steps.length}`),
      element('h3', { tabindex: -1 }, step.title), element('p', {}, step.text),
    ];
    const { question } = step;
    if (question) {
      const chosen = question.options[now.choice];
      parts.push(element('fieldset', { disabled: stage !== 'ask' }, element('legend', {}, question.ask), ...question.options.map((option, index) => {
        const id = `guide-option-${index}`;
        const input = element('input', { type: 'radio', name: 'guide-option', id, checked: index === now.choice, onchange: () => {
          now.choice = index;
          const go = place.querySelector('[data-testid="guide-run"]');
          if (go instanceof HTMLButtonElement) go.disabled = false;
        } });
        const mark = told && option.right ? ' ✓ this is what happens' : told && index === now.choice ? ' ✗ your guess' : '';
        return element('div', { class: 'option' }, input, element('label', { for: id }, option.text, mark ? element('strong', {}, mark) : null));
      })));
      if (told) parts.push(element('p', { class: `notice ${chosen?.right ? 'good' : chosen ? 'warn' : ''}`, 'data-testid': 'guide-answer', tabindex: -1 }, (chosen ?? question.options.find((option) => option.right))?.answer ?? ''));
    }
    if (told) {
      parts.push(element('p', { class: 'look' }, element('strong', {}, 'Look: '), step.look.words, ' ', button('guide-look', 'Show me', () => look(step.look.at), 'quiet')),
        element('p', {}, element('strong', {}, 'Why: '), step.explain));
      if (step.try) parts.push(element('p', {}, element('strong', {}, 'Now try: '), step.try.text, ' ', button('guide-try', stage === 'tried' ? 'Run it again' : 'Run it', attempt, 'quiet')));
    }
    const row = [];
    if (stage === 'ask') {
      row.push(button('guide-run', question ? 'Predict and run' : 'Run', predict, 'primary', question !== undefined && now.choice < 0));
      if (question) row.push(button('guide-skip', 'Run without a guess', predict));
    }
    if (stage === 'run') row.push(element('p', { role: 'status' }, 'Running: watch the charts below. The answer comes at the end.'));
    if (now.step > 0) row.push(button('guide-back', 'Back', () => go(now.step - 1)));
    if (told && !last) row.push(button('guide-next', 'Next', () => go(now.step + 1), 'primary'));
    if (told && last) row.push(button('guide-more', 'More guides', () => void list(), 'primary'));
    row.push(button('guide-leave', 'Leave, keep this experiment', leave));
    if (now.before.profile !== store.get().check.profile) row.push(button('guide-restore', 'Back to my experiment', back));
    parts.push(element('div', { class: 'row' }, ...row));
    const inside = place.contains(document.activeElement);
    body.replaceChildren(...parts);
    if (inside && !place.contains(document.activeElement)) /** @type {HTMLElement | null} */ (place.querySelector(told ? '[data-testid="guide-answer"], h3' : 'h3'))?.focus();
  }

  const unsubscribe = store.subscribe((state) => {
    if (!open || open.stage !== 'run') return;
    if (state.run !== open.run) {
      // Somebody changed the experiment: the question stands again.
      open.stage = 'ask';
      draw();
    } else if (state.phase === 'done') {
      open.stage = 'told';
      draw();
    }
  });
  return { show, unsubscribe };
}
