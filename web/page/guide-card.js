// Guided experiments: a question, a prediction, the run, what to look at, why, and what to try next.
//
//   list ──► step: asking ──► running ──► answered ──► next step … ──► end
//     ▲                  ▲        │ paused, ended by an edit, failed
//     └──── leave ───────┴────────┘
//
// A guide acts on the page's own experiment through the same actions as a person; what stood there before is kept. The ways in are in
// guide.js, which loads this only when it is asked for.

import { isCrash, replace } from '../engine/engine.js';
import { FIGURES, GuideError, MOST_TEXT, changed, expected, experiments, holds, pieces, readGuide, written } from '../shared/guide.js';
import { read } from '../shared/paths.js';
import { element, setText } from './dom.js';
import { curve, small, take } from './guide-chart.js';
import { refused, sweepOf } from './guide-sweep.js';

/** @typedef {import('../shared/guide.js').Guide} Guide */
/** @typedef {import('../shared/guide.js').Step} Step */
/** What came out of a run: figures by field, and what was drawn. @typedef {{ report: any, drawn: import('./guide-chart.js').Drawn }} Result */
/**
 * What has happened at a step.
 * @typedef {object} Record
 * @property {number | null} chosen the option that was chosen; null if none was
 * @property {'asking' | 'running' | 'answered'} status
 * @property {Result | null} result
 * @property {'no' | 'running' | 'done'} tried
 * @property {Result | null} second of the change to try
 * @property {ReturnType<typeof sweepOf> | null} sweep
 */
/** What plays for the guide; `seen` as soon as it has begun. @typedef {{ index: number, what: 'main' | 'try', profile: string, seen: boolean, trouble: 'paused' | 'ended' | 'failed' | '' }} Going */

const FILES = import.meta.glob('../guides/*.json', { query: '?raw', import: 'default' });
/** The guides by name, in the order of their files: 3-retry-storm.json is "retry-storm". @type {Map<string, () => Promise<string>>} */
const GUIDES = new Map(Object.entries(FILES).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })).map(([file, load]) => [file.replace(/^.*\/(\d+-)?/, '').replace('.json', ''), load]));

const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** @param {string} name @param {string} words @param {() => void} act @param {string} [kind] */
const button = (name, words, act, kind) => element('button', { type: 'button', 'data-testid': `guide-${name}`, class: kind, onclick: act }, words);
/** Text with stressed words. @param {string} words */
const rich = (words) => pieces(words).map(({ text, stressed }) => (stressed ? element('em', {}, text) : text));
/** @param {string[]} texts @param {string} [kind] */
const paragraphs = (texts, kind) => texts.map((one) => element('p', { class: kind }, ...rich(one)));

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, engine: import('../engine/engine.js').Engine, presets: import('../engine/engine.js').PresetInfo[] }} given
 */
export function card(place, store, { actions, engine, presets }) {
  /** @type {'closed' | 'list' | 'loading' | 'wrong' | 'step' | 'end' | 'left'} */
  let view = 'closed';
  /** @type {{ name: string, guide: Guide } | null} */
  let open = null;
  let index = 0;
  /** @type {Record[]} */
  let records = [];
  /** @type {Going | null} */
  let going = null;
  /** The last experiment that a guide has set. */
  const set = () => store.get().before?.set ?? '';
  /** @type {{ title: string, problems: import('../shared/guide.js').Problem[] }} */
  let wrong = { title: '', problems: [] };
  /** What is drawn while something plays. @type {(() => void) | null} */
  let live = null;
  /** A late answer of an earlier request for a guide is dropped by its number. */
  let asked = 0;
  let entering = false;
  const refresh = () => live?.();
  const title = element('h2', { id: 'guide-title', tabindex: -1 });
  const body = element('div', { class: 'guide-body' });
  place.classList.add('guide');
  place.replaceChildren(title, body);

  // ---- What is open

  /** @param {string} name */
  async function openByName(name) {
    const load = GUIDES.get(name);
    if (!load) {
      show('list');
      if (name) tell(`There is no guide "${name}". These there are:`);
      return;
    }
    const number = ++asked;
    show('loading');
    try {
      const text = await load();
      if (number === asked) openText(text, name, 'This guide');
    } catch (error) {
      if (number !== asked) return;
      wrong = { title: 'The guide could not be loaded', problems: [{ place: '', message: `${error instanceof Error ? error.message : error}. Check the connection and try again.` }] };
      show('wrong');
    }
  }

  /** @param {string} text @param {string} name @param {string} source how the file is called when something is wrong with it */
  function openText(text, name, source) {
    try {
      const read = readGuide(text);
      const problems = refused(engine, presets, read, experiments);
      if (problems.length) throw new GuideError(problems);
      leaveRun();
      open = { name, guide: read };
      records = read.steps.map(() => ({ chosen: null, status: 'asking', result: null, tried: 'no', second: null, sweep: null }));
      index = 0;
      show('step');
    } catch (error) {
      if (!(error instanceof GuideError)) throw error;
      wrong = { title: `${source} cannot be opened`, problems: error.problems };
      show('wrong');
    }
  }

  /** @param {File | undefined} file */
  async function openFile(file) {
    if (!file) return;
    const number = ++asked;
    if (file.size > 4 * MOST_TEXT) {
      wrong = { title: `“${file.name}” cannot be opened`, problems: [{ place: '', message: `found ${file.size} bytes, accepted: a guide of at most ${MOST_TEXT} characters` }] };
      show('wrong');
      return;
    }
    try {
      const text = await file.text();
      if (number !== asked) return;
      openText(text, '', `“${file.name}”`);
      if (location.hash.startsWith('#guide')) history.replaceState(null, '', location.pathname + location.search);
    } catch (error) {
      wrong = { title: `“${file.name}” cannot be read`, problems: [{ place: '', message: String(error instanceof Error ? error.message : error) }] };
      show('wrong');
    }
  }

  // ---- Runs

  const step = () => /** @type {Step} */ (open?.guide.steps[index]);
  const record = () => records[index];

  /** Keeps what the person had, unless it is what a guide has put there. */
  function keep() {
    const { preset, check, own, draft, speed } = store.get();
    if (check.profile === set()) return;
    store.update({ before: { preset, profile: check.profile, own, draft, speed, set: '' } });
  }

  /** @param {'main' | 'try'} what */
  async function begin(what) {
    const now = step();
    const preset = presets.find((one) => one.name === now.preset);
    if (!preset) return;
    keep();
    const profile = JSON.stringify(changed(JSON.parse(preset.profile), now.set, what === 'try' ? (now.then?.set ?? {}) : {}));
    actions.pause();
    actions.reset();
    const speed = (what === 'try' ? now.then?.speed : now.run?.speed) ?? Infinity;
    const problem = actions.take({ preset: now.preset, profile, own: null }, `${now.title}, of a guide`);
    const { before, check } = store.get();
    if (before) store.update({ before: { ...before, set: check.profile } });
    const mine = (going = { index, what, profile: check.profile, seen: false, trouble: problem ? 'failed' : '' });
    if (what === 'try') record().tried = 'running';
    else Object.assign(record(), { status: 'running', result: null, tried: 'no', second: null });
    draw();
    if (problem) {
      store.update({ failure: problem });
      return;
    }
    actions.setSpeed(speed);
    await actions.play(speed);
    // Asked whether so long a run should begin, the person may have said no.
    if (going === mine && store.get().phase === 'ready') troubled('ended');
    else watch(store.get());
  }

  /** @param {Going['trouble']} trouble */
  function troubled(trouble) {
    if (!going || going.trouble === trouble) return;
    going.trouble = trouble;
    draw();
  }

  /** Follows the run that plays for the guide. @param {import('./store.js').State} state */
  function watch(state) {
    if (!going) return;
    if (state.check.profile !== going.profile) return troubled('ended');
    if (state.phase === 'error') return troubled('failed');
    if (state.phase === 'ready') return going.seen ? troubled('ended') : undefined;
    going.seen = true;
    if (state.phase === 'paused') return troubled('paused');
    if (state.phase === 'running') return troubled('');
    if (state.phase !== 'done' || !state.report) return;
    const { index: at, what } = going;
    const of = open?.guide.steps[at];
    const kept = records[at];
    going = null;
    if (!of || !kept) return;
    const result = { report: state.report, drawn: take(of.look?.at ?? 'queue', actions.series, state.profile) };
    if (what === 'try') Object.assign(kept, { tried: 'done', second: result });
    else Object.assign(kept, { status: 'answered', result });
    if (view === 'step' && at === index) draw();
  }

  async function beginSweep() {
    const preset = presets.find((one) => one.name === step().preset);
    const mine = record();
    if (!preset) return;
    mine.sweep ??= sweepOf(engine, step(), preset.profile);
    mine.status = 'running';
    draw();
    const { sweep } = mine;
    let trouble = '';
    try {
      await sweep.go(refresh);
    } catch (error) {
      if (isCrash(error)) {
        replace();
        actions.reset();
      }
      trouble = error instanceof Error ? error.message : String(error);
    }
    mine.status = 'answered';
    if (record() !== mine || view !== 'step') return;
    draw();
    if (trouble) tell(`A run failed: ${trouble}. What had been run stays.`);
  }

  /** The run on the page goes on; the guide does not follow it any more. */
  function leaveRun() {
    going = null;
    for (const { sweep } of records) sweep?.stop();
  }

  function restore() {
    const { before } = store.get();
    if (!before) return;
    const { preset, profile, own, draft, speed } = before;
    store.update({ before: null });
    leaveRun();
    actions.pause();
    actions.reset();
    const wrong = actions.take({ preset, profile, own: store.get().owned.some((one) => one.name === own) ? own : null }, 'going back from a guide');
    if (wrong) actions.say({ words: `What you had before the guide cannot be brought back: ${wrong}.`, until: 'edit' });
    // An edit that had been refused comes back as the draft it was.
    if (draft !== null) actions.setText(draft);
    actions.setSpeed(speed);
  }

  // ---- Moving about

  /** @param {typeof view} next */
  function show(next) {
    view = next;
    draw();
    place.scrollIntoView({ block: 'start', behavior: still() ? 'auto' : 'smooth' });
  }

  /** @param {number} to */
  function go(to) {
    if (going) leaveRun();
    if (records[index]?.status === 'running') {
      records[index].sweep?.stop();
      records[index].status = 'asking';
    }
    if (records[index]?.tried === 'running') records[index].tried = 'no';
    index = to;
    show(open && to >= open.guide.steps.length ? 'end' : 'step');
  }

  function leave() {
    asked++;
    leaveRun();
    open = null;
    records = [];
    if (location.hash.startsWith('#guide')) history.replaceState(null, '', location.pathname + location.search);
    const { before, check } = store.get();
    const theirs = before && before.profile !== check.profile;
    if (!theirs) store.update({ before: null });
    view = theirs ? 'left' : 'closed';
    draw();
    if (!theirs) document.getElementById('guides')?.focus();
  }

  /** @param {string} words */
  function tell(words) {
    body.prepend(element('p', { class: 'notice warn', role: 'alert', 'data-testid': 'guide-told' }, words));
  }

  // ---- Drawing: everything anew when something changes, and only the small chart while a run plays

  function draw() {
    const focused = place.contains(document.activeElement);
    live = null;
    place.hidden = view === 'closed';
    place.dataset.view = view;
    title.textContent = view === 'step' || view === 'end' ? (open?.guide.title ?? '') : view === 'left' ? 'You have left the guide' : 'Guided experiments';
    const parts = { closed: () => [], list: drawList, loading: () => [element('p', { role: 'status', 'data-testid': 'guide-loading' }, 'Loading …')], wrong: drawWrong, step: drawStep, end: drawEnd, left: drawLeft };
    body.replaceChildren(...parts[view]());
    refresh();
    // Focus goes to what is new, and is never taken from elsewhere.
    if (view !== 'closed' && (focused || entering)) {
      const target = /** @type {HTMLElement | null} */ (place.querySelector('[data-focus]')) ?? title;
      target.focus({ preventScroll: true });
      if (target !== title && !entering) target.scrollIntoView({ block: 'nearest', behavior: still() ? 'auto' : 'smooth' });
    }
    if (view !== 'loading') entering = false;
  }

  /** The card is opened from elsewhere on the page: it gets the focus as soon as there is something to read. @param {() => void} act */
  function enter(act) {
    entering = true;
    act();
  }

  const leaving = () => button('leave', view === 'step' || view === 'end' ? 'Leave the guide' : 'Close', leave, 'quiet');

  /** @returns {Node[]} */
  function drawList() {
    const list = element('ol', { class: 'guide-list', role: 'list', 'data-testid': 'guide-list' });
    const said = element('p', { class: 'soft small', role: 'status' }, 'Loading …');
    void Promise.all([...GUIDES].map(async ([name, load]) => {
      const text = await load();
      const { title: words, summary, minutes } = readGuide(text);
      const file = element('button', { type: 'button', class: 'quiet', 'aria-label': `Save its file: ${words}`, onclick: () => save(name, text) }, 'Save its file');
      return element('li', {}, element('a', { href: `#guide=${name}` }, words), element('p', { class: 'small' }, summary), element('span', { class: 'soft small' }, minutes === 1 ? '1 minute' : `${minutes} minutes`), ' ', file);
    })).then((items) => {
      list.replaceChildren(...items);
      said.remove();
    }, (error) => setText(said, `The guides could not be loaded: ${error instanceof Error ? error.message : error}.`));
    return [head(), element('p', {}, 'Each asks what you expect, runs the experiment, and says why it came out as it did. No knowledge of queues is needed.'), said, list, drawOwn()];
  }

  /** A teacher's own file. */
  function drawOwn() {
    const input = element('input', { type: 'file', accept: '.json,application/json', id: 'guide-file', 'data-testid': 'guide-file', onchange: () => enter(() => void openFile(input.files?.[0])) });
    return element('div', { class: 'guide-own' }, element('label', { for: 'guide-file' }, 'A guide of your own'), input,
      element('p', { class: 'soft small' }, 'Choose a file, or drop it here. A guide is a plain JSON file: save one of those in the list, and change it.'));
  }

  /** @returns {Node[]} */
  function drawWrong() {
    return [head(), element('div', { class: 'notice bad', role: 'alert', 'data-testid': 'guide-wrong' }, element('strong', {}, wrong.title),
      element('ul', {}, ...wrong.problems.slice(0, 20).map((one) => element('li', {}, ...(one.place ? [element('code', {}, one.place), ': '] : []), one.message))),
      ...(wrong.problems.length > 20 ? [element('p', {}, `And ${wrong.problems.length - 20} more.`)] : [])),
    drawOwn(), element('div', { class: 'row' }, button('all', 'All guides', () => show('list')))];
  }

  /** @returns {Node[]} */
  function drawLeft() {
    return [element('p', {}, 'The guide’s experiment stays on the page. Yours from before is kept until you decide.'),
      element('div', { class: 'row' }, button('restore', 'Back to my experiment', () => {
        restore();
        view = 'closed';
        draw();
        document.getElementById('guides')?.focus();
      }, 'primary'), button('stay', 'Keep this one', () => {
        store.update({ before: null });
        view = 'closed';
        draw();
        document.getElementById('guides')?.focus();
      }))];
  }

  /** @returns {Node[]} */
  function drawEnd() {
    const names = [...GUIDES.keys()];
    const next = open?.name ? names[names.indexOf(open.name) + 1] : undefined;
    const asked = records.filter((one, at) => open?.guide.steps[at].question && one.chosen !== null);
    const right = records.filter((one, at) => one.chosen !== null && open?.guide.steps[at].question?.options[one.chosen].right).length;
    return [head(), element('h3', { tabindex: -1, 'data-focus': true }, 'That was it'),
      ...(asked.length ? [element('p', {}, `You expected ${right} of ${asked.length} ${asked.length === 1 ? 'result' : 'results'}. Most people are wrong about queues at first.`)] : []),
      element('p', {}, 'The experiment stays on the page: change it as you like.'),
      element('div', { class: 'row' }, ...(next ? [button('follow', 'Next guide', () => {
        history.replaceState(null, '', `#guide=${next}`);
        enter(() => void openByName(next));
      }, 'primary')] : []), button('all', 'All guides', () => show('list')), button('back', 'Back', () => go(index - 1)),
      ...(store.get().before ? [button('restore', 'Back to my experiment', () => {
        restore();
        leave();
      })] : []))];
  }

  /** The line above everything else. */
  function head() {
    const at = view === 'step' && open ? element('span', { class: 'soft small', 'data-testid': 'guide-progress' }, `Step ${index + 1} of ${open.guide.steps.length}`) : '';
    return element('div', { class: 'guide-head' }, at, leaving());
  }

  /** @returns {Node[]} */
  function drawStep() {
    const now = step();
    const { status } = record();
    /** @type {Node[]} */
    const parts = [head(), element('h3', { tabindex: -1, ...(status === 'asking' ? { 'data-focus': true } : {}) }, now.title)];
    parts.push(...paragraphs(now.text, status === 'asking' ? '' : 'soft small'));
    if (status === 'asking') parts.push(...drawQuestion(now));
    else {
      if (now.question) parts.push(drawChoice(now));
      parts.push(...(now.sweep ? drawSweep(now) : status === 'running' ? drawRunning('main') : drawAnswer(now)));
    }
    parts.push(drawWays());
    return parts;
  }

  /** @param {Step} now @returns {Node[]} */
  function drawQuestion(now) {
    const begun = () => void (now.sweep ? beginSweep() : begin('main'));
    if (!now.run && !now.sweep) return paragraphs(now.explanation);
    const words = now.sweep ? `${now.sweep.values.length * now.sweep.seeds.length * now.sweep.cases.length} short runs, beside the experiment on the page.`
      : store.get().before ? '' : 'The run takes the place of the experiment on the page. Yours is kept, and you can go back to it.';
    const note = words ? [element('p', { class: 'soft small' }, words)] : [];
    if (!now.question) return [element('div', { class: 'row' }, button('run', 'Run it', begun, 'primary')), ...note];
    const missing = element('p', { class: 'problem', role: 'alert', id: 'guide-missing' });
    const radios = now.question.options.map((option, which) => element('input', { type: 'radio', name: 'guide-option', id: `guide-option-${which}`, value: which, checked: record().chosen === which, onchange: () => {
      record().chosen = which;
      setText(missing, '');
    } }));
    const form = element('form', { class: 'guide-question', 'data-testid': 'guide-question', onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      if (record().chosen === null) {
        setText(missing, 'Choose what you expect first, or skip the question.');
        radios[0].focus();
      } else begun();
    } },
    element('fieldset', { 'aria-describedby': 'guide-missing' }, element('legend', {}, ...rich(now.question.text)),
      ...now.question.options.map((option, which) => element('label', { for: `guide-option-${which}` }, radios[which], element('span', {}, ...rich(option.text))))),
    missing,
    element('div', { class: 'row' }, element('button', { class: 'primary', 'data-testid': 'guide-predict' }, 'Predict and run'), button('skip', 'Skip the question, run', () => {
      record().chosen = null;
      begun();
    }, 'quiet')));
    return [form, ...note];
  }

  /** What was chosen; after the run, whether it came so. @param {Step} now */
  function drawChoice(now) {
    const { chosen, status } = record();
    const options = now.question?.options ?? [];
    const right = options.findIndex((one) => one.right);
    if (status === 'running') return element('p', { class: 'guide-said' }, chosen === null ? 'You skipped the question.' : `You expect: ${plain(options[chosen].text)}`);
    const verdict = chosen === null ? 'What happened' : chosen === right ? '✓ As you expected' : '✗ It came out differently';
    return element('div', { class: `notice ${chosen === right ? 'good' : chosen === null ? '' : 'warn'}`, 'data-testid': 'guide-verdict' },
      element('h4', { tabindex: -1, ...(record().tried === 'no' ? { 'data-focus': true } : {}) }, verdict),
      element('p', {}, ...rich(options[chosen ?? right].feedback)),
      ...(chosen === right ? [] : [element('p', { class: 'small' }, `Right is: ${plain(options[right].text)}`)]));
  }

  /** @param {'main' | 'try'} what @returns {Node[]} */
  function drawRunning(what) {
    const trouble = going?.trouble ?? 'ended';
    const words = { '': 'Running …', paused: 'Paused', ended: 'The experiment was changed or reset, so this run is over.', failed: store.get().failure || 'The run failed.' }[trouble];
    const heading = element('h4', { tabindex: -1, 'data-focus': true, 'data-testid': 'guide-running' }, words);
    const bar = element('progress', { max: 1, value: 0, 'aria-label': 'Progress of the run' });
    const chart = small();
    live = () => {
      const { frame, profile } = store.get();
      if (!going || going.trouble === 'ended') return;
      bar.value = frame?.progress ?? 0;
      chart.draw(take(step().look?.at ?? 'queue', actions.series, profile));
    };
    const buttons = trouble === '' ? [button('finish', 'Finish at once', () => actions.setSpeed(Infinity))]
      : trouble === 'paused' ? [button('resume', 'Go on', () => void actions.play(), 'primary')]
      : [button('again', 'Run it again', () => void begin(what), 'primary')];
    return [element('div', { class: 'guide-run' }, heading, bar, ...(trouble === 'ended' || trouble === 'failed' ? [] : [chart.figure]), element('div', { class: 'row' }, ...buttons))];
  }

  /** @param {Step} now @returns {Node[]} */
  function drawAnswer(now) {
    const { result, tried, second } = record();
    if (!result) return [];
    /** @type {Node[]} */
    const parts = [];
    if (!now.question) parts.push(element('h4', { tabindex: -1, ...(tried === 'no' ? { 'data-focus': true } : {}) }, 'What happened'));
    const chart = small();
    const moment = now.look?.seconds ?? null;
    parts.push(drawFigures(now.figures, result.report), chart.figure);
    const drawings = [() => chart.draw(result.drawn, moment)];
    // After the change the page shows the second run.
    const shows = now.look && store.get().check.profile === set() ? [' ', button('look', 'Show it on the page', () => point(/** @type {any} */ (now.look), tried === 'no'), 'quiet')] : [];
    if (now.look) parts.push(element('p', {}, ...rich(now.look.text), ...(tried === 'no' ? shows : [])));
    parts.push(...paragraphs(now.explanation));
    if (now.then) {
      const box = element('div', { class: 'guide-try' }, element('h4', { ...(tried === 'no' ? {} : { tabindex: -1 }) }, 'Now try'), element('p', {}, ...rich(now.then.text)));
      if (tried === 'no') box.append(element('div', { class: 'row' }, button('try', 'Change it and run', () => void begin('try'))));
      else if (tried === 'running') {
        box.append(...drawRunning('try'));
        if (live) drawings.push(live);
      } else if (second) {
        const after = small();
        box.append(element('h4', { tabindex: -1, 'data-focus': true }, 'What happened'), element('p', {}, ...rich(now.then.expect)), drawFigures(now.then.figures, second.report, result.report), after.figure, element('p', {}, ...shows));
        drawings.push(() => after.draw(second.drawn));
      }
      parts.push(box);
    }
    live = () => drawings.forEach((one) => one());
    return parts;
  }

  /** @param {Step} now @returns {Node[]} */
  function drawSweep(now) {
    const { status, sweep } = record();
    if (!now.sweep || !sweep) return [];
    const chart = curve(now.sweep);
    const heading = element('h4', { tabindex: -1, ...(status === 'running' || !now.question ? { 'data-focus': true } : {}) });
    const bar = element('progress', { max: sweep.total, value: 0, 'aria-label': 'Runs done' });
    live = () => {
      setText(heading, status === 'running' ? `Running: ${sweep.points.length} of ${sweep.total}` : sweep.points.length < sweep.total ? `Stopped after ${sweep.points.length} of ${sweep.total} runs` : `${sweep.total} runs`);
      bar.value = sweep.points.length;
      chart.draw(sweep.points);
    };
    return [element('div', { class: 'guide-run' }, heading, ...(status === 'running' ? [bar] : []), chart.figure,
      element('div', { class: 'row' }, ...(status === 'running' ? [button('stop', 'Stop', () => sweep.stop())] : sweep.points.length < sweep.total ? [button('resume', 'Go on', () => void beginSweep(), 'primary')] : []))),
    ...(status === 'running' ? [] : paragraphs(now.explanation))];
  }

  /** Figures of a run, those of the run before beside them, and whether the guide was right about them. @param {import('../shared/guide.js').Figure[]} figures @param {any} report @param {any} [earlier] */
  function drawFigures(figures, report, earlier) {
    return element('dl', { class: 'guide-figures', 'data-testid': 'guide-figures' }, ...figures.flatMap((one) => {
      const wording = written(one.field, read(report, one.field));
      const was = earlier === undefined ? '' : written(one.field, read(earlier, one.field));
      const notes = [was && was !== wording ? `before: ${was}` : '', holds(one, report) ? '' : `this guide expects ${expected(one)}; this run is different`].filter(Boolean);
      return [element('div', {}, element('dt', {}, one.label || FIGURES[one.field][0]), element('dd', { 'data-field': one.field, 'data-holds': String(holds(one, report)) }, wording, ...(notes.length ? [element('span', { class: 'soft small' }, ` ${notes.join('; ')}`)] : [])))];
    }));
  }

  /** Back, next, and to the end. */
  function drawWays() {
    const last = open && index === open.guide.steps.length - 1;
    const { status } = record();
    const settled = status === 'answered' || (!step().run && !step().sweep);
    return element('div', { class: 'row guide-ways' }, ...(index > 0 ? [button('back', 'Back', () => go(index - 1))] : []),
      button('next', last ? 'Finish' : settled ? 'Next step' : 'Skip this step', () => go(index + 1), settled ? 'primary' : 'quiet'));
  }

  /** Leads to what is to be looked at, and marks it for a moment. @param {import('../shared/guide.js').Look} look @param {boolean} first whether the page shows the run that the moment is of */
  function point({ at, seconds }, first) {
    const target = /** @type {HTMLElement | null} */ (document.querySelector(`[data-chart="${at}"]`) ?? document.getElementById(at));
    if (!target) return;
    const { report, check } = store.get();
    if (first && seconds !== null && report && check.profile === set()) void actions.lookAt(seconds);
    if (!target.hasAttribute('tabindex')) target.tabIndex = -1;
    target.classList.add('pointed');
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: 'center', behavior: still() ? 'auto' : 'smooth' });
    setTimeout(() => target.classList.remove('pointed'), 4000);
  }

  // ---- Files that are dropped here

  const dragged = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    place.classList.toggle('dropping', event.type === 'dragover');
    if (event.type === 'drop') enter(() => void openFile(event.dataTransfer?.files[0]));
  };
  for (const kind of /** @type {const} */ (['dragover', 'dragleave', 'drop'])) place.addEventListener(kind, dragged);
  const resizer = new ResizeObserver(refresh);
  resizer.observe(place);
  draw();
  store.subscribe((state) => {
    watch(state);
    if (going) refresh();
  });
  return {
    /** Opens a guide by its name; without one, the list of all. @param {string} name */
    open: (name) => enter(() => void (name ? openByName(name) : show('list'))),
    /** The way back to what stood here before, if nothing else is open. */
    offer() {
      if (view !== 'closed') return;
      view = 'left';
      draw();
    },
  };
}

/** A text without its marks. @param {string} words */
const plain = (words) => pieces(words).map(({ text }) => text).join('');

/** @param {string} name @param {string} text */
function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  element('a', { href: address, download: `${name}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
