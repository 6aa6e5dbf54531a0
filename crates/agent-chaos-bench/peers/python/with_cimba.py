"""On the Cimba C engine, through the Python package which compiles models for it.

Compiling is not timed: a run of a few requests does it, and the timed run finds the classes in
the package's cache. One trial, one thread.

Left out: 100,000 agents. Each process has a stack of its own between guard pages, and so many are
more mappings than Linux allows a program by default (vm.max_map_count = 65530).
"""

import sys
from time import perf_counter

import cimba as cb
from cimba import inputs

from protocol import SERVICE_SECONDS, Tally, job, report

workload, requests, seed = job()
if workload.agents > 30_000:
    sys.exit("more stacks than Linux maps by default")


class Station(cb.Model):
    requests: cb.Param[int]
    places: cb.Param[int] = int(min(workload.places, 1 << 40))
    gap: cb.Input[float] = inputs.dist.exponential(mean=workload.gap_seconds)
    service: cb.Input[float] = inputs.dist.exponential(mean=SERVICE_SECONDS)
    waiting: int = 0
    created: cb.Output[int] = 0
    refused: cb.Output[int] = 0
    completed: cb.Output[int] = 0
    sojourn_seconds: cb.Output[float] = 0.0


class OpenLoop(Station):
    """Workers are processes that take creation times from a store."""

    queue: cb.Store[float] = cb.Store()

    @cb.process
    def source(self):
        for _ in range(self.requests):
            cb.hold(self.gap.next())
            self.created += 1
            if self.waiting >= self.places:
                self.refused += 1
                if self.refused + self.completed == self.requests:
                    cb.end_trial()
            else:
                self.waiting += 1
                self.queue.put(cb.now())

    @cb.process(copies=workload.workers)
    def worker(self):
        while True:
            created = self.queue.get()
            self.waiting -= 1
            cb.hold(self.service.next())
            self.completed += 1
            self.sojourn_seconds += cb.now() - created
            if self.refused + self.completed == self.requests:
                cb.end_trial()


class Agents(Station):
    """Agents are processes that acquire a worker."""

    workers: cb.Resource = cb.Resource(capacity=workload.workers)

    @cb.process(copies=max(workload.agents, 1))
    def agent(self):
        while True:
            cb.hold(self.gap.next())
            if self.created == self.requests:
                break
            created = cb.now()
            self.created += 1
            if self.waiting >= self.places:
                self.refused += 1
            else:
                self.waiting += 1
                self.workers.acquire(1)
                self.waiting -= 1
                cb.hold(self.service.next())
                self.workers.release(1)
                self.completed += 1
                self.sojourn_seconds += cb.now() - created
            if self.refused + self.completed == self.requests:
                cb.end_trial()


def run(count):
    model = Agents() if workload.agents else OpenLoop()
    model.requests = count
    experiment = cb.Experiment(model, seed=seed)
    started = perf_counter()
    results = experiment.run(workers=1)
    seconds = perf_counter() - started
    if results.failed.any():
        raise RuntimeError(results.failure_reasons)
    return results[model], seconds


run(10)
results, seconds = run(requests)
tally = Tally(requests)
tally.created = int(results.created[0, 0])
tally.refused = int(results.refused[0, 0])
tally.completed = int(results.completed[0, 0])
tally.sojourn_seconds = float(results.sojourn_seconds[0, 0])
report("cimba", workload, tally, seconds)
