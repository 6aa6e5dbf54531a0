// The page: ties the engine, the store and the parts together.

import 'uplot/dist/uPlot.min.css';
import { load } from '../engine/engine.js';
import { shelf } from '../shared/shelf.js';
import { everything } from '../shared/view.js';
import { breaks } from './breaks.js';
import { charts } from './charts/index.js';
import { conductor } from './conductor.js';
import { controls } from './controls.js';
import { element } from './dom.js';
import { experiments } from './experiments.js';
import { guide } from './guide.js';
import { keeper } from './keeper.js';
import { keys } from './keys.js';
import { later, rest } from './later.js';
import { parts } from './parts.js';
import { picture } from './picture.js';
import { openDialog } from './sharing.js';
import { createStore } from './store.js';
import { theme } from './theme.js';
import { twice } from './twice.js';
import { verdict } from './verdict.js';

/** @param {string} id */
function place(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element "${id}"`);
  return found;
}

async function start() {
  const engine = await load();
  const presets = engine.presets();
  const schema = JSON.parse(engine.schema());
  const first = presets.find((preset) => preset.name === 'exp-002') ?? presets[0];
  const check = engine.check(first.profile);
  const store = createStore({
    phase: 'ready', preset: first.name, profile: JSON.parse(check.profile), check, problems: [], draft: null, run: 0, speed: 20,
    frame: null, transitions: [], report: null, digest: '', failure: '', note: '', link: null, view: everything(), broken: null, copied: null, theme: 'system',
    moment: null, past: null, working: null, kept: [], replicated: null, history: { undo: 0, redo: 0 }, notice: null, own: null, owned: [], before: null,
  });
  const actions = conductor(engine, presets, store);
  theme(place('theme'), store);
  twice();
  const own = experiments(store, { actions, presets, shelf: shelf(() => localStorage) });
  controls(place('controls'), store, { actions, presets, own });
  verdict(place('verdict'), store, actions);
  breaks(place('break'), store, { actions, schema });
  picture(place('picture'), store);
  charts(place('charts'), store, { actions, engine });
  guide(place('guide'), store, { actions, engine, presets });
  later([place('editor')], 'The form and the text of the profile', () => import('./desk.js'), ({ desk }) => desk(place('editor'), store, { actions, own }));
  later(['compare', 'events', 'report', 'share'].map(place), 'Comparisons, events, the report and links', () => import('./results.js'), ({ results }) => results(place, store, { actions, engine, presets }));
  later([place('sweep')], 'Sweeps', () => import('./sweep.js'), ({ sweep }) => sweep(place('sweep'), store, { actions, presets }));
  parts(place, store, { actions, engine, presets, schema });
  place('share-open').addEventListener('click', () => void openDialog('share', store, { actions, engine, presets }));
  keys(place('keys'), store, { actions, schema });
  place('about').textContent = `Engine ${engine.version()}, revision ${engine.revision()}. Everything is computed in this page; nothing is sent anywhere.`;
  const open = async () => {
    // Mail and chat also leave the mark of the fragment out: what they made a query or a path of is put in its place.
    const stray = location.hash.length > 1 ? '' : /(?:%23|[?=&])(v\d+[a-z]*\..*)$/.exec(location.pathname + location.search)?.[1] ?? '';
    if (stray) history.replaceState(null, '', `${location.pathname.split('%23')[0]}#${stray}`);
    if (location.hash.length > 1 && !['#results'].includes(location.hash) && !/^#guide(=|$)/.test(location.hash)) await actions.open(location.href);
    else if (location.hash === '') actions.close();
  };
  addEventListener('hashchange', () => void open());
  await open();
  keeper(store, { actions, own });
  void rest().then(() => import('./offline.js')).then(({ offline }) => offline(place('about'), document.body), (error) => console.warn(error));
}

start().catch((error) => {
  const way = error instanceof Error && error.name === 'UnsupportedError' ? 'A newer browser can run it.' : 'Reload the page to try again.';
  const message = `The engine could not be loaded: ${error instanceof Error ? error.message : error}. ${way}`;
  place('controls').replaceChildren(element('p', { class: 'notice bad', role: 'alert', 'data-testid': 'error', text: message }));
});
