"""The CFN field trial (Gu et al., draft-gu-rtgwg-cfn-field-trial-01, 2019, section 4), and what it published.

Three sites 30 km apart; all clients are at site 1. The numbers of figures 4 to 6 give away how clients send:
clients ÷ qps − delay is 19.9 to 21.9 ms in 16 of 18 rows, so each waits for its answer, and then 20 ms. Long
tasks are no part of these numbers (one in 100 would add 4 ms to each mean): they are sent beside, and what
they take is not told of.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from bench.steering.clients import Closed, Poisson
from bench.steering.simulation import Simulation
from bench.steering.spec import Link, SiteSpec, Workload
from cfn.damping import Damping

CLIENTS = (5, 10, 15)
MAIN = (
    "cfn-latency",
    "cfn-latency-1",
    "random",
    "round-robin",
    "p2c",
    "jbsq",
    "prequal",
    "wrr",
    "omniscient",
)
"""Policies that are compared where not all are."""
INTERVALS_MS = (10_000, 5_000, 1_000, 100, 10, 1)


class Row(NamedTuple):
    """What the trial measured."""

    delay_ms: float
    qps: float


PUBLISHED: dict[str, dict[int, dict[str, Row]]] = {
    "none": {
        5: {"cfn": Row(3.954, 208.5), "random": Row(5.316, 197.7)},
        10: {"cfn": Row(4.700, 402.3), "random": Row(5.595, 302.1)},
        15: {"cfn": Row(5.506, 559.3), "random": Row(5.718, 546.0)},
    },
    "background": {
        5: {"cfn": Row(6.291, 185.6), "random": Row(9.630, 165.3)},
        10: {"cfn": Row(6.854, 360.9), "random": Row(10.592, 316.3)},
        15: {"cfn": Row(7.987, 512.4), "random": Row(12.156, 441.7)},
    },
    "mixed": {
        5: {"cfn": Row(5.205, 193.5), "random": Row(5.398, 193.5)},
        10: {"cfn": Row(5.201, 393.4), "random": Row(5.985, 385.0)},
        15: {"cfn": Row(6.147, 559.4), "random": Row(8.499, 559.4)},
    },
}
"""Figures 4, 5 and 6, by number of clients. The 302.1 is the draft's; its delay goes with 391."""
PUBLISHED_INTERVAL_MS = {10_000: 6.445, 5_000: 6.255, 1_000: 5.741, 100: 5.312, 10: 4.883, 1: 4.058}
"""Figure 7: mean delay by update interval."""

SITES = 3
CAPACITY_RPS = 670.0
"""Of the three together, as the draft states it (section 4.1)."""
RUN_S = 0.004
"""Of a short task, at the server."""
THINK_S = 0.020
BUSY_S, IDLE_S = 4.0, 2.0


class Sites(NamedTuple):
    """What the draft tells little of, or nothing.

    Attributes:
        cores: of a site.
        workers: requests that a site runs at once.
        threads: of the background, which share a busy site's cores with the requests that run.
        way_ms: between two sites, one way.
        jitter: the pause and the run differ from their mean by this share at most.
    """

    cores: float
    workers: int
    threads: float
    way_ms: float = 0.5
    jitter: float = 0.1


MEASURED = Sites(cores=2.0, workers=8, threads=13.0)
"""Sites at which `random` comes to what the draft measured of it (`bench.steering.fit`): 13 threads leave a
request that is alone 14 % of a core's pace, and the draft says that almost 90 % are consumed."""
STATED = Sites(cores=CAPACITY_RPS / SITES * RUN_S, workers=4, threads=1.5)
"""Sites with the capacity that the draft states. At the utilisation that follows from it, queues are longer
than its delays allow, whatever the rest is like; so this is not what was measured. With
less than a core a site, the long tasks of the mixed rows would be more work than can be done."""
STATED_KINDS = ("none", "background")


def trial(
    kind: str,
    clients: int,
    sites: Sites = MEASURED,
    *,
    damping: Damping | None = None,
    duration_s: float = 37.0,
) -> Workload:
    """Return a row of the trial: `none`, `background` or `mixed`, with so many clients."""
    names = [f"s{number}" for number in range(1, SITES + 1)]

    def load(simulation: Simulation) -> None:
        uniform = simulation.demand.uniform
        spread = 1 - sites.jitter, 1 + sites.jitter
        for flow in range(clients):
            Closed(
                simulation,
                names[0],
                flow,
                lambda: THINK_S * uniform(*spread),
                lambda: RUN_S * uniform(*spread),
            ).start(uniform(1.0, 1.0 + THINK_S))
        if kind == "background":
            simulation.clock.at(1.0, _busy, simulation, sites.threads)
        if kind == "mixed":
            rate_rps = clients / (THINK_S + 1.3 * RUN_S) / 100
            Poisson(
                simulation,
                names[0],
                lambda _now: rate_rps,
                rate_rps,
                lambda: 0.4 * uniform(*spread),
                counted=False,
            ).start()

    return Workload(
        name=f"{'trial' if sites is MEASURED else 'stated'}-{kind}-{clients}",
        routers=tuple(names),
        links=tuple(Link(a, b, sites.way_ms) for number, a in enumerate(names) for b in names[number + 1 :]),
        sites=tuple(SiteSpec(name, name, workers=sites.workers, cores=sites.cores) for name in names),
        load=load,
        duration_s=duration_s,
        policies=() if sites is MEASURED else MAIN,
        bound_ms=20.0,
        damping=damping or Damping(),
    )


def interval(interval_ms: int) -> Workload:
    """Return the workload of figure 7: five clients, and adverts of changes at most this often."""
    interval_s = interval_ms / 1000
    damping = Damping(timer_s=max(1.0, interval_s), min_interval_s=interval_s)
    workload = trial("background", 5, damping=damping)
    return replace(workload, name=f"interval-{interval_ms}", policies=(*MAIN, "least-load"))


def _busy(simulation: Simulation, threads: float) -> None:
    """A site at random is busy for a while, then none is, and so on."""
    site = simulation.events.choice(list(simulation.sites.values()))
    site.cores.burden(threads)
    simulation.clock.after(BUSY_S, site.cores.burden, 0.0)
    simulation.clock.after(BUSY_S + IDLE_S, _busy, simulation, threads)
