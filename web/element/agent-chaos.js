// <agent-chaos>: an experiment in a page of somebody else's. A poster until it is asked to run; what is given comes in by
// attributes, what happens goes out by events.

import { beside, posters, sheet } from 'virtual:agent-chaos';
import { CHARTS } from '../page/charts/list.js';
import { element } from '../page/dom.js';
import { glance, NAMES, readGiven } from '../shared/embed.js';
import { read } from '../shared/paths.js';
import { live } from './live.js';
import { poster, refused, titleOf } from './poster.js';
import { around, watch } from './theme.js';

/** @typedef {import('../engine/engine.js').Report} Report */
/** @typedef {'poster' | 'loading' | 'ready' | 'running' | 'paused' | 'done' | 'error' | 'refused'} Phase */
/** What an element tells of itself. @typedef {{ phase: Phase, preset: string | null, seed: number | null, digest: string, verdict: string, now_seconds: number, progress: number }} Standing */

/** While a run plays, whoever listens is told no more often than this. */
const TELL_MS = 250;
const KNOWN = { presets: Object.keys(posters), charts: CHARTS.map(({ name }) => name) };

/** @type {CSSStyleSheet | null} */
let shared = null;
function styles() {
  if (shared) return shared;
  shared = new CSSStyleSheet();
  shared.replaceSync(sheet);
  return shared;
}

/** Where there is no document, as while a site is generated, the module is there and does nothing. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

export class AgentChaos extends Base {
  static observedAttributes = NAMES;

  #stage = element('div', { class: 'stage', lang: 'en', dir: 'ltr' });
  #inner = element('div', { class: 'inner' });
  #probe = element('span', { class: 'probe', 'aria-hidden': 'true' });
  /** @type {import('../shared/embed.js').Given | null} */
  #given = null;
  /** @type {[string, string][]} */
  #configured = [];
  /** @type {ReturnType<typeof poster> | null} */
  #poster = null;
  /** @type {import('./live.js').Live | null} */
  #live = null;
  /** @type {Promise<import('./live.js').Live | null> | null} */
  #loading = null;
  /** @type {Phase} */
  #phase = 'poster';
  /** Changes from outside that came before the engine. @type {[string, unknown][]} */
  #early = [];
  /** Which of all that was shown this is: what comes late for another is dropped. */
  #turn = 0;
  #seen = false;
  /** It was asked to run, or paused, while out of sight. */
  #waits = false;
  #told = 0;
  #due = false;
  /** @type {((report: Report | null) => void)[]} */
  #wanted = [];
  /** @type {(() => void)[]} */
  #ends = [];

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styles()];
    this.#stage.append(this.#inner);
    root.append(this.#probe, this.#stage);
  }

  connectedCallback() {
    // Lengths follow the reader's own font size: a host's root may have another.
    this.#probe.style.fontSize = 'medium';
    this.#stage.style.setProperty('--unit', `var(--agent-chaos-size, ${getComputedStyle(this.#probe).fontSize})`);
    const sight = new IntersectionObserver((entries) => this.#look(entries.at(-1)?.isIntersecting ?? false));
    sight.observe(this.#stage);
    this.#ends = [() => sight.disconnect(), watch(this.#probe, () => this.#retheme())];
    this.#show();
  }

  disconnectedCallback() {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#clear();
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (!this.isConnected || before === now) return;
    if (name === 'theme' && this.#given && this.#phase !== 'refused') {
      const { theme, problems } = this.#read();
      if (!problems.length) {
        this.#given = { ...this.#given, theme };
        this.#retheme();
        return;
      }
    }
    if (this.#due) return;
    // Several attributes are often set one after the other.
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (this.isConnected) this.#show();
    });
  }

  /** What it is given. */
  #read() {
    /** @type {[string, string][]} */
    const entries = this.#configured.filter(([name]) => !this.hasAttribute(name));
    for (const { name, value } of this.attributes) {
      if (!NAMES.includes(name)) continue;
      // An attribute is there once, variants may be several.
      for (const one of name === 'vs' ? value.split('|') : [value]) entries.push([name, one]);
    }
    return readGiven(entries, KNOWN);
  }

  /** Gives it what attributes would, of which a name may come more than once; attributes come before it. @param {[string, string][]} entries */
  configure(entries) {
    this.#configured = entries;
    if (this.isConnected) this.#show();
  }

  #clear() {
    this.#turn++;
    this.#live?.destroy();
    this.#live = null;
    this.#poster = null;
    this.#loading = null;
    this.#early = [];
    this.#waits = false;
    for (const answer of this.#wanted.splice(0)) answer(null);
    this.#inner.replaceChildren();
  }

  #show() {
    this.#clear();
    const given = this.#read();
    this.#given = given;
    this.#retheme();
    if (given.problems.length) this.#refuse(given.problems, false);
    else {
      this.#poster = poster(given, () => this.#pressed());
      this.#inner.append(this.#poster.made);
      this.#enter('poster');
    }
  }

  #pressed() {
    if (this.#phase !== 'poster') return;
    const { name } = this.#poster ?? {};
    if (name?.isConnected && name.value.trim() === '') {
      this.#poster?.say('First type your name or number.', false);
      name.focus({ preventScroll: true });
      return;
    }
    void this.run();
  }

  /** @param {import('../shared/embed.js').Refused[]} problems @param {boolean} again whether another try may do better */
  #refuse(problems, again) {
    const given = /** @type {import('../shared/embed.js').Given} */ (this.#given);
    this.#poster = null;
    this.#inner.replaceChildren(refused(given.token ? titleOf(given) : 'This experiment cannot be shown', problems, again ? () => {
      this.#show();
      this.#poster?.button.focus({ preventScroll: true });
    } : null));
    this.#enter('refused');
    for (const problem of problems) this.#say('error', problem);
  }

  #retheme() {
    const theme = this.#given?.theme ?? 'auto';
    const now = theme === 'auto' ? around(this) : theme;
    if (this.#stage.dataset.theme === now) return;
    this.#stage.dataset.theme = now;
    this.#live?.store.update({ theme: now });
  }

  /** @param {boolean} seen */
  #look(seen) {
    this.#seen = seen;
    const { phase } = this.#live?.store.get() ?? {};
    if (!seen && phase === 'running') {
      this.#waits = true;
      this.#live?.actions.pause();
    } else if (seen && this.#waits) {
      this.#waits = false;
      if (this.#live && phase !== 'running') void this.#play(this.#live);
    }
  }

  /** @param {import('./live.js').Live} made */
  async #play(made) {
    await made.actions.play();
    // Somebody may have thought better of a long run.
    if (made === this.#live && made.store.get().phase === 'ready' && !this.#waits) for (const answer of this.#wanted.splice(0)) answer(null);
  }

  /** @param {string} name @param {unknown} detail */
  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** @param {Phase} phase */
  #enter(phase) {
    this.#phase = phase;
    this.#told = performance.now();
    this.#say('state', this.state);
  }

  /** @param {import('../page/store.js').State} before @param {import('../page/store.js').State} now */
  #changed(before, now) {
    if (now.phase !== before.phase) this.#enter(now.phase);
    else if (now.check !== before.check || (now.frame !== before.frame && performance.now() - this.#told > TELL_MS)) this.#enter(now.phase);
    if (now.report && now.report !== before.report) {
      this.#say('report', now.report);
      for (const answer of this.#wanted.splice(0)) answer(now.report);
    }
    if (now.failure && now.failure !== before.failure) this.#say('error', { field: '', message: now.failure });
    if (now.problems !== before.problems) for (const { path, message } of now.problems) this.#say('error', { field: path, message });
    if (now.phase === 'error' || (now.phase === 'paused' && before.phase === 'running' && !this.#waits)) for (const answer of this.#wanted.splice(0)) answer(null);
  }

  /** Loads what it takes, once. */
  #load() {
    if (this.#live) return Promise.resolve(this.#live);
    this.#loading ??= this.#begin();
    return this.#loading;
  }

  async #begin() {
    const turn = this.#turn;
    const given = this.#given;
    if (!given || given.problems.length || !this.isConnected) return null;
    this.#poster?.say('Loading the engine …', true);
    this.#enter('loading');
    try {
      const made = await live(this.#stage, given, { base: this.#base(), theme: this.#stage.dataset.theme ?? 'light', name: this.#poster?.name.value ?? '', changed: (before, now) => { if (turn === this.#turn) this.#changed(before, now); } });
      if (turn !== this.#turn) {
        made.destroy();
        return null;
      }
      // The keyboard goes on where it was, and nowhere else.
      const had = this.shadowRoot?.activeElement === this.#poster?.button && this.#poster !== null;
      this.#live = made;
      this.#poster = null;
      this.#inner.replaceChildren(made.made);
      if (had) /** @type {HTMLElement | null} */ (made.made.querySelector('[data-testid="embed-run"]'))?.focus({ preventScroll: true });
      this.#enter('ready');
      for (const [path, value] of this.#early.splice(0)) made.actions.setField(path, value);
      return made;
    } catch (error) {
      if (turn !== this.#turn) return null;
      this.#loading = null;
      const refusal = /** @type {any} */ (error);
      // A link that is wrong stays wrong; what could not be fetched may be there the next time.
      const wrong = refusal?.name === 'LinkError' || refusal?.name === 'ProfileError';
      const words = error instanceof Error ? error.message : String(error);
      // Who has given no link is not told of one.
      const message = wrong && !given.linked && refusal.field && refusal.field !== 'vs' ? `set: ${words.replace(/^[^/]*(?=\/)/, '')}` : words;
      this.#refuse([{ field: wrong ? String(refusal.field ?? '') : '', message: wrong ? message : `The engine could not be loaded: ${message}` }], !wrong);
      return null;
    }
  }

  #base() {
    const told = this.#given?.playground;
    if (told) return told;
    return beside ? import.meta.url.replace(/[^/]*$/, '') : '';
  }

  /** Where it stands. @returns {Standing} */
  get state() {
    const now = this.#live?.store.get();
    return {
      phase: this.#phase,
      preset: now ? now.preset : glance(this.#given?.token ?? '').preset,
      seed: now ? Number(read(now.profile, 'seed')) : null,
      digest: now?.digest ?? '',
      verdict: now?.report?.headline ?? '',
      now_seconds: now?.frame?.now_seconds ?? 0,
      progress: now?.frame?.progress ?? 0,
    };
  }

  /** What the last run came to; null until one has ended. @returns {Report | null} */
  get report() {
    return this.#live?.store.get().report ?? null;
  }

  /**
   * Runs, or goes on, as soon as it is in sight. Gives the report when the run has ended; null if it is paused or ended before.
   * @returns {Promise<Report | null>}
   */
  async run() {
    const made = await this.#load();
    if (!made) return null;
    const ended = new Promise((/** @type {(report: Report | null) => void} */ resolve) => this.#wanted.push(resolve));
    if (made.store.get().phase !== 'running') {
      if (this.#seen) void this.#play(made);
      else this.#waits = true;
    }
    return ended;
  }

  pause() {
    this.#waits = false;
    this.#live?.actions.pause();
  }

  /** Forgets the run; the experiment stays as it is. */
  reset() {
    this.#waits = false;
    this.#live?.actions.reset();
  }

  /**
   * Changes one field of the profile. What is refused changes nothing, and is said by an `error` event.
   * @param {string} path such as `workers.count` @param {unknown} value
   * @returns {boolean} whether it was taken over; before the engine is there, whether it will be tried
   */
  set(path, value) {
    if (typeof path !== 'string' || !/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/.test(path)) {
      this.#say('error', { field: '', message: `found a path of another form, accepted: the path of a field, such as workers.count` });
      return false;
    }
    if (this.#phase === 'refused') return false;
    try {
      // What cannot be written as JSON is no value of a field.
      if (JSON.stringify(value) === undefined) throw new TypeError('no value');
    } catch {
      this.#say('error', { field: path, message: `${path}: found what is no JSON value, accepted: a value of the field` });
      return false;
    }
    if (this.#live) return this.#live.actions.setField(path, value);
    this.#early.push([path, value]);
    return true;
  }
}

/** Makes the element known to the page, if it is not yet. @param {string} [name] */
export function define(name = 'agent-chaos') {
  if (globalThis.customElements && !customElements.get(name)) customElements.define(name, AgentChaos);
}
