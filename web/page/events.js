// Requests and events: the list of the latest events, the slowest requests, and the life of any one.

import * as format from '../shared/format.js';
import { element, setText } from './dom.js';
import { drawLife } from './events-life.js';
import { eventList } from './events-list.js';

/** @typedef {import('../engine/engine.js').Life} Life */
/** @typedef {import('../engine/engine.js').Run} Run */
/** @typedef {import('../engine/engine.js').Search} Search */
/** @typedef {import('./store.js').State} State */

/** While a run plays, the list is brought up to date no more often than this. */
const FOLLOW_MS = 300;
/** What is typed is looked for after a pause of this length. */
const TYPED_MS = 200;
const SLOWEST = 10;

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, names: import('../engine/engine.js').RecordNames }} given
 */
export function events(place, store, { actions, names }) {
  /** @type {{ kinds: number[], request: number | null, agent: number | null, failures: boolean, text: string }} */
  let filter = { kinds: [], request: null, agent: null, failures: false, text: '' };
  /** @type {number | null} */
  let chosen = null;
  /** @type {Life | null} */
  let life = null;
  /** The run that it was taken from, and how many events there had been. @type {{ run: Run | null, written: number }} */
  let taken = { run: null, written: 0 };
  /** @type {Search | null} */
  let search = null;
  let progress = 0;
  /** Why no life is shown, or what is missing of it. @type {'' | 'stopped' | 'later' | 'partial'} */
  let missing = '';

  // The filter.
  const kind = element('select', { id: 'events-kind', 'data-testid': 'events-kind', onchange: filtered }, element('option', { value: '', text: 'All events' }));
  const [request, requestField] = numberField('request', 'Request');
  const [agent, agentField] = numberField('agent', 'Agent');
  const text = element('input', { id: 'events-text', 'data-testid': 'events-text', type: 'search', placeholder: 'overflow', autocomplete: 'off', maxlength: 100, oninput: typed });
  const failures = element('input', { id: 'events-failures', 'data-testid': 'events-failures', type: 'checkbox', onchange: filtered });
  const clear = element('button', { type: 'button', 'data-testid': 'events-clear', text: 'Clear', onclick: cleared });
  const show = element('button', { type: 'button', 'data-testid': 'events-show', text: 'Show its life', onclick: () => {
    // What has just been typed is meant.
    filtered();
    if (filter.request !== null) open(filter.request);
  } });
  const follow = element('button', { type: 'button', 'data-testid': 'events-follow', 'aria-pressed': 'true', text: 'Follow the end', onclick: () => list.setFollowing(follow.getAttribute('aria-pressed') !== 'true') });
  const problem = element('p', { class: 'problem', id: 'events-problem', 'data-testid': 'events-problem', role: 'alert' });
  const form = element('div', { class: 'row events-filter', role: 'search', 'aria-label': 'Which events' },
    element('div', { class: 'field' }, element('label', { for: 'events-kind', text: 'Event' }), kind),
    element('div', { class: 'events-pair' }, requestField, show), agentField,
    element('div', { class: 'field words' }, element('label', { for: 'events-text', text: 'Words' }), text),
    element('label', { class: 'events-check', for: 'events-failures' }, failures, 'Failures only'),
    clear);

  // The list, and what goes with it.
  const count = element('p', { class: 'soft small', 'data-testid': 'events-count' });
  const status = element('p', { class: 'visually-hidden', role: 'status', 'data-testid': 'events-status' });
  const announce = (/** @type {string} */ words) => setText(status, words);
  const list = eventList({
    names, open, announce,
    read: (from, to, at) => actions.source()?.records(filter, from, to, at) ?? null,
    follow: (on) => follow.setAttribute('aria-pressed', String(on)),
  });

  // The slowest.
  const slow = Array.from({ length: SLOWEST }, () => {
    const [number, took, bar, rest] = ['number', 'took', 'slow-bar', 'visually-hidden'].map((name) => element('span', { class: name }));
    bar.setAttribute('aria-hidden', 'true');
    const button = element('button', { type: 'button', onclick: () => button.value !== '' && open(Number(button.value)) }, element('span', { class: 'visually-hidden', text: 'Request ' }), number, took, rest, bar);
    return { item: element('li', { hidden: true }, button), button, number, took, bar, rest };
  });
  const nobody = element('p', { class: 'soft small', text: 'No request has ended yet.' });
  const slowest = element('section', { class: 'slowest', 'aria-labelledby': 'slowest-title' },
    element('h3', { id: 'slowest-title', text: 'Slowest ten' }),
    element('p', { class: 'soft small', text: 'From creation to the end, warm-up included.' }),
    element('ol', { 'data-testid': 'slowest' }, ...slow.map(({ item }) => item)), nobody,
    element('p', { class: 'soft small slow-key', 'aria-hidden': 'true' }, part('waiting'), 'waiting ', part('network'), 'on the way ', part('service'), 'in service'));

  // The life.
  const title = element('h3', { id: 'life-title', tabindex: -1 });
  const only = element('button', { type: 'button', 'data-testid': 'life-only', text: 'List only its events', onclick: listOnly });
  const close = element('button', { type: 'button', 'data-testid': 'life-close', text: 'Close', onclick: () => { choose(null); list.focus(); } });
  const content = element('div', { class: 'life-content' });
  const meter = element('progress', { max: 1, value: 0, 'aria-label': 'How much of the run has been played again' });
  const words = element('p', { class: 'small', 'data-testid': 'life-search' });
  const again = element('button', { type: 'button', 'data-testid': 'life-stop', text: 'Stop', onclick: () => (search ? stop('stopped') : seek()) });
  const searching = element('div', { class: 'life-searching' }, words, meter, again);
  const panel = element('section', { class: 'life', 'data-testid': 'life', 'aria-labelledby': 'life-title', hidden: true, onkeydown: escaped },
    element('div', { class: 'life-head' }, title, element('div', { class: 'row' }, only, close)), searching, content);

  place.append(
    element('p', { class: 'soft small', text: 'Everything that came about, in its order. Choose an event to see the life of its request, from its creation to its end.' }),
    form, problem,
    element('div', { class: 'events-layout' },
      element('div', { class: 'events-main' },
        element('div', { class: 'events-line' }, count, follow),
        list.place,
        element('p', { class: 'soft small', id: 'events-keys', text: 'Arrow keys, Page Up, Page Down, Home and End move through the list; Enter shows the life of the request.' })),
      slowest),
    status, panel);

  /** @param {'waiting' | 'network' | 'service'} name */
  function part(name) {
    return element('span', { class: 'phase', 'data-phase': { waiting: 'queue', network: 'network', service: 'service' }[name] });
  }

  /** @param {string} name @param {string} label @returns {[HTMLInputElement, HTMLElement]} */
  function numberField(name, label) {
    const input = element('input', { id: `events-${name}`, 'data-testid': `events-${name}`, inputmode: 'numeric', autocomplete: 'off', maxlength: 20, 'aria-describedby': 'events-problem', oninput: typed, onkeydown: entered });
    return [input, element('div', { class: 'field number' }, element('label', { for: `events-${name}`, text: label }), input)];
  }

  /** @param {KeyboardEvent} event */
  function entered(event) {
    if (event.key !== 'Enter') return;
    filtered();
    if (event.target === request && filter.request !== null) open(filter.request);
  }

  /** @param {KeyboardEvent} event */
  function escaped(event) {
    if (event.key !== 'Escape') return;
    choose(null);
    list.focus();
  }

  let pause = 0;
  function typed() {
    clearTimeout(pause);
    pause = setTimeout(filtered, TYPED_MS);
  }

  /** A whole number as people write it; null of nothing. @param {HTMLInputElement} input @param {number} most */
  function read(input, most) {
    const plain = input.value.replace(/[\s#]/g, '');
    const good = plain === '' || (/^\d+$/.test(plain) && Number(plain) <= most);
    input.setAttribute('aria-invalid', String(!good));
    return { value: plain === '' || !good ? null : Number(plain), good };
  }

  function filtered() {
    clearTimeout(pause);
    const [byRequest, byAgent] = [read(request, Number.MAX_SAFE_INTEGER), read(agent, 2 ** 32 - 2)];
    const bad = [[byRequest, request, 'Request'], [byAgent, agent, 'Agent']].find(([one]) => !(/** @type {any} */ (one).good));
    setText(problem, bad ? `${bad[2]}: found “${/** @type {HTMLInputElement} */ (bad[1]).value}”, accepted: a whole number from 0. The list is not filtered by it.` : '');
    filter = { kinds: kind.value === '' ? [] : [Number(kind.value)], request: byRequest.value, agent: byAgent.value, failures: failures.checked, text: text.value };
    list.reset();
    update();
    announce(count.textContent ?? '');
  }

  function cleared() {
    for (const input of [request, agent, text]) input.value = '';
    [kind.value, failures.checked] = ['', false];
    filtered();
  }

  function listOnly() {
    if (chosen === null) return;
    cleared();
    request.value = String(chosen);
    filtered();
  }

  /** @param {number} number */
  function open(number) {
    choose(number);
    title.scrollIntoView({ block: 'nearest' });
    announce(life ? `Request ${format.count(number)}: ${life.words}` : `Request ${format.count(number)}`);
  }

  /** @param {number | null} number */
  function choose(number) {
    if (number !== chosen) {
      stop('');
      [life, chosen] = [null, number];
      taken = { run: null, written: 0 };
    }
    list.choose(number);
    look(true);
  }

  /** Takes the life from what is on hand, or has it searched for. @param {boolean} asked */
  function look(asked) {
    const run = actions.source();
    const facts = run?.records(filter, 0, 0);
    if (chosen === null || !run || !facts) return drawPanel();
    const same = taken.run === run;
    if (same && !asked && !search && (life?.over || taken.written === facts.written)) return drawPanel();
    const found = run.life(chosen);
    if (found) {
      if (search) stop('');
      take(run, facts.written, found);
    } else if (chosen >= facts.created) {
      if (search) stop('');
      take(run, facts.written, null);
    } else if (search) {
      // It is being looked for already.
    } else if (same && !asked && (life || missing === 'stopped')) {
      missing = life ? 'partial' : 'stopped';
    } else {
      return void seek();
    }
    drawPanel();
  }

  /** @param {Run} run @param {number} written @param {Life | null} found */
  function take(run, written, found) {
    taken = { run, written };
    missing = found ? '' : 'later';
    const same = life && found && life.request === found.request && life.over === found.over && life.took_seconds === found.took_seconds && life.steps.at.length === found.steps.at.length;
    life = found;
    if (found && !same) content.replaceChildren(...drawLife(found, names));
  }

  /** Plays the run again for the sake of one request. */
  async function seek() {
    const run = actions.source();
    const facts = run?.records(filter, 0, 0);
    if (chosen === null || !run || !facts) return;
    stop('');
    const own = run.search(chosen);
    taken = { run, written: facts.written };
    [search, progress, missing] = [own, 0, ''];
    drawPanel();
    try {
      const ended = await own.find((done) => {
        progress = done;
        if (search === own) drawPanel();
      });
      if (search !== own) return;
      if (ended === 'finished') {
        take(run, facts.written, own.life());
        announce(life ? `Found. Request ${format.count(life.request)}: ${life.words}` : 'Not found.');
      }
      stop(missing);
      drawPanel();
    } catch (error) {
      // A search that was freed because its run is gone has nothing to say any more.
      if (search !== own) return;
      stop('stopped');
      drawPanel();
      throw error;
    }
  }

  /** Ends a search. @param {typeof missing} why */
  function stop(why) {
    const own = search;
    search = null;
    missing = why;
    if (!own) return;
    own.stop();
    // A module that has crashed cannot free anything any more.
    try { own.free(); } catch { /* gone with its engine */ }
    drawPanel();
  }

  function drawPanel() {
    panel.hidden = chosen === null;
    if (chosen === null) return;
    setText(title, `Request ${format.count(chosen)}`);
    content.hidden = !life;
    searching.hidden = !search && missing === '';
    meter.hidden = !search;
    meter.value = progress;
    again.hidden = missing === 'later';
    setText(again, search ? 'Stop' : 'Play the run again');
    setText(words, search ? `Its events have left the list. The run is played again to find them: ${format.percent(progress, 0)}.`
      : missing === 'later' ? 'It has not been created by this moment of the run.'
        : missing === 'partial' ? 'More may have come about since: its first events have left the list.'
          : 'Its events have left the list, and the search for them was stopped.');
  }

  // Keeping up with the run.
  let [run, seen, drawnAt] = [store.get().run, '', 0];
  let due = 0;
  let visible = true;
  let stale = true;
  /** @type {unknown[]} */
  let shown = [];

  function update() {
    clearTimeout(due);
    due = 0;
    stale = !visible;
    if (stale) return;
    drawnAt = performance.now();
    const found = list.refresh();
    const any = filter.kinds.length > 0 || filter.request !== null || filter.agent !== null || filter.failures || filter.text.trim() !== '';
    const kept = found ? `the latest ${format.count(found.kept)} of ${format.count(found.written)} events` : '';
    setText(count, !found ? 'No events yet.' : any ? `${format.count(found.total)} of ${kept}` : found.kept === found.written ? `All ${format.count(found.written)} events so far` : sentence(kept));
    list.explain(found ? explain(found, any) : 'Run the experiment, or take a step: every event is listed here.');
    offer(found?.kinds ?? []);
    drawSlowest(actions.source());
    show.disabled = !found || filter.request === null;
    // Also what was refused can be cleared away.
    clear.disabled = !any && [request, agent, text].every((input) => input.value === '');
    look(false);
  }

  /** @param {import('../engine/engine.js').RecordWindow} found @param {boolean} any */
  function explain(found, any) {
    if (found.total > 0) return '';
    if (!any) return 'Nothing has come about yet.';
    if (filter.request !== null && filter.request < found.created) return 'No event of this request is in the list any more, or none passes the filter: “Show its life” finds them all.';
    if (filter.request !== null) return `This request has not been created: there have been ${format.count(found.created)} so far, numbered from 0.`;
    return found.kept < found.written ? 'None of the latest events passes the filter.' : 'No event passes the filter.';
  }

  /** Kinds of events to choose from: those there have been. @param {number[]} kinds */
  function offer(kinds) {
    const wanted = [...new Set([...kinds, ...filter.kinds])].sort((a, b) => a - b);
    if (wanted.join() === seen) return;
    seen = wanted.join();
    const { value } = kind;
    kind.replaceChildren(element('option', { value: '', text: 'All events' }), ...wanted.map((one) => element('option', { value: one, text: sentence(names.kinds[one].words) })));
    kind.value = value;
  }

  /** @param {Run | null} source */
  function drawSlowest(source) {
    const found = source?.slowest() ?? [];
    nobody.hidden = found.length > 0;
    slow.forEach(({ item, button, number, took, bar, rest }, index) => {
      const one = found[index];
      item.hidden = !one;
      const key = one ? `${one.request} ${one.took_seconds} ${one.parts ? 1 : 0} ${index ? found[0].took_seconds : ''}` : '';
      if (!one || item.dataset.key === key) return;
      item.dataset.key = key;
      button.value = String(one.request);
      setText(number, format.count(one.request));
      setText(took, format.time(one.took_seconds));
      const outcome = names.words.find(({ name }) => name === one.outcome)?.words ?? '';
      const sends = one.sends === null ? '' : ` after ${one.sends} ${one.sends === 1 ? 'send' : 'sends'}`;
      const parts = one.parts ? `: ${format.time(one.parts.waiting)} waiting, ${format.time(one.parts.network)} on the way, ${format.time(one.parts.service)} in service` : '';
      setText(rest, `, ${outcome}${sends}${parts}`);
      button.title = `${outcome}${sends}${parts}`;
      bar.replaceChildren(...Object.entries(one.parts ?? {}).filter(([, seconds]) => seconds > 0).map(([name, seconds]) => {
        const made = part(/** @type {'waiting'} */ (name));
        made.style.width = `${(100 * seconds) / found[0].took_seconds}%`;
        return made;
      }));
    });
  }

  function schedule() {
    stale = true;
    if (!visible || due) return;
    const wait = store.get().phase === 'running' ? Math.max(0, FOLLOW_MS - (performance.now() - drawnAt)) : 0;
    if (wait === 0) update();
    else due = setTimeout(update, wait);
  }

  const watcher = new IntersectionObserver((entries) => {
    visible = entries.some(({ isIntersecting }) => isIntersecting);
    if (visible && stale) schedule();
  }, { rootMargin: '200px' });
  watcher.observe(place);

  const unsubscribe = store.subscribe((state) => {
    if (state.run !== run) {
      // Numbers of requests mean others now; the filter is the person's, and stays.
      run = state.run;
      choose(null);
      list.reset();
      shown = [];
    }
    const now = [state.frame, state.past, state.phase, state.moment, state.run];
    if (shown.length && now.every((one, index) => one === shown[index])) return;
    shown = now;
    schedule();
  });

  return () => {
    unsubscribe();
    watcher.disconnect();
    list.remove();
    stop('');
    clearTimeout(due);
    clearTimeout(pause);
  };
}

/** @param {string} words */
const sentence = (words) => words[0].toUpperCase() + words.slice(1);
