/**
 * On SimJS: workers are a facility with a bounded queue, the source and each agent are entities.
 *
 * A facility keeps statistics of its queue and its users, which cannot be switched off. The package
 * is a bundle for browsers, which hands itself out on `window` only.
 */

import { createRequire } from 'node:module';

globalThis.window = globalThis;
const require = createRequire(import.meta.url);
require('simjs');
const { Entity, Facility, Random, Sim: Simulation } = globalThis.Sim;

const SERVICE_SECONDS = 0.001;
// Mean time between arrivals, or of an agent's thinking if there are agents; waiting places beside
// those at the workers, -1 without a bound.
const WORKLOADS = {
  mm1: { gapSeconds: 1 / 900, workers: 1, places: -1, agents: 0 },
  'mm4-80': { gapSeconds: 1 / 4660, workers: 4, places: 80, agents: 0 },
  'agents-1000': { gapSeconds: 1_000 / 4660, workers: 4, places: 80, agents: 1_000 },
  'agents-100000': { gapSeconds: 100_000 / 4660, workers: 4, places: 80, agents: 100_000 },
};

const [name, requestsText, seedText] = process.argv.slice(2);
const workload = WORKLOADS[name];
if (!workload) throw new Error('usage: <workload> <requests> <seed>');
const requests = Number(requestsText);

const random = new Random(Number(seedText));
const draw = (mean) => random.exponential(1 / mean);
const facility = new Facility('workers', Facility.FCFS, workload.workers, workload.places);
const tally = { created: 0, refused: 0, completed: 0, sojournSeconds: 0 };

/** Counts the request that just left, which was created then. */
function count(entity, created) {
  if (entity.callbackMessage === -1) {
    tally.refused += 1;
  } else {
    tally.completed += 1;
    tally.sojournSeconds += entity.time() - created;
  }
}

class Source extends Entity {
  start() {
    if (tally.created < requests) this.setTimer(draw(workload.gapSeconds)).done(this.send);
  }

  send() {
    tally.created += 1;
    this.useFacility(facility, draw(SERVICE_SECONDS)).done(this.left, this, this.time());
    this.start();
  }

  left(created) {
    count(this, created);
  }
}

class Agent extends Entity {
  start() {
    this.setTimer(draw(workload.gapSeconds)).done(this.send);
  }

  send() {
    if (tally.created === requests) return;
    tally.created += 1;
    this.useFacility(facility, draw(SERVICE_SECONDS)).done(this.left, this, this.time());
  }

  left(created) {
    count(this, created);
    this.start();
  }
}

const simulation = new Simulation();
if (workload.agents === 0) simulation.addEntity(Source);
for (let i = 0; i < workload.agents; i += 1) simulation.addEntity(Agent);

const started = performance.now();
while (tally.refused + tally.completed < requests && simulation.step());
const seconds = (performance.now() - started) / 1000;

const { version } = require('simjs/package.json');
console.log(
  JSON.stringify({
    engine: 'simjs',
    version,
    workload: name,
    requests: tally.created,
    completed: tally.completed,
    refused: tally.refused,
    mean_sojourn_seconds: tally.sojournSeconds / tally.completed,
    seconds,
  }),
);
