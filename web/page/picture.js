// The pipeline as a picture that lives: what happens where at this moment.

import * as format from '../shared/format.js';
import { svg, setText } from './dom.js';

/** @typedef {{ x: number, y: number, w: number, h: number }} Box */
/** @typedef {'agents' | 'queue' | 'workers' | 'answers' | 'telemetry' | 'detector' | 'throttle'} Name */

/** Boxes and paths of the two layouts, in the units of their own view boxes. */
const WIDE = {
  size: [1000, 290],
  boxes: /** @type {Record<Name, Box>} */ ({
    agents: { x: 8, y: 14, w: 176, h: 122 }, queue: { x: 268, y: 14, w: 206, h: 122 }, workers: { x: 558, y: 14, w: 186, h: 122 },
    answers: { x: 816, y: 14, w: 176, h: 122 }, telemetry: { x: 816, y: 196, w: 176, h: 82 }, detector: { x: 558, y: 196, w: 186, h: 82 }, throttle: { x: 268, y: 196, w: 206, h: 82 },
  }),
  flows: ['M184 75H262', 'M474 75H552', 'M744 75H810', 'M904 136V190', 'M816 237H750', 'M558 237H480'],
  feedback: 'M268 237H96V142',
  rates: [[223, 62], [513, 62]],
};
const NARROW = {
  size: [360, 600],
  boxes: /** @type {Record<Name, Box>} */ ({
    agents: { x: 4, y: 6, w: 300, h: 104 }, queue: { x: 4, y: 142, w: 300, h: 104 }, workers: { x: 4, y: 278, w: 300, h: 104 }, answers: { x: 4, y: 414, w: 146, h: 96 },
    telemetry: { x: 158, y: 414, w: 146, h: 96 }, detector: { x: 158, y: 530, w: 146, h: 66 }, throttle: { x: 4, y: 530, w: 146, h: 66 },
  }),
  flows: ['M154 110V136', 'M154 246V272', 'M77 382V408', 'M150 462H153', 'M231 510V525', 'M158 563H154'],
  feedback: 'M30 596V599H340V58H310',
  rates: [[162, 128], [162, 264]],
};

const TITLES = { agents: 'Agents', queue: 'Queue', workers: 'Workers', answers: 'Answers', telemetry: 'Telemetry', detector: 'Detector', throttle: 'Throttle' };
const MOST_DOTS = 36;

/** @param {HTMLElement} place @param {import('./store.js').Store} store */
export function picture(place, store) {
  const narrow = matchMedia('(max-width: 700px)');
  let stop = () => {};
  const build = () => {
    stop();
    place.querySelector('svg')?.remove();
    stop = draw(place, store, narrow.matches ? NARROW : WIDE);
  };
  narrow.addEventListener('change', build);
  build();
  return () => {
    stop();
    narrow.removeEventListener('change', build);
  };
}

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {typeof WIDE} layout */
function draw(place, store, layout) {
  const root = svg('svg', { viewBox: `0 0 ${layout.size[0]} ${layout.size[1]}`, role: 'img', 'aria-label': 'The pipeline' });
  const marker = (/** @type {string} */ id) => svg('marker', { id, viewBox: '0 0 8 8', refX: 5, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: 'userSpaceOnUse', orient: 'auto' }, svg('path', { d: 'M0 0L8 4L0 8z', class: id === 'lit-arrow' ? 'arrow lit' : 'arrow' }));
  root.append(svg('defs', {}, marker('arrow'), marker('lit-arrow')));
  for (const d of layout.flows) root.append(svg('path', { d, class: 'flow', 'marker-end': 'url(#arrow)' }));
  const feedback = svg('path', { d: layout.feedback, class: 'flow feedback', 'marker-end': 'url(#arrow)' });
  root.append(feedback);

  /** @type {Record<string, { box: Box, frame: SVGElement, lines: SVGElement[] }>} */
  const nodes = {};
  for (const [name, box] of Object.entries(layout.boxes)) {
    const frame = svg('rect', { x: box.x, y: box.y, width: box.w, height: box.h, rx: 8, class: 'node' });
    const lines = [0, 1, 2].map((line) => svg('text', { x: box.x + 12, y: box.y + 44 + 19 * line, class: line ? 'soft' : '' }));
    root.append(frame, svg('text', { x: box.x + 12, y: box.y + 23, class: 'title' }, TITLES[/** @type {Name} */ (name)]), ...lines);
    nodes[name] = { box, frame, lines };
  }
  const vertical = layout === NARROW;
  const rates = layout.rates.map(([x, y]) => svg('text', { x, y, class: vertical ? 'soft' : 'soft middle' }));
  root.append(...rates);

  const queue = layout.boxes.queue;
  const bar = { x: queue.x + 12, y: queue.y + queue.h - 22, w: queue.w - 24 };
  const fill = svg('rect', { x: bar.x, y: bar.y, width: 0, height: 11, rx: 3, class: 'fill' });
  const mark = svg('line', { x1: bar.x + 0.85 * bar.w, x2: bar.x + 0.85 * bar.w, y1: bar.y - 3, y2: bar.y + 14, class: 'mark' });
  root.append(svg('rect', { x: bar.x, y: bar.y, width: bar.w, height: 11, rx: 3, class: 'track' }), fill, mark);

  const pool = layout.boxes.workers;
  const dots = svg('g');
  const poolBar = svg('rect', { x: pool.x + 12, y: pool.y + pool.h - 22, width: 0, height: 11, rx: 3, class: 'fill' });
  root.append(dots, poolBar);
  let shown = -1;
  place.append(root);

  /** @param {Name} name @param {string[]} texts */
  const say = (name, ...texts) => nodes[name].lines.forEach((line, index) => setText(line, texts[index] ?? ''));

  return store.subscribe(({ frame, profile }) => {
    const p = frame?.picture;
    const workers = p?.workers ?? profile.workers.count;
    const capacity = p ? p.capacity : profile.queue.capacity;
    const agents = p?.agents ?? profile.agents?.count ?? 0;

    const open = profile.arrivals ? `open loop, ${format.rate(profile.arrivals.rate_per_second)}` : '';
    if (agents > 0) say('agents', `${format.count(agents)} in all${open ? ', and an open loop' : ''}`, p ? `${format.count(p.thinking)} thinking` : open, p ? `${format.count(p.delayed)} held back` : '');
    else say('agents', open, 'nobody waits for answers');
    const blocked = p?.waiting_senders ? `${format.count(p.waiting_senders)} senders wait` : p?.saturation != null ? `${format.percent(p.saturation, 0)} full` : '';
    say('queue', `${format.count(p?.queue ?? 0)} of ${capacity === null ? '∞' : format.count(capacity)} waiting`, blocked);
    say('workers', `${format.count(p?.busy ?? 0)} of ${format.count(workers)} busy`);
    say('answers', `${format.count(p?.completed ?? 0)} served`, `${format.count(p?.failed ?? 0)} failed`, `${format.count(p?.faults ?? 0)} faults`);
    say('telemetry', `dQ/dt ${p ? format.rate(p.derivative) : '–'}`, `goodput ${p ? format.rate(p.goodput) : '–'}`);
    say('detector', p?.state ?? (profile.detector.enabled ? 'STABLE' : 'off'));
    const delay = p?.throttle_delay_seconds ?? 0;
    say('throttle', !profile.throttle.enabled ? 'off' : delay > 0 ? `delays by ${format.time(delay)}` : 'at rest');
    setText(rates[0], p ? `λ ${format.rate(p.offered)}` : 'λ');
    setText(rates[1], p ? `μ ${format.rate(p.taken)}` : 'μ');

    const full = capacity ? Math.min(1, (p?.queue ?? 0) / capacity) : Math.min(1, (p?.queue ?? 0) / 100);
    fill.setAttribute('width', String(full * bar.w));
    fill.classList.toggle('high', capacity !== null && full >= 0.85);
    nodes.detector.frame.setAttribute('data-state', p?.state ?? '');
    const lit = delay > 0;
    feedback.classList.toggle('lit', lit);
    feedback.setAttribute('marker-end', lit ? 'url(#lit-arrow)' : 'url(#arrow)');
    nodes.throttle.frame.classList.toggle('lit', lit);

    if (workers !== shown) {
      shown = workers;
      const step = Math.min(18, (pool.w - 24) / Math.min(workers, 9));
      const few = workers <= MOST_DOTS;
      dots.replaceChildren(...Array.from({ length: few ? workers : 0 }, (_, i) =>
        svg('circle', { cx: pool.x + 19 + (i % 9) * step, cy: pool.y + 62 + Math.floor(i / 9) * 14, r: 5, class: 'dot' })));
    }
    const busy = p?.busy ?? 0;
    [...dots.children].forEach((dot, index) => dot.classList.toggle('on', index < busy));
    poolBar.setAttribute('width', String(workers > MOST_DOTS ? (busy / workers) * (pool.w - 24) : 0));
    root.setAttribute('aria-label', p
      ? `The pipeline at ${format.moment(frame.now_seconds)}: ${p.queue} waiting, ${p.busy} of ${p.workers} workers busy, detector ${p.state ?? 'off'}, throttle ${lit ? 'acting' : 'at rest'}.`
      : 'The pipeline: agents send to the queue, workers serve it, telemetry feeds the detector, the throttle slows the agents.');
  });
}
