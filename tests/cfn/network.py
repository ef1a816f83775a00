"""Stand-ins for the network between client and server, on loopback: a relay, and a router that refuses."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM, socket

from cfn.function import Function
from cfn.server import InstanceConfig, Server
from cfn.wire import Kind, Packet, Report


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free for UDP and TCP, below those that the system gives to connections going out."""
    family = AF_INET6 if ":" in host else AF_INET
    while True:
        port = random.randrange(20000, 32768)
        with socket(family, SOCK_DGRAM) as udp, socket(family, SOCK_STREAM) as tcp, suppress(OSError):
            udp.bind((host, port))
            tcp.bind((host, port))
            return port


@asynccontextmanager
async def served(
    function: Function, *hosts: str, workers: int = 1, queue_limit: int = 64, agent=None, data=None
):
    """An instance of a function on loopback; yields its port."""
    port = free_port()
    config = InstanceConfig(function, 3, tuple(map(ip_address, hosts or ["127.0.0.1"])), workers, queue_limit)
    async with Server([config], port=port, agent=agent, data=data):
        yield port


Answer = Callable[[Packet, int], Sequence[Packet]]
"""What a far end answers to a packet, given how many came before it."""


class _FarEnd(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self.requests: list[Packet] = []
        self._answer = answer

    def connection_made(self, transport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        request = Packet.decode(data)
        self.requests.append(request)
        for packet in self._answer(request, len(self.requests) - 1):
            self._transport.sendto(packet.encode(), addr)


@asynccontextmanager
async def far_end(answer: Answer):
    """Answers as told; yields its port and the requests that came."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _FarEnd(answer), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1], protocol.requests
    finally:
        transport.close()


def nack(request: Packet, code: int, retry_after_ms: int = 0) -> Packet:
    header = replace(request.header, kind=Kind.NACK, report=Report(code, 0, retry_after_ms))
    return Packet(header)


def response(
    request: Packet, payload: bytes = b"done", status: int = 0, affinity: int | None = None
) -> Packet:
    kept = request.header.affinity if affinity is None else affinity
    header = replace(request.header, kind=Kind.RESPONSE, affinity=kept, report=Report(status, 10, 1))
    return Packet(header, payload)


class _Relay(asyncio.DatagramProtocol):
    """Passes datagrams on to a server and back, but for those that `drop` picks by direction and number."""

    def __init__(self, port: int, drop: Callable[[str, int], bool]) -> None:
        self._server = ("127.0.0.1", port)
        self._drop = drop
        self._client = None
        self._seen = {"there": 0, "back": 0}

    def connection_made(self, transport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        direction = "back" if addr == self._server else "there"
        number = self._seen[direction]
        self._seen[direction] += 1
        if direction == "there":
            self._client = addr
        if not self._drop(direction, number):
            self._transport.sendto(data, self._client if direction == "back" else self._server)


@asynccontextmanager
async def relay(port: int, drop: Callable[[str, int], bool]):
    """A lossy way to a server's port; yields the port to send to."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Relay(port, drop), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
