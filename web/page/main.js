// The page: ties the engine, the store and the parts together.

import 'uplot/dist/uPlot.min.css';
import recorded from '../../tests/recorded.json';
import { load } from '../engine/engine.js';
import { charts } from './charts.js';
import { compare } from './compare.js';
import { conductor } from './conductor.js';
import { controls } from './controls.js';
import { element } from './dom.js';
import { editor } from './editor.js';
import { events } from './events.js';
import { guide } from './guide.js';
import { picture } from './picture.js';
import { report } from './report.js';
import { share } from './share.js';
import { createStore } from './store.js';
import { theme } from './theme.js';
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
    frame: null, transitions: [], report: null, digest: '', failure: '', link: null, theme: 'system',
    moment: null, past: null, working: null, kept: [], replicated: null, history: { undo: 0, redo: 0 },
  });
  const actions = conductor(engine, presets, store);
  theme(place('theme'), store);
  controls(place('controls'), store, { actions, presets });
  verdict(place('verdict'), store, actions);
  picture(place('picture'), store);
  charts(place('charts'), store, actions.series);
  guide(place('guide'));
  compare(place('compare'));
  events(place('events'));
  report(place('report'), store, { presets, recorded });
  share(place('share'), store, actions);
  editor(place('editor'), store, { actions, schema, presets });
  place('about').textContent = `Engine ${engine.version()}, revision ${engine.revision()}. Everything is computed in this page; nothing is sent anywhere.`;
  const open = () => {
    if (location.hash.length > 1 && !['#results'].includes(location.hash)) actions.open(location.href);
  };
  addEventListener('hashchange', open);
  open();
}

start().catch((error) => {
  const way = error instanceof Error && error.name === 'UnsupportedError' ? 'A newer browser can run it.' : 'Reload the page to try again.';
  const message = `The engine could not be loaded: ${error instanceof Error ? error.message : error}. ${way}`;
  place('controls').replaceChildren(element('p', { class: 'notice bad', role: 'alert', 'data-testid': 'error', text: message }));
});
