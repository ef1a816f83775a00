"""Sessions of many requests through a router, and which of them were torn.

A session is torn when one of its requests reaches another instance than the one before, although that one was
alive all the while. Frames carry no UDP checksum, so that numbers and cookies can just be put into them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from bench import datagram
from bench.endpoints import Endpoints
from bench.ingress import ANYCAST, CLIENT_MAC, SITE_MAC, TENANT
from bench.packets import CFN_AT
from cfn.wire import PORT, VERSION, Header, Kind, Packet

WINDOW = 16
"""Requests under way at a time: both targets have room for them, so that none is lost for want of it."""
_TIMEOUT_S = 5.0
_PORTS, _CLIENTS = 1 << 15, 1 << 16
_FIRST_PORT = 20_000
_SRC, _DST = slice(26, 30), slice(30, 34)
_SPORT, _DPORT = slice(34, 36), slice(36, 38)
_UDP_CHECKSUM = slice(40, 42)
_KIND = CFN_AT
_NUMBER = slice(CFN_AT + 8, CFN_AT + 12)
_COOKIE = slice(CFN_AT + 16, CFN_AT + 24)
_RESPONSE = bytes([VERSION << 4 | Kind.RESPONSE])


@dataclass(frozen=True)
class Ingress:
    """Where clients send from: the endpoint, the network of the clients (/16), and their router's MAC."""

    endpoint: int
    clients: IPv4Address
    router_mac: str


@dataclass
class Deaths:
    """When each instance, by address, was not alive, in s of time.monotonic."""

    spans: dict[bytes, list[tuple[float, float]]] = field(default_factory=dict)

    def began(self, instance: IPv4Address) -> None:
        """It is about to be taken away."""
        self.spans.setdefault(instance.packed, []).append((time.monotonic(), float("inf")))

    def ended(self, instance: IPv4Address) -> None:
        """It is there again."""
        start, _ = self.spans[instance.packed][-1]
        self.spans[instance.packed][-1] = (start, time.monotonic())

    def between(self, instance: bytes, start: float, end: float) -> bool:
        """Tell whether it was away at any time from `start` to `end`."""
        return any(died <= end and back >= start for died, back in self.spans.get(instance, ()))


@dataclass
class Tally:
    """What became of the requests of some sessions."""

    requests: int = 0
    refused: int = 0
    lost: int = 0
    died: int = 0
    """Moves of sessions whose instance was gone."""
    torn: set[int] = field(default_factory=set)
    """Sessions that were torn, by number."""


class Sessions:
    """Sessions of one function, numbered from 0; where they echo, hosts return the cookie that they see."""

    def __init__(self, function: int, count: int, ingress: Ingress, *, echo: bool) -> None:
        self.tally = Tally()
        self.function = function
        self.echo = echo
        self.count = count
        self._cookies = [bytes(8)] * count
        self._at: list[bytes | None] = [None] * count
        self._seen = [0.0] * count
        self.enter(ingress)

    def enter(self, ingress: Ingress) -> None:
        """Send from there from now on; cookies are kept."""
        self.ingress = ingress
        # At random: the hash of consecutive ports would spread more evenly than chance, CRC being linear.
        flows = random.Random(self.function).sample(range(_CLIENTS * _PORTS), self.count)
        self._frames = [self._frame(number, flow) for number, flow in enumerate(flows)]

    def request(self, number: int) -> bytes:
        """Return a session's next request."""
        self.tally.requests += 1
        frame = self._frames[number]
        frame[_COOKIE] = self._cookies[number]
        return bytes(frame)

    def arrived(self, frame: bytes, deaths: Deaths) -> None:
        """Take note of the instance that a request has reached."""
        number, now = _number(frame), time.monotonic()
        instance, before = frame[_DST], self._at[number]
        if before is not None and instance != before:
            if deaths.between(before, self._seen[number], now):
                self.tally.died += 1
            else:
                self.tally.torn.add(number)
        self._at[number], self._seen[number] = instance, now

    def answered(self, frame: bytes) -> None:
        """Take note of what came back to the client."""
        if frame[_KIND] & 0xF == Kind.NACK:
            self.tally.refused += 1
        else:
            self._cookies[_number(frame)] = frame[_COOKIE]

    def _frame(self, number: int, flow: int) -> bytearray:
        client, port = self.ingress.clients + flow // _PORTS, _FIRST_PORT + flow % _PORTS
        header = Header(kind=Kind.REQUEST, func_id=self.function, tenant=TENANT, request_id=number)
        macs = (CLIENT_MAC, self.ingress.router_mac)
        data = Packet(header).encode()
        frame = bytearray(datagram.frame(macs, (client, ANYCAST), (port, PORT), data))
        frame[_UDP_CHECKSUM] = bytes(2)
        return frame


def run_all(sessions: Sessions, endpoints: Endpoints, host: int, deaths: Deaths) -> None:
    """Let every session send one request, and wait for all of them; `host` is the instances' endpoint."""
    under_way = 0
    for number in range(sessions.count):
        while under_way >= WINDOW:
            under_way -= _settle(sessions, endpoints, host, deaths, under_way)
        endpoints.send(sessions.ingress.endpoint, sessions.request(number))
        under_way += 1
    while under_way > 0:
        under_way -= _settle(sessions, endpoints, host, deaths, under_way)


def _settle(sessions: Sessions, endpoints: Endpoints, host: int, deaths: Deaths, under_way: int) -> int:
    """Serve what has come, and return how many requests that settles; all of them when nothing comes."""
    come = endpoints.received(_TIMEOUT_S)
    if not come:
        sessions.tally.lost += under_way
        return under_way
    return sum(_serve(sessions, endpoints, host, deaths, come))


def _serve(
    sessions: Sessions, endpoints: Endpoints, host: int, deaths: Deaths, come: Iterable[tuple[int, bytes]]
) -> Iterable[bool]:
    for endpoint, frame in come:
        if endpoint != host:
            sessions.answered(frame)
            yield True
        else:
            sessions.arrived(frame, deaths)
            if sessions.echo:
                endpoints.send(host, response(frame))
            yield not sessions.echo


def response(request: bytes) -> bytes:
    """Return what a host that echoes cookies answers; swapping addresses leaves the sums as they are."""
    site_mac = bytes.fromhex(SITE_MAC.replace(":", ""))
    answer = bytearray(request)
    answer[0:6], answer[6:12] = request[6:12], site_mac
    answer[_SRC], answer[_DST] = request[_DST], request[_SRC]
    answer[_SPORT], answer[_DPORT] = request[_DPORT], request[_SPORT]
    answer[_KIND : _KIND + 1] = _RESPONSE
    return bytes(answer)


def _number(frame: bytes) -> int:
    return int.from_bytes(frame[_NUMBER])
