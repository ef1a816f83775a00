"""The embedded switch with a program and its entries but without interfaces: packets run in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import finsy as fy

from bench import outcomes, p4client
from bench.command import BenchError
from bench.targets import CPU_PORT, EMBEDDED, address
from bench.workload import IN_PORT
from switch.device import Device
from switch.p4rt.server import serve

_DEVICE_ID = 1


class InMemory:
    """One program that was told its entries over P4Runtime."""

    def __init__(self, device: Device, socket: Path, p4info: Path) -> None:
        with device.running() as dataplane:
            if dataplane is None:
                raise BenchError("the switch has no program")
        self._dataplane = dataplane
        self._socket = socket
        self._p4info = p4info

    def ns_per_packet(self, frames: Sequence[bytes]) -> float:
        """Return the processor time of one frame when each is run once; all have one length."""
        return self._dataplane.bench(IN_PORT, frames, 1)

    def outputs(self, frames: Sequence[bytes]) -> int:
        """Run frames and return how many come out."""
        return sum(len(self._dataplane.inject(IN_PORT, frame)) for frame in frames)

    async def outcomes(self) -> Counter[str]:
        """Return what was counted so far."""
        return await outcomes.read(address(self._socket), _DEVICE_ID, self._p4info)


@asynccontextmanager
async def in_memory(
    pipeline: tuple[Path, Path],
    entries: Sequence[fy.P4TableEntry | fy.P4CloneSessionEntry],
    socket: Path,
) -> AsyncGenerator[InMemory]:
    """Hold a program (P4Info and BMv2 JSON) with its entries for the length of a block.

    `socket` is where its P4Runtime server listens; no other process uses the path.
    """
    EMBEDDED.prepare(pipeline[1])
    device = Device({}, CPU_PORT)
    with closing(device):
        async with serve(device, _DEVICE_ID, address(socket)):
            await p4client.program(address(socket), _DEVICE_ID, pipeline, entries, lambda: None)
            yield InMemory(device, socket, pipeline[0])
