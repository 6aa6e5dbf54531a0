"""On SimPy: workers are processes that take creation times from a store; with agents, each agent
is a process that asks a resource for a unit.

A process for each request of the open loop, which asks the resource as an agent does, takes a
quarter more time.
"""

from random import Random
from time import perf_counter

import simpy

from protocol import SERVICE_SECONDS, Tally, job, report

workload, requests, seed = job()
exponential = Random(seed).expovariate
env = simpy.Environment()
tally = Tally(requests)
settled = env.event()


def refuse():
    tally.refused += 1
    if tally.settled:
        settled.succeed()


def complete(created):
    tally.completed += 1
    tally.sojourn_seconds += env.now - created
    if tally.settled:
        settled.succeed()


def source(queue):
    rate = 1 / workload.gap_seconds
    for _ in range(requests):
        yield env.timeout(exponential(rate))
        tally.created += 1
        if len(queue.items) >= workload.places:
            refuse()
        else:
            queue.put(env.now)


def worker(queue):
    rate = 1 / SERVICE_SECONDS
    while True:
        created = yield queue.get()
        yield env.timeout(exponential(rate))
        complete(created)


def agent(workers):
    rate = 1 / workload.gap_seconds
    while True:
        yield env.timeout(exponential(rate))
        if tally.created == requests:
            return
        created = env.now
        tally.created += 1
        if len(workers.queue) >= workload.places:
            refuse()
            continue
        with workers.request() as turn:
            yield turn
            yield env.timeout(exponential(1 / SERVICE_SECONDS))
        complete(created)


if workload.agents:
    workers = simpy.Resource(env, workload.workers)
    for _ in range(workload.agents):
        env.process(agent(workers))
else:
    queue = simpy.Store(env)
    env.process(source(queue))
    for _ in range(workload.workers):
        env.process(worker(queue))

started = perf_counter()
env.run(until=settled)
report("simpy", workload, tally, perf_counter() - started)
