"""The P4Runtime targets: how each is started, and whether this machine has it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from switch.prepare import prepare

CPU_PORT = 510


@dataclass(frozen=True)
class Target:
    """A program with the options of simple_switch_grpc.

    Attributes:
        name: what it is called in results.
        program: the program and what comes before its options.
        own_options: options that only it needs, given a path that no other process uses.
        prepare: what takes long of loading a program (BMv2 JSON), done before anybody waits for it.
    """

    name: str
    program: tuple[str, ...]
    own_options: Callable[[Path], tuple[str, ...]]
    prepare: Callable[[Path], None] = lambda _: None

    def installed(self) -> bool:
        """Tell whether this machine has the program."""
        return shutil.which(self.program[0]) is not None

    def command(self, device_id: int, ports: Mapping[int, str], socket: Path) -> list[str]:
        """Return the command line that starts it without a P4 program.

        Args:
            device_id: P4Runtime's name for it.
            ports: interfaces by port number.
            socket: the Unix socket that its P4Runtime server is to listen on.
        """
        interfaces = [part for port, interface in ports.items() for part in ("-i", f"{port}@{interface}")]
        return [
            *(*self.program, "--no-p4", "--device-id", str(device_id), *interfaces),
            *self.own_options(socket),
            *("--grpc-server-addr", address(socket), "--cpu-port", str(CPU_PORT)),
        ]


def address(socket: Path) -> str:
    """Return the gRPC address of a Unix socket."""
    return f"unix:{socket}"


def _bmv2_options(path: Path) -> tuple[str, ...]:
    # Every BMv2 would otherwise make the same notifications socket. What follows "--" are target options.
    return ("--log-level", "error", "--notifications-addr", f"ipc://{path}.notifications", "--")


EMBEDDED = Target("embedded", (sys.executable, "-m", "switch"), lambda _: (), prepare)
BMV2 = Target("bmv2", ("simple_switch_grpc",), _bmv2_options)
TARGETS = {target.name: target for target in (EMBEDDED, BMV2)}
