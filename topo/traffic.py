"""The traffic of a demo: processes on client hosts that send, their records, and what overloads a site."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from topo import cgroup
from topo.plan import Host, Plan, group_of
from topo.process import Command, start
from topo.records import Record
from topo.spec import CORE
from topo.state import RunDir


@dataclass(frozen=True)
class Rates:
    """How much live clients send, per client host (`topo.clients`)."""

    sessions: int = 12
    requests: int = 10
    think_ms: float = 850.0
    singles_per_s: float = 12.0


class TrafficError(Exception):
    """A traffic generator has ended before it was asked to; the text has the end of its log."""


def commands(plan: Plan, trace: Path, rates: Rates) -> list[Command]:
    """Return the generators: the replay on the first client host, live clients on all of them."""
    functions = [f"--function={name}" for name in sorted(plan.spec.functions)]
    first = plan.clients[0]
    replay = ["topo.replay", str(trace), "--client", first.name, "--interface", first.interface, *functions]
    found = [_python(plan, "replay", first, replay)]
    for seed, client in enumerate(plan.clients):
        load = [
            *("topo.clients", "--client", client.name, *functions),
            *("--ipv4", str(plan.anycast[0]), "--ipv6", str(plan.anycast[1])),
            *("--tenant", str(next(iter(plan.spec.tenants.values()), 0)), "--seed", str(seed)),
            *("--sessions", str(rates.sessions), "--requests", str(rates.requests)),
            *("--think-ms", str(rates.think_ms), "--singles-per-s", str(rates.singles_per_s)),
        ]
        found.append(_python(plan, f"clients-{client.name}", client, load))
    return found


class Traffic:
    """Running generators; `take` is called with each record as it comes."""

    def __init__(self, run: RunDir, take: Callable[[Record], None]) -> None:
        self._run = run
        self._take = take
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self, generators: Sequence[Command]) -> None:
        """Start the generators."""
        loop = asyncio.get_running_loop()
        for command in generators:
            process = start(command, self._run.log(command.name), subprocess.PIPE)
            self._processes[command.name] = process
            lines = asyncio.StreamReader()
            await loop.connect_read_pipe(
                lambda lines=lines: asyncio.StreamReaderProtocol(lines), process.stdout
            )
            self._readers.append(asyncio.create_task(self._read(command.name, lines)))

    def check(self) -> None:
        """Make sure that all generators run.

        Raises:
            TrafficError: one has ended.
        """
        for reader in self._readers:
            if reader.done():
                reader.result()

    async def stop(self) -> None:
        """Send nothing new, and return when each request has its answer or is lost."""
        self._stopping = True
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        await asyncio.gather(*self._readers)

    async def close(self) -> None:
        """End the generators at once; nothing happens to those that have ended."""
        self._stopping = True
        for process in self._processes.values():
            process.kill()
            process.wait()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _read(self, name: str, lines: asyncio.StreamReader) -> None:
        while line := await lines.readline():
            self._take(Record.from_line(line))
        if not self._stopping:
            tail = self._run.log(name).read_text(errors="replace")[-2000:]
            raise TrafficError(f"{name} has ended:\n{tail}")


class Overload:
    """Programs that take CPU from a site's instances: they run in its control group like others' work."""

    def __init__(self, plan: Plan, run: RunDir, site: str) -> None:
        self._namespace = plan.sites[site].host.namespace
        self._members = cgroup.Group(cgroup.find(), group_of(plan.name, site)).members
        self._log = run.log("overload")
        self._processes: list[subprocess.Popen[bytes]] = []

    def begin(self, programs: int) -> None:
        """Start that many programs, each of which would fill a core."""
        for number in range(programs):
            arguments = [sys.executable, "-S", "-c", "while True: pass"]
            command = Command(f"overload-{number}", arguments, self._namespace, self._members)
            self._processes.append(start(command, self._log))

    def end(self) -> None:
        """End them; nothing happens when there are none."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()


def _python(plan: Plan, name: str, host: Host, arguments: Sequence[str]) -> Command:
    members = cgroup.Group(cgroup.find(), group_of(plan.name, CORE)).members
    return Command(name, [sys.executable, "-m", *arguments], host.namespace, members)
