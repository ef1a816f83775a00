"""One P4 target on interfaces of a namespace, with a program and its entries."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import finsy as fy

from bench import p4client
from bench.process import Child, running
from bench.targets import Target, address

DEVICE_ID = 1


@dataclass(frozen=True)
class Router:
    """How one is started.

    Attributes:
        name: what to call it, other than any at the same time.
        target: which program it is.
        namespace: where its interfaces are.
        ports: their names by port number.
        pipeline: P4Info and BMv2 JSON.
        directory: for its socket and its log.
        core: the core that it is bound to, None for any.
    """

    name: str
    target: Target
    namespace: str
    ports: Mapping[int, str]
    pipeline: tuple[Path, Path]
    directory: Path
    core: int | None = None

    @property
    def socket(self) -> Path:
        """Where its P4Runtime server listens."""
        return self.directory / f"{self.name}.sock"

    @property
    def address(self) -> str:
        """The same as an address for gRPC."""
        return address(self.socket)

    @contextmanager
    def running(self, entries: Sequence[fy.P4TableEntry | fy.P4CloneSessionEntry]) -> Generator[Child]:
        """Run it with its program and `entries` for the length of a block."""
        self.target.prepare(self.pipeline[1])
        command = self.target.command(DEVICE_ID, self.ports, self.socket)
        with running(self.name, command, self.directory, namespace=self.namespace, core=self.core) as child:
            asyncio.run(p4client.program(self.address, DEVICE_ID, self.pipeline, entries, child.check))
            yield child
            child.check()
