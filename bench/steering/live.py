"""A few points in the lab, with real switches, controller and agents, beside the simulation of the same.

Requests sleep at their site (`bench.site_pace`): their times are exact, and cost the machine nothing.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench import command, lab, site_pace
from bench.steering.clients import Closed
from bench.steering.figures import Figures, figures
from bench.steering.policies import run
from bench.steering.simulation import Simulation, Tally
from bench.steering.spec import Link, SiteSpec, Workload
from cfn.damping import Damping
from topo.plan import Plan
from topo.process import Command
from topo.records import Outcome, Record
from topo.state import RunDir
from topo.targets import Target
from topo.traffic import Traffic, TrafficError

LAB = Path(__file__).parents[1] / "labs" / "steering.yaml"
PACE_MS = 20.0
SLOW = "b"
SLOWER = 4.0
CLIENTS = 5
THINK_MS = 40.0
"""Mean; exponential, as `topo.clients` has it."""
WARM_UP_S, SPAN_S = 3.0, 12.0
_PATIENCE_S = 10.0
FUNCTIONS = {"cfn-latency": "pace/two", "random": "pace/one"}
"""What the lab steers by each policy."""


@dataclass(frozen=True, slots=True)
class Point:
    """One configuration under one policy, measured and simulated."""

    policy: str
    slow: bool
    live: Figures
    simulated: Figures

    @property
    def difference(self) -> float:
        """Of the mean delays: live ÷ simulated − 1."""
        return self.live.delay_ms / self.simulated.delay_ms - 1


def points(target: Target, seed: int, tell: Callable[[str], None]) -> list[Point]:
    """Measure and simulate all points.

    Raises:
        BenchError: the lab can't be brought up, or something of it has ended.
    """
    found: list[Point] = []
    with (
        tempfile.TemporaryDirectory(prefix="cfnbench-") as paces,
        lab.environment(site_pace.FOLDER, paces),
        lab.up(LAB, target, tell) as plan,
    ):
        for slow in (False, True):
            for name, site in plan.sites.items():
                pace_ms = PACE_MS * (SLOWER if slow and name == SLOW else 1)
                site_pace.set_pace(Path(paces), site.host.namespace, pace_ms)
            workload = simulated(slow=slow)
            for policy, function in FUNCTIONS.items():
                tell(f"{policy}, {'one site slow' if slow else 'all alike'}")
                tally = asyncio.run(_live(plan, function, seed))
                lab.check(plan.name)
                live = figures(workload, tally)
                found.append(Point(policy, slow, live, figures(workload, run(workload, policy, seed))))
    return found


def simulated(*, slow: bool) -> Workload:
    """Return the workload that the lab has."""

    def load(simulation: Simulation) -> None:
        def think_s() -> float:
            return simulation.demand.expovariate(1000 / THINK_MS)

        for flow in range(CLIENTS):
            # What sleeps takes no core.
            Closed(simulation, "r1", flow, think_s, lambda: PACE_MS / 1000, share=0.0).start(think_s())

    routers = {"a": "r1", "b": "r2", "c": "r3"}
    return Workload(
        name="lab",
        routers=("r1", "r2", "r3"),
        links=(Link("r1", "r2", 1.0), Link("r1", "r3", 1.0), Link("r2", "r3", 1.0)),
        sites=tuple(
            SiteSpec(name, router, speed=1 / SLOWER if slow and name == SLOW else 1.0)
            for name, router in routers.items()
        ),
        load=load,
        duration_s=WARM_UP_S + SPAN_S,
        bound_ms=5 * PACE_MS,
        damping=Damping(min_interval_s=0.1),
        warm_up_s=WARM_UP_S,
    )


def table(found: list[Point]) -> Table:
    """Each point, live and simulated."""
    shown = Table(title="the lab beside its simulation")
    for name in ("sites", "policy"):
        shown.add_column(name)
    for name in ("live ms", "simulated", "difference", "live 1/s", "simulated", "live p99 ms", "simulated"):
        shown.add_column(name, justify="right")
    for one in found:
        shown.add_row(
            "one slow" if one.slow else "alike",
            one.policy,
            f"{one.live.delay_ms:.1f}",
            f"{one.simulated.delay_ms:.1f}",
            f"{one.difference:+.0%}",
            f"{one.live.qps:.0f}",
            f"{one.simulated.qps:.0f}",
            f"{one.live.p99_ms:.0f}",
            f"{one.simulated.p99_ms:.0f}",
        )
    return shown


async def _live(plan: Plan, function: str, seed: int) -> Tally:
    records: list[Record] = []
    traffic = Traffic(RunDir(plan.name), records.append)
    try:
        await traffic.start([_clients(plan, function, seed)])
        while not records:
            traffic.check()
            await asyncio.sleep(0.01)
        await asyncio.sleep(WARM_UP_S + SPAN_S)
        await traffic.stop()
    except TrafficError as error:
        raise command.BenchError(str(error)) from None
    finally:
        await traffic.close()
    began = min(record.sent_s for record in records)
    tally = Tally(span_s=SPAN_S)
    for record in records:
        if WARM_UP_S <= record.sent_s - began < WARM_UP_S + SPAN_S:
            answered = record.outcome is Outcome.OK and record.latency_ms is not None
            tally.times_s.append((record.latency_ms or 0.0) / 1000 if answered else float("inf"))
    return tally


def _clients(plan: Plan, function: str, seed: int) -> Command:
    (client,) = plan.clients
    arguments = [
        *(sys.executable, "-m", "topo.clients", "--client", client.name, f"--function={function}"),
        *("--ipv4", str(plan.anycast[0]), "--ipv6", str(plan.anycast[1])),
        *("--sessions", str(CLIENTS), "--requests", "1", "--think-ms", str(THINK_MS)),
        *("--singles-per-s", "0", "--timeout-s", str(_PATIENCE_S), "--seed", str(seed)),
    ]
    return Command("client", arguments, client.namespace)
