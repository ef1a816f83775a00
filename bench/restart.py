"""The controller killed and started anew, a hundred times under traffic: `python -m bench.restart`.

Counted are requests that were lost or refused, and entries that are not what they should be: after each
restart every table of every router is read back over P4Runtime and held against what a controller that
knows nothing but the same catalogue and the same adverts wants there. What members are expected to take
follows from response times, which such a controller has not seen: that alone makes no entry wrong.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any

import finsy as fy
import typer
from rich.console import Console

import p4src
from bench import command, lab, outcomes, results, site_pace
from bench.controllers import Controllers
from cfn.names import func_id
from cfn.wire import Status
from control import catalogue
from control.adoption import adopt
from control.catalogue import Catalogue
from control.entries import Entry
from control.events import EventLog
from control.model import Instance, InstanceKey, Member, SiteAdvert
from control.program import Program
from control.reading import Reader
from control.stages import choose
from control.target import Session
from topo import controller_status, netns
from topo.plan import Plan
from topo.process import Command
from topo.records import Outcome, Record
from topo.state import RunDir
from topo.targets import Target
from topo.traffic import Traffic, TrafficError

LAB = Path(__file__).parent / "labs" / "fastloop.yaml"
"""Its policy goes by what runs where and not by loads, so that what is wanted follows from adverts alone."""
FUNCTION = "pace/two"
PACE_MS = 2.0
RATE_PER_S = 200.0
PATIENCE_S = 10.0
_PAUSE_S = (0.0, 0.5)
"""Between a restart that has settled and the next kill."""
_TTL_S = 60.0
_ELECTION_ID = 1
"""Below the controller's: it stays the primary."""


def main(
    kills: Annotated[int, typer.Option(min=1, help="How often the controller is killed.")] = 100,
    target: Annotated[str, typer.Option(help="Switch: embedded or bmv2.")] = "embedded",
) -> None:
    """Count what is lost and wrong when controllers are killed, and write bench/out/restart.json."""
    if target not in ("embedded", "bmv2"):
        raise typer.BadParameter(f"{target} is neither embedded nor bmv2", param_hint="--target")
    console = Console()
    figures = run(target, kills, lambda text: console.print(f"· {text}", highlight=False))
    console.print(figures)
    console.print(f"written to {results.write('restart', {**figures, 'target': target})}")


def run(target: Target, kills: int, tell: lab.Tell) -> dict[str, Any]:
    """Bring the lab up, kill its controllers under traffic, and return the figures.

    Raises:
        BenchError: the lab can't be brought up, or something else of it has ended.
    """
    with (
        tempfile.TemporaryDirectory(prefix="cfnbench-") as paces,
        lab.environment(site_pace.FOLDER, paces),
        lab.up(LAB, target, tell) as plan,
    ):
        for site in plan.sites.values():
            site_pace.set_pace(Path(paces), site.host.namespace, PACE_MS)
        # The routers' P4Runtime is on a loopback of their own.
        with netns.entered(plan.core):
            return asyncio.run(_killed(plan, kills, tell))


async def _killed(plan: Plan, kills: int, tell: lab.Tell) -> dict[str, Any]:
    run_dir, records = RunDir(plan.name), list[Record]()
    traffic = Traffic(run_dir, records.append)
    wrong: list[str] = []
    settled_s: list[float] = []
    before = await _outcomes(catalogue.load(run_dir.catalogue))
    try:
        await traffic.start([_client(plan)])
        async with Controllers(plan) as controllers:
            for number in range(kills):
                began = time.monotonic()
                await controllers.swap()
                settled_s.append(time.monotonic() - began)
                wrong += await wrong_entries(run_dir)
                traffic.check()
                if (number + 1) % 10 == 0:
                    tell(f"{number + 1} of {kills} kills: {len(wrong)} wrong entries")
                await asyncio.sleep(random.uniform(*_PAUSE_S))
            await traffic.stop()
    except TrafficError as error:
        raise command.BenchError(str(error)) from None
    finally:
        await traffic.close()
    counted = await _outcomes(catalogue.load(run_dir.catalogue))
    became = Counter(record.outcome for record in records)
    return {
        "kills": kills,
        "lost": became[Outcome.LOST],
        "wrong_entries": len(wrong),
        "refused": became[Outcome.NACK],
        "failed": became[Outcome.FAILED],
        "failed_with": Counter(Status(one.code).name for one in records if one.outcome == Outcome.FAILED),
        "requests": len(records),
        "requests_per_s": RATE_PER_S,
        "settled_s": {"median": sorted(settled_s)[len(settled_s) // 2], "max": max(settled_s)},
        "counted_by_routers": {
            name: {what: count - before[name][what] for what, count in counts.items()}
            for name, counts in counted.items()
        },
        "wrong": wrong[:20],
    }


async def wrong_entries(run_dir: RunDir) -> list[str]:
    """Read every table of every router back; what a fresh controller would change, a line an entry."""
    wanted = catalogue.load(run_dir.catalogue)
    found = {name: await _installed(name, wanted) for name in wanted.routers}
    status = await controller_status.status(run_dir.controller)
    return differences(wanted, found, adverts(status, wanted))


def differences(
    wanted: Catalogue, found: Mapping[str, Mapping[bytes, Entry]], told: Iterable[SiteAdvert]
) -> list[str]:
    """What a controller that starts with what routers have and sites told would change, a line an entry."""
    schema = fy.P4Schema(p4src.P4INFO)
    program = Program(wanted, schema, time.monotonic, 0.0, EventLog())
    for name, entries in found.items():
        program.tables[name].found(entries)
    for advert in told:
        program.accept(advert)
    program.start({name: adopt(entries.values(), schema) for name, entries in found.items()})
    # Nothing is held of a site that did not tell.
    program.expire()
    return [
        f"{name}: {change.kind.name} {change.entry.describe(schema)}"
        for name, tables in program.tables.items()
        for phase in tables.changes()
        for change in phase
        if not _draws_alike(change.entry, found[name].get(change.entry.key), schema)
    ]


def _draws_alike(one: Entry, other: Entry | None, schema: fy.P4Schema) -> bool:
    """Whether both are a row of `draw` with the same weights and rivals."""
    drawn = _drawn(one, schema)
    return drawn is not None and other is not None and drawn == _drawn(other, schema)


def _drawn(entry: Entry, schema: fy.P4Schema) -> Mapping[Member, tuple[int, tuple[Member, ...]]] | None:
    """Weight and rivals of each member; None for an entry of another table."""
    match entry.table_entry(schema):
        case fy.P4TableEntry(table_id="draw", action=fy.P4IndirectAction() as action):
            group = choose.group(action)
        case _:
            return None
    rivals = {racer.member: racer.rivals for racer in group.races}
    return {member: (weight, rivals.get(member, ())) for member, weight in group.weights}


def adverts(status: Mapping[str, Any], wanted: Catalogue) -> list[SiteAdvert]:
    """The adverts that a controller holds, as its status tells them."""
    return [
        SiteAdvert(
            name,
            site["advert"]["incarnation"],
            site["advert"]["sequence"],
            _TTL_S,
            instances={one.key: one for one in map(_instance(wanted.sites[name].id), _told(site))},
        )
        for name, site in status["sites"].items()
        if site["advert"]
    ]


def _told(site: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return site["advert"]["instances"]


def _instance(site: int) -> Any:
    def made(told: Mapping[str, Any]) -> Instance:
        return Instance(
            InstanceKey(site, told["instance"]),
            func_id(told["function"]),
            told["ipv4"] and IPv4Address(told["ipv4"]),
            told["ipv6"] and IPv6Address(told["ipv6"]),
            draining=told["state"] == "DRAINING",
            service_ms=told["service_ms"],
            capacity_rps=told["capacity_rps"],
        )

    return made


async def _installed(name: str, wanted: Catalogue) -> dict[bytes, Entry]:
    router = wanted.routers[name]
    options = fy.SwitchOptions(
        p4info=p4src.P4INFO, device_id=router.device_id, initial_election_id=_ELECTION_ID
    )
    async with fy.Switch(name, router.address, options) as switch:
        return await Session(switch, Reader(switch.p4info)).read()


async def _outcomes(wanted: Catalogue) -> dict[str, Counter[str]]:
    return {
        name: await outcomes.read(router.address, router.device_id, p4src.P4INFO)
        for name, router in wanted.routers.items()
    }


def _client(plan: Plan) -> Command:
    (client,) = plan.clients
    arguments = [
        *(sys.executable, "-m", "topo.clients", "--client", client.name, f"--function={FUNCTION}"),
        *("--ipv4", str(plan.anycast[0]), "--ipv6", str(plan.anycast[1])),
        *("--singles-per-s", str(RATE_PER_S), "--timeout-s", str(PATIENCE_S), "--seed", "1"),
    ]
    return Command("client", arguments, client.namespace)


if __name__ == "__main__":
    command.run(main)
