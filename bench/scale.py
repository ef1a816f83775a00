"""How the controller scales: `python -m bench.scale`.

Ten thousand services at 8 sites behind 16 ingress routers: everything decided from nothing, one site's change
decided, and the time from its advert until all routers have the weights (`scale_routers`); then agents of up
to a thousand sites at one controller (`scale_agents`). `scale_world` has the network.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Annotated, Any

import finsy as fy
import typer
from rich.console import Console
from rich.table import Table

import p4src
from bench import command, results, scale_agents, scale_routers
from bench.scale_world import TOKEN, World
from bench.stats import percentile
from cfn.advert_sender import to_message
from cfn.proto import advert_pb2 as pb
from control.advert_check import check
from control.catalogue import Catalogue
from control.events import EventLog
from control.program import Program

_TTL_MS = 600_000
_BETWEEN_S = 1.0
"""What the controller's clock is moved on by between two adverts, as agents advertise."""
_WARM_UP = 8
_POOLS = (1, 2, 4, 8, 16, 32)


class Brain:
    """The controller without its connections, and the adverts of sites as bytes, as they come in.

    It works in one thread; its processor time is taken, so that what else the machine does hardly counts.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._catalogue: Catalogue = world.catalogue()
        self._schema = fy.P4Schema(p4src.P4INFO)
        self._draw = random.Random(1)
        self._sequence = 0
        self._now = 0.0

    def start(self) -> float:
        """Decide everything from nothing but adverts and plan all writes; returns the time taken, in ms."""
        adverts = [self._advert(site) for site in self._world.sites]
        began = time.process_time()
        self.program = Program(self._catalogue, self._schema, lambda: self._now, 0.0, EventLog())
        for advert in adverts:
            self.program.store.accept(check(pb.Advert.FromString(advert), TOKEN, self._catalogue))
        self.program.start({})
        self.entries = sum(self._write())
        took = time.process_time() - began
        gc.freeze()  # as the controller does
        return 1000 * took

    def change(self, site: str) -> tuple[float, list[int]]:
        """Let a site tell something new; returns the ms until writes are planned, and how many, by router."""
        advert = self._advert(site)
        self._now += _BETWEEN_S
        began = time.process_time()
        message = pb.Advert.FromString(advert)
        held = self.program.store.get(site)
        self.program.take(check(message, TOKEN, self._catalogue, held and held.advert))
        writes = self._write()
        return 1000 * (time.process_time() - began), writes

    def _write(self) -> list[int]:
        counts: list[int] = []
        for tables in self.program.tables.values():
            phases = tables.changes()
            counts.append(sum(map(len, phases)))
            for phase in phases:
                tables.done(phase)
        return counts

    def _advert(self, site: str) -> bytes:
        self._sequence += 1
        return pb.Advert(
            site=site,
            incarnation=1,
            sequence=self._sequence,
            ttl_ms=_TTL_MS,
            instances=[to_message(view) for view in self._world.views(site, self._draw)],
        ).SerializeToString()


@dataclass(frozen=True)
class Cost:
    """What one site's change takes, with so many services and groups of them.

    Attributes:
        services: how many.
        cohorts: how many groups of functions are decided upon alike.
        ms: from the advert's bytes until all writes are planned, the median.
        p99_ms: the 99th percentile.
        writes: entries to write at all routers, the median.
    """

    services: int
    cohorts: int
    ms: float
    p99_ms: float
    writes: float


def main(
    services: Annotated[int, typer.Option(min=1000, help="Services, each at every site.")] = 10_000,
    changes: Annotated[int, typer.Option(min=8, help="Adverts that change something, in memory.")] = 80,
    adverts: Annotated[int, typer.Option(min=2, help="Adverts that are waited for at all routers.")] = 200,
    agents: Annotated[list[int] | None, typer.Option(help="Numbers of agents, repeated.")] = None,
) -> None:
    """Measure how the controller scales, and write bench/out/scale.json."""
    console = Console()
    world = World(services)
    brain = Brain(world)
    full_ms = brain.start()
    console.print(f"{services} services from nothing: {full_ms:.0f} ms, {brain.entries} entries")
    cost, writes = measured(brain, world, changes)
    costs = [cost, *(alone(World(services // 10, pools=pools), changes) for pools in _POOLS)]
    entries = brain.entries
    del brain
    console.print(table(costs))
    installed = scale_routers.run(world, adverts, console.print)
    console.print(f"advert to all {len(world.routers)} routers: {installed['advert_to_installed_ms']}")
    by_agents = scale_agents.run(agents or [1, 100, 1000], console.print)
    figures: dict[str, Any] = {
        "full_ms": full_ms,
        "entries": entries,
        "incremental_ms": cost.ms,
        "incremental_p99_ms": cost.p99_ms,
        "writes": {
            "per_router": median(one for each in writes for one in each),
            "most_at_a_router": max(one for each in writes for one in each),
            "in_all": cost.writes,
        },
        "incremental": [asdict(one) for one in costs],
        **installed,
        "agents": by_agents,
        "services": services,
        "sites": len(world.sites),
        "routers": len(world.routers),
    }
    console.print(f"written to {results.write('scale', figures)}")


def measured(brain: Brain, world: World, changes: int) -> tuple[Cost, list[list[int]]]:
    """Let sites in turn tell something new; returns what it cost, and the writes, by change and router."""
    turns = [world.sites[number % len(world.sites)] for number in range(_WARM_UP + changes)]
    took = [brain.change(site) for site in turns][_WARM_UP:]
    all_ms = [ms for ms, _ in took]
    writes = [counts for _, counts in took]
    cohorts = len(brain.program.cohorts)
    in_all = median(map(sum, writes))
    return Cost(len(world.services), cohorts, median(all_ms), percentile(all_ms, 99), in_all), writes


def alone(world: World, changes: int) -> Cost:
    """What a site's change costs in another world."""
    brain = Brain(world)
    brain.start()
    return measured(brain, world, changes)[0]


def table(costs: Sequence[Cost]) -> Table:
    """What one site's change takes as a table."""
    shown = Table(title="one site's change, in memory")
    for column in fields(Cost):
        shown.add_column(column.name, justify="right")
    for one in costs:
        shown.add_row(*(f"{value:.4g}" for value in asdict(one).values()))
    return shown


if __name__ == "__main__":
    command.run(main)
