// The verdict: a sentence first.

import { tone } from '../shared/outcome.js';
import { element, setText } from './dom.js';

/** @param {HTMLElement} place @param {import('./store.js').Store} store */
export function verdict(place, store) {
  const badge = element('span', { class: 'badge' });
  const final = element('span', { 'data-testid': 'state', class: 'visually-hidden' });
  const words = element('p', { 'aria-live': 'polite' });
  const recovery = element('p', { 'data-testid': 'recovery', 'aria-live': 'polite', hidden: true });
  place.append(element('div', { class: 'verdict' }, element('div', {}, badge, final), words), recovery);
  /** @type {string} */
  let announced = '';
  return store.subscribe((state) => {
    const { report, frame } = state;
    const now = report ? (report.state ?? report.worst_state) : frame?.picture.state;
    setText(badge, now ? (report && !report.state ? `worst: ${now}` : now) : 'NOT RUN YET');
    badge.dataset.state = now ?? '';
    setText(final, report ? (report.state ?? '—') : '—');
    const last = state.transitions.at(-1);
    // What it says of recovery stands in a notice of its own.
    const text = report ? report.verdict.replace(report.recovery?.text ?? '', '').trim()
      : last ? last.text
      : frame ? 'Running; the detector has seen nothing to report.'
      : 'Press Run. The verdict says whether the system stays stable, degrades or collapses, when, and by which rule.';
    const back = report?.recovery;
    recovery.hidden = !back;
    recovery.className = `notice ${back ? tone(back) : ''}`;
    setText(recovery, back?.text ?? '');
    if (text !== announced) {
      announced = text;
      setText(words, text);
    }
  });
}
