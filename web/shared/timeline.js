// The interventions of a timeline, in words and on the axis.

import { read } from './paths.js';

/** @typedef {{ at_seconds: number, for_seconds: number | null, [kind: string]: any }} Entry */

/** What an entry can do; it does exactly one of them. */
export const KINDS = ['traffic', 'crash', 'stall', 'slow_workers', 'slow_downstream', 'loss', 'pool', 'set'];

/** Which part of the picture each works on; `set` says it by its path. */
const PLACES = /** @type {Record<string, string>} */ ({
  traffic: 'agents', crash: 'workers', stall: 'workers', slow_workers: 'workers', slow_downstream: 'downstream', loss: 'network',
  requests: 'agents', arrivals: 'agents', extra_arrivals: 'agents', client: 'clients', faults: 'workers',
});

/** The kind of an entry. @param {Entry} entry */
export const kindOf = (entry) => KINDS.find((kind) => entry[kind] !== undefined && entry[kind] !== null) ?? '';

/** The node of the picture that an entry works on. @param {Entry} entry */
export function placeOf(entry) {
  const kind = kindOf(entry);
  if (kind === 'pool') return entry.pool.of;
  const name = kind === 'set' ? entry.set.path.split('.')[0] : kind;
  return PLACES[name] ?? name;
}

/** @param {number} count @param {string} one */
const many = (count, one) => `${count} ${one}${count === 1 ? '' : 's'}`;

/** What an entry does, without when. @param {Entry} entry */
export function words(entry) {
  const kind = kindOf(entry);
  const given = entry[kind];
  switch (kind) {
    case 'traffic': {
      const factor = given.arrivals_factor === 1 ? '' : `traffic ×${given.arrivals_factor}`;
      const agents = given.extra_agents ? `${many(given.extra_agents, 'agent')} more` : '';
      return [factor, agents].filter(Boolean).join(', ') || 'traffic as usual';
    }
    case 'crash': return `${many(given.workers, 'worker')} crashed`;
    case 'stall': return 'all workers pause';
    case 'slow_workers': return `workers ×${given.factor} as slow`;
    case 'slow_downstream': return `downstream ×${given.factor} as slow`;
    case 'loss': return `${Number((100 * given.ratio).toPrecision(3))} % of messages lost`;
    case 'pool': return `${given.of === 'downstream' ? 'downstream pool' : 'pool'} down to ${given.size}`;
    case 'set': return `${given.path} = ${given.value}`;
    default: return 'nothing';
  }
}

/** When an entry is over, in seconds; never, if it lasts to the end. @param {Entry} entry */
export const endOf = ({ at_seconds: at, for_seconds: span }) => (span === null || span === undefined ? Infinity : at + span);

/** A moment without digits that say nothing. @param {number} seconds */
const moment = (seconds) => `${Number(seconds.toFixed(3))} s`;

/** From when to when. @param {Entry} entry */
export const when = (entry) => (endOf(entry) === Infinity ? `from ${moment(entry.at_seconds)} to the end` : `from ${moment(entry.at_seconds)} to ${moment(endOf(entry))}`);

/** What goes on now. @param {Entry} entry */
export const now = (entry) => `${words(entry)} ${endOf(entry) === Infinity ? 'to the end' : `until ${moment(endOf(entry))}`}`;

/**
 * A new entry of this kind, where it can be seen: after the start-up, and short against the run.
 * @param {string} kind @param {any} template what the schema gives for this kind @param {any} profile @returns {Entry}
 */
export function newEntry(kind, template, profile) {
  const { duration_seconds: duration, warmup_seconds: warmup } = profile.run;
  const rest = duration - warmup;
  // Two digits, rounded down: the sum stays within the run.
  const plain = (/** @type {number} */ seconds) => {
    const digit = 10 ** (Math.floor(Math.log10(seconds)) - 1);
    return Number((Math.floor(seconds / digit) * digit).toPrecision(2));
  };
  return { at_seconds: Math.max(plain(warmup + rest / 4), 0), for_seconds: plain(rest / 8), [kind]: fitting(kind, template, profile) };
}

/** The template of a kind, on the side that this profile has. @param {string} kind @param {any} template @param {any} profile */
export function fitting(kind, template, profile) {
  if (kind !== 'pool') return template;
  const has = { downstream: profile.downstream?.network?.pool, network: profile.network?.pool };
  return !has.downstream && has.network ? { ...template, of: 'network' } : template;
}

/**
 * How hard a kind strikes this system: three times the load, half of what is left of a pool.
 * @param {string} kind @param {any} given @param {any} profile
 */
export function hit(kind, given, profile) {
  if (kind === 'traffic') {
    const open = profile.arrivals || profile.extra_arrivals?.length;
    return { arrivals_factor: open ? 3 : 1, extra_agents: profile.agents ? 2 * profile.agents.count : 0 };
  }
  if (kind === 'pool') {
    const rules = given.of === 'downstream' ? profile.downstream?.network?.pool : profile.network?.pool;
    return { ...given, size: Math.max(1, Math.floor(rules.size / 2)) };
  }
  return given;
}

/** Another field for a `set` entry, with the value the field has now, which is a legal one. @param {any} set @param {string} path @param {any} profile */
export function aim(set, path, profile) {
  const value = read(profile, path);
  return { ...set, path, value: typeof value === 'number' ? value : set.value };
}
