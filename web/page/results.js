// What a run leads to, below its charts: comparisons, events, the report, and ways to share. Loaded after the first picture.

import recorded from '../../tests/recorded.json';
import { compare } from './compare.js';
import { downloads } from './download.js';
import { events } from './events.js';
import { report } from './report.js';
import { share } from './share.js';

/**
 * @param {(id: string) => HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, engine: import('../engine/engine.js').Engine, presets: import('../engine/engine.js').PresetInfo[] }} given
 */
export function results(place, store, { actions, engine, presets }) {
  compare(place('compare'), store, { actions, engine, presets });
  events(place('events'), store, { actions, names: engine.record_names() });
  report(place('report'), store, { presets, recorded });
  share(place('share'), store, { actions, engine, presets });
  downloads(place('share'), store, { actions, presets });
}
