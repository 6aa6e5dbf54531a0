// embed.html: one file with the element in it, for a frame of any host, or for a disk. What the page around may do and hears is in
// shared/protocol.js.

import { decompress } from 'lzma1';
import { supply } from '../engine/engine.js';
import { AgentChaos, define } from '../element/agent-chaos.js';
import { decode } from '../shared/base85.js';
import { readMessage, tell } from '../shared/protocol.js';

/** The bytes that stand in this document, packed. @param {string} id */
async function unpack(id) {
  // The words that it is loading come first: what follows takes a moment.
  await new Promise((resolve) => setTimeout(resolve));
  return /** @type {ArrayBuffer} */ (decompress(decode(document.getElementById(id)?.textContent?.trim() ?? '')).buffer);
}
supply.engine = () => unpack('engine');
supply.packing = () => unpack('packing');

/** What a page that was saved holds of its experiment. @returns {[string, string][]} */
function saved() {
  const text = document.getElementById('experiment')?.textContent?.trim();
  if (!text) return [];
  const entries = Object.entries(/** @type {{ [name: string]: unknown }} */ (JSON.parse(text)));
  return entries.map(([name, value]) => [name, String(value)]);
}

/** What the frame is given: by its address, and by what was saved in it. @returns {[string, string][]} */
function given() {
  const asked = [...new URLSearchParams(location.search)];
  if (location.hash.length > 1) asked.push(['link', location.hash.slice(1)]);
  const experiment = asked.some(([name]) => ['link', 'preset', 'set', 'seed'].includes(name));
  const kept = saved().filter(([name]) => !asked.some(([other]) => other === name) && !(experiment && ['link', 'heading', 'verdict'].includes(name)));
  const entries = [...kept, ...asked];
  // The page that belongs to this file stands beside it, where nobody says otherwise.
  if (/^https?:$/.test(location.protocol) && !entries.some(([name]) => name === 'playground')) entries.push(['playground', new URL('./', location.href).href]);
  return entries;
}

define();
const host = /** @type {AgentChaos} */ (document.createElement('agent-chaos'));
const around = window.parent === window ? null : window.parent;
let ready = false;
/** @param {ReturnType<typeof tell>} message */
function post(message) {
  if (ready) around?.postMessage(message, '*');
}

/** @param {string} theme */
function frameTheme(theme) {
  document.documentElement.style.colorScheme = theme === 'light' || theme === 'dark' ? theme : '';
}
function show() {
  const entries = given();
  frameTheme(entries.findLast(([name]) => name === 'theme')?.[1] ?? 'auto');
  host.removeAttribute('theme');
  host.configure(entries);
}

host.addEventListener('state', () => post(tell('state', { state: host.state })));
host.addEventListener('report', () => post(tell('report', { report: host.report })));
host.addEventListener('error', (event) => post(tell('error', { error: /** @type {CustomEvent} */ (/** @type {Event} */ (event)).detail })));
addEventListener('hashchange', show);
addEventListener('message', (event) => {
  if (!around || event.source !== around) return;
  const request = readMessage(event.data);
  if (!request) return;
  const { type, id } = request;
  if (type === 'refused') post(tell('error', { error: { field: request.field, message: request.message } }, id));
  else if (type === 'get report') post(tell('report', { report: host.report }, id));
  else if (type === 'set') {
    /** @type {unknown} */
    let refusal = null;
    const hears = (/** @type {Event} */ error) => { refusal ??= /** @type {CustomEvent} */ (error).detail; };
    host.addEventListener('error', hears);
    const taken = host.set(request.path, request.value);
    host.removeEventListener('error', hears);
    post(taken || !refusal ? tell('state', { state: host.state }, id) : tell('error', { error: refusal }, id));
  } else {
    if (type === 'run') void host.run();
    else if (type === 'pause') host.pause();
    else if (type === 'reset') host.reset();
    else if (type === 'theme') {
      frameTheme(request.theme);
      host.setAttribute('theme', request.theme);
    }
    post(tell('state', { state: host.state }, id));
  }
});

show();
if (around) document.body.append(host);
else {
  // A page of its own, and not a part of somebody else's.
  document.documentElement.classList.add('whole');
  const main = document.createElement('main');
  document.body.append(main);
  const heading = document.createElement('h1');
  heading.textContent = 'Agent Chaos Playground';
  main.append(heading, host);
}
ready = true;
post(tell('ready', { state: host.state }));
let height = 0;
new ResizeObserver(() => {
  const now = Math.ceil(host.getBoundingClientRect().height);
  if (now === height) return;
  height = now;
  post(tell('size', { height }));
}).observe(host);
