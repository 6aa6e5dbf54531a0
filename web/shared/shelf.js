// Own experiments by name in a storage that may refuse, be full, or be changed by another tab.

/** @typedef {{ preset: string, profile: string, saved: string }} Saved `saved` is the moment as ISO text */
/** @typedef {{ name: string, saved: string, preset: string }} Listed */
/** @typedef {Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>} Store */

const PREFIX = 'agent-chaos/experiment/';
export const MOST_NAME = 80;

/** Why something was not stored or found; the message is for people. */
export class ShelfError extends Error {
  /** @param {'refused' | 'full' | 'exists' | 'changed' | 'missing' | 'unreadable' | 'name'} kind @param {string} message */
  constructor(kind, message) {
    super(message);
    this.name = 'ShelfError';
    this.kind = kind;
  }
}

/** A name as it is kept. @param {string} name */
export function tidy(name) {
  const kept = name.normalize('NFC').replace(/\s+/g, ' ').trim();
  if (kept === '') throw new ShelfError('name', 'A name is needed.');
  if (kept.length > MOST_NAME) throw new ShelfError('name', `The name has ${kept.length} characters; at most ${MOST_NAME} are kept.`);
  return kept;
}

/** A name as that of a file. @param {string} name */
export const fileName = (name) => `${name.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, '-').replace(/^[.\s]+|[.\s]+$/g, '') || 'experiment'}.json`;

/** @param {() => Store} open may throw, as browsers do that allow no storage */
export function shelf(open) {
  /** @template T @param {(store: Store) => T} act @returns {T} */
  function within(act) {
    try {
      return act(open());
    } catch (error) {
      if (error instanceof ShelfError) throw error;
      const full = error instanceof Error && /quota/i.test(`${error.name} ${error.message}`);
      throw full
        ? new ShelfError('full', 'The browser’s storage for this page is full; nothing was changed. Delete an experiment, or export this one as a file.')
        : new ShelfError('refused', 'This browser does not let the page keep anything; nothing was changed. Export keeps the experiment as a file.');
    }
  }
  /** @param {string | null} text @returns {Saved | null} */
  function parse(text) {
    if (text === null) return null;
    try {
      const { preset, profile, saved } = JSON.parse(text);
      return typeof preset === 'string' && typeof profile === 'string' ? { preset, profile, saved: String(saved ?? '') } : null;
    } catch {
      return null;
    }
  }
  const missing = (/** @type {string} */ name) => new ShelfError('missing', `“${name}” is not there any more; it was deleted or renamed, perhaps in another tab.`);
  const exists = (/** @type {string} */ name) => new ShelfError('exists', `There is an experiment called “${name}” already.`);

  return {
    /** Whether a storage with this key is one of an experiment. @param {string | null} key */
    concerns: (key) => key === null || key.startsWith(PREFIX),

    /** All that is there, by name. @returns {Listed[]} */
    list: () => within((store) => Array.from({ length: store.length }, (_, index) => store.key(index))
      .filter((key) => key !== null && key.startsWith(PREFIX))
      .map((key) => {
        const entry = parse(store.getItem(String(key)));
        return { name: String(key).slice(PREFIX.length), saved: entry?.saved ?? '', preset: entry?.preset ?? '' };
      })
      .sort((a, b) => a.name.localeCompare(b.name))),

    /** What is kept under a name, and a stamp that tells whether it has changed since. @param {string} name @returns {Saved & { stamp: string }} */
    read: (name) => within((store) => {
      const text = store.getItem(PREFIX + name);
      if (text === null) throw missing(name);
      const entry = parse(text);
      if (!entry) throw new ShelfError('unreadable', `What is kept as “${name}” cannot be read; it has been left as it is.`);
      return { ...entry, stamp: text };
    }),

    /**
     * @param {string} name @param {Saved} entry
     * @param {{ stamp?: string | null, replace?: boolean }} given the stamp of what this is a change of; without it only a new name is taken; `replace` takes the name in any case
     * @returns {string} the new stamp
     */
    write: (name, entry, { stamp = null, replace = false } = {}) => within((store) => {
      const there = store.getItem(PREFIX + name);
      if (!replace && there !== stamp) {
        if (stamp === null) throw exists(name);
        throw there === null ? missing(name) : new ShelfError('changed', `“${name}” was changed in another tab since it was opened here.`);
      }
      const text = JSON.stringify({ preset: entry.preset, profile: entry.profile, saved: entry.saved });
      store.setItem(PREFIX + name, text);
      return text;
    }),

    /** @param {string} from @param {string} to */
    rename: (from, to) => within((store) => {
      const text = store.getItem(PREFIX + from);
      if (text === null) throw missing(from);
      if (from === to) return;
      if (store.getItem(PREFIX + to) !== null) throw exists(to);
      // First the new one: if there is no room for it, the old one is still there.
      store.setItem(PREFIX + to, text);
      store.removeItem(PREFIX + from);
    }),

    /** Deletes, and hands back what can put it back. @param {string} name @returns {() => void} */
    remove: (name) => within((store) => {
      const text = store.getItem(PREFIX + name);
      if (text === null) throw missing(name);
      store.removeItem(PREFIX + name);
      return () => within((again) => {
        if (again.getItem(PREFIX + name) !== null) throw exists(name);
        again.setItem(PREFIX + name, text);
      });
    }),
  };
}

/** @typedef {ReturnType<typeof shelf>} Shelf */

/**
 * The unsaved edits of one tab, over a reload. A page that was opened by a link has a place of its own for each link, so
 * that it never overwrites what was there before.
 * @typedef {{ preset: string, profile: string, own: string | null, draft: string | null }} Edits
 * @typedef {Edits & { before: Before | null }} Unsaved
 */
/** What a guide has put aside; `set` is the profile that it put there instead. @typedef {Edits & { speed: number, set: string }} Before */

/** @param {any} kept @returns {Edits | null} */
function edited(kept) {
  const { preset, profile, own, draft } = kept ?? {};
  if (typeof preset !== 'string' || typeof profile !== 'string') return null;
  return { preset, profile, own: typeof own === 'string' ? own : null, draft: typeof draft === 'string' ? draft : null };
}

/** @param {() => Store} open @param {() => string} link the link in the address, "" without one */
export function unsaved(open, link) {
  const key = () => (link() === '' ? 'agent-chaos/unsaved' : `agent-chaos/unsaved/${link()}`);
  return {
    /** Whether it could be kept. @param {Unsaved | null} edits null: there are none */
    keep(edits) {
      try {
        if (edits === null) open().removeItem(key());
        else open().setItem(key(), JSON.stringify(edits));
        return true;
      } catch {
        return false;
      }
    },
    /** @returns {Unsaved | null} */
    found() {
      try {
        const kept = JSON.parse(open().getItem(key()) ?? 'null');
        const found = edited(kept);
        const before = edited(kept?.before);
        // JSON has no infinity: a speed that is no number was unlimited.
        return found && { ...found, before: before && { ...before, speed: typeof kept.before.speed === 'number' ? kept.before.speed : Infinity, set: String(kept.before.set ?? '') } };
      } catch {
        return null;
      }
    },
  };
}
