"""Network interfaces for a switch in a namespace of the test's own."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyroute2 import IPRoute, netns

ETH_P_ALL = 3
TIMEOUT_S = 10


class Wires:
    """A namespace with veth pairs: the switch gets one end of each, the test the other as a packet socket."""

    def __init__(self, ports: Sequence[int]):
        self.name = f"switch-{uuid.uuid4().hex[:8]}"
        self.interfaces = {port: f"sw{port}" for port in ports}
        self.sockets: dict[int, socket.socket] = {}

    def lay(self) -> None:
        with self.inside(), IPRoute() as route:
            # Without IPv6 the kernel says nothing on these wires by itself.
            Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
            for port, interface in self.interfaces.items():
                route.link("add", ifname=interface, kind="veth", peer=f"host{port}")
                for name in (interface, f"host{port}"):
                    route.link("set", index=route.link_lookup(ifname=name)[0], state="up")
                wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
                wire.bind((f"host{port}", ETH_P_ALL))
                wire.settimeout(TIMEOUT_S)
                self.sockets[port] = wire

    @contextmanager
    def inside(self) -> Generator[None]:
        """This thread, and what it starts, is in the namespace."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            netns.setns(self.name)
            try:
                yield
            finally:
                netns.setns(home)
        finally:
            os.close(home)

    def send(self, port: int, packet: bytes) -> None:
        self.sockets[port].send(packet)

    def receive(self, port: int) -> bytes:
        """The next packet that the switch sent; what the test itself sent is skipped."""
        while True:
            packet, (_, _, kind, *_) = self.sockets[port].recvfrom(1 << 16)
            if kind != socket.PACKET_OUTGOING:
                return packet


@contextmanager
def lay_wires(ports: Sequence[int]) -> Generator[Wires]:
    """Wires for as long as the block runs; not from within an event loop (pyroute2 has its own)."""
    wires = Wires(ports)
    netns.create(wires.name)
    try:
        wires.lay()
        yield wires
    finally:
        for wire in wires.sockets.values():
            wire.close()
        netns.remove(wires.name)
