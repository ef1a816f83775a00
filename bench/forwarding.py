"""How many frames a second a device forwards when it is offered more than it can."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import native
from bench.command import BenchError
from bench.devices import Device
from bench.lane import DEVICE, SOURCE, Lane
from bench.process import running
from bench.workload import Workload
from topo import ethtool, netns

SOURCE_KINDS = ("xdp", "socket")
"""How frames are sent: as XDP frames, or through a packet socket where the kernel doesn't permit that."""
CHECKED_FRAMES = 64
CHECK_SECONDS = 5.0
_QUIET_SECONDS = 0.2
_DRAIN_SECONDS = 30.0


class DeviceError(BenchError):
    """A device does not do with the frames what it should; it is not worth measuring."""


@dataclass(frozen=True)
class Sample:
    """One measurement.

    Attributes:
        offered: frames a second that were sent to the device.
        forwarded: frames a second that reached the sink.
        source: how they were sent, one of SOURCE_KINDS.
    """

    offered: float
    forwarded: float
    source: str


class Blaster:
    """Sends a workload's frames as fast as one core can."""

    def __init__(self, workload: Workload, core: int, directory: Path) -> None:
        self._program = native.build("blast", directory)
        self._frames = directory / "frames"
        self._frames.write_bytes(b"".join(workload.frames))
        self._length = workload.frame_length
        self._core = core
        self._directory = directory

    def sample(self, lane: Lane, warm_up_s: float, seconds: float) -> Sample:
        """Send on a lane and count what arrives between `warm_up_s` and `seconds` later.

        Returns after the device has passed on what it still held.
        """
        with netns.entered(lane.bed[DEVICE]):
            ethtool.gro_on(lane.inlet)
        command = [str(self._program), lane.source, str(self._frames), str(self._length)]
        namespace = lane.bed[SOURCE]
        with running("blast", command, self._directory, namespace=namespace, core=self._core) as child:
            kind = child.wait_output(*SOURCE_KINDS)
            time.sleep(warm_up_s)
            start, offered, arrived = time.monotonic(), lane.offered(), lane.arrived()
            time.sleep(seconds)
            end, offered_then, arrived_then = time.monotonic(), lane.offered(), lane.arrived()
            child.stop()
        lane.wait_quiet(_QUIET_SECONDS, _DRAIN_SECONDS)
        elapsed = end - start
        return Sample((offered_then - offered) / elapsed, (arrived_then - arrived) / elapsed, kind)


def check(device: Device, lane: Lane, workload: Workload) -> None:
    """Pass a few frames through a device, one by one, and look at what comes out.

    Raises:
        DeviceError: something is wrong; tells what.
    """
    passed: list[tuple[bytes, bytes]] = []
    for frame in workload.frames[:CHECKED_FRAMES]:
        received = lane.passes(frame, CHECK_SECONDS)
        if received is None:
            raise DeviceError(
                f"{device.name}: frame {len(passed)} did not come out within {CHECK_SECONDS:g} s"
            )
        passed.append((frame, received))
    faults = device.faults(workload, passed)
    if faults:
        raise DeviceError(f"{device.name}: {'; '.join(_first(faults))}")


def _first(faults: Sequence[str], count: int = 3) -> list[str]:
    more = [f"and {len(faults) - count} more"] if len(faults) > count else []
    return [*faults[:count], *more]
