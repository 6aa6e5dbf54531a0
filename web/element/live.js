// A loaded experiment inside an embed: the page's own parts, on a store of their own.

import { isCrash, load, readLink, replace, replacements, writeLink } from '../engine/engine.js';
import { charts } from '../page/charts/index.js';
import { CHARTS } from '../page/charts/list.js';
import { conductor } from '../page/conductor.js';
import { element, setText } from '../page/dom.js';
import { picture } from '../page/picture.js';
import { createStore } from '../page/store.js';
import { verdict } from '../page/verdict.js';
import { USUAL_CHARTS, paceOf, partsOf } from '../shared/embed.js';
import { freeToken } from '../shared/kept.js';
import { Series } from '../shared/series.js';
import { everything, readView, writeView } from '../shared/view.js';
import { titleOf } from './poster.js';
import { row } from './row.js';

/** @typedef {import('../shared/embed.js').Given} Given */
/** @typedef {import('../page/store.js').State} State */
/** @typedef {Awaited<ReturnType<typeof live>>} Live */

/** The one engine of all embeds of a page. @type {Promise<{ engine: import('../engine/engine.js').Engine, presets: import('../engine/engine.js').PresetInfo[], schema: any }> | null} */
let loaded = null;
/** Loads and compiles it when it is first needed; tries again where that failed. */
export function engineOnce() {
  loaded ??= load().then((engine) => ({ engine, presets: engine.presets(), schema: JSON.parse(engine.schema()) })).catch((error) => {
    loaded = null;
    throw error;
  });
  return loaded;
}

/** Narrower than this is little room, wherever the embed stands. */
const SMALL_PX = 700;

/** Like a media query, of the room there is for an element. @param {HTMLElement} place */
function room(place) {
  const events = new EventTarget();
  const small = { matches: place.clientWidth <= SMALL_PX, addEventListener: events.addEventListener.bind(events), removeEventListener: events.removeEventListener.bind(events) };
  const observer = new ResizeObserver(() => {
    const matches = place.clientWidth <= SMALL_PX;
    if (matches === small.matches) return;
    small.matches = matches;
    events.dispatchEvent(new Event('change'));
  });
  observer.observe(place);
  return { small: /** @type {Pick<MediaQueryList, 'matches' | 'addEventListener' | 'removeEventListener'>} */ (small), stop: () => observer.disconnect() };
}

/**
 * @param {HTMLElement} stage what has the theme, and the width that counts
 * @param {Given} given
 * @param {{ base: string, theme: string, name: string, changed: (before: State, now: State) => void }} host
 * @throws the engine's errors of a link that cannot be opened
 */
export async function live(stage, given, { base, theme, name, changed }) {
  const { engine, presets, schema } = await engineOnce();
  const opened = await readLink(given.token);
  const view = given.viewed ? given.view : readView(opened.view).view;
  const by = name.trim().replace(/\s+/g, ' ');
  const seed = view.seeds === 'own' && by !== '' ? engine.seed_of(by.normalize('NFC')) : null;
  const profile = seed === null ? opened.profile : JSON.stringify({ ...JSON.parse(opened.profile), seed });
  const check = engine.check(profile);
  const variants = view.vs.map((changes) => ({ name: changes.replaceAll('~', ', ').replaceAll('=', ' = '), profile: vary(changes) }));
  /** @param {string} changes */
  function vary(changes) {
    try {
      return engine.vary(profile, changes);
    } catch (error) {
      throw Object.assign(new Error(`vs: ${/** @type {Error} */ (error).message}`), { name: 'LinkError', field: 'vs' });
    }
  }
  // What is locked is locked for the reader, whose controls are made for it; the page around may do everything.
  const store = createStore({
    phase: 'ready', preset: opened.preset ?? 'exp-001', profile: JSON.parse(check.profile), check, problems: [], draft: null, run: 0, speed: 20,
    frame: null, transitions: [], report: null, digest: '', failure: '', note: '', link: { opened, outcome: null }, copied: null, broken: null, view: everything(), theme,
    moment: null, past: null, working: null, kept: [], replicated: null, history: { undo: 0, redo: 0 }, notice: null, own: null, owned: [], before: null,
  });
  store.update({ speed: paceOf(store.get().profile.run.duration_seconds) });
  const { update } = store;
  // Whoever listens from outside is told at once, also where nothing is drawn.
  store.update = (change) => {
    const before = store.get();
    update(change);
    changed(before, store.get());
  };

  const made = element('div', { class: 'live' });
  /** @type {(() => void)[]} */
  const ends = [];
  const { small, stop } = room(stage);
  ends.push(stop);

  const asking = element('div', { class: 'notice asking', role: 'group', 'aria-label': 'A long run', 'data-testid': 'embed-asking', hidden: true });
  /** @param {{ events: number }} estimate @returns {Promise<boolean>} */
  const ask = ({ events }) => new Promise((resolve) => {
    const answer = (/** @type {boolean} */ yes) => () => {
      asking.hidden = true;
      asking.replaceChildren();
      resolve(yes);
    };
    asking.replaceChildren(element('p', { role: 'alert' }, `This experiment has about ${Math.round(events / 1e6)} million events. It can be paused at any time.`),
      element('div', { class: 'row' }, element('button', { type: 'button', class: 'primary', onclick: answer(true) }, 'Run it'), element('button', { type: 'button', onclick: answer(false) }, 'Not now')));
    asking.hidden = false;
  });
  const actions = conductor(engine, presets, store, { ask, base: () => base, leave: () => {} });

  const { play, pause } = actions;
  /** The run of a variant on its way. @type {import('../engine/engine.js').Run | null} */
  let aside = null;
  let compared = variants.length === 0;
  /** What there is to compare with is run first, at full speed, and then stands beside every run. */
  async function runVariants() {
    for (const [index, { name: called, profile: other }] of variants.entries()) {
      if (store.get().kept.some(({ id }) => id === index)) continue;
      const words = `Running ${called} to compare with`;
      store.update({ working: { words, progress: 0 } });
      const series = new Series();
      const run = new engine.Run(other);
      aside = run;
      run.speed = Infinity;
      const ended = await run.play((frame) => {
        series.append(frame);
        store.update({ working: { words, progress: frame.progress } });
      });
      aside = null;
      if (ended !== 'finished') {
        run.free();
        store.update({ working: null });
        return false;
      }
      const report = run.report();
      run.free();
      store.update({ kept: [...store.get().kept, { id: index, name: called, preset: store.get().preset, profile: other, report, series, token: freeToken(store.get().kept) }] });
    }
    store.update({ working: null });
    return true;
  }
  actions.play = async (...how) => {
    if (aside || store.get().working) return;
    try {
      compared ||= await runVariants();
    } catch (error) {
      aside = null;
      store.update({ working: null, failure: `What there is to compare with could not be run: ${error instanceof Error ? error.message : error}.` });
      if (isCrash(error)) replace();
      return;
    }
    if (compared) await play(...how);
  };
  actions.pause = () => {
    aside?.pause();
    pause();
  };

  const away = element('a', { class: 'small away', target: '_blank', rel: 'noopener', 'data-testid': 'embed-open', hidden: base === '' }, 'Open in the playground ', element('span', { 'aria-hidden': 'true' }, '↗'));
  const address = element('input', { class: 'address', readonly: true, 'data-testid': 'embed-address', 'aria-label': 'Address of this experiment in the playground', hidden: true, onfocus: () => address.select() });
  const addressed = element('p', { class: 'soft small', role: 'status', hidden: true });
  made.append(element('div', { class: 'head' }, element('h2', { class: 'title' }, titleOf(given)), away), addressed, address);
  if (seed !== null) made.append(element('p', { class: 'small', 'data-testid': 'embed-own-seed' }, `Seed ${seed}, from “${by}”.`));
  if (view.ask) made.append(element('p', { class: 'notice question', 'data-testid': 'embed-question' }, view.ask));
  if (view.answer) made.append(element('p', { class: 'answer', 'data-testid': 'embed-answer' }, element('span', { class: 'soft' }, view.by ? `Answer of ${view.by}: ` : 'Answer: '), view.answer));

  away.addEventListener('click', (event) => {
    event.preventDefault();
    // A frame whose host allows no windows gets none, and says nothing: then the address is there to be copied.
    const page = window.open(away.href, '_blank');
    try {
      if (page) page.opener = null;
    } catch { /* it is of another origin already, and cannot reach back further than this frame */ }
    if (page && self.origin !== 'null') return;
    address.value = away.href;
    address.hidden = false;
    addressed.hidden = false;
    setText(addressed, page ? 'If the new window stays empty, the page around does not let it work: copy the address instead.' : 'The page around does not allow new windows: copy the address.');
    address.focus({ preventScroll: true });
  });
  // The question and the limits go along; which parts are shown is for here alone.
  const limits = writeView({ ...view, show: null, charts: null, by: seed === null ? view.by : by });
  let linked = '';
  /** The link is of what is shown, with its result once there is one. @param {State} state */
  async function relink({ check: now, preset, report, phase }) {
    const key = `${now.hash} ${report?.digest}`;
    if (base === '' || phase === 'running' || key === linked) return;
    linked = key;
    const token = await writeLink(preset, now.profile, report?.digest, limits).catch(() => null);
    if (token !== null && key === linked) away.href = `${base}#${token}`;
  }
  away.href = `${base}#${given.token}`;

  const parts = partsOf(view);
  const panel = (/** @type {string} */ name, /** @type {string} */ label) => {
    // Not landmarks, of which a page with many experiments would be full.
    const place = element('div', { class: `part ${name}`, role: 'group', 'aria-label': label });
    made.append(place);
    return place;
  };
  made.append(asking);
  if (parts.includes('controls')) ends.push(row(panel('controls-part', 'Run'), store, { actions, view, schema }));
  const proven = element('p', { class: 'notice', role: 'status', 'data-testid': 'embed-link', hidden: true });
  made.append(proven);
  if (parts.includes('verdict')) {
    const place = panel('verdict-part', 'Verdict');
    ends.push(verdict(place, store, actions));
    // The sentence stands alone until somebody asks what it rests on.
    const facts = place.querySelector('.facts');
    if (facts) {
      const more = element('details', { class: 'rests' }, element('summary', {}, 'What it rests on'));
      facts.replaceWith(more);
      more.append(facts);
    }
  }
  if (parts.includes('picture')) ends.push(picture(panel('picture', 'What happens where'), store, small));
  if (parts.includes('charts')) {
    const only = view.charts ?? USUAL_CHARTS;
    const place = panel('charts-part', 'Over time');
    const missing = element('p', { class: 'notice', 'data-testid': 'embed-missing', hidden: true });
    place.append(missing);
    ends.push(charts(place, store, { actions, engine, stage, only }));
    ends.push(store.subscribe(({ profile }) => {
      const none = only.filter((name) => CHARTS.some((chart) => chart.name === name && chart.when && !chart.when(profile)));
      missing.hidden = none.length === 0;
      setText(missing, none.length ? `This experiment has nothing to show for: ${none.join(', ')}.` : '');
    }));
  }
  ends.push(store.subscribe((state) => {
    void relink(state);
    const { link, digest, phase } = state;
    const words = link?.outcome === 'reproduced' ? 'Reproduced ✓ The run gave the result that the link promises, bit for bit.'
      : link?.outcome === 'different' ? `Same experiment, different result: the link promises digest ${link.opened.expected_digest}… of engine revision ${link.opened.expected_revision}, this run has ${digest} of revision ${engine.revision()}.`
      : link?.outcome === 'edited' ? 'Edited since it was shared: the result is not compared.' : '';
    proven.hidden = words === '' || phase !== 'done';
    proven.className = `notice ${link?.outcome === 'reproduced' ? 'good' : link?.outcome === 'different' ? 'warn' : ''}`;
    setText(proven, words);
  }));

  const replaced = () => {
    if (store.get().phase === 'error') return;
    actions.reset();
    store.update({ failure: 'The engine failed in another experiment of this page and has been replaced; run this one again.' });
  };
  replacements.addEventListener('replaced', replaced);

  return {
    made, store, actions, view,
    destroy() {
      for (const end of ends) end();
      replacements.removeEventListener('replaced', replaced);
      actions.retire();
      made.remove();
    },
  };
}
