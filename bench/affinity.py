"""Sessions torn while weights change a thousand times under traffic: `python -m bench.affinity`.

Hosts that echo cookies, hosts that don't with the flow table on, and hashing alone; and with cookies, what
else may come between a session's requests: a new key, a group built anew, a restart, another ingress router.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import finsy as fy
import typer
from rich.console import Console
from rich.table import Table

import p4src
from bench import bed, command, outcomes, results, two_ingresses
from bench.changes import Changer
from bench.endpoints import Endpoints
from bench.ingress import FUNCTION, GROUP
from bench.router import DEVICE_ID, Router
from bench.sessions import Deaths, Sessions, run_all
from bench.targets import TARGETS, Target
from bench.two_ingresses import BY_HASH, HOST, INGRESS, PORTS, ROLES, WITH_FLOWS

COOKIE, BINDING, HASH = "cookie", "binding", "hash"
PROMISED = 16_384
"""Flows that the flow table is to keep (FLOWS in sizes.p4)."""
FLOW_COUNTS = (1024, 4096, PROMISED, 2 * PROMISED, 4 * PROMISED, 8 * PROMISED)
_LEAST_REQUESTS = 4
"""Of each session, while weights change."""
_INTERVAL_S = 0.005
_NEXT_KEY = {"k0": 0xFEDCBA98, "k1": 0x89ABCDEF}


@dataclass(frozen=True)
class Found:
    """What became of the sessions of one way to keep them.

    Attributes:
        sessions: how many there were.
        torn: how many of them were torn, at least once.
        requests: sent by all of them; of these were `refused` (NACK) and `lost`.
        died: moves of sessions whose own instance had died.
        unkept: requests that found no room in the flow table (BOUND_FLOW_UNKEPT).
        changes: changes of weights meanwhile.
    """

    sessions: int
    torn: int
    requests: int
    refused: int
    lost: int
    died: int
    unkept: int
    changes: int


class Site:
    """Both routers while they run, and the endpoints around them."""

    def __init__(self, routers: dict[str, Router], endpoints: Endpoints) -> None:
        self.routers = routers
        self.endpoints = endpoints
        self.deaths = Deaths()

    def once(self, sessions: Sessions) -> None:
        """Let every session send a request."""
        run_all(sessions, self.endpoints, HOST, self.deaths)

    def under_changes(self, every: Sequence[Sessions], changes: int) -> int:
        """Let all sessions send until weights have changed so often; returns how often they have."""
        router = self.routers["r1"]
        changer = Changer(router.address, router.pipeline[0], _INTERVAL_S, self.deaths)

        def work() -> None:
            rounds = 0
            while not changer.ended and (rounds < _LEAST_REQUESTS or changer.made < changes):
                for sessions in every:
                    self.once(sessions)
                rounds += 1

        asyncio.run(changer.during(work))
        return changer.made

    def torn_now(self, every: Sequence[Sessions]) -> int:
        """Return how many sessions two more requests of each tear; what was before is forgotten."""
        for sessions in every:
            sessions.tally.torn.clear()
            self.once(sessions)
            self.once(sessions)
        return sum(len(sessions.tally.torn) for sessions in every)

    def write(self, name: str, change: Callable[[fy.Switch], Awaitable[None]]) -> None:
        """Write something to a router."""

        async def written() -> None:
            router = self.routers[name]
            options = fy.SwitchOptions(p4info=router.pipeline[0], device_id=DEVICE_ID)
            async with fy.Switch("writer", router.address, options) as switch:
                await change(switch)

        asyncio.run(written())

    def counted(self) -> Counter[str]:
        """Return what r1 has counted."""
        router = self.routers["r1"]
        return asyncio.run(outcomes.read(router.address, DEVICE_ID, router.pipeline[0]))


def main(
    changes: Annotated[int, typer.Option(min=1, help="Changes of weights, for each way.")] = 1000,
    sessions: Annotated[int, typer.Option(min=1, help="Sessions with cookies, and by hash.")] = 1024,
    flows: Annotated[
        list[int] | None,
        typer.Option(help="Flows for the flow table, repeated; the promised number is added."),
    ] = None,
    target: Annotated[str, typer.Option(help=f"Switch: {' or '.join(TARGETS)}.")] = "embedded",
) -> None:
    """Count torn sessions, and write bench/out/affinity.json."""
    if target not in TARGETS:
        raise typer.BadParameter(f"{target} is none of {', '.join(TARGETS)}", param_hint="--target")
    if not TARGETS[target].installed():
        raise typer.BadParameter(f"{target} is not installed", param_hint="--target")
    console = Console()
    found, events = with_cookies(TARGETS[target], changes, sessions)
    counts = sorted({*(flows or FLOW_COUNTS), PROMISED})
    by_flows = {count: with_flow_table(TARGETS[target], changes, count) for count in counts}
    found[BINDING] = by_flows[PROMISED]
    console.print(table(target, found, list(by_flows.values())))
    console.print(event_table(events))
    figures: dict[str, Any] = {
        "torn_sessions": {way: one.torn for way, one in found.items()},
        "ways": {way: asdict(one) for way, one in found.items()},
        "torn_with_cookies_by_event": events,
        "flow_table": [asdict(one) for one in by_flows.values()],
        "target": target,
    }
    console.print(f"written to {results.write('affinity', figures)}")


def with_cookies(target: Target, changes: int, count: int) -> tuple[dict[str, Found], dict[str, int]]:
    """Count the sessions torn with cookies and by hash, and those with cookies in each event."""
    with laid(target) as (routers, endpoints), ExitStack() as first, ExitStack() as rest:
        site = Site(routers, endpoints)
        rest.enter_context(routers["r2"].running(two_ingresses.entries("r2")))
        first.enter_context(routers["r1"].running(two_ingresses.entries("r1")))
        echoing = Sessions(FUNCTION, count, INGRESS["r1"], echo=True)
        hashed = Sessions(BY_HASH, count, INGRESS["r1"], echo=False)
        made = site.under_changes([echoing, hashed], changes)
        found = {COOKIE: found_of(echoing, made), HASH: found_of(hashed, made)}
        events: dict[str, int] = {}
        site.write("r1", _rebuild)
        events["group built anew"] = site.torn_now([echoing])
        first.close()
        rest.enter_context(routers["r1"].running(two_ingresses.entries("r1")))
        events["router restarted"] = site.torn_now([echoing])
        for router in routers:
            site.write(router, _rotate)
        later = Sessions(FUNCTION, count, INGRESS["r1"], echo=True)
        site.once(later)
        events["key rotated"] = site.torn_now([echoing, later])
        for sessions in (echoing, later):
            sessions.enter(INGRESS["r2"])
        events["moved to another ingress"] = site.torn_now([echoing, later])
        site.under_changes([echoing, later], changes)
        events["weights changed after the move"] = len(echoing.tally.torn) + len(later.tally.torn)
        return found, events


def with_flow_table(target: Target, changes: int, count: int) -> Found:
    """Count the flows torn that r1 is to remember; it is started anew, so that it remembers none at first."""
    with laid(target) as (routers, endpoints), routers["r1"].running(two_ingresses.entries("r1")):
        site = Site(routers, endpoints)
        flows = Sessions(WITH_FLOWS, count, INGRESS["r1"], echo=False)
        made = site.under_changes([flows], changes)
        return found_of(flows, made, site.counted()["BOUND_FLOW_UNKEPT"])


@contextmanager
def laid(target: Target) -> Generator[tuple[dict[str, Router], Endpoints]]:
    """Make the network for the length of a block; gives its routers, which don't run yet, and endpoints."""
    with ExitStack() as stack:
        namespaces = stack.enter_context(bed.laid(*ROLES))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        endpoints = stack.enter_context(Endpoints(two_ingresses.lay(namespaces)))
        pipeline = (p4src.P4INFO, p4src.JSON)
        yield (
            {
                name: Router(name, target, namespaces[name], ports, pipeline, directory)
                for name, ports in PORTS.items()
            },
            endpoints,
        )


def found_of(sessions: Sessions, changes: int, unkept: int = 0) -> Found:
    """Return what became of some sessions, in numbers."""
    tally = sessions.tally
    return Found(
        sessions=sessions.count,
        torn=len(tally.torn),
        requests=tally.requests,
        refused=tally.refused,
        lost=tally.lost,
        died=tally.died,
        unkept=unkept,
        changes=changes,
    )


async def _rotate(switch: fy.Switch) -> None:
    """The next key is known first, then sealed with; the one before stays valid."""
    await switch.insert([two_ingresses.cookie_key(1, _NEXT_KEY)])
    await switch.modify([two_ingresses.seal_key(1, _NEXT_KEY)])


async def _rebuild(switch: fy.Switch) -> None:
    """Another group, of half the instances in another order of weights, takes the place of the first."""
    weights = {index: 1 + index for index in range(0, len(two_ingresses.instances()), 2)}
    await switch.insert([two_ingresses.group(GROUP + 1, weights)])
    await switch.modify(two_ingresses.services(GROUP + 1))
    await switch.delete([two_ingresses.group(GROUP, weights)])


def table(target: str, found: dict[str, Found], flows: Sequence[Found]) -> Table:
    """Return what became of sessions while weights changed as a table."""
    shown = Table(title=f"{target}: while weights change")
    shown.add_column("kept by", no_wrap=True)
    for column in fields(Found):
        shown.add_column(column.name, justify="right")
    rows = [(COOKIE, found[COOKIE]), *(("flow table", one) for one in flows), (HASH, found[HASH])]
    for name, one in rows:
        shown.add_row(name, *map(str, asdict(one).values()))
    return shown


def event_table(events: dict[str, int]) -> Table:
    """Return how many sessions with cookies each event tore as a table."""
    shown = Table("event", "torn", title="sessions with cookies")
    for event, torn in events.items():
        shown.add_row(event, str(torn))
    return shown


if __name__ == "__main__":
    command.run(main)
