// The verdict: a sentence first, then what it rests on. Every moment leads to the charts.

import * as format from '../shared/format.js';
import { tone } from '../shared/outcome.js';
import { element, setText } from './dom.js';
import { shown } from './store.js';

/** @typedef {import('../engine/engine.js').Report} Report */
/** @typedef {import('../engine/engine.js').Transition} Transition */
/** @typedef {import('../engine/engine.js').Episode} Episode */
/** @typedef {import('../engine/engine.js').State} State */

/** What is announced while a run plays comes no more often than this. */
const ANNOUNCE_MS = 4000;
/** More transitions than these are counted, and not listed. */
const MOST_LISTED = 500;
/** The worst first, as the verdict speaks of them. @type {State[]} */
const STATES = ['COLLAPSED', 'DEGRADED', 'STABLE'];
/** @type {Record<string, string>} */
const RULES = { queue_growth: 'queue growth', latency_growth: 'latency growth', saturation: 'saturation', recovered: 'release' };
/** @type {Record<string, string>} */
const PHASES = { 'warm-up': 'start-up, not counted', counted: 'counted time' };
/** @type {Record<string, string>} */
const WHEN = { 'warm-up': ', during start-up', trigger: ', during the trigger', counted: '' };
/** What a rule saw, in this order, in words and with its unit. @type {Record<string, [string, (value: number) => string]>} */
const VALUES = {
  derivative: ['dQ/dt', (value) => `${value < 0 ? '' : '+'}${format.rate(value)}`],
  growth_seconds: ['grew for', (value) => `${format.number(value)} s`],
  growth_ticks: ['growing ticks in a row', format.count],
  saturation: ['queue full to', (value) => format.percent(value, 1)],
  mean_saturation: ['mean saturation', (value) => format.percent(value, 1)],
  threshold: ['threshold', (value) => format.percent(value, 1)],
  p95_before_seconds: ['p95 before', format.time],
  samples_before: ['n before', format.count],
  p95_seconds: ['p95', format.time],
  samples: ['n', format.count],
};

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {import('./conductor.js').Actions} actions
 */
export function verdict(place, store, actions) {
  const badge = element('span', { class: 'badge' });
  const final = element('span', { 'data-testid': 'state', class: 'visually-hidden' });
  const words = element('p', { class: 'words', 'data-testid': 'verdict-words' });
  const looking = element('p', { class: 'soft small', 'data-testid': 'verdict-moment', hidden: true });
  const recovery = element('p', { 'data-testid': 'recovery', hidden: true });
  const facts = element('dl', { class: 'facts', 'data-testid': 'facts', hidden: true });
  const count = element('summary');
  const list = element('ol', { class: 'evidence small', tabindex: 0, 'aria-label': 'Transitions of the detector', 'data-testid': 'evidence' });
  const rest = element('p', { class: 'soft small', hidden: true });
  const details = element('details', { class: 'transitions', hidden: true, ontoggle: () => listTransitions(store.get()) }, count, list, rest);
  const spoken = element('p', { class: 'visually-hidden', role: 'status', 'data-testid': 'announcement' });
  const said = element('div', { class: 'said' }, words, looking);
  place.append(element('div', { class: 'verdict' }, element('div', {}, badge, final), said), recovery, facts, details, spoken);

  const announce = announcer(spoken);
  /** @param {number} seconds */
  const moment = (seconds) => element('button', {
    type: 'button', class: 'moment', 'aria-label': `Look at ${format.moment(seconds)} on the charts`, 'data-seconds': seconds,
    onclick: () => {
      void actions.lookAt(seconds);
      const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
      /** @type {Document | ShadowRoot} */ (place.getRootNode()).getElementById('charts')?.scrollIntoView({ behavior, block: 'start' });
    },
  }, format.moment(seconds));

  /** @type {Report | null} */
  let told = null;
  /** The transitions that are listed. @type {Transition[]} */
  let listed = [];

  /** @param {import('./store.js').State} state */
  function listTransitions({ report, transitions, phase }) {
    const all = report ? report.evidence : transitions;
    const number = all.length + (report?.evidence_dropped ?? 0);
    details.hidden = phase === 'ready' || (phase === 'error' && number === 0);
    setText(count, number === 0 ? 'Evidence: no transitions' : `Evidence: ${format.count(number)} transition${number === 1 ? '' : 's'}`);
    list.hidden = number === 0;
    if (!details.open) return;
    const most = Math.min(all.length, MOST_LISTED);
    // A list that goes on only grows; another one starts anew.
    if (listed.length > most || listed.some((one, index) => one.at_seconds !== all[index].at_seconds)) {
      listed = [];
      list.replaceChildren();
    }
    for (const one of all.slice(listed.length, most)) list.append(transition(one, moment));
    listed = all.slice(0, most);
    rest.hidden = number <= most;
    setText(rest, rest.hidden ? '' : `${format.count(number - most)} later ones are counted, and not listed.`);
  }

  return store.subscribe((state) => {
    const { report, phase } = state;
    const frame = shown(state);
    const { moment: past } = state;
    const whole = past === null ? report : null;
    const now = whole ? (whole.state ?? whole.worst_state) : frame?.picture.state;
    setText(badge, now ? (whole && !whole.state ? `worst: ${now}` : now) : whole ? 'NO VERDICT' : phase === 'error' ? 'NO RESULT' : frame ? 'NO DETECTOR' : 'NOT RUN YET');
    badge.dataset.state = now ?? '';
    setText(final, report ? (report.state ?? '—') : '—');
    const before = past === null ? state.transitions : state.transitions.filter((step) => step.at_seconds <= past);
    const last = before.at(-1);
    // Room for the longest sentence while they change, and no more when the last one stands.
    said.classList.toggle('changes', !whole);
    setText(words, format.bound(whole ? whole.headline
      : phase === 'error' ? 'There is no result; the message above says why.'
      : last ? last.text
      : frame ? (frame.picture.state ? 'The detector has seen nothing to report so far.' : 'The detector is off, so that there is no verdict.')
      : 'Press Run. The verdict says whether the system stays stable, degrades or collapses, when, and by which rule.'));
    looking.hidden = past === null;
    setText(looking, past === null ? '' : format.bound(`This is ${format.moment(past)}, which is looked at. ${report ? `The whole run: ${report.headline}` : 'The run is not over.'}`));

    const back = report?.recovery;
    recovery.hidden = !back;
    recovery.className = `notice ${back ? tone(back) : ''}`;
    setText(recovery, format.bound(back?.text ?? ''));
    if (report !== told) {
      told = report;
      facts.hidden = !report;
      facts.replaceChildren(...(report ? tell(report, moment) : []));
    }
    listTransitions(state);
    if (phase === 'ready' || phase === 'error') announce('', true);
    else if (report) announce(report.headline, true);
    else if (last && phase === 'running' && past === null) announce(last.text);
  });
}

/**
 * Says events to whoever listens: politely, each once, and rarely.
 * @param {HTMLElement} spoken
 */
function announcer(spoken) {
  let before = -Infinity;
  let timer = 0;
  let latest = '';
  const say = () => {
    timer = 0;
    before = performance.now();
    setText(spoken, latest);
  };
  /** @param {string} text @param {boolean} [ends] nothing that still waits is said after this */
  return (text, ends = false) => {
    if (text === latest) return;
    latest = text;
    const wait = before + ANNOUNCE_MS - performance.now();
    if (ends || wait <= 0) {
      clearTimeout(timer);
      say();
      if (text === '') before = -Infinity;
    } else if (!timer) timer = setTimeout(say, wait);
  };
}

/**
 * One transition: what happened, and by what.
 * @param {Transition} one
 * @param {(seconds: number) => HTMLElement} moment
 */
function transition(one, moment) {
  const names = [...Object.keys(VALUES).filter((name) => name in one.values), ...Object.keys(one.values).filter((name) => !(name in VALUES))];
  const values = names.map((name) => {
    const [words, write] = VALUES[name] ?? [name.replaceAll('_', ' '), format.number];
    return `${words} ${write(one.values[name])}`;
  });
  const by = [`rule: ${RULES[one.rule]}`, `window: ${one.window_seconds} s`, PHASES[one.phase], ...values];
  return element('li', {}, moment(one.at_seconds), ' ', element('strong', { text: `${one.from} → ${one.to}` }), element('br'), by.join(' · '));
}

/**
 * What the verdict rests on, as terms and their descriptions.
 * @param {Report} report
 * @param {(seconds: number) => HTMLElement} moment
 */
function tell(report, moment) {
  /** @type {[string, (Node | string)[]][]} */
  const rows = [];
  const { counted_seconds: counted, recovery, detector_quality: quality, latency_undefined: undefinedFor } = report;
  if (report.worst_state) {
    rows.push(['Share of time', [shares(report), ` from ${format.moment(counted.from)} to ${format.moment(counted.to)}; at the end ${report.final_state}, worst at any time ${report.worst_state}.`]]);
  }
  if (report.worst_state && /** @type {any} */ (report.profile).queue.capacity === null) rows.push(['Saturation', ['not applicable, nor are the rules made of it: the queue is unbounded.']]);
  const decisive = report.episodes.find((one) => one.decisive);
  if (decisive) {
    const down = decisive.tripped_by === 'recovered';
    rows.push([down ? 'Entered' : 'Tripped', [down ? `from ${decisive.from_state} at ` : `by ${RULES[decisive.tripped_by]} at `, moment(decisive.from_seconds), `${WHEN[decisive.phase]}; the rule looks back ${decisive.window_seconds} s.`]]);
    if (decisive.held_because) rows.push(['Held', [`because ${decisive.held_because}.`]]);
    rows.push(['Lasted', decisive.to_seconds === null ? ['to the end.'] : ['until ', moment(decisive.to_seconds), '.']]);
  }
  const early = report.episodes.filter((one) => one.start_up);
  if (early.length) rows.push(['Start-up', [...episodes(early, moment), '; not counted.']]);
  const others = report.episodes.filter((one) => one !== decisive && !one.start_up);
  if (others.length) rows.push([decisive ? 'Other times' : 'Times', [...episodes(others.slice(0, MOST_TIMES), moment), others.length > MOST_TIMES || report.episodes_dropped ? `, and ${format.count(others.length - Math.min(others.length, MOST_TIMES) + report.episodes_dropped)} more.` : '.']]);
  if (recovery) {
    const [from, to] = recovery.trigger_seconds;
    rows.push(['Trigger', ['from ', moment(from), ' to ', moment(to), ...(recovery.seconds_after_trigger === null ? ['.'] : ['; as healthy as without it again at ', moment(to + recovery.seconds_after_trigger), '.'])]]);
  }
  if (quality) rows.push(['Detector', [quality.text]]);
  rows.push(['Errors', report.errors.length ? [errors(report)] : [report.requests.created ? 'None.' : 'No request was created in the counted time.']]);
  if (undefinedFor.seconds > 0) {
    rows.push(['Without p95', [`for ${format.number(undefinedFor.seconds)} s of the counted time: too few answers in the window to tell${undefinedFor.stalled_seconds > 0 ? `; of that, ${format.number(undefinedFor.stalled_seconds)} s without any answer while requests waited or were served` : ''}.`]]);
  }
  return rows.flatMap(([term, described]) => [element('dt', { text: term }), element('dd', {}, ...described.map((part) => (typeof part === 'string' ? format.bound(part) : part)))]);
}

/** So many other episodes are told by their moments. */
const MOST_TIMES = 6;

/** @param {Episode[]} told @param {(seconds: number) => HTMLElement} moment @returns {(Node | string)[]} */
function episodes(told, moment) {
  return told.flatMap((one, index) => [
    index ? ', ' : '', `${one.state} from `, moment(one.from_seconds),
    ...(one.to_seconds === null ? [' to the end'] : [' to ', moment(one.to_seconds)]),
  ]);
}

/** The share of each state: a bar, each part with a pattern of its own, and the same as text. @param {Report} report */
function shares(report) {
  const bar = element('div', { class: 'shares', 'aria-hidden': true });
  const key = element('ul', { class: 'key', 'aria-label': 'Share of the counted time in each state' });
  for (const state of STATES) {
    const share = report.state_share[state];
    const part = element('span', { 'data-state': state });
    part.style.width = `${100 * share}%`;
    bar.append(part);
    key.append(element('li', {}, element('span', { class: 'swatch', 'data-state': state, 'aria-hidden': true }), `${state} ${format.percent(share, 1)}`));
  }
  return element('div', {}, bar, key);
}

/** What the errors were made of. @param {Report} report */
function errors(report) {
  const whole = report.error_rate ?? 0;
  return element('div', {}, element('p', { text: `${format.percent(whole)} of ${format.count(report.requests.created)} requests, made of` }),
    element('ul', { class: 'parts', 'data-testid': 'errors' }, ...report.errors.map((part) => {
      const bar = element('span', { class: 'part', 'aria-hidden': true });
      bar.style.width = `${100 * part.share_of_created}%`;
      return element('li', {}, element('span', {}, element('strong', { text: format.percent(part.share_of_created) }), ` by ${part.cause} `, element('span', { class: 'soft' }, `(${part.mode}, `, element('span', { class: 'whole', text: `${format.count(part.requests)} request${part.requests === 1 ? '' : 's'})` }))), element('span', { class: 'track', 'aria-hidden': true }, bar));
    })));
}
