// The run in the forms of other tools: made by running it once more, in the background of the page.

import { exporter, isCrash } from '../engine/engine.js';
import { fileName } from '../shared/csv.js';
import * as format from '../shared/format.js';
import { download } from './charts/save.js';
import { element, setText } from './dom.js';

/** More events than this make a file that is better written by the command line. */
const MOST_EVENTS = 5e6;

/** @typedef {'otlp' | 'trace' | 'prometheus'} Kind */
/** @type {{ kind: Kind, words: string, ending: string, type: string }[]} */
const KINDS = [
  { kind: 'otlp', words: 'OpenTelemetry (OTLP JSON)', ending: 'otlp.jsonl', type: 'application/x-ndjson' },
  { kind: 'trace', words: 'Perfetto trace', ending: 'trace.json', type: 'application/json' },
  { kind: 'prometheus', words: 'Prometheus text', ending: 'prom', type: 'text/plain' },
];

/** @param {import('./store.js').Store} store @param {HTMLElement} first what stands before the others */
export function exportsRow(store, first) {
  const said = element('p', { class: 'small said', role: 'status', 'data-testid': 'export-said' });
  const stop = element('button', { type: 'button', class: 'quiet', hidden: true, 'data-testid': 'export-stop', onclick: () => { stopped = true; under?.pause(); } }, 'Stop');
  const buttons = KINDS.map((one) => element('button', { type: 'button', 'data-testid': `export-${one.kind}`, onclick: () => void write(one) }, one.words));
  let busy = false;
  let stopped = false;
  /** @type {InstanceType<import('../engine/engine.js').Exporter['Export']> | null} */
  let under = null;

  /** @param {typeof KINDS[number]} one */
  async function write({ kind, ending, type }) {
    if (busy) return;
    const { check, preset, digest } = store.get();
    if (kind !== 'prometheus' && check.estimate.events > MOST_EVENTS) {
      setText(said, `This run has about ${format.number(check.estimate.events / 1e6, 0)} million events, too many for a file made in the page; the command line writes it: agent-chaos run … --${kind} FILE.`);
      return;
    }
    busy = true;
    stopped = false;
    stop.hidden = false;
    setText(said, 'Running it once more for the file …');
    try {
      const { Export } = await exporter();
      under = new Export(check.profile, kind, preset);
      /** @type {BlobPart[]} */
      const parts = [];
      const ended = stopped ? 'paused' : await under.play((text) => void parts.push(text), (progress) => setText(said, `Running it once more for the file: ${format.percent(progress, 0)}`));
      if (ended === 'paused') {
        setText(said, 'Stopped; no file was made.');
        return;
      }
      const file = new Blob(parts, { type });
      download(file, fileName([preset, digest], ending));
      setText(said, `Made: ${file.size < 1e6 ? `${format.number(file.size / 1e3, 0)} kB` : `${format.number(file.size / 1e6, 1)} MB`}.`);
    } catch (error) {
      setText(said, '');
      if (isCrash(error)) reportError(error);
      else setText(said, `No file: ${error instanceof Error ? error.message : error}.`);
    } finally {
      try { under?.free(); } catch { /* gone with its engine */ }
      under = null;
      busy = false;
      stop.hidden = true;
    }
  }

  return element('div', { class: 'exports' }, element('div', { class: 'row', role: 'group', 'aria-label': 'This run as a file' }, first, ...buttons, stop), said);
}
