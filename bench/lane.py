"""One device's own way through the namespaces: source, device, sink, joined by two veth pairs."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from bench import counters
from bench.bed import Bed
from bench.command import BenchError
from topo import netns

SOURCE, DEVICE, SINK = "source", "device", "sink"
ROLES = (SOURCE, DEVICE, SINK)
_ETH_P_ALL = 0x0003
_PACKET_IGNORE_OUTGOING = 23
_SOL_PACKET = 263
_FRAME_BYTES = 2048


@dataclass(frozen=True)
class Lane:
    """The interfaces of one device's lane; frames go from `source` to `inlet`, from `outlet` to `sink`."""

    bed: Bed
    name: str

    @property
    def source(self) -> str:
        """Interface in the source namespace."""
        return f"{self.name}-src"

    @property
    def inlet(self) -> str:
        """The device's port 1."""
        return f"{self.name}-1"

    @property
    def outlet(self) -> str:
        """The device's port 2."""
        return f"{self.name}-2"

    @property
    def sink(self) -> str:
        """Interface in the sink namespace."""
        return f"{self.name}-snk"

    def lay(self, inlet_mac: str | None = None) -> None:
        """Make the two veth pairs; `inlet_mac` where the kernel itself is to take the frames in."""
        self.bed.join((SOURCE, self.source), (DEVICE, self.inlet), (None, inlet_mac))
        self.bed.join((DEVICE, self.outlet), (SINK, self.sink), (None, None))

    def arrived(self) -> int:
        """Return how many frames have reached the sink so far, as the kernel counts them."""
        return counters.read(self.bed[SINK], self.sink).rx_packets

    def offered(self) -> int:
        """Return how many frames were sent to the device so far, those that its inlet dropped included."""
        source = counters.read(self.bed[SOURCE], self.source)
        return source.tx_packets + source.tx_dropped

    def wait_quiet(self, quiet_s: float, timeout_s: float) -> None:
        """Wait until nothing more reaches the sink.

        Raises:
            BenchError: frames still come after `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        before = self.arrived()
        while time.monotonic() < deadline:
            time.sleep(quiet_s)
            now = self.arrived()
            if now == before:
                return
            before = now
        raise BenchError(f"{self.name}: frames still reach the sink after {timeout_s:g} s")

    def passes(self, frame: bytes, timeout_s: float) -> bytes | None:
        """Send one frame and return the one of the same length that comes out, None if none does in time."""
        source, sink = (self.bed[SOURCE], self.source), (self.bed[SINK], self.sink)
        return first_out(source, sink, frame, timeout_s)


def first_out(source: tuple[str, str], sink: tuple[str, str], frame: bytes, timeout_s: float) -> bytes | None:
    """Send a frame at one (namespace, interface) and return the first of its length that arrives at another.

    None if none does within `timeout_s`.
    """
    with raw(*sink) as receiver, raw(*source) as sender:
        sender.send(frame)
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            receiver.settimeout(left)
            try:
                received = receiver.recv(_FRAME_BYTES)
            except TimeoutError:
                break
            if len(received) == len(frame):
                return received
    return None


def raw(namespace: str, interface: str) -> socket.socket:
    """Open a packet socket on an interface; it does not receive what is sent there."""
    with netns.entered(namespace):
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # receives nothing before it is bound
    raw.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    raw.bind((interface, _ETH_P_ALL))
    return raw
