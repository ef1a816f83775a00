"""The demo: a network under load, a site that fills up half way, and what the network makes of it.

`python -m topo.demo` brings up the lab `demo`, replays a trace and runs live clients at once, overloads the
near edge site for a while, and ends with a summary, `out/demo.json` and `out/demo.png`; `docs/demo.md`
explains what is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from topo import controller_status, figure, front, plan, summary
from topo.live import Loads, Moment, Recent, View
from topo.plan import Plan
from topo.records import Record
from topo.state import RunDir
from topo.summary import Phase, Run, Sample
from topo.targets import Target, TargetMissingError
from topo.trace import LABS
from topo.traffic import Overload, Rates, Traffic, TrafficError, commands
from topo.weights import EventTail, Weights

LAB = LABS / "demo.yaml"
PROMISED_MOVE_MS = 1000.0
"""Load moves off an overloaded site within this time of its advert."""


@dataclass(frozen=True)
class Script:
    """Which site is overloaded by how many programs, and how long each part takes, in s."""

    site: str = "near"
    programs: int = 6
    warm_up_s: float = 8.0
    before_s: float = 25.0
    during_s: float = 30.0
    after_s: float = 25.0

    def phases(self, start_s: float) -> tuple[Phase, Phase, Phase]:
        """Return the phases after the warm-up of a run that starts at `start_s`."""
        before = start_s + self.warm_up_s
        during = before + self.before_s
        after = during + self.during_s
        end = after + self.after_s
        return Phase("before", before, during), Phase("during", during, after), Phase("after", after, end)


class Play:
    """One run of the demo's script on a lab that is up."""

    def __init__(self, the_plan: Plan, script: Script, view: View) -> None:
        self._plan = the_plan
        self._script = script
        self._view = view
        self._run_dir = RunDir(the_plan.name)
        self._sites = {site.id: site.name for site in the_plan.sites.values()}
        self._weights = Weights(the_plan.clients[0].attached.router, list(the_plan.sites))
        self._events = EventTail(self._run_dir.events)
        self._records: list[Record] = []
        self._samples: list[Sample] = []
        self._recent = Recent()
        self._loads = Loads(the_plan)

    async def perform(self) -> Run:
        """Play the script.

        Raises:
            TrafficError: a traffic generator failed.
            front.LabError: somebody took the lab down.
            OSError: the controller doesn't answer.
        """
        self._weights.start_from(await controller_status.status(self._run_dir.controller))
        traffic = Traffic(self._run_dir, self._take)
        overload = Overload(self._plan, self._run_dir, self._script.site)
        try:
            await traffic.start(commands(self._plan, LAB.with_suffix(".pcap"), Rates()))
            start_s = time.time()
            phases = self._script.phases(start_s)
            before, during, after = phases
            await self._watch(traffic, Phase("warm-up", start_s, before.start_s), phases)
            await self._watch(traffic, before, phases)
            overload.begin(self._script.programs)
            await self._watch(traffic, during, phases)
            overload.end()
            await self._watch(traffic, after, phases)
            self._view.say("waiting for the last answers")
            await traffic.stop()
        finally:
            overload.end()
            await traffic.close()
        return Run(self._records, self._samples, phases, self._sites, self._script.site, self._ended())

    async def _watch(self, traffic: Traffic, phase: Phase, phases: tuple[Phase, Phase, Phase]) -> None:
        """Let a phase pass, and show each second of it."""
        start_s, end_s = phases[0].start_s - self._script.warm_up_s, phases[-1].end_s
        while (left := phase.end_s - time.time()) > 0:
            await asyncio.sleep(min(left, 1.0))
            self._check_lab()
            traffic.check()
            self._weights.loads = self._loads.look()  # of the last second, like the events
            self._samples += [
                sample for event in self._events.read() for sample in self._weights.apply(event)
            ]
            now = time.time()
            weights = {site: self._weights.weight(site) for site in self._plan.sites}
            recent = self._recent
            self._view.show(
                Moment(
                    phase=phase.name,
                    elapsed_s=now - start_s,
                    total_s=end_s - start_s,
                    sites=recent.rows(now, self._sites, weights, self._weights.loads),
                    requests=recent.requests,
                    per_s=recent.per_s(now),
                    failed=recent.failed,
                    lost=recent.lost,
                )
            )

    def _check_lab(self) -> None:
        state = front.state(self._plan.name)
        if state is None or state.phase != "up":
            raise front.LabError(f"the lab {self._plan.name} was taken down meanwhile")

    def _take(self, record: Record) -> None:
        self._records.append(record)
        self._recent.add(record)

    def _ended(self) -> dict[tuple[int, int], float]:
        state = front.state(self._plan.name)
        times = {} if state is None else {p.name: p.ended_unix_s for p in state.ended}
        return {
            (site.id, instance.number): times[instance.label]
            for site in self._plan.sites.values()
            for instance in site.instances
            if instance.label in times
        }


def main() -> None:
    """Run the demo; exit code 1 when it didn't show what it promises, 2 when it couldn't run."""
    parser = argparse.ArgumentParser(prog="python -m topo.demo", description=__doc__)
    parser.add_argument("--target", choices=("embedded", "bmv2"), default="embedded")
    parser.add_argument("--out", type=Path, default=Path("out"), help="where demo.json and demo.png go")
    arguments = parser.parse_args()
    console = Console()
    try:
        figures = perform(console, arguments.target, arguments.out, Script())
    except (front.LabError, TargetMissingError, TrafficError, OSError) as error:
        Console(stderr=True).print(f"demo: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        console.print("stopped; the lab is down")
        sys.exit(130)
    broken = broken_promises(figures)
    for promise in broken:
        console.print(f"not as promised: {promise}", style="red")
    sys.exit(1 if broken else 0)


def broken_promises(figures: dict[str, Any]) -> list[str]:
    """Tell what a run's figures don't show though they should."""
    moved = figures["moved_ms"]
    checks = (
        (figures["lost"] == 0, f"{figures['lost']} requests got neither a response nor a NACK"),
        (figures["torn_sessions"] == 0, f"{figures['torn_sessions']} sessions left a living instance"),
        (moved is not None, f"the share of {figures['loaded_site']} never halved"),
        (moved is None or moved <= PROMISED_MOVE_MS, f"it took {moved} ms from the advert to half the share"),
    )
    return [text for kept, text in checks if not kept]


def perform(console: Console, target: Target, out: Path, script: Script) -> dict[str, Any]:
    """Bring the lab up, play the script, take the lab down, and write and return the figures.

    Raises:
        front.LabError: the lab couldn't be brought up.
        TargetMissingError: the target isn't installed.
        TrafficError: a traffic generator failed.
        OSError: the controller doesn't answer, or a file can't be written.
        KeyboardInterrupt: Ctrl-C, or SIGTERM.
    """
    the_plan = plan.load(LAB)
    began = time.time()
    running = front.up(LAB, the_plan.name, target, lambda step: console.print(f"· {step}"), tied=True)
    up_s = time.time() - began
    try:
        with View(console) as view:
            run = asyncio.run(_interruptible(Play(the_plan, script, view)))
    finally:
        console.print("taking the lab down")
        front.finish(running)
    figures = {
        "target": target,
        **summary.summarise(run),
        "phases_s": {phase.name: phase.end_s - phase.start_s for phase in run.phases},
        "lab_up_s": round(up_s, 1),
        "total_s": round(time.time() - began, 1),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "demo.json").write_text(json.dumps(figures, indent=2) + "\n")
    figure.draw(run, figures, out / "demo.png")
    _print(console, figures)
    console.print(f"wrote {out / 'demo.json'} and {out / 'demo.png'}", highlight=False)
    return figures


async def _interruptible(play: Play) -> Run:
    """Perform, and end as by Ctrl-C when asked to by SIGTERM."""
    task = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, cast("asyncio.Task[Any]", task).cancel)
    try:
        return await play.perform()
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _print(console: Console, figures: dict[str, Any]) -> None:
    phases = ("before", "during", "after")
    table = Table("", *phases, title=f"site {figures['loaded_site']} overloaded, {figures['target']}")
    for site in figures["shares"]["before"]:
        table.add_row(
            f"share of new requests, {site}", *(f"{figures['shares'][phase][site]:.1%}" for phase in phases)
        )
    for name in ("p50_ms", "p99_ms", "requests_per_s"):
        table.add_row(name, *(str(figures[name][phase]) for phase in phases))
    console.print(table)
    console.print(
        f"{figures['requests']} requests: {figures['answered']} answered, {figures['failed']} failed, "
        f"{figures['nacks']} NACKs, {figures['lost']} lost\n"
        f"{figures['sessions']} sessions, {figures['torn_sessions']} torn\n"
        f"share of {figures['loaded_site']} halved {figures['moved_ms']} ms after the advert, "
        f"{figures['overload_to_halved_ms']} ms after the overload began",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
