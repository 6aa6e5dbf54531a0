// What an embed shows before anything is loaded: which experiment it is, what it came to, and a button. And what it shows where it
// cannot even show that.

import { posters } from 'virtual:agent-chaos';
import { glance } from '../shared/embed.js';
import { bound } from '../shared/format.js';
import { may } from '../shared/view.js';
import { element } from '../page/dom.js';

/** @typedef {import('../shared/embed.js').Given} Given */

/** @param {Given} given */
export function titleOf({ token, heading }) {
  if (heading) return heading;
  const { preset } = glance(token);
  return (preset && posters[preset]?.title) || 'An experiment';
}

/** @param {Given} given @param {() => void} run */
export function poster(given, run) {
  const { preset, changes, whole } = glance(given.token);
  const known = preset ? posters[preset] : undefined;
  const { ask } = given.view;
  // Who is asked a question is not told the answer.
  const verdict = ask ? '' : given.verdict || (whole ? known?.verdict ?? '' : '');
  const name = element('input', { id: 'embed-name', type: 'text', maxlength: 60, autocomplete: 'off', 'data-testid': 'embed-name', onkeydown: (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Enter') run(); } });
  const said = element('p', { class: 'soft small', role: 'status', 'data-testid': 'embed-status' });
  const button = element('button', { type: 'button', class: 'primary play', 'data-testid': 'embed-play', 'aria-label': `Run ${titleOf(given)}`, onclick: run }, element('span', { 'aria-hidden': 'true', class: 'sign' }, '▶'), 'Run');
  const made = element('div', { class: 'poster' },
    element('h2', { class: 'title' }, titleOf(given)),
    known ? element('p', { class: 'soft summary' }, known.summary) : null,
    changes.length ? element('p', { class: 'small changes' }, 'Changed: ', ...changes.flatMap((change, index) => [index ? ', ' : '', element('code', {}, change)])) : null,
    ask ? element('p', { class: 'notice question' }, ask) : null,
    verdict ? element('p', { class: 'recorded', 'data-testid': 'embed-recorded' }, element('span', { class: 'soft' }, given.verdict ? 'Verdict when it was shared: ' : 'Recorded verdict: '), bound(verdict)) : null,
    given.view.seeds === 'own' && given.view.by === '' ? element('div', { class: 'field own' }, element('label', { for: name.id }, 'Your name or number, from which your seed follows'), name) : null,
    element('div', { class: 'row start' }, may(given.view, 'run') ? button : element('p', { class: 'soft small' }, 'The page around runs it.'), said));
  return {
    made, button, name,
    /** @param {string} words @param {boolean} busy */
    say(words, busy) {
      said.textContent = words;
      // Not disabled, which would take the keyboard away from it.
      if (busy) button.setAttribute('aria-disabled', 'true');
      else button.removeAttribute('aria-disabled');
    },
  };
}

/** @param {string} title @param {import('../shared/embed.js').Refused[]} problems @param {(() => void) | null} again */
export function refused(title, problems, again) {
  return element('div', { class: 'poster refused' },
    element('h2', { class: 'title' }, title),
    element('div', { class: 'notice bad', role: 'alert', 'data-testid': 'embed-refused' }, ...problems.map(({ message }) => element('p', {}, bound(message)))),
    again ? element('div', { class: 'row start' }, element('button', { type: 'button', onclick: again }, 'Try again')) : null);
}
