// Which optional mechanisms a profile has: what the page shows follows from that.

/** @typedef {any} Profile */
/** @typedef {(profile: Profile) => boolean} Has */

/** @type {Has} */
const timelineChangesWorkers = ({ timeline = [] }) => timeline.some((/** @type {any} */ entry) => entry.crash || entry.stall || entry.set?.path === 'workers.count');

/** Clients, with policies of their own or behind a network, stand between a request and its sends. @type {Has} */
export const hasClients = ({ client, network }) => Boolean(client ?? network);

/** Something takes requests out of the queue unserved. @type {Has} */
export const removes = ({ queue, client }) => Boolean(queue.codel ?? queue.timeout) || queue.drops_expired === true || client?.withdraws === true;

/** The number of workers that can work changes in the run. @type {Has} */
export const crewChanges = (profile) => Boolean(profile.workers.autoscaler ?? profile.faults.crashes ?? profile.faults.stalls) || timelineChangesWorkers(profile);

/** The queue goes by rules beyond first in, first out. @type {Has} */
export const queueHasRules = (profile) => (profile.queue.discipline ?? 'fifo') !== 'fifo' || removes(profile);

/** @type {Record<string, string>} */
const DISCIPLINES = { fifo: 'first in, first out', lifo: 'last in, first out', adaptive_lifo: 'adaptive LIFO', priority: 'strict priority', weighted: 'weighted by priority' };

/** How the queue picks what is served next. @param {Profile} profile */
export const discipline = ({ queue }) => DISCIPLINES[queue.discipline ?? 'fifo'] ?? queue.discipline;

/** What takes requests out of the queue, in a few words. @param {Profile} profile */
export const removers = ({ queue, client }) => [queue.codel && 'CoDel', queue.timeout && 'time limit', queue.drops_expired && 'deadlines', client?.withdraws && 'withdrawn'].filter(Boolean).join(', ');
