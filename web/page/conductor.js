// What a person can do: every action on the experiment goes through here.

import { isCrash, readLink, replace, writeLink } from '../engine/engine.js';
import { moment } from '../shared/format.js';
import * as edits from '../shared/history.js';
import { outcome } from '../shared/outcome.js';
import * as format from '../shared/format.js';
import { fromPointer, write } from '../shared/paths.js';
import { Series } from '../shared/series.js';
import { everything, LOCKED, may, mayChange, readView, unlimited, writeView } from '../shared/view.js';
import { WATCHED, past as pastOf, replay } from './past.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {ReturnType<typeof conductor>} Actions */

/** Above this many events the page asks first. */
export const ASK_EVENTS = 20e6;
/** What a link opens runs by itself up to this many events: a second or so, also on a phone. */
export const AT_ONCE_EVENTS = 2e6;
/** A run that needs more memory is refused. */
export const MOST_MEMORY = 1e9;
/** A longer text is not even read. */
const MOST_TEXT = 1_000_000;
/** Nobody looks at the past, and nothing goes on beside the run. */
const PRESENT = { moment: null, past: null, working: null };
/** What a run can be stopped by, in words. */
const PLACES = { collapse: ['Stopped at the collapse', 'did not collapse'], recovery: ['Stopped at the recovery', 'did not become stable'] };
/** Where a conductor stands, if it is not told: in the page, whose address names the experiment. */
const PAGE = { ask, base: () => `${location.origin}${location.pathname}`, leave: () => history.replaceState(null, '', location.pathname + location.search) };
/** The one edit that also changes the address. */
const OPENING = 'opening the link';
/** What edits of the text have in common. */
const TEXT = 'text';

/**
 * @param {import('../engine/engine.js').Engine} engine
 * @param {import('../engine/engine.js').PresetInfo[]} presets
 * @param {Store} store
 * @param {{ ask: (estimate: { events: number }) => Promise<boolean>, base: () => string, leave: () => void }} [place] whom to ask before a long run, what a link begins with, and how to leave the one in the address
 */
export function conductor(engine, presets, store, place = PAGE) {
  const series = new Series();
  /** @type {import('../engine/engine.js').Run | null} */
  let run = null;
  /** What the present run does until it pauses. @type {Promise<unknown>} */
  let playing = Promise.resolve();
  const rewind = pastOf(engine, (progress) => store.update({ working: { words: 'Finding that moment', progress } }));
  /** A run of a changed profile on its way to the moment of the change. @type {import('../engine/engine.js').Run | null} */
  let branch = null;
  let past = edits.NONE;
  /** How many links have been opened or left. */
  let opening = 0;

  /** @param {unknown} error @returns {import('./store.js').Problem[]} */
  function problemsOf(error) {
    const refused = /** @type {any} */ (error);
    if (refused?.name !== 'ProfileError') throw error;
    return refused.errors.map((/** @type {any} */ one) => ({ path: fromPointer(one.field), message: one.message }));
  }

  /** Ends the present run and forgets it. */
  function discard() {
    run?.pause();
    // A module that has crashed cannot free anything any more.
    try { run?.free(); } catch { /* gone with its engine */ }
    run = null;
    branch?.pause();
    rewind.forget();
    series.columns = {};
    store.update({ run: store.get().run + 1, phase: 'ready', frame: null, transitions: [], report: null, digest: '', failure: '', note: '', ...PRESENT });
  }

  /** What an edit changes, as it stands. @returns {edits.Standing} */
  const standing = () => {
    const { preset, check, own, draft, view } = store.get();
    return { preset, profile: check.profile, own, draft, view };
  };

  /** Tells how far one can go back and forth. @param {string} [said] what has just been taken back or made again */
  function tell(said = '') {
    store.update({ history: { undo: past.undo.length, redo: past.redo.length, undoes: past.undo.at(-1)?.what ?? '', redoes: past.redo.at(-1)?.what ?? '', said } });
  }

  /**
   * Every change of the experiment ends here. A run of what was there before ends with it, and not without a word.
   * @param {import('../engine/engine.js').ProfileCheck} check @param {Partial<import('./store.js').State>} change
   * @param {{ what: string, key?: string | null } | null} edit what a person would take back; null is no edit
   */
  function adopt(check, change, edit) {
    const before = store.get();
    const changed = check.profile !== before.check.profile;
    const other = changed || (change.preset ?? before.preset) !== before.preset || (change.own === undefined ? before.own : change.own) !== before.own;
    // A slip that has been mended in the text itself is nothing to come back to.
    if (other && edit) past = edits.record(past, edit.key === TEXT ? { ...standing(), draft: null } : standing(), edit.what, edit.key ?? null, Date.now());
    let notice = before.notice?.until === 'run' ? before.notice : null;
    if (changed) {
      if ((before.phase === 'running' || before.phase === 'paused') && before.frame) {
        notice = { until: 'run', words: `The profile was changed; the run was ended at ${moment(before.frame.now_seconds)}. Undo brings the profile back, and with the same seed it gives the same run.` };
      }
      discard();
    }
    const { link } = before;
    store.update({ link: link && link.opened.profile === check.profile ? link : null, check, profile: JSON.parse(check.profile), problems: [], draft: null, failure: '', broken: null, notice, ...change });
    tell();
  }

  /** @param {{ edits: edits.Edits, step: edits.Step } | null} turned @param {string} said */
  function turn(turned, said) {
    if (!turned) return;
    const { preset, profile, own, draft, view } = turned.step.standing;
    let check;
    try {
      check = engine.check(profile);
    } catch (error) {
      fail(error);
      return;
    }
    past = turned.edits;
    adopt(check, { preset, view, own: store.get().owned.some((one) => one.name === own) ? own : null }, null);
    if (draft !== null) actions.setText(draft);
    // The address must not name what is not there any more.
    if (turned.step.what === OPENING) place.leave();
    tell(`${said}: ${turned.step.what}.`);
  }

  /** The first field that an edit changes although the link has locked it. @param {import('../engine/engine.js').ProfileCheck} check */
  function lockedField(check) {
    const { view, check: before } = store.get();
    if (view.lock.length === 0) return undefined;
    return engine.differences(before.profile, check.profile).find(({ path }) => !mayChange(view, path))?.path;
  }

  /** @param {unknown} error */
  function fail(error) {
    const crashed = isCrash(error);
    const words = error instanceof Error ? error.message : String(error);
    if (crashed) replace();
    run = null;
    rewind.forget();
    series.columns = {};
    store.update({
      phase: 'error', run: store.get().run + 1, frame: null, transitions: [], report: null, digest: '', note: '', ...PRESENT,
      failure: crashed ? `The engine failed (${words}). It has been replaced; the profile is unchanged.` : words,
    });
  }
  // A panic between two slices of a run comes out here, not out of the promise.
  const crashed = (/** @type {ErrorEvent} */ event) => {
    if (isCrash(event.error)) fail(event.error);
  };
  addEventListener('error', crashed);

  /** @param {import('../engine/engine.js').Frame} frame @param {number} number */
  function show(frame, number) {
    // A late frame of a run that was discarded says nothing about this one.
    if (number !== store.get().run) return;
    series.append(frame);
    const { transitions } = store.get();
    store.update({ frame, transitions: frame.transitions.length ? [...transitions, ...frame.transitions] : transitions });
  }

  function begin() {
    if (run) return true;
    const { check, draft, problems } = store.get();
    if (draft !== null || problems.length) {
      store.update({ failure: 'The edit below was refused and is not part of this run; the last good profile runs.' });
    }
    if (check.estimate.memory_bytes > MOST_MEMORY) {
      store.update({ phase: 'error', failure: `This experiment would need about ${(check.estimate.memory_bytes / 1e9).toFixed(1)} GB of memory; the page runs up to 1 GB. Lower the agents, the rate or the capacity.` });
      return false;
    }
    run = new engine.Run(check.profile, WATCHED);
    if (store.get().notice?.until === 'run') store.update({ notice: null });
    return true;
  }

  /** Goes on with a run that was replayed. @param {import('./past.js').Found} found */
  function enter(found) {
    run = found.run;
    series.columns = found.series.columns;
    store.update({ run: store.get().run + 1, phase: 'paused', frame: { ...found.frame, transitions: found.transitions }, transitions: found.transitions, report: null, digest: '', failure: '', note: '', ...PRESENT });
  }

  /** Whoever goes on while looking at the past goes on from there. */
  function comeBack() {
    if (store.get().moment === null) return;
    const found = rewind.take();
    if (!found) {
      store.update(PRESENT);
      return;
    }
    run?.free();
    enter(found);
  }

  /** @param {string} [note] */
  function finish(note = '') {
    if (!run) return;
    const report = run.report();
    const { link } = store.get();
    const seen = link && link.outcome === null ? { ...link, outcome: outcome(link.opened, report.digest) } : link;
    store.update({ phase: 'done', report, digest: report.digest, link: seen, note });
  }

  const actions = {
    series,

    /** The run that everything shows, if there is one: the replayed one while somebody looks back. */
    source: () => (store.get().moment === null ? run : (rewind.run() ?? run)),

    /** Runs on from where it stands, or from the past moment that is looked at. @param {number} [speed] @param {'collapse' | 'recovery'} [stop] */
    async play(speed = store.get().speed, stop) {
      if (store.get().phase === 'running' || store.get().working) return;
      comeBack();
      if (store.get().phase === 'done' || store.get().phase === 'error') discard();
      if (!run && store.get().check.estimate.events > ASK_EVENTS && !(await place.ask(store.get().check.estimate))) return;
      if (store.get().phase === 'running') return;
      const number = store.get().run;
      try {
        if (!begin() || !run) return;
        run.speed = speed;
        store.update({ phase: 'running', note: '' });
        const ending = run.play((frame) => show(frame, number), stop);
        playing = ending.catch(() => {});
        const ended = await ending;
        if (number !== store.get().run) return;
        if (ended === 'finished') finish(stop ? `The run ended and ${PLACES[stop][1]} from where it was started.` : '');
        else store.update({ phase: 'paused', note: ended === 'reached' && stop ? `${PLACES[stop][0]}, ${format.moment(run.now_seconds)}.` : '' });
      } catch (error) {
        if (number === store.get().run) fail(error);
      }
    },

    /** Stops whatever goes on: the run, or the search for a moment. */
    pause() {
      run?.pause();
      rewind.stop();
      branch?.pause();
    },

    /** @param {'event' | 'tick' | 'second'} what */
    step(what) {
      if (store.get().phase === 'running' || store.get().working || !may(store.get().view, 'run')) return;
      comeBack();
      if (store.get().phase === 'done' || store.get().phase === 'error') discard();
      try {
        if (!begin() || !run) return;
        show(run.step(what), store.get().run);
        if (run.finished) finish();
        else store.update({ phase: 'paused', note: '' });
      } catch (error) {
        fail(error);
      }
    },

    /** Has everything show a past moment; null, or one that has not come yet, is the present. @param {number | null} seconds */
    async lookAt(seconds) {
      const { phase, run: number, check } = store.get();
      if (!run || branch) return;
      if (phase === 'running') {
        run.pause();
        await playing;
        if (number !== store.get().run) return;
      }
      const front = store.get().frame?.now_seconds ?? 0;
      if (seconds === null || !(seconds < front)) {
        rewind.stop();
        store.update(PRESENT);
        return;
      }
      const before = { moment: store.get().moment, past: store.get().past };
      store.update({ moment: Math.max(seconds, 0) });
      try {
        const frame = await rewind.find(check.profile, Math.max(seconds, 0));
        if (number !== store.get().run) return;
        if (frame && store.get().moment !== null) store.update({ past: frame, working: null });
        // Given up: back to what was shown before.
        else if (!frame && store.get().moment === Math.max(seconds, 0)) store.update({ ...before, working: null });
      } catch (error) {
        if (number === store.get().run) fail(error);
      }
    },

    /**
     * Breaks the running system now, or at the past moment that is looked at: the profile gets an intervention there, and the run
     * goes on from there as if the profile had always had it, which is what the next run of it will do.
     * @param {Omit<import('../shared/timeline.js').Entry, 'at_seconds'>} entry @returns {Promise<boolean>} whether it was taken over
     */
    async intervene(entry) {
      const { phase, run: number, profile } = store.get();
      if (!run || branch || store.get().working || !may(store.get().view, 'break')) return false;
      const going = phase === 'running';
      if (going) {
        run.pause();
        await playing;
        if (number !== store.get().run || store.get().phase === 'error') return false;
      }
      const now = store.get().moment ?? run.now_seconds;
      // The next whole millisecond: after everything that has happened, and readable in a link.
      const at = Math.floor(now * 1000 + 1 + 1e-6) / 1000;
      try {
        const check = engine.check(JSON.stringify(write(profile, 'timeline', [...(profile.timeline ?? []), { ...entry, at_seconds: at }])));
        const found = await replay(engine, check.profile, now, (progress) => store.update({ working: { words: `Replaying to ${format.moment(now)} with the change`, progress } }), (started) => { branch = started; });
        branch = null;
        store.update({ working: null });
        if (!found) return false;
        if (number !== store.get().run) {
          found.run.free();
          return false;
        }
        past = edits.record(past, standing(), `the change at ${format.moment(at)}`, null, Date.now());
        discard();
        enter(found);
        store.update({ check, profile: JSON.parse(check.profile), problems: [], draft: null, link: null, notice: null });
        tell();
        if (going) void actions.play();
        return true;
      } catch (error) {
        branch = null;
        store.update({ working: null });
        if (isCrash(error)) {
          fail(error);
          return false;
        }
        const [first] = problemsOf(error);
        store.update({ failure: `Not done: ${first.message}.` });
        if (going) void actions.play();
        return false;
      }
    },

    reset: discard,

    /** Ends everything, for good. */
    retire() {
      removeEventListener('error', crashed);
      discard();
    },

    /** @param {number} speed */
    setSpeed(speed) {
      store.update({ speed });
      if (run) run.speed = speed;
    },

    /** @param {string} name */
    choosePreset(name) {
      const preset = presets.find((one) => one.name === name);
      if (!preset || !may(store.get().view, 'preset')) return;
      adopt(engine.check(preset.profile), { preset: name, own: null, link: null, view: everything() }, { what: `choosing ${name}` });
      place.leave();
    },

    newSeed() {
      actions.setField('seed', engine.new_seed());
    },

    /** Takes over one field, or says why not. @param {string} path @param {unknown} value */
    setField(path, value) {
      const next = JSON.stringify(write(store.get().profile, path, value));
      // JSON has no infinity and no NaN: what is no number is refused by name.
      const odd = typeof value === 'number' && !Number.isFinite(value);
      return actions.setText(odd ? JSON.stringify(write(store.get().profile, path, String(value))) : next, false, path);
    },

    /** Takes over a whole profile, or keeps it as a draft and says why not. @param {string} text @param {boolean} [typed] @param {string} [path] the field that differs */
    setText(text, typed = true, path = '') {
      const draft = typed ? text : null;
      if (text.length > MOST_TEXT) {
        store.update({ draft, problems: [{ path: '', message: `the profile: found ${text.length} characters, accepted: at most ${MOST_TEXT}` }] });
        return false;
      }
      try {
        const check = engine.check(text);
        const locked = lockedField(check);
        if (locked !== undefined) {
          store.update({ draft, problems: [{ path: locked, message: `${locked}: ${LOCKED.toLowerCase()}` }] });
          return false;
        }
        adopt(check, {}, { what: path === '' ? 'a change of the text' : `a change of ${path}`, key: path === '' ? TEXT : path });
        return true;
      } catch (error) {
        if (isCrash(error)) fail(error);
        else store.update({ draft, problems: problemsOf(error) });
        return false;
      }
    },

    /**
     * Takes over an experiment from elsewhere, or says why not and leaves everything as it is.
     * @param {{ preset?: string, profile: string, own: string | null, view?: import('../shared/view.js').View }} given @param {string | null} what the edit's name; null cannot be taken back
     * @returns {string} what is wrong, else ""
     */
    take({ preset = store.get().preset, profile, own, view = everything() }, what) {
      try {
        const check = engine.check(profile);
        adopt(check, { preset: presets.some((one) => one.name === preset) ? preset : store.get().preset, own, link: null, view }, what === null ? null : { what });
        return '';
      } catch (error) {
        if (isCrash(error)) fail(error);
        return isCrash(error) ? store.get().failure : problemsOf(error)[0].message;
      }
    },

    /** Takes the last edit back; one that was refused, first. */
    undo() {
      const { draft, problems } = store.get();
      if (draft === null && problems.length === 0) return turn(edits.undo(past, standing()), 'Undone');
      if (draft !== null) past = { ...past, redo: [...past.redo, { standing: standing(), what: 'the refused text' }], key: null };
      actions.dropDraft();
      tell('Undone: the edit that was refused.');
    },

    redo() {
      const { draft, profile } = past.redo.at(-1)?.standing ?? { draft: null, profile: '' };
      if (draft === null || profile !== store.get().check.profile) return turn(edits.redo(past, standing()), 'Made again');
      past = { ...past, redo: past.redo.slice(0, -1), key: null };
      actions.setText(draft);
      tell('Made again: the refused text.');
    },

    /** @param {import('./store.js').Notice | null} notice */
    say(notice) {
      store.update({ notice });
    },

    /** Lets go of an edit that was refused. */
    dropDraft() {
      store.update({ draft: null, problems: [] });
    },

    /** Gives whoever is called this the seed of their own. @param {string} name */
    takeSeed(name) {
      const { profile, view } = store.get();
      const seed = engine.seed_of(name.normalize('NFC'));
      adopt(engine.check(JSON.stringify(write(profile, 'seed', seed))), { view: { ...view, by: name } }, { what: 'taking the seed of your name' });
      return seed;
    },

    /** Shows and unlocks everything, whatever the link says. */
    unlock() {
      store.update({ view: unlimited(store.get().view) });
    },

    /** Opens a link, and runs it if that is soon done; the last one, if there are several at once. @param {string} text */
    async open(text) {
      const number = ++opening;
      try {
        const opened = await readLink(text);
        if (number !== opening) return;
        const check = engine.check(opened.profile);
        const { view: read, problems } = readView(opened.view);
        // Whoever misspelt a part did not mean to hide the rest, nor what is said of it.
        const view = problems.length ? { ...read, show: null } : read;
        adopt(check, { preset: opened.preset ?? store.get().preset, own: null, link: { opened, outcome: null }, view }, { what: OPENING });
        discard();
        if (problems.length) actions.say({ words: `Of what the link says of its view, this is not known here and left out: ${problems.join('; ')}.`, until: 'edit' });
        // Who has a seed of their own says who they are first.
        if ((view.seeds !== 'own' || view.by !== '') && check.estimate.events <= AT_ONCE_EVENTS) void actions.play(Infinity);
      } catch (error) {
        if (number !== opening) return;
        const refused = /** @type {any} */ (error);
        if (isCrash(error)) fail(error);
        // A run that is there goes on.
        else if (refused?.kind !== 'empty') {
          const named = presets.find(({ name }) => new RegExp(`v1\\.${name}(?![\\w-])`).test(text));
          store.update({ phase: run ? store.get().phase : 'error', failure: `${refused.message}. The experiment shown is another one: choose a preset or paste the whole link again.`, broken: { text, preset: named?.name ?? null } });
        }
      }
    },

    /** The way back has left the link: what was there before it comes back, unless somebody has worked on since. */
    close() {
      opening++;
      const { link, draft, problems } = store.get();
      if (!link || draft !== null || problems.length) return;
      for (let left = past.undo.length; left > 0 && past.undo.at(-1)?.what === OPENING; left--) actions.undo();
    },

    /** The address of this experiment: with its result if there is one, and as it is shown. @param {{ result?: boolean, view?: import('../shared/view.js').View }} [given] */
    async link({ result = true, view = store.get().view } = {}) {
      const { preset, check, report } = store.get();
      const token = await writeLink(preset, check.profile, result ? report?.digest : undefined, writeView(view));
      return `${place.base()}#${token}`;
    },
  };
  return actions;
}

/** @param {{ events: number }} estimate @param {string} [what] @returns {Promise<boolean>} */
export function ask(estimate, what = 'This experiment has') {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('dialog'));
  dialog.innerHTML = '<h2 id="dialog-title">A long run</h2><p></p><form method="dialog" class="row"><button value="no">Not now</button><button class="primary" value="yes">Run it</button></form>';
  const words = dialog.querySelector('p');
  if (words) words.textContent = `${what} about ${Math.round(estimate.events / 1e6)} million events. It can be paused at any time.`;
  dialog.returnValue = '';
  // It may stand there still: then it asks for the last experiment alone.
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}
