"""The other workloads, each with what makes it hard."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate, combinations

from bench.steering.clients import Poisson, Sessions, Work
from bench.steering.simulation import Simulation
from bench.steering.spec import Link, SiteSpec, Workload
from cfn.damping import Damping

_CLIENT_MS = 9.4
_BUDGET_MS = 20.0
_FRAMES_S = 1 / 60


def arvr() -> Workload:
    """The AR/VR case of draft-ietf-cats-usecases-requirements, section 4.1.

    Neither the site that computes fastest nor the nearest one meets the budget, only the one in between.
    The draft's network delays are round trips; what the client itself takes is off the budget. Sessions of
    5 s, 60 frames a second.
    """
    cases = {"s1": (4.0, 9.0), "s2": (10.0, 4.0), "s3": (5.0, 5.0)}
    best_ms = min(compute for compute, _ in cases.values())

    def load(simulation: Simulation) -> None:
        work = _even(simulation, best_ms / 1000, 0.1)
        Sessions(simulation, "r0", per_s=1.0, requests=300, every_s=_FRAMES_S, work_s=work).start()

    return Workload(
        name="arvr",
        routers=("r0", *cases),
        links=tuple(Link("r0", name, network / 2) for name, (_, network) in cases.items()),
        sites=tuple(
            SiteSpec(name, name, workers=4, cores=4, speed=best_ms / compute)
            for name, (compute, _) in cases.items()
        ),
        load=load,
        bound_ms=_BUDGET_MS - _CLIENT_MS,
    )


def diurnal() -> Workload:
    """People leave a city with a large site for two towns with small ones and come back: a day in 30 s."""
    towns = ("east", "west")

    def load(simulation: Simulation) -> None:
        work = _exponential(simulation, 0.010)

        def evening(now: float) -> float:
            return 0.5 - 0.5 * math.cos(2 * math.pi * now / simulation.workload.duration_s)

        Poisson(simulation, "metro", lambda now: 400 - 300 * evening(now), 400, work).start()
        for town in towns:
            Poisson(simulation, town, lambda now: 50 + 250 * evening(now), 300, work).start()

    return Workload(
        name="diurnal",
        routers=("metro", *towns),
        links=(Link("metro", "east", 2.0), Link("metro", "west", 3.0), Link("east", "west", 5.0)),
        sites=(
            SiteSpec("metro", "metro", workers=8, cores=8),
            *(SiteSpec(town, town, workers=2, cores=2, price=2.0) for town in towns),
        ),
        load=load,
        bound_ms=50.0,
    )


def flash() -> Workload:
    """Four equal sites, a quarter of their capacity in use; for 10 s one is asked for more than it has."""
    names = ("s1", "s2", "s3", "s4")

    def load(simulation: Simulation) -> None:
        work = _exponential(simulation, 0.010)

        def crowd(now: float) -> float:
            return 1000.0 if 10 <= now < 20 else 100.0

        Poisson(simulation, "s1", crowd, 1000, work).start()
        for name in names[1:]:
            Poisson(simulation, name, lambda _now: 100.0, 100, work).start()

    return Workload(
        name="flash",
        routers=names,
        links=tuple(Link(a, b, 2.0) for a, b in combinations(names, 2)),
        sites=tuple(SiteSpec(name, name, workers=4, cores=4) for name in names),
        load=load,
        bound_ms=50.0,
    )


def heterogeneous() -> Workload:
    """From a small, fast, dear site next door to a large, slow, cheap one far away; 60 % of all in use."""
    sites = (
        SiteSpec("door", "r1", 0.5, workers=1, cores=1, speed=2.0, price=4.0),
        SiteSpec("street", "r1", 2.0, workers=2, cores=2, price=3.0),
        SiteSpec("town", "r1", 5.0, workers=4, cores=4, price=2.0),
        SiteSpec("land", "r1", 15.0, workers=8, cores=8, speed=0.5, price=1.0),
    )

    def load(simulation: Simulation) -> None:
        Poisson(simulation, "r1", lambda _now: 720.0, 720, _exponential(simulation, 0.010)).start()

    return Workload("heterogeneous", ("r1",), (), sites, load, bound_ms=100.0)


def many() -> Workload:
    """100 sites and 1,000 services, each at four of them; services are asked for by Zipf's law."""
    routers = ("r1", "r2", "r3", "r4")
    functions = tuple(f"many/f{number}" for number in range(1000))
    sites = tuple(
        SiteSpec(
            f"s{number}",
            routers[number % len(routers)],
            0.5,
            workers=1,
            cores=4,
            functions=tuple(functions[at] for at in range(1000) if number in _homes(at)),
        )
        for number in range(100)
    )
    sums = list(accumulate(1 / (rank + 10) for rank in range(len(functions))))

    def load(simulation: Simulation) -> None:
        def asked() -> str:
            return simulation.demand.choices(functions, cum_weights=sums)[0]

        work = _exponential(simulation, 0.020)
        for router in routers:
            Poisson(simulation, router, lambda _now: 1000.0, 1000, work, asked).start()

    return Workload(
        name="many",
        routers=routers,
        links=tuple(Link(a, b, 4.0) for a, b in combinations(routers, 2)),
        sites=sites,
        load=load,
        duration_s=5.0,
        bound_ms=100.0,
        functions=functions,
        damping=Damping(timer_s=2.0, min_interval_s=1.0),
        warm_up_s=2.5,
        policies=("cfn-latency", "random", "nearest", "p2c", "jbsq", "omniscient"),
    )


def _homes(function: int) -> tuple[int, ...]:
    """The sites that run a function: four, spread over the routers as they come."""
    return tuple((function * 7 + step * 29) % 100 for step in range(4))


def lying() -> Workload:
    """One of three sites says that it is idle and fast, and is half as fast as the others."""
    sites = (
        SiteSpec("s1", "s1", workers=4, cores=4),
        SiteSpec("s2", "s2", workers=4, cores=4),
        SiteSpec("liar", "s3", workers=4, cores=4, speed=0.5, lies=True),
    )

    def load(simulation: Simulation) -> None:
        Poisson(simulation, "s1", lambda _now: 500.0, 500, _exponential(simulation, 0.010)).start()

    return Workload("lying", ("s1", "s2", "s3"), _mesh(("s1", "s2", "s3"), 1.0), sites, load, bound_ms=50.0)


def flapping() -> Workload:
    """One of three sites goes down every two seconds, with all that it has, and is back a second later."""
    names = ("s1", "s2", "s3")

    def load(simulation: Simulation) -> None:
        work = _exponential(simulation, 0.010)
        Sessions(simulation, "s1", per_s=40.0, requests=10, every_s=0.1, work_s=work).start()
        _flap(simulation, 3)

    return Workload(
        name="flapping",
        routers=names,
        links=_mesh(names, 1.0),
        sites=tuple(SiteSpec(name, name, workers=4, cores=4) for name in names),
        load=load,
        bound_ms=50.0,
    )


SCENARIOS: dict[str, Callable[[], Workload]] = {
    each.__name__: each for each in (arvr, diurnal, flash, heterogeneous, many, lying, flapping)
}


def _flap(simulation: Simulation, site: int) -> None:
    simulation.clock.after(1.0, simulation.sites[site].stop)
    simulation.clock.after(2.0, simulation.sites[site].restart)
    simulation.clock.after(2.0, _flap, simulation, site)


def _mesh(names: tuple[str, ...], delay_ms: float) -> tuple[Link, ...]:
    return tuple(Link(a, b, delay_ms) for a, b in combinations(names, 2))


def _even(simulation: Simulation, mean_s: float, spread: float) -> Work:
    return lambda: mean_s * simulation.demand.uniform(1 - spread, 1 + spread)


def _exponential(simulation: Simulation, mean_s: float) -> Work:
    return lambda: simulation.demand.expovariate(1 / mean_s)
