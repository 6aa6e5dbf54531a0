// The present experiment as a page of a single file: for a mail, a messenger, or a place without a network.

import { fileName } from '../shared/csv.js';
import { glance } from '../shared/embed.js';
import { savedPage } from '../shared/saved.js';
import { element, setText } from './dom.js';

/** What a page of its own shows, where the link says nothing of it. */
const SHOWN = { view: 'controls,verdict,picture,charts', charts: 'state,rates,queue,latency' };

/**
 * @param {HTMLElement} place @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, presets: import('../engine/engine.js').PresetInfo[] }} given
 */
export function downloads(place, store, { actions, presets }) {
  const said = element('p', { class: 'soft small', role: 'status', 'data-testid': 'download-said' });
  const button = element('button', { type: 'button', 'data-testid': 'download-page', onclick: () => void take() }, 'Download page');
  place.append(element('div', { class: 'row' }, button, element('span', { class: 'soft small' }, 'One file with this experiment and its engine in it. It opens from a disk, without a network.')), said);
  let busy = false;

  async function take() {
    if (busy) return;
    busy = true;
    button.setAttribute('aria-disabled', 'true');
    setText(said, 'Making the page …');
    try {
      const { preset, profile, report, digest, own } = store.get();
      const [link, answer] = await Promise.all([actions.link(), fetch(new URL('embed.html', document.baseURI))]);
      if (!answer.ok) throw new Error(`embed.html is not there (${answer.status})`);
      const token = link.slice(link.indexOf('#') + 1);
      const title = own ?? presets.find((one) => one.name === preset)?.title ?? preset;
      const base = location.href.replace(/[?#].*$/, '');
      const text = savedPage(await answer.text(), {
        title: `${title}, seed ${profile.seed} – Agent Chaos Playground`,
        given: { link: token, ...(own !== null || glance(token).preset === null ? { heading: title } : {}), ...(report ? { verdict: report.headline } : {}), ...(/^https?:/.test(base) ? { playground: base } : {}), ...(glance(token).view.length ? {} : SHOWN) },
      });
      const name = fileName([preset, digest ? digest.slice(0, 8) : `seed-${profile.seed}`], 'html');
      const { download } = await import('./charts/save.js');
      const blob = new Blob([text], { type: 'text/html' });
      download(blob, name);
      setText(said, `Saved as ${name}, ${Math.ceil(blob.size / 1000)} kB.`);
    } catch (error) {
      setText(said, `The page could not be made: ${error instanceof Error ? error.message : error}. Check the connection and try again.`);
    }
    button.removeAttribute('aria-disabled');
    busy = false;
  }
}
