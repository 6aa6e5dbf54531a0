// The verdict: a sentence first, then the facts behind it, each with the moment it is about.

import * as format from '../shared/format.js';
import { tone } from '../shared/outcome.js';
import { element, setText } from './dom.js';

const STATES = /** @type {const} */ (['STABLE', 'DEGRADED', 'COLLAPSED']);
/** What is heard of a run comes no closer together than this. */
const QUIET_MS = 4000;
const RULES = /** @type {Record<string, string>} */ ({ queue_growth: 'queue growth', latency_growth: 'latency growth', saturation: 'saturation', recovered: 'release' });

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {import('./conductor.js').Actions} actions */
export function verdict(place, store, actions) {
  const badge = element('span', { class: 'badge' });
  const final = element('span', { 'data-testid': 'state', class: 'visually-hidden' });
  const words = element('p', { 'data-testid': 'verdict' });
  // What is read aloud: events, not samples, and rarely.
  const aloud = element('p', { class: 'visually-hidden', 'aria-live': 'polite', 'data-testid': 'aloud' });
  const recovery = element('p', { 'data-testid': 'recovery', hidden: true });
  const shares = element('div', { class: 'shares', role: 'img', 'data-testid': 'shares', hidden: true });
  const list = element('ol', { class: 'evidence small', 'data-testid': 'evidence' });
  const summary = element('summary', {});
  const evidence = element('details', { class: 'grounds', hidden: true }, summary, list);
  place.append(element('div', { class: 'verdict' }, element('div', {}, badge, final), words), recovery, shares, evidence, aloud);

  /** A moment that leads to itself on the charts. @param {number} seconds */
  const moment = (seconds) => element('button', { type: 'button', class: 'moment', 'aria-label': `Show ${format.moment(seconds)} on the charts`, onclick: () => {
    void actions.lookAt(seconds);
    document.getElementById('charts')?.scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  } }, format.moment(seconds));

  /** @param {import('../engine/engine.js').Transition} step */
  const told = (step) => element('li', {},
    moment(step.at_seconds), ` ${step.from} → `, element('strong', {}, step.to), ` by ${RULES[step.rule] ?? step.rule} over ${format.number(step.window_seconds, 1)} s${step.phase === 'warm-up' ? ', during start-up' : ''}: ${step.reason}.`);

  let heard = 0;
  let timer = 0;
  /** @param {string} text @param {boolean} [now] */
  function announce(text, now = false) {
    clearTimeout(timer);
    const wait = now ? 0 : Math.max(0, heard + QUIET_MS - performance.now());
    timer = setTimeout(() => {
      heard = performance.now();
      setText(aloud, text);
    }, wait);
  }

  let announced = '';
  /** @type {unknown} */
  let drawn = null;
  /** @type {unknown} */
  let listed = null;
  return store.subscribe((state) => {
    const { report, frame, moment: past } = state;
    const shown = past === null ? frame : (state.past ?? frame);
    const looking = past !== null;
    const now = report && !looking ? (report.state ?? report.worst_state) : shown?.picture.state;
    setText(badge, now ? (report && !looking && !report.state ? `worst: ${now}` : now) : 'NOT RUN YET');
    badge.dataset.state = now ?? '';
    setText(final, report ? (report.state ?? '—') : '—');
    const before = looking ? state.transitions.filter((step) => step.at_seconds <= past) : state.transitions;
    const last = before.at(-1);
    // What it says of recovery stands in a notice of its own.
    const text = report && !looking ? report.verdict.replace(report.recovery?.text ?? '', '').trim()
      : last ? last.text
      : frame ? (state.profile.detector.enabled ? 'The detector has seen nothing to report so far.' : 'The detector is off.')
      : 'Press Run. The verdict says whether the system stays stable, degrades or collapses, when, and by which rule.';
    setText(words, text);
    if (text !== announced) {
      announced = text;
      if (!looking && frame) announce(report ? `${text} ${report.recovery?.text ?? ''}` : text, report !== null);
    }
    const back = report?.recovery;
    recovery.hidden = !back;
    recovery.className = `notice ${back ? tone(back) : ''}`;
    setText(recovery, back?.text ?? '');

    if (report !== drawn) {
      drawn = report;
      const parts = report ? STATES.map((name) => [name, report.state_share[name]]) : [];
      shares.hidden = !report || parts.every(([, share]) => share === 0);
      shares.setAttribute('aria-label', `Share of the counted time: ${parts.map(([name, share]) => `${name} ${format.percent(/** @type {number} */ (share), 0)}`).join(', ')}.`);
      shares.replaceChildren(...parts.filter(([, share]) => Number(share) > 0).map(([name, share]) => {
        const part = element('span', { class: 'share', 'data-state': name }, element('span', {}, `${name} ${format.percent(/** @type {number} */ (share), 0)}`));
        part.style.flexGrow = String(share);
        return part;
      }));
    }
    // While a run plays the list grows behind its fold; the number beside it says how far.
    const steps = report ? report.evidence : state.transitions;
    if (steps !== listed) {
      listed = steps;
      const dropped = report?.evidence_dropped ? ` (${format.count(report.evidence_dropped)} more are not kept)` : '';
      evidence.hidden = steps.length === 0;
      setText(summary, `Evidence: ${steps.length === 1 ? 'one change of state' : `${format.count(steps.length)} changes of state`}${dropped}`);
      list.replaceChildren(...steps.slice(0, 500).map(told));
    }
  });
}
