// The pipeline as a picture that lives: what happens where at this moment.

import * as format from '../shared/format.js';
import * as has from '../shared/mechanisms.js';
import * as timeline from '../shared/timeline.js';
import { element, setText, svg } from './dom.js';
import { shown as showing } from './store.js';

/** @typedef {{ x: number, y: number, w: number, h: number }} Box */
/** @typedef {'agents' | 'clients' | 'network' | 'admission' | 'queue' | 'workers' | 'downstream' | 'answers' | 'telemetry' | 'detector' | 'throttle'} Name */
/** What each node says, line by line; a profile has those it names. @typedef {Partial<Record<Name, string[]>>} Says */
/** @typedef {{ name: 'wide' | 'narrow', size: [number, number], boxes: Partial<Record<Name, Box>>, flows: string[], feedback: string, rates: [number, number, string][] }} Layout */

/** @type {Record<Name, string>} */
const TITLES = {
  agents: 'Agents', clients: 'Clients', network: 'Network', admission: 'Admission', queue: 'Queue', workers: 'Workers', downstream: 'Downstream',
  answers: 'Answers', telemetry: 'Telemetry', detector: 'Detector', throttle: 'Throttle',
};
/** What stands between agents and queue, in the order of a request's path. @type {Name[]} */
const BEFORE = ['clients', 'network', 'admission'];
const LINE = 19;
const MOST_DOTS = 36;

/** Further lines make the boxes of queue and workers higher. @param {Says} says @param {Name} name @param {number} usual */
const more = (says, name, usual) => LINE * Math.max(0, (says[name]?.length ?? 0) - usual);

/** Four columns; what comes before the queue has a row of its own. @param {Says} says @returns {Layout} */
function wide(says) {
  const columns = [{ x: 6, w: 206 }, { x: 272, w: 218 }, { x: 550, w: 200 }, { x: 812, w: 182 }];
  const middle = (/** @type {number} */ column) => columns[column].x + columns[column].w / 2;
  const end = (/** @type {number} */ column) => columns[column].x + columns[column].w;
  /** Half way from a column to the next. */
  const between = (/** @type {number} */ column) => (end(column) + columns[column + 1].x) / 2;
  const before = BEFORE.filter((name) => says[name]);
  const top = 14;
  const first = top + 122;
  const row = before.length ? first + 54 : top;
  const height = 122 + Math.max(more(says, 'queue', 2), more(says, 'workers', 1));
  const below = row + height + 60;
  const low = 82 + more(says, 'downstream', 2);
  /** @type {Layout['boxes']} */
  const boxes = { agents: { ...columns[0], y: top, h: before.length ? 122 : height } };
  before.forEach((name, index) => { boxes[name] = { ...columns[index + 1], y: top, h: 122 }; });
  ['queue', 'workers', 'answers'].forEach((name, index) => { boxes[/** @type {Name} */ (name)] = { ...columns[index + 1], y: row, h: height }; });
  /** @type {Name[]} */
  const watching = says.downstream ? ['throttle', 'detector', 'downstream', 'telemetry'] : ['throttle', 'detector', 'telemetry'];
  watching.forEach((name, index) => { boxes[name] = { ...columns[index + 4 - watching.length], y: below, h: low }; });

  const across = (/** @type {number} */ from, /** @type {number} */ y) => `M${end(from)} ${y}H${columns[from + 1].x - 6}`;
  const flows = before.map((_, index) => across(index, top + 61));
  const last = before.length;
  if (last === 0) flows.push(across(0, row + 61));
  else flows.push(last === 1 ? `M${middle(1)} ${first}V${row - 6}` : `M${middle(last)} ${first}V${first + 24}H${middle(1)}V${row - 6}`);
  flows.push(across(1, row + 61), across(2, row + 61), `M${middle(3)} ${row + height}V${below - 6}`);
  const line = below + 41;
  let feedback = `M${columns[1].x} ${line}H${middle(0)}V${boxes.agents ? boxes.agents.y + boxes.agents.h + 6 : 0}`;
  if (says.downstream) {
    const under = below + low;
    flows.push(`M${middle(2) - 24} ${row + height}V${below - 6}`, `M${middle(2) + 24} ${below}V${row + height + 6}`, `M${middle(3)} ${under}V${under + 18}H${middle(1)}V${under + 6}`, `M${columns[1].x} ${line}H${end(0) + 6}`);
    feedback = `M${middle(0)} ${below}V${boxes.agents ? boxes.agents.y + boxes.agents.h + 6 : 0}`;
  } else flows.push(`M${columns[3].x} ${line}H${end(2) + 6}`, `M${columns[2].x} ${line}H${end(1) + 6}`);
  return {
    name: 'wide', size: [1000, below + low + (says.downstream ? 26 : 12)], boxes, flows, feedback,
    rates: [last ? [middle(1) + 9, row - 11, 'soft'] : [between(0) - 2, row + 48, 'soft middle'], [between(1) - 2, row + 48, 'soft middle']],
  };
}

/** One column. @param {Says} says @returns {Layout} */
function narrow(says) {
  /** @type {Layout['boxes']} */
  const boxes = {};
  const flows = [];
  let y = 6;
  /** @type {Name[]} */
  const path = ['agents', ...BEFORE, 'queue', 'workers'];
  for (const name of path) {
    if (!says[name]) continue;
    const h = name === 'queue' || name === 'workers' ? 104 + more(says, name, name === 'queue' ? 2 : 1) : Math.max(104, 47 + LINE * (says[name]?.length ?? 0));
    if (name !== 'agents') flows.push(`M154 ${y - 32}V${y - 6}`);
    boxes[name] = { x: 4, y, w: 300, h };
    y += h + 32;
  }
  const served = y - 32;
  const left = { x: 4, w: 146 };
  const right = { x: 158, w: 146 };
  boxes.answers = { ...left, y, h: 96 };
  flows.push(`M77 ${served}V${y - 6}`);
  let bottom = 0;
  let feedback = '';
  if (says.downstream) {
    const watching = y + 116;
    bottom = watching + 168;
    Object.assign(boxes, { downstream: { ...right, y, h: 96 }, telemetry: { ...left, y: watching, h: 82 }, detector: { ...right, y: watching, h: 82 }, throttle: { ...right, y: watching + 102, h: 66 } });
    flows.push(`M210 ${served}V${y - 6}`, `M250 ${y}V${served + 6}`, `M77 ${y + 96}V${watching - 5}`, `M150 ${watching + 41}H153`, `M231 ${watching + 82}V${watching + 97}`);
    feedback = `M304 ${watching + 135}H340V58H310`;
  } else {
    bottom = y + 182;
    Object.assign(boxes, { telemetry: { ...right, y, h: 96 }, detector: { ...right, y: y + 116, h: 66 }, throttle: { ...left, y: y + 116, h: 66 } });
    flows.push(`M150 ${y + 48}H153`, `M231 ${y + 96}V${y + 111}`, `M158 ${y + 149}H154`);
    feedback = `M30 ${bottom}V${bottom + 3}H340V58H310`;
  }
  const above = (/** @type {Name} */ name) => (boxes[name]?.y ?? 0) - 14;
  return { name: 'narrow', size: [360, bottom + 4], boxes, flows, feedback, rates: [[162, above('queue'), 'soft'], [162, above('workers'), 'soft']] };
}

/**
 * @param {HTMLElement} place @param {import('./store.js').Store} store
 * @param {Pick<MediaQueryList, 'matches' | 'addEventListener' | 'removeEventListener'>} [small] whether there is only little room
 */
export function picture(place, store, small = matchMedia('(max-width: 700px)')) {
  const now = element('p', { class: 'now', 'data-testid': 'now', hidden: true });
  place.append(now);
  let stop = () => {};
  let shape = '';
  /** Draws anew where the profile has other mechanisms than those drawn, or the window another shape. */
  const build = () => {
    const { profile } = store.get();
    const says = tell(profile, null);
    const wanted = JSON.stringify([small.matches, Object.entries(says).map(([name, lines]) => [name, lines.length])]);
    if (wanted === shape) return;
    shape = wanted;
    stop();
    place.querySelector('svg')?.remove();
    stop = draw(place, store, (small.matches ? narrow : wide)(says));
  };
  small.addEventListener('change', build);
  const unsubscribe = store.subscribe((state) => {
    build();
    sayNow(now, state);
  });
  return () => {
    unsubscribe();
    stop();
    small.removeEventListener('change', build);
  };
}

/** @param {HTMLElement} place @param {import('./store.js').State} state */
function sayNow(place, state) {
  const { profile } = state;
  const frame = showing(state);
  /** @type {import('../shared/timeline.js').Entry[]} */
  const entries = profile.timeline ?? [];
  place.hidden = entries.length === 0;
  const active = (frame?.picture.interventions ?? []).map((index) => entries[index]);
  const later = entries.filter((entry) => entry.at_seconds > (frame?.now_seconds ?? -1)).sort((a, b) => a.at_seconds - b.at_seconds);
  place.classList.toggle('on', active.length > 0);
  setText(place, active.length ? `Now: ${active.map(timeline.now).join('; ')}.`
    : later.length ? `No intervention at present. Next: ${timeline.words(later[0])}, ${timeline.when(later[0])}.`
    : entries.length ? 'No intervention at present, and none to come.' : '');
}

const SHAPES = ['ramp', 'spike', 'diurnal', 'bursty', 'replay'];

/** The open loops of a profile in a few words; none are none. @param {any} profile */
function openLoops(profile) {
  const loops = [profile.arrivals, ...(profile.extra_arrivals ?? [])].filter(Boolean);
  if (loops.length > 1) return `${loops.length} open loops`;
  if (loops.length === 0) return '';
  return `open loop, ${SHAPES.find((name) => loops[0][name]) ?? format.rate(loops[0].rate_per_second)}`;
}

/** @param {import('../engine/engine.js').Pool | null | undefined} pool @param {any} rules @param {string} unit @param {string} who */
function tellPool(pool, rules, unit, who) {
  if (!rules) return [];
  return [`${format.count(pool?.in_use ?? 0)} of ${format.count(pool?.size ?? rules.size)} ${unit}`, pool?.waiting ? `${format.count(pool.waiting)} ${who}` : ''];
}

const BREAKER = { CLOSED: 'breaker closed', HALF_OPEN: 'breaker half open, probing', OPEN: 'breaker OPEN, sends nothing' };

/**
 * What each node says. Which nodes there are, and how many lines each has, follows from the profile alone.
 * @param {any} profile @param {import('../engine/engine.js').Picture | null} p @returns {Says}
 */
function tell(profile, p) {
  const { client, network, admission, downstream } = profile;
  const capacity = p ? p.capacity : profile.queue.capacity;
  const agents = p?.agents ?? profile.agents?.count ?? 0;
  const workers = p?.workers ?? profile.workers.count;
  const open = openLoops(profile);
  const blocked = p?.waiting_senders ? `${format.count(p.waiting_senders)} senders wait` : p?.saturation != null ? `${format.percent(p.saturation, 0)} full` : '';
  const delay = p?.throttle_delay_seconds ?? 0;
  /** @type {Says} */
  const says = {
    agents: agents > 0
      ? [`${format.count(agents)} in all${open ? `, and ${open.startsWith('open') ? 'an open loop' : open}` : ''}`, p ? `${format.count(p.thinking)} thinking` : open, p ? `${format.count(p.delayed)} held back` : '']
      : [open, has.hasClients(profile) ? '' : 'nobody waits for answers', ''],
    queue: [`${format.count(p?.queue ?? 0)} of ${capacity === null ? '∞' : format.count(capacity)} waiting`, blocked],
    workers: [`${format.count(p?.busy ?? 0)} of ${format.count(workers)} busy`],
    answers: [has.hasClients(profile) ? `${format.count(p?.succeeded ?? 0)} answered` : `${format.count(p?.completed ?? 0)} served`, `${format.count(p?.failed ?? 0)} failed`, `${format.count(p?.faults ?? 0)} faults`],
    telemetry: [`dQ/dt ${p ? format.rate(p.derivative) : '–'}`, `goodput ${p ? format.rate(p.goodput) : '–'}`],
    detector: [p?.state ?? (profile.detector.enabled ? 'STABLE' : 'off')],
    throttle: [!profile.throttle.enabled ? 'off' : delay > 0 ? `delays by ${format.time(delay)}` : 'at rest'],
  };
  if (client) {
    const c = p?.clients;
    says.clients = [
      `${format.count(c?.pending ?? 0)} sends pending`,
      ...(client.retry || client.hedge ? [[client.retry && `${format.rate(c?.retries_per_second ?? 0)} retries`, client.hedge && `${format.count(c?.hedges ?? 0)} copies`].filter(Boolean).join(', ')] : []),
      `${format.rate(c?.timeouts_per_second ?? 0)} time out`,
      ...(client.breaker ? [BREAKER[c?.breaker ?? 'CLOSED']] : client.throttle ? [`${format.count(c?.refused ?? 0)} not sent`] : []),
    ];
  }
  if (network) {
    says.network = [`${format.count(p?.network?.in_transit ?? 0)} on the way there`, `${format.count(p?.network?.lost ?? 0)} lost`, ...tellPool(p?.network?.pool, network.pool, 'connections', 'wait for one')];
  }
  if (admission) {
    const a = p?.admission;
    says.admission = [
      admission.limit ? `${format.count(a?.inside ?? 0)} of ${format.count(a?.limit ?? admission.limit.initial)} inside` : `${format.count(a?.inside ?? 0)} inside`,
      ...(admission.limit ? [`${format.count(a?.over_limit ?? 0)} over the limit`] : []),
      ...(admission.token_bucket ? [`${format.count(a?.tokens ?? admission.token_bucket.burst)} tokens left`, `${format.count(a?.without_token ?? 0)} had no token`] : []),
    ];
  }
  if (has.queueHasRules(profile)) says.queue?.push(has.discipline(profile));
  if (has.removes(profile)) says.queue?.push(`${format.count(p?.removed.requests ?? 0)} removed, ${format.rate(p?.removed.per_second ?? 0)}`, `by ${has.removers(profile)}`);
  if (has.crewChanges(profile)) {
    const crew = p?.crew;
    says.workers?.push(crew?.stalled ? `all ${format.count(workers)} pause` : `${format.count(crew?.able ?? workers)} able, ${format.count(crew?.down ?? 0)} down`);
  }
  if (profile.workers.autoscaler) says.workers?.push(`autoscaler wants ${format.count(p?.crew?.wanted ?? profile.workers.count)}`);
  if (profile.workers.bulkheads) {
    const { light, heavy } = profile.workers.bulkheads;
    says.workers?.push(`reserved: ${light} light, ${heavy} heavy`);
  }
  if (downstream) says.downstream = [`usually ${format.time(downstream.service_seconds)}`, ...tellPool(p?.downstream?.pool, downstream.network.pool, 'in use', 'workers wait')];
  return says;
}

/** @param {HTMLElement} place @param {import('./store.js').Store} store @param {Layout} layout */
function draw(place, store, layout) {
  const root = svg('svg', { viewBox: `0 0 ${layout.size[0]} ${layout.size[1]}`, class: layout.name, role: 'img', 'aria-label': 'The pipeline' });
  const marker = (/** @type {string} */ id) => svg('marker', { id, viewBox: '0 0 8 8', refX: 5, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: 'userSpaceOnUse', orient: 'auto' }, svg('path', { d: 'M0 0L8 4L0 8z', class: id === 'lit-arrow' ? 'arrow lit' : 'arrow' }));
  root.append(svg('defs', {}, marker('arrow'), marker('lit-arrow')));
  for (const d of layout.flows) root.append(svg('path', { d, class: 'flow', 'marker-end': 'url(#arrow)' }));
  const feedback = svg('path', { d: layout.feedback, class: 'flow feedback', 'marker-end': 'url(#arrow)' });
  root.append(feedback);

  const before = tell(store.get().profile, null);
  /** @type {Record<string, { box: Box, frame: SVGElement, lines: SVGElement[], struck: SVGElement }>} */
  const nodes = {};
  for (const [name, box] of Object.entries(layout.boxes)) {
    const frame = svg('rect', { x: box.x, y: box.y, width: box.w, height: box.h, rx: 8, class: 'node', 'data-node': name });
    const count = Math.max(3, before[/** @type {Name} */ (name)]?.length ?? 0);
    const lines = Array.from({ length: count }, (_, line) => svg('text', { x: box.x + 12, y: box.y + 44 + LINE * line, class: line ? 'soft' : '' }));
    const struck = svg('text', { x: box.x + box.w - 12, y: box.y + 23, class: 'struck end' });
    root.append(frame, svg('text', { x: box.x + 12, y: box.y + 23, class: 'title' }, TITLES[/** @type {Name} */ (name)]), struck, ...lines);
    nodes[name] = { box, frame, lines, struck };
  }
  const rates = layout.rates.map(([x, y, kind]) => svg('text', { x, y, class: kind }));
  root.append(...rates);

  const queue = nodes.queue.box;
  const bar = { x: queue.x + 12, y: queue.y + queue.h - 22, w: queue.w - 24 };
  const fill = svg('rect', { x: bar.x, y: bar.y, width: 0, height: 11, rx: 3, class: 'fill' });
  const mark = svg('line', { x1: bar.x + 0.85 * bar.w, x2: bar.x + 0.85 * bar.w, y1: bar.y - 3, y2: bar.y + 14, class: 'mark' });
  root.append(svg('rect', { x: bar.x, y: bar.y, width: bar.w, height: 11, rx: 3, class: 'track' }), fill, mark);

  const pool = nodes.workers.box;
  const dotsY = pool.y + 62 + more(before, 'workers', 1);
  const dots = svg('g');
  const poolBar = svg('rect', { x: pool.x + 12, y: pool.y + pool.h - 22, width: 0, height: 11, rx: 3, class: 'fill' });
  root.append(dots, poolBar);
  let shown = -1;
  place.append(root);

  return store.subscribe((state) => {
    const { profile } = state;
    const frame = showing(state);
    const p = frame?.picture;
    const workers = p?.workers ?? profile.workers.count;
    const capacity = p ? p.capacity : profile.queue.capacity;
    const says = tell(profile, p ?? null);
    for (const [name, { lines }] of Object.entries(nodes)) lines.forEach((line, index) => setText(line, says[/** @type {Name} */ (name)]?.[index] ?? ''));
    setText(rates[0], p ? `λ ${format.rate(p.offered)}` : 'λ');
    setText(rates[1], p ? `μ ${format.rate(p.taken)}` : 'μ');

    const places = new Set((p?.interventions ?? []).map((index) => timeline.placeOf(profile.timeline[index])));
    for (const [name, { frame: box, struck }] of Object.entries(nodes)) {
      box.classList.toggle('struck', places.has(name));
      setText(struck, !places.has(name) ? '' : nodes[name].box.w < 160 ? '▼' : '▼ now');
    }

    const full = capacity ? Math.min(1, (p?.queue ?? 0) / capacity) : Math.min(1, (p?.queue ?? 0) / 100);
    fill.setAttribute('width', String(full * bar.w));
    fill.classList.toggle('high', capacity !== null && full >= 0.85);
    nodes.detector.frame.setAttribute('data-state', p?.state ?? '');
    nodes.clients?.frame.setAttribute('data-breaker', p?.clients?.breaker ?? '');
    const lit = (p?.throttle_delay_seconds ?? 0) > 0;
    feedback.classList.toggle('lit', lit);
    feedback.setAttribute('marker-end', lit ? 'url(#lit-arrow)' : 'url(#arrow)');
    nodes.throttle.frame.classList.toggle('lit', lit);

    if (workers !== shown) {
      shown = workers;
      const step = Math.min(18, (pool.w - 24) / Math.min(workers, 9));
      const few = workers <= MOST_DOTS;
      dots.replaceChildren(...Array.from({ length: few ? workers : 0 }, (_, i) =>
        svg('circle', { cx: pool.x + 19 + (i % 9) * step, cy: dotsY + Math.floor(i / 9) * 14, r: 5, class: 'dot' })));
    }
    const busy = p?.busy ?? 0;
    [...dots.children].forEach((dot, index) => dot.classList.toggle('on', index < busy));
    poolBar.setAttribute('width', String(workers > MOST_DOTS ? (busy / workers) * (pool.w - 24) : 0));
    root.setAttribute('aria-label', p
      ? `The pipeline at ${format.moment(frame.now_seconds)}: ${p.queue} waiting, ${p.busy} of ${p.workers} workers busy, detector ${p.state ?? 'off'}, throttle ${lit ? 'acting' : 'at rest'}.${aside(says)}`
      : `The pipeline: agents send to the queue, workers serve it, telemetry feeds the detector, the throttle slows the agents.${aside(says)}`);
  });
}

/** The nodes that not every profile has, for whoever cannot see them. @param {Says} says */
function aside(says) {
  const names = [...BEFORE, /** @type {Name} */ ('downstream')].filter((name) => says[name]);
  return names.map((name) => ` ${TITLES[name]}: ${says[name]?.filter(Boolean).join(', ')}.`).join('');
}
