"""Namespaces and veth pairs of one benchmark, gone when it ends, however it ends.

Names carry the benchmark's process id: two benchmarks don't meet, and what a killed one left behind is
found and removed by the next.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.command import BenchError, signals_interrupt
from topo import netns, veth
from topo.veth import End

_PREFIX = "cfnbench"
_UP_SECONDS = 10.0


class BedError(BenchError):
    """The machine can't carry the benchmark."""


class Bed:
    """The namespaces of one benchmark, by the names of their roles."""

    def __init__(self, roles: Sequence[str]) -> None:
        self._names = {role: f"{_PREFIX}-{os.getpid()}-{role}" for role in roles}

    def __getitem__(self, role: str) -> str:
        """Return the name of the namespace of a role."""
        return self._names[role]

    def create(self) -> None:
        """Make the namespaces."""
        for name in self._names.values():
            netns.create(name)

    def remove(self) -> None:
        """Remove the namespaces with all that is in them."""
        for name in self._names.values():
            netns.remove(name)

    def join(self, a: tuple[str, str], b: tuple[str, str], macs: tuple[str | None, str | None]) -> None:
        """Lay a veth pair between two (role, interface) and bring both ends up as bare ports.

        Bare means that the kernel itself sends nothing there and answers nothing.
        """
        ends = [End(self[role], interface, mac) for (role, interface), mac in zip((a, b), macs, strict=True)]
        veth.create(*ends)
        for end in ends:
            veth.raise_port(end)
        for end in ends:
            _wait_up(end)


@contextmanager
def laid(*roles: str) -> Generator[Bed]:
    """Make the namespaces of `roles` for the length of a block.

    SIGTERM and SIGHUP end the block by KeyboardInterrupt as Ctrl-C does, so that it is left in order.

    Raises:
        BedError: the caller is not root.
    """
    if os.geteuid() != 0:
        raise BedError("benchmarks make network namespaces: run them as root")
    _remove_leftovers()
    bed = Bed(roles)
    with signals_interrupt():
        try:
            bed.create()
            yield bed
        finally:
            bed.remove()


def owner(name: str) -> int | None:
    """Return the process id in the name of a benchmark's namespace, None for any other name."""
    parts = name.split("-")
    if len(parts) < 3 or parts[0] != _PREFIX or not parts[1].isdecimal():
        return None
    return int(parts[1])


def _wait_up(end: End) -> None:
    """Wait until an interface sends: the kernel drops what is sent before it has seen the peer come up.

    Raises:
        BedError: it doesn't come up.
    """
    index = netns.interface_index(end.namespace, end.interface)
    deadline = time.monotonic() + _UP_SECONDS
    with netns.routes(end.namespace) as ipr:
        while [link.get_attr("IFLA_OPERSTATE") for link in ipr.get_links(index)] != ["UP"]:
            if time.monotonic() > deadline:
                raise BedError(f"{end.interface} is not up after {_UP_SECONDS:g} s")
            time.sleep(0.01)


def _remove_leftovers() -> None:
    for name in netns.names(f"{_PREFIX}-"):
        process = owner(name)
        if process is not None and not Path(f"/proc/{process}").exists():
            netns.remove(name)
