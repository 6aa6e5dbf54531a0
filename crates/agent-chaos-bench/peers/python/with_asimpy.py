"""On asimpy: workers are processes that take creation times from a queue; with agents, each agent
is a process that acquires a resource.
"""

from math import inf
from random import Random
from time import perf_counter

import asimpy

from protocol import SERVICE_SECONDS, Tally, job, report

workload, requests, seed = job()
exponential = Random(seed).expovariate
env = asimpy.Environment()
tally = Tally(requests)


def complete(created):
    tally.completed += 1
    tally.sojourn_seconds += env.now - created


class Source(asimpy.Process):
    def init(self, queue):
        self.queue = queue

    async def run(self):
        rate = 1 / workload.gap_seconds
        for _ in range(requests):
            await self.timeout(exponential(rate))
            tally.created += 1
            if self.queue.is_full():
                tally.refused += 1
            else:
                self.queue.put(self.now)


class Worker(asimpy.Process):
    def init(self, queue):
        self.queue = queue

    async def run(self):
        rate = 1 / SERVICE_SECONDS
        while True:
            created = await self.queue.get()
            await self.timeout(exponential(rate))
            complete(created)


class Agent(asimpy.Process):
    # A resource does not tell how many wait for it.
    waiting = 0

    def init(self, workers):
        self.workers = workers

    async def run(self):
        rate = 1 / workload.gap_seconds
        while True:
            await self.timeout(exponential(rate))
            if tally.created == requests:
                return
            created = self.now
            tally.created += 1
            if Agent.waiting >= workload.places:
                tally.refused += 1
                continue
            Agent.waiting += 1
            async with self.workers:
                Agent.waiting -= 1
                await self.timeout(exponential(1 / SERVICE_SECONDS))
            complete(created)


if workload.agents:
    workers = asimpy.Resource(env, workload.workers)
    for _ in range(workload.agents):
        Agent(env, workers)
else:
    queue = asimpy.Queue(env, None if workload.places == inf else workload.places)
    Source(env, queue)
    for _ in range(workload.workers):
        Worker(env, queue)

# Its run has no end but a time, so it goes on by small steps until all is done.
started = perf_counter()
until = 0.0
while not tally.settled:
    until += 0.1
    env.run(until=until)
report("asimpy", workload, tally, perf_counter() - started)
