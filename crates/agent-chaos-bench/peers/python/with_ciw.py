"""On Ciw: a network of one node.

Left out: agents. Ciw's customers are born at arrival nodes and end at an exit; a full node blocks
whom another node sends to it, so an agent that is refused and thinks again cannot be said.
"""

import sys
from time import perf_counter

import ciw

from protocol import SERVICE_SECONDS, Tally, job, report

workload, requests, seed = job()
if workload.agents:
    sys.exit("Ciw has no agents which are refused and think again")
ciw.seed(seed)
network = ciw.create_network(
    arrival_distributions=[ciw.dists.Exponential(1 / workload.gap_seconds)],
    service_distributions=[ciw.dists.Exponential(1 / SERVICE_SECONDS)],
    number_of_servers=[workload.workers],
    queue_capacities=[workload.places],
)
simulation = ciw.Simulation(network)

started = perf_counter()
simulation.simulate_until_max_customers(requests, method="Finish")
seconds = perf_counter() - started

# Ciw has no counters: each customer carries its records, from which everything is read afterwards.
tally = Tally(requests)
for record in simulation.get_all_records():
    if record.record_type == "service":
        tally.completed += 1
        tally.sojourn_seconds += record.exit_date - record.arrival_date
    else:
        tally.refused += 1
tally.created = tally.completed + tally.refused
report("ciw", workload, tally, seconds)
