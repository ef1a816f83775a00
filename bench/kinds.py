"""Kinds of packets, each of which takes a stage of the router that the plain request does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from bench import datagram, edge, ingress
from bench.ingress import ANYCAST, CLIENT, CLIENT_MAC, FIRST_INSTANCE, FUNCTION, ROUTER_MAC, SITE, TENANT
from cfn.auth import authenticate
from cfn.cookie import seal
from cfn.extension_bodies import Chain, ChainFunction, Trace
from cfn.names import func_id
from cfn.wire import BASE_LENGTH, PORT, Header, Kind, Packet

FLOWS = 1024
_FIRST_PORT = 20000
_INSTANCE = 1
_SENDERS = 256
_DISCARD = 9
"""UDP port of the discard service (RFC 863)."""

Make = Callable[[int], bytes]


@dataclass(frozen=True)
class PacketKind:
    """One kind.

    Attributes:
        name: key of its results.
        make: the frame of a number; numbers grow and are not used twice, flows come again.
        ends: what a frame that came to its end is counted as, one of these.
        passes: what it is counted as on the way.
        outputs: frames that come out for each that goes in.
        is_old: whether the program from before sites and groups has it too.
    """

    name: str
    make: Make
    ends: Sequence[str]
    passes: Sequence[str] = ()
    outputs: int = 1
    is_old: bool = False

    def fits(self, counted: Counter[str], frames: int) -> bool:
        """Tell whether this is what `frames` of them are counted as."""
        ended = sum(counted[outcome] for outcome in self.ends)
        passed = [counted[outcome] for outcome in self.passes]
        return ended == frames and all(n == frames for n in passed) and counted.total() == ended + sum(passed)

    def frames(self, first: int, count: int) -> list[bytes]:
        """Return `count` frames from number `first` on."""
        return [self.make(number) for number in range(first, first + count)]


def kinds() -> list[PacketKind]:
    """Return all kinds, the plain request first."""
    cookie = _cookie()
    alive = header(FUNCTION, affinity=cookie)
    answer = replace(alive, kind=Kind.RESPONSE, timestamp=1)
    chain = Chain((ChainFunction(FUNCTION, b"the output's id."),))
    return [
        PacketKind("plain", _requests(header(FUNCTION)), ["BOUND_NEW"], is_old=True),
        PacketKind("cookie", _requests(alive), ["BOUND_BY_COOKIE"], is_old=True),
        PacketKind("remote site", _requests(header(edge.REMOTE)), ["BOUND_NEW"]),
        PacketKind("rivals", _requests(header(edge.RACED)), ["BOUND_NEW", "BOUND_TO_RIVAL"]),
        PacketKind("flow table", _requests(header(edge.REMEMBERED)), ["BOUND_BY_FLOW"]),
        PacketKind(
            "input's holder",
            _requests(header(FUNCTION, data_in=edge.HELD_BY_MEMBER)),
            ["BOUND_TO_INPUT"],
        ),
        PacketKind(
            "prefetch",
            _requests(header(FUNCTION, data_in=edge.HELD_ELSEWHERE)),
            ["BOUND_NEW"],
            ["PREFETCHED"],
            outputs=2,
        ),
        PacketKind("signed", _signed, ["BOUND_NEW"]),
        PacketKind("metered", _requests(header(FUNCTION, tenant=edge.METERED)), ["BOUND_NEW"]),
        PacketKind("traced", _requests(header(FUNCTION), Trace()), ["BOUND_NEW"]),
        PacketKind("chain step", _responses(answer, chain), ["BOUND_NEW"], ["CHAINED"]),
        PacketKind("SRv6 member", _requests(header(edge.PINNED)), ["BOUND_NEW"]),
        PacketKind(
            "NACK",
            _requests(header(func_id("nobody/knows"))),
            ["NACK_UNKNOWN_FUNCTION"],
            is_old=True,
        ),
        PacketKind("response", _responses(answer), ["RESPONDED"], is_old=True),
        PacketKind("routed", _routed(), ["ROUTED"], is_old=True),
    ]


def header(function: int, *, tenant: int = TENANT, affinity: int = 0, data_in: bytes = bytes(16)) -> Header:
    """Return the header of a request."""
    return Header(kind=Kind.REQUEST, func_id=function, tenant=tenant, affinity=affinity, data_in=data_in)


def _cookie() -> int:
    """The cookie of a session with the first instance, as the router seals it."""
    return seal(edge.COOKIE_KEY, epoch=0, site=SITE, instance=_INSTANCE, func_id=FUNCTION, tenant=TENANT)


def _requests(header: Header, *extensions: Trace) -> Make:
    data = Packet(header, extensions=extensions).encode()
    return _flows(lambda flow: _request(flow, data))


def _signed(number: int) -> bytes:
    """Each frame has a sequence number of its own: what was sent before is refused."""
    asked = header(FUNCTION, tenant=edge.SIGNING)
    auth = authenticate(edge.SIGNING_KEY, asked, number % _SENDERS, 1 + number // _SENDERS)
    return _request(number % FLOWS, Packet(asked, extensions=(auth,)).encode())


def _responses(header: Header, *extensions: Chain) -> Make:
    data = Packet(header, extensions=extensions).encode()
    macs = (ingress.SITE_MAC, ROUTER_MAC)
    return _flows(
        lambda flow: datagram.frame(macs, (FIRST_INSTANCE, CLIENT), (PORT, _FIRST_PORT + flow), data)
    )


def _routed() -> Make:
    return _flows(lambda flow: _from_client(edge.PASSING, (_FIRST_PORT + flow, _DISCARD), bytes(BASE_LENGTH)))


def _request(flow: int, data: bytes) -> bytes:
    return _from_client(ANYCAST, (_FIRST_PORT + flow, PORT), data)


def _from_client(to: IPv4Address, ports: tuple[int, int], data: bytes) -> bytes:
    return datagram.frame((CLIENT_MAC, ROUTER_MAC), (CLIENT, to), ports, data)


def _flows(make: Make) -> Make:
    frames = [make(flow) for flow in range(FLOWS)]
    return lambda number: frames[number % FLOWS]
