// Keys for whoever does not want to reach for the mouse, and the sheet that names them.

import { BREAKS } from './breaks.js';
import { element } from './dom.js';

const SPEEDS = [0.1, 0.5, 1, 2, 5, 10, 20, 50, Infinity];
/** Where the choice to have no single keys is kept. */
const STORED = 'agent-chaos-keys';

/** @param {HTMLElement} opener @param {import('./store.js').Store} store @param {{ actions: import('./conductor.js').Actions, schema: any }} given */
export function keys(opener, store, { actions }) {
  const press = (/** @type {string} */ name) => () => {
    const button = document.querySelector(`[data-testid="${name}"]`);
    if (button instanceof HTMLElement && button.offsetParent && !/** @type {any} */ (button).disabled) button.click();
  };
  const back = (/** @type {number} */ way) => () => {
    const { moment, frame, profile } = store.get();
    if (frame) void actions.lookAt((moment ?? frame.now_seconds) + way * profile.telemetry.interval_seconds);
  };
  const faster = (/** @type {number} */ way) => () => {
    const at = SPEEDS.indexOf(store.get().speed);
    actions.setSpeed(SPEEDS[Math.min(Math.max((at < 0 ? 4 : at) + way, 0), SPEEDS.length - 1)]);
  };
  /** Groups of keys, in the order of the sheet. @type {[string, [string, string, () => void][]][]} */
  const GROUPS = [
    ['Run', [
      ['k', 'Run, pause or resume', () => press(store.get().phase === 'running' || store.get().working ? 'pause' : 'run')()],
      ['.', 'One tick on', () => actions.step('tick')], ['>', 'One second on', () => actions.step('second')], ['e', 'One event on', () => actions.step('event')],
      ['c', 'Run to collapse', press('to-collapse')], ['v', 'Run to recovery', press('to-recovery')],
      ['r', 'Reset', press('reset')], ['[', 'Slower', faster(-1)], [']', 'Faster', faster(1)], ['n', 'New seed', press('new-seed')],
    ]],
    ['Look back', [[',', 'One tick back', back(-1)], ['<', 'Twenty ticks back', back(-20)], ['l', 'Back to now', press('live')]]],
    ['Break it now', BREAKS.map((one) => [one.key, one.title, press(`break-${one.kind}`)])],
    ['Find and share', [['/', 'Find a field of the profile', () => document.getElementById('find-field')?.focus()], ['s', 'Share', press('share-open')], ['?', 'This sheet', () => show()]]],
  ];
  const all = new Map(GROUPS.flatMap(([, list]) => list.map(([key, , act]) => /** @type {[string, () => void]} */ ([key, act]))));

  let on = true;
  // Some hosts lend no storage; then the choice holds for this visit.
  try { on = localStorage.getItem(STORED) !== 'off'; } catch { /* as it is */ }
  const box = element('input', { type: 'checkbox', id: 'keys-on', checked: on, onchange: () => {
    on = box.checked;
    try { localStorage.setItem(STORED, on ? 'on' : 'off'); } catch { /* for this visit */ }
  } });
  const sheet = element('dialog', { class: 'sheet', 'aria-labelledby': 'keys-title', 'data-testid': 'keys-sheet' },
    element('h2', { id: 'keys-title' }, 'Keys'),
    element('p', { class: 'soft small' }, 'Single keys work wherever nothing is being typed. On the line of the run and on charts, arrow keys move by ticks. Tab reaches everything.'),
    element('div', { class: 'key-groups' }, ...GROUPS.map(([title, list]) => element('section', {}, element('h3', {}, title),
      element('dl', {}, ...list.flatMap(([key, words]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, words)]))))),
    element('label', { class: 'row', for: 'keys-on' }, box, 'Single keys are on'),
    element('form', { method: 'dialog', class: 'row end' }, element('button', { class: 'primary' }, 'Close')));
  document.body.append(sheet);
  opener.addEventListener('click', () => show());
  function show() {
    if (!sheet.open) sheet.showModal();
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat && !['.', ',', '<', '>', 'e'].includes(event.key)) return;
    const at = event.composedPath()[0];
    if (at instanceof HTMLElement && (at.isContentEditable || (at.matches('input:not([type="checkbox"], [type="radio"], [type="range"], [type="button"]), textarea, select')))) return;
    if (document.querySelector('dialog[open]')) return;
    if (!on && event.key !== '?') return;
    const act = all.get(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  }
  addEventListener('keydown', pressed);
  return () => removeEventListener('keydown', pressed);
}
