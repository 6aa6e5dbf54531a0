"""What every peer in Python shares: the job it is given and the line it prints."""

import json
import os
import sys
from dataclasses import dataclass
from importlib.metadata import version
from math import inf

SERVICE_SECONDS = 0.001


@dataclass(frozen=True)
class Workload:
    """One of the queues that are timed."""

    name: str
    # Mean time between arrivals, or of an agent's thinking if there are agents.
    gap_seconds: float
    workers: int
    # Waiting places, beside those at the workers.
    places: float
    # How many think and then send; without any, arrivals are a Poisson process.
    agents: int


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("mm1", 1 / 900, 1, inf, 0),
        Workload("mm4-80", 1 / 4660, 4, 80, 0),
        Workload("agents-1000", 1_000 / 4660, 4, 80, 1_000),
        Workload("agents-100000", 100_000 / 4660, 4, 80, 100_000),
    )
}


class Tally:
    """What is counted, and nothing more."""

    __slots__ = ("requests", "created", "refused", "completed", "sojourn_seconds")

    def __init__(self, requests):
        self.requests = requests
        self.created = 0
        self.refused = 0
        self.completed = 0
        self.sojourn_seconds = 0.0

    @property
    def settled(self):
        """Whether all requests have been sent and each was refused or served."""
        return self.refused + self.completed == self.requests


def job():
    """The command line: workload, number of requests, seed."""
    name, requests, seed = sys.argv[1:]
    return WORKLOADS[name], int(requests), int(seed)


def report(package, workload, tally, seconds):
    """Prints what came out as one line of JSON, and ends."""
    print(
        json.dumps(
            {
                "engine": package,
                "version": version(package),
                "workload": workload.name,
                "requests": tally.created,
                "completed": tally.completed,
                "refused": tally.refused,
                "mean_sojourn_seconds": tally.sojourn_seconds / tally.completed,
                "seconds": seconds,
            }
        ),
        flush=True,
    )
    # Taking down 100,000 processes one by one takes almost as long as running them did.
    os._exit(0)
