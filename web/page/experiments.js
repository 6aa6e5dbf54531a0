// Own experiments: saved, opened, renamed and deleted by name, in a dialog that the keyboard reaches as a whole.

import { ShelfError, tidy, MOST_NAME } from '../shared/shelf.js';
import { LOCKED, may } from '../shared/view.js';
import { element, setText } from './dom.js';

/** @typedef {ReturnType<typeof experiments>} Experiments */

/** A moment as people write it here. @param {string} iso */
function when(iso) {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? 'at an unknown time' : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/**
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, presets: import('../engine/engine.js').PresetInfo[], shelf: import('../shared/shelf.js').Shelf }} given
 */
export function experiments(store, { actions, presets, shelf }) {
  /** What this tab has last opened or saved under a name: by that it notices what another tab has done since. @type {Map<string, { stamp: string, profile: string }>} */
  const known = new Map();
  let allowed = true;

  const said = element('p', { class: 'soft small', role: 'status', 'data-testid': 'shelf-said' });
  const heading = element('h2', { id: 'shelf-title', tabindex: -1 });
  const body = element('div', { class: 'shelf-body' });
  const dialog = element('dialog', { class: 'shelf', 'aria-labelledby': 'shelf-title', 'data-testid': 'shelf' }, heading, body);

  /** Does what may fail, and says so. @template T @param {() => T} act @param {(error: ShelfError) => void} refuse @returns {T | undefined} */
  function attempt(act, refuse) {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof ShelfError)) throw error;
      refuse(error);
      return undefined;
    }
  }
  const tell = (/** @type {string} */ words) => actions.say({ words, until: 'edit' });
  const preset = () => presets.find((one) => one.name === store.get().preset);

  function refresh() {
    allowed = true;
    const owned = attempt(() => shelf.list(), () => { allowed = false; }) ?? [];
    store.update({ owned });
    return owned;
  }

  /** Writes the present profile. @param {string} name @param {{ stamp?: string | null, replace?: boolean }} given */
  function put(name, given) {
    const { preset: base, check, draft } = store.get();
    const stamp = shelf.write(name, { preset: base, profile: check.profile, saved: new Date().toISOString() }, given);
    known.set(name, { stamp, profile: check.profile });
    refresh();
    store.update({ own: name });
    tell(`Saved as “${name}”, in this browser.${draft === null ? '' : ' The text that was refused is not part of it.'}`);
  }

  function closed() {
    body.replaceChildren();
    setText(said, '');
    dialog.remove();
  }
  dialog.addEventListener('close', closed);
  const show = () => {
    if (dialog.open) return;
    document.body.append(dialog);
    dialog.showModal();
  };
  const closing = (/** @type {string} */ words) => element('button', { type: 'button', onclick: () => dialog.close() }, words);

  /** Asks for a name. @param {string} [name] @param {string} [words] what is wrong already */
  function saveAs(name = store.get().own ?? '', words = '') {
    const problem = element('p', { class: 'problem', id: 'shelf-problem', role: 'alert' });
    const input = element('input', { id: 'shelf-name', type: 'text', maxlength: MOST_NAME, autocomplete: 'off', 'aria-describedby': 'shelf-problem shelf-where', oninput: () => refuse('') });
    const replace = element('button', { type: 'button', hidden: true, onclick: () => commit(true) }, 'Replace it');
    /** @param {string} what @param {boolean} [replaceable] */
    function refuse(what, replaceable = false) {
      setText(problem, what);
      replace.hidden = !replaceable;
      if (what) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
    }
    /** @param {boolean} over */
    function commit(over) {
      attempt(() => {
        put(tidy(input.value), over ? { replace: true } : {});
        dialog.close();
      }, (error) => {
        refuse(error.message, error.kind === 'exists');
        if (error.kind === 'exists') replace.focus();
        else input.focus();
      });
    }
    input.value = name;
    setText(heading, 'Save the experiment');
    body.replaceChildren(element('form', { onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      commit(false);
    } },
    element('div', { class: 'field' }, element('label', { for: 'shelf-name', text: 'Name' }), input), problem,
    element('p', { class: 'soft small', id: 'shelf-where', text: 'It is kept in this browser, for this page alone.' }),
    element('div', { class: 'row' }, closing('Cancel'), replace, element('button', { class: 'primary', 'data-testid': 'shelf-save' }, 'Save'))));
    show();
    input.focus();
    input.select();
    if (words) refuse(words, true);
  }

  /** Everything that is kept. @param {HTMLElement | null} [focus] @param {string} [renamed] the one whose name is being changed */
  function manage(focus = null, renamed = '') {
    const owned = refresh();
    setText(heading, 'Your experiments');
    const rows = owned.map(({ name, saved, preset: base }) => {
      const problem = element('p', { class: 'problem', role: 'alert' });
      if (name === renamed) {
        const input = element('input', { type: 'text', 'aria-label': `New name of ${name}`, maxlength: MOST_NAME, autocomplete: 'off', value: name });
        input.value = name;
        return element('li', { 'data-own': name }, element('form', { onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          attempt(() => rename(name, tidy(input.value)), (error) => {
            setText(problem, error.message);
            input.setAttribute('aria-invalid', 'true');
            input.focus();
          });
        } }, input, problem, element('div', { class: 'row' }, element('button', { type: 'button', onclick: () => {
          manage();
          button(name, 'Rename')?.focus();
        } }, 'Cancel'), element('button', { class: 'primary' }, 'Rename'))));
      }
      return element('li', { 'data-own': name },
        element('div', { class: 'about' }, element('strong', { text: name }), element('span', { class: 'soft small', text: `saved ${when(saved)}, builds on ${base || 'an unknown preset'}` })),
        element('div', { class: 'row' },
          element('button', { type: 'button', 'data-does': 'Open', 'aria-label': `Open ${name}`, onclick: () => { if (open(name)) dialog.close(); } }, 'Open'),
          element('button', { type: 'button', class: 'quiet', 'data-does': 'Rename', 'aria-label': `Rename ${name}`, onclick: () => {
            manage(null, name);
            const input = /** @type {HTMLInputElement | null} */ (body.querySelector('li form input'));
            input?.focus();
            input?.select();
          } }, 'Rename'),
          element('button', { type: 'button', class: 'quiet', 'data-does': 'Delete', 'aria-label': `Delete ${name}`, onclick: () => remove(name) }, 'Delete')), problem);
    });
    body.replaceChildren(
      element('p', { class: 'soft small', text: allowed ? 'Kept in this browser, for this page alone. “Export” makes a file of the present one.' : 'This browser does not let the page keep anything. “Export” makes a file of the present experiment.' }),
      rows.length ? element('ul', { class: 'own' }, ...rows) : element('p', { text: allowed ? 'Nothing has been saved yet.' : 'Nothing can be saved here.' }),
      said,
      element('div', { class: 'row' }, element('button', { type: 'button', onclick: () => saveAs() }, 'Save the present one …'), closing('Close')));
    show();
    (focus ?? heading).focus();
  }
  /** @param {string} name @param {string} does @returns {HTMLElement | null} */
  const button = (name, does) => body.querySelector(`li[data-own="${CSS.escape(name)}"] [data-does="${does}"]`);

  /** @param {string} from @param {string} to */
  function rename(from, to) {
    shelf.rename(from, to);
    const was = known.get(from);
    known.delete(from);
    if (was) known.set(to, was);
    if (store.get().own === from) store.update({ own: to });
    setText(said, `“${from}” is called “${to}” now.`);
    manage();
    button(to, 'Rename')?.focus();
  }

  /** @param {string} name */
  function remove(name) {
    attempt(() => {
      const back = shelf.remove(name);
      const mine = store.get().own === name;
      if (mine) store.update({ own: null });
      const again = element('button', { type: 'button', class: 'quiet', onclick: () => attempt(() => {
        back();
        // Whoever put it back wants it as it was, unless something else has been opened since.
        if (mine && store.get().own === null && store.get().check.profile === known.get(name)?.profile) store.update({ own: name });
        setText(said, `“${name}” is back.`);
        manage(null);
        button(name, 'Open')?.focus();
      }, (error) => setText(said, error.message)) }, 'Put it back');
      setText(said, `“${name}” was deleted. `);
      said.append(again);
      manage(again);
    }, (error) => {
      setText(said, error.message);
      manage();
    });
  }

  /** Opens an own experiment. @param {string} name @returns {boolean} */
  function open(name) {
    /** @param {string} words */
    const refuse = (words) => {
      refresh();
      if (dialog.open) setText(said, words);
      // The choice shows again what is there.
      tell(words);
    };
    if (!may(store.get().view, 'preset')) {
      refuse(`${LOCKED}: no other experiment can be opened here. Open the task without the limits to do so.`);
      return false;
    }
    const found = attempt(() => shelf.read(name), (error) => refuse(error.message));
    if (!found) return false;
    const wrong = actions.take({ preset: found.preset, profile: found.profile, own: name }, `opening “${name}”`);
    if (wrong) {
      refuse(`“${name}” was not opened: ${wrong}. It has been left as it is.`);
      return false;
    }
    known.set(name, { stamp: found.stamp, profile: store.get().check.profile });
    history.replaceState(null, '', location.pathname + location.search);
    return true;
  }

  /** What the present profile started from: the own experiment as it was saved, else the preset. */
  const base = () => {
    const { own } = store.get();
    return (own === null ? undefined : known.get(own)?.profile) ?? preset()?.profile ?? '{}';
  };

  addEventListener('storage', (event) => {
    if (!shelf.concerns(event.key)) return;
    const { own } = store.get();
    const was = own === null ? undefined : known.get(own);
    refresh();
    if (dialog.open && body.querySelector('ul, p + p')) setText(said, 'Another tab has changed the list; it is drawn anew when it is opened again.');
    if (own === null || !was) return;
    let now = null;
    attempt(() => { now = shelf.read(own).stamp; }, () => {});
    if (now === was.stamp) return;
    if (now === null) store.update({ own: null });
    tell(now === null ? `“${own}” was deleted or renamed in another tab. The profile here is as it was; Save keeps it.`
      : `“${own}” was changed in another tab. The profile here is as it was; Save asks before it replaces the other.`);
  });
  refresh();

  return {
    open, manage, saveAs: () => saveAs(), base,
    /** Whether there is a difference to what it started from. */
    edited: () => base() !== store.get().check.profile,
    /** Whether the browser lets the page keep anything. */
    allowed: () => allowed,
    /** Saves under the present name, or asks for one. */
    save() {
      const { own } = store.get();
      if (own === null) return saveAs();
      attempt(() => put(own, { stamp: known.get(own)?.stamp ?? null }), (error) => {
        if (error.kind === 'changed' || error.kind === 'exists') saveAs(own, error.message);
        else if (error.kind === 'missing') attempt(() => put(own, {}), (again) => tell(again.message));
        else tell(error.message);
      });
    },
    /** Takes up an own experiment whose edits were restored. @param {string} name @returns {boolean} whether it is there */
    know(name) {
      const found = attempt(() => shelf.read(name), () => {});
      if (found) known.set(name, { stamp: found.stamp, profile: found.profile });
      return found !== undefined;
    },
  };
}
