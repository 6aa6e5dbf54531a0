// The life of a request: what it waited for, and how long, send by send.

import * as format from '../shared/format.js';
import { element } from './dom.js';

/** @typedef {import('../engine/engine.js').Life} Life */
/** @typedef {import('../engine/engine.js').LifeAttempt} LifeAttempt */
/** @typedef {import('../engine/engine.js').RecordNames} RecordNames */

const SENDING = { first: 'first', retry: 'again, after a failure', hedge: 'a copy beside another' };

/** A moment to a tenth of a millisecond. @param {number} seconds */
const moment = (seconds) => `${seconds.toFixed(4)} s`;

/** @param {string} name */
const swatch = (name) => element('span', { class: 'phase', 'data-phase': name, 'aria-hidden': 'true' });

/** @param {Life} life @param {RecordNames} names */
export function drawLife(life, names) {
  const { phases } = names;
  const meta = `${life.class === 'HEAVY' ? 'Heavy' : 'Light'}, from ${life.agent === null ? 'an open source' : `agent ${format.count(life.agent)}`}; created at ${moment(life.created_seconds)}${life.ended_seconds === null ? '' : `, ended at ${moment(life.ended_seconds)}`}.`;
  const sums = life.split.map((seconds, phase) => ({ seconds, phase: phases[phase] })).filter(({ seconds }) => seconds > 0);
  const ends = life.attempts.flatMap(({ segments }) => segments.map(({ to }) => to));
  const from = life.created_seconds;
  const to = Math.max(life.ended_seconds ?? 0, ...ends, from);
  return [
    element('p', { class: 'life-words', 'data-testid': 'life-words', text: life.words }),
    element('p', { class: 'soft small', text: meta }),
    sums.length ? element('ul', { class: 'life-sums', 'data-testid': 'life-sums', 'aria-label': 'Time by what it was spent on' },
      ...sums.map(({ seconds, phase }) => element('li', { 'data-phase-sum': phase.name }, swatch(phase.name), element('span', { text: phase.words }), element('strong', { text: format.time(seconds) }))),
      element('li', { class: 'whole' }, element('span', { text: life.ended_seconds === null ? 'in all so far' : 'in all' }), element('strong', { text: format.time(life.took_seconds) }))) : null,
    element('ol', { class: 'life-attempts', tabindex: 0, 'data-testid': 'life-attempts', 'aria-label': life.sends === null ? 'Way through the server' : 'Sends' },
      ...life.attempts.map((attempt) => drawAttempt(attempt, life, names, { from, to }))),
    drawSteps(life, names),
  ].filter((part) => part !== null);
}

/** @param {LifeAttempt} attempt @param {Life} life @param {RecordNames} names @param {{ from: number, to: number }} axis */
function drawAttempt(attempt, life, { phases }, { from, to }) {
  const sent = life.sends !== null;
  const what = sent ? `Send ${attempt.number + 1}${attempt.sending ? `, ${SENDING[attempt.sending]}` : ''}` : 'At the server';
  const took = attempt.ended_seconds === null ? '' : ` – ${format.time(attempt.ended_seconds - attempt.from_seconds)}`;
  const parts = attempt.segments.map((segment) => `${format.time(segment.to - segment.from)} ${phases[segment.phase].words}${segment.in_vain ? ', in vain' : ''}`);
  const notes = [
    attempt.worker === null ? '' : `worker ${attempt.worker}`,
    attempt.paused_seconds > 0 ? `service paused for ${format.time(attempt.paused_seconds)} of it` : '',
    attempt.spiked_seconds > 0 ? `service ${format.time(attempt.spiked_seconds)} longer by a latency spike` : '',
  ].filter(Boolean);
  const words = [parts.join(', then '), notes.join('; ')].filter(Boolean).join(' – ');
  const length = to - from;
  const bar = length > 0 && attempt.segments.length ? element('div', { class: 'life-bar', 'aria-hidden': 'true' }) : null;
  for (const { phase, from: begins, to: ends, in_vain: vain } of bar ? attempt.segments : []) {
    const made = element('span', { class: 'phase', 'data-phase': phases[phase].name, 'data-vain': vain, title: `${phases[phase].words}${vain ? ', in vain' : ''}: ${format.time(ends - begins)}` });
    made.style.left = `${(100 * (begins - from)) / length}%`;
    made.style.width = `${(100 * (ends - begins)) / length}%`;
    bar?.append(made);
  }
  if (bar && life.ended_seconds !== null && life.ended_seconds < to) {
    const mark = element('span', { class: 'life-end', title: `the request ended after ${format.time(life.took_seconds)}` });
    mark.style.left = `${(100 * (life.ended_seconds - from)) / length}%`;
    bar.append(mark);
  }
  return element('li', {}, element('p', { class: 'life-title', text: `${what}${took} – ${attempt.words}` }), bar, words ? element('p', { class: 'soft small', text: words }) : null);
}

/** @param {Life} life @param {RecordNames} names */
function drawSteps({ steps, created_seconds: created, request }, names) {
  const lines = Array.from(steps.at, (at, index) => element('tr', { class: steps.failure[index] ? 'failure' : '' },
    element('th', { scope: 'row', text: `+ ${moment(at - created)}` }), element('td', { text: moment(at) }),
    element('td', { class: 'words', text: names.kinds[steps.kind[index]].words }), element('td', { class: 'words what', text: steps.what[index] })));
  return element('div', { class: 'scroll life-steps', tabindex: 0, role: 'group', 'aria-label': `Steps of request ${format.count(request)}` },
    element('table', { 'data-testid': 'life-steps' },
      element('caption', { text: `Its ${steps.at.length} ${steps.at.length === 1 ? 'event' : 'events'}, by the time since its creation` }),
      element('thead', {}, element('tr', {}, ...['After', 'At', 'Event', 'What'].map((text) => element('th', { scope: 'col', class: text === 'Event' || text === 'What' ? 'words' : '', text })))),
      element('tbody', {}, ...lines)));
}
