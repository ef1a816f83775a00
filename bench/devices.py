"""The devices that are compared: the P4 targets, a bare forwarder, and the kernel.

Each forwards a workload's frames from its lane's inlet to its outlet; processes run on one core.
"""

from __future__ import annotations

import socket
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench import native, packets
from bench.lane import DEVICE, Lane
from bench.process import running
from bench.router import Router
from bench.targets import TARGETS, Target
from bench.workload import IN_PORT, OUT_PORT, Workload
from topo import netns

_NEXT_HOP_MAC = "02:00:00:00:03:00"
_NEXT_HOP = "169.254.2.1"
_PERMANENT = 0x80  # NUD_PERMANENT, linux/neighbour.h


class Device(Protocol):
    """One of the devices."""

    @property
    def name(self) -> str:
        """Key of its results."""
        ...

    @property
    def kernel_takes_in(self) -> bool:
        """Whether the kernel itself takes the frames in.

        For other devices the inlet has another MAC than the frames: the kernel drops its copy at once.
        """
        ...

    def installed(self) -> bool:
        """Tell whether this machine has it."""
        ...

    def forwarding(
        self, lane: Lane, workload: Workload, core: int, directory: Path
    ) -> AbstractContextManager[None]:
        """Forward the workload's frames on a lane for the length of a block; logs go to `directory`."""
        ...

    def faults(self, workload: Workload, passed: Sequence[tuple[bytes, bytes]]) -> list[str]:
        """Say what is wrong with what came out, given pairs of the frame sent and the one received."""
        ...


@dataclass(frozen=True)
class P4Device:
    """A P4Runtime target that runs the workload's program."""

    target: Target
    kernel_takes_in: bool = False

    @property
    def name(self) -> str:
        """Key of its results."""
        return self.target.name

    def installed(self) -> bool:
        """Tell whether this machine has it."""
        return self.target.installed()

    @contextmanager
    def forwarding(self, lane: Lane, workload: Workload, core: int, directory: Path) -> Generator[None]:
        """Start the target and give it the workload's program and entries."""
        router = Router(
            name=lane.name,
            target=self.target,
            namespace=lane.bed[DEVICE],
            ports={IN_PORT: lane.inlet, OUT_PORT: lane.outlet},
            pipeline=(workload.p4info, workload.p4blob),
            directory=directory,
            core=core,
        )
        with router.running(workload.entries):
            yield

    def faults(self, workload: Workload, passed: Sequence[tuple[bytes, bytes]]) -> list[str]:
        """Say what is wrong with what came out."""
        found = [fault for sent, received in passed if (fault := workload.fault(sent, received))]
        reached = frozenset(workload.outlet(received) for _, received in passed)
        if reached != workload.outlets:
            found.append(f"reached {sorted(reached)} instead of {sorted(workload.outlets)}")
        return found


@dataclass(frozen=True)
class Bare:
    """A C program with the embedded switch's packet I/O and no processing."""

    name: str = "bare"
    kernel_takes_in: bool = False

    def installed(self) -> bool:
        """Tell whether this machine has it (it comes with the benchmark)."""
        return True

    @contextmanager
    def forwarding(self, lane: Lane, workload: Workload, core: int, directory: Path) -> Generator[None]:
        """Start the forwarder."""
        program = native.build("bare", directory)
        command = [str(program), lane.inlet, lane.outlet]
        with running(lane.name, command, directory, namespace=lane.bed[DEVICE], core=core) as child:
            child.wait_output("ready")
            yield
            child.check()

    def faults(self, workload: Workload, passed: Sequence[tuple[bytes, bytes]]) -> list[str]:
        """Say what is wrong with what came out."""
        return ["a frame was changed" for sent, received in passed if sent != received]


@dataclass(frozen=True)
class Kernel:
    """Linux IP forwarding.

    It runs where the frames come in, on the core of their source, and leaves the device's core idle: receive
    packet steering to that core would cost it more than a core of its own gains.
    """

    name: str = "kernel"
    kernel_takes_in: bool = True

    def installed(self) -> bool:
        """Tell whether this machine has it."""
        return True

    @contextmanager
    def forwarding(self, lane: Lane, workload: Workload, core: int, directory: Path) -> Generator[None]:
        """Route the workload's destinations out of the outlet, for frames that come in by the inlet."""
        namespace = lane.bed[DEVICE]
        with netns.entered(namespace):
            netns.write_sysctl(f"net/ipv4/conf/{lane.inlet}/forwarding", "1")
            outlet = socket.if_nametoindex(lane.outlet)
        with netns.routes(namespace) as ipr:
            ipr.neigh("add", dst=_NEXT_HOP, lladdr=_NEXT_HOP_MAC, ifindex=outlet, state=_PERMANENT)
            for route in workload.routes:
                ipr.route("add", dst=str(route), gateway=_NEXT_HOP, oif=outlet, flags="onlink")
        yield

    def faults(self, workload: Workload, passed: Sequence[tuple[bytes, bytes]]) -> list[str]:
        """Say what is wrong with what came out."""
        return [fault for sent, received in passed if (fault := packets.routed_fault(sent, received))]


DEVICES: tuple[Device, ...] = (*map(P4Device, TARGETS.values()), Bare(), Kernel())
