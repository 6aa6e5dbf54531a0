// The profile as JSON text: a plain field at first, the text editor once it has been loaded.

import { LOCKED } from '../shared/view.js';
import { element, setText } from './dom.js';

/** Waits until somebody has stopped typing. */
const TYPING_MS = 300;
/** After this long the plain field takes over, also where the network neither answers nor fails. */
const LOADING_MS = 8000;
const KEYS = 'Ctrl+Space proposes fields and values, F8 goes to the next mistake. Escape, then Tab leaves the text.';

/**
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, schema: any }} given
 */
export function jsonText(store, { actions, schema }) {
  const problem = element('p', { class: 'problem', id: 'json-problem', role: 'alert', hidden: true });
  const loading = element('p', { class: 'soft small', role: 'status', hidden: true });
  const keys = element('p', { class: 'soft small', id: 'json-keys', hidden: true, text: KEYS });
  const locking = element('p', { class: 'locked', hidden: true }, `${LOCKED}: the text can be read, and fields that are free be changed in the form.`);
  let timer = 0;
  /** The profile that what was typed here has become. */
  let mine = '';
  /** The profile that held when this was last drawn. */
  let held = '';
  /** The problems that the text was last marked with. @type {unknown} */
  let judged = null;
  /** @type {ReturnType<typeof import('./codemirror.js').mount> | null} */
  let rich = null;

  /** @param {string} text */
  function commit(text) {
    clearTimeout(timer);
    timer = 0;
    if (actions.setText(text)) mine = store.get().check.profile;
    held = store.get().check.profile;
  }
  /** @param {string} text */
  const typed = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => commit(text), TYPING_MS);
  };
  /** What has just been typed comes before what lies beyond it. @param {() => void} act */
  const beyond = (act) => {
    if (timer) commit(read());
    act();
  };
  // Seen only where the text editor cannot be loaded.
  const plain = element('textarea', {
    hidden: true, 'data-testid': 'json', spellcheck: 'false', autocomplete: 'off', 'aria-label': 'Profile as JSON', 'aria-describedby': 'json-problem',
    oninput: () => typed(plain.value),
    // Whoever leaves the text, to press Run for example, is done typing.
    onchange: () => commit(plain.value),
  });
  // At once, not when the text editor gets round to it: whoever presses Run next means what was typed.
  const host = element('div', { id: 'json-text', onfocusout: () => { if (timer) commit(read()); } }, plain);
  const read = () => rich?.text ?? plain.value;
  /** @param {string} text */
  const show = (text) => {
    if (rich) rich.show(text);
    else if (plain.value !== text) plain.value = text;
  };
  // One way to the text, whichever field shows it.
  Object.defineProperty(host, 'value', { get: read, set: (text) => {
    show(text);
    commit(text);
  } });

  const drop = element('button', { type: 'button', class: 'quiet start', hidden: true, onclick: () => {
    actions.dropDraft();
    show(store.get().check.profile);
  } }, 'Back to the last good profile');

  const pause = (/** @type {number} */ ms) => new Promise((_, refuse) => { setTimeout(() => refuse(new Error('it takes too long')), ms); });
  async function load() {
    loading.hidden = false;
    setText(loading, 'Loading the text editor …');
    try {
      const { mount } = await Promise.race([import('./codemirror.js'), pause(LOADING_MS)]);
      const inner = element('div', { class: 'rich' });
      rich = mount(inner, {
        schema, text: plain.value, changed: typed, beyond: { undo: () => beyond(actions.undo), redo: () => beyond(actions.redo) },
        problems: () => (store.get().draft === null ? [] : store.get().problems),
        settable: () => store.get().check.settable,
        left: () => {
          if (timer) commit(read());
          else follow(store.get());
        },
      });
      plain.remove();
      host.append(inner);
      loading.hidden = true;
      keys.hidden = false;
      judged = null;
      // What has just been asked for is seen whole, if there is room.
      inner.scrollIntoView({ block: 'nearest' });
      draw(store.get());
    } catch {
      plain.hidden = false;
      setText(loading, 'The text editor could not be loaded. This plain field works the same, without colours and proposals.');
    }
  }

  /** Shows the profile that holds, unless somebody is writing another. @param {import('./store.js').State} state */
  function follow({ draft, check }) {
    if (check.profile !== held) {
      // The experiment is another one by now: what was being typed was for the one before.
      clearTimeout(timer);
      timer = 0;
    }
    held = check.profile;
    const focused = rich ? rich.focused : document.activeElement === plain;
    if (draft !== null) {
      // A refused text that was brought back by undo or after a reload.
      if (!focused && !timer && read() !== draft) show(draft);
      return;
    }
    if (timer) return;
    if (!focused || mine !== check.profile) show(check.profile);
    if (!focused) mine = check.profile;
  }

  /** @param {import('./store.js').State} state */
  function draw(state) {
    const locked = state.view.lock.length > 0;
    plain.readOnly = locked;
    rich?.lock(locked);
    locking.hidden = !locked;
    const wrong = state.draft === null ? undefined : state.problems[0];
    problem.hidden = !wrong;
    setText(problem, wrong?.message ?? '');
    drop.hidden = !wrong;
    if (wrong) plain.setAttribute('aria-invalid', 'true');
    else plain.removeAttribute('aria-invalid');
    follow(state);
    if (state.problems !== judged) rich?.judge(wrong !== undefined);
    judged = state.problems;
  }

  let asked = false;
  const place = element('details', { class: 'json', ontoggle: () => {
    if (!place.open || asked) return;
    asked = true;
    void load();
  } }, element('summary', { text: 'JSON' }), element('div', { class: 'group' }, locking, loading, host, problem, drop, keys));
  return { place, draw };
}
