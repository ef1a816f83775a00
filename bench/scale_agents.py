"""What agents and controller cost with many sites: memory and CPU, over real sockets.

The agents are in one process (`bench.agents`), each with a connection of its own; the controller is another,
as `cfn controller run` starts it, with four embedded switches, in a network namespace. Eight sites each run
the same ten functions.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import p4src
from bench import bed
from bench.agents import SETTLED_S
from bench.command import BenchError
from bench.process import Child, command_line, running
from bench.scale_world import Region
from bench.targets import EMBEDDED, address
from topo import render

_PORT = 9339
_SECONDS = 20.0
_STARTED_S = 60.0
_ENDS = ("accepted", "refused", "unanswered")
"""What can become of an advert (`bench.agents`)."""


def run(counts: Sequence[int], tell: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Measure with each number of agents; returns what goes into the results."""
    EMBEDDED.prepare(p4src.JSON)
    found: dict[str, dict[str, Any]] = {}
    for count in counts:
        found[str(count)] = one = _measured(count)
        tell(f"{count} agents: {one}")
    return found


def _measured(count: int) -> dict[str, Any]:
    with ExitStack() as stack:
        laid = stack.enter_context(bed.laid("net"))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        region = Region(count)
        sockets = [directory / f"{router}.sock" for router in region.routers]
        for number, socket in enumerate(sockets):
            command = EMBEDDED.command(number + 1, {}, socket)
            stack.enter_context(running(f"switch{number}", command, directory))
        catalogue = directory / "catalogue.yaml"
        catalogue.write_text(render.to_yaml(region.catalogue([address(socket) for socket in sockets])))
        command = [
            *(sys.executable, "-m", "cfn.cli", "controller", "run", str(catalogue)),
            *("--listen", f"0.0.0.0:{_PORT}", "--status-socket", str(directory / "controller.sock")),
            *("--events", str(directory / "events.log")),
        ]
        controller = stack.enter_context(running("controller", command, directory, namespace=laid["net"]))
        _wait_started(directory / "events.log", len(sockets), controller)
        told = _agents(count, laid["net"], controller)
        return {
            "controller_mb": told["controller_mb"],
            "controller_cpu": told["controller_cpu"],
            "agent_mb": told["mb"] / count,
            "agent_cpu": told["cpu"] / count,
            "adverts_per_s": told.get("accepted", 0) / _SECONDS,
            "answered": 1 - told.get("unanswered", 0) / max(1, sum(told.get(one, 0) for one in _ENDS)),
            "refused": told.get("refused", 0),
            "unanswered": told.get("unanswered", 0),
            "answer_ms": {"p50": told["answer_p50_ms"], "p99": told["answer_p99_ms"]},
            "interval_ms": told["interval_ms"],
        }


def _agents(count: int, namespace: str, controller: Child) -> Mapping[str, float]:
    """Run the agents, and see meanwhile what the controller takes."""
    command = [sys.executable, "-m", "bench.agents", str(count), str(_PORT), str(_SECONDS)]
    agents = subprocess.Popen(command_line(command, namespace, None), stdout=subprocess.PIPE)
    try:
        time.sleep(SETTLED_S + _SECONDS / 4)
        began, cpu = time.monotonic(), controller.cpu_s()
        time.sleep(_SECONDS / 2)
        share = (controller.cpu_s() - cpu) / (time.monotonic() - began)
        output, _ = agents.communicate(timeout=SETTLED_S + _SECONDS + _STARTED_S)
    finally:
        agents.kill()
        agents.wait()
    if agents.returncode:
        raise BenchError(f"the agents ended with exit code {agents.returncode}")
    figures: dict[str, float] = json.loads(output)
    return {**figures, "controller_cpu": share, "controller_mb": controller.resident_bytes() / 1e6}


def _wait_started(events: Path, switches: int, controller: Child) -> None:
    """Wait until the controller has read all switches.

    Raises:
        BenchError: it does not.
    """
    deadline = time.monotonic() + _STARTED_S
    while not events.exists() or events.read_text().count('"switch-read"') < switches:
        controller.check()
        if time.monotonic() > deadline:
            raise BenchError(f"the controller has not read its switches after {_STARTED_S:g} s")
        time.sleep(0.1)
