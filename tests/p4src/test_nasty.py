"""Frames that lie, are cut short or never end: what becomes of each, and the reason it is counted by.

The same rows run in memory on the embedded switch and, where it is installed, on BMv2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest
from finsy.proto import p4i
from google.protobuf import text_format

import p4src
from cfn.extensions import ExtensionType
from cfn.wire import NackCode
from switch.api import Action, Match, Member
from switch.dataplane import Dataplane
from tests.p4src.frames import (
    ANYCAST_4,
    ANYCAST_6,
    ARP,
    CFN_PORT,
    CLIENT_4,
    CLIENT_MAC,
    CORE_MAC,
    ICMPV6,
    IPV4,
    IPV6,
    NACK_WORDS,
    NEXT_MAC,
    NOWHERE_4,
    NOWHERE_6,
    PASSING_4,
    PASSING_6,
    ROUTER_4,
    ROUTER_MAC,
    cfn,
    ethernet,
    ipv4,
    ipv6,
    nack,
    routed,
    udp,
)
from tests.switch import bmv2
from tests.switch.rows import PORT, Row, here, there

NEXT_PORT = 3
WAY_OUT, LARGEST_MTU = struct.pack("!H", NEXT_PORT), b"\xff\xff"
AUTH, CHAIN, TRACE = ExtensionType.AUTH, ExtensionType.CHAIN, ExtensionType.TRACE
UNKNOWN, MALFORMED = NackCode.UNKNOWN_FUNCTION, NackCode.MALFORMED
ETHERNET, V4, V6 = 14, 34, 54  # where headers end
LARGEST = 1 << 16
NOPS, RECORD_ROUTE = b"\x01" * 40, b"\x07\x27\x04" + bytes(36) + b"\x00"  # RFC 791 §3.1

EXACT = {
    "classify.my_mac": ("classify.for_router", ROUTER_MAC, ()),
    "classify.local_ipv4": ("classify.anycast", ANYCAST_4, ()),
    "classify.local_ipv6": ("classify.anycast", ANYCAST_6, ()),
    "neighbour.arp_reply": ("neighbour.answer_arp", ROUTER_4, (ROUTER_MAC,)),
    "route.next_hop": ("route.forward_core", b"\0\5", (WAY_OUT, CORE_MAC, NEXT_MAC, LARGEST_MTU)),
}
ROUTES = {"route.ipv4_route": (PASSING_4, 16, 32), "route.ipv6_route": (PASSING_6, 32, 128)}
PROFILE, SET_NEXT_HOP, NEXT_HOP = "route.next_hops", "route.set_next_hop", 5


def drop(name: str, frame: bytes, reason: str) -> Row:
    return Row(name, frame, (), f"DROP_{reason}")


def passes(name: str, frame: bytes) -> Row:
    return Row(name, frame, ((NEXT_PORT, routed(frame)),), "ROUTED")


def refuse(name: str, frame: bytes, code: NackCode = MALFORMED, header: bool = True) -> Row:
    return Row(name, frame, ((PORT, nack(frame, code, header)),), f"NACK_{code.name}")


def cut(name: str, whole: bytes, ip_end: int) -> Iterator[Row]:
    """A request that ends at each of its bytes, with the lengths of the whole in its headers."""
    for size in range(1, len(whole)):
        frame, title = whole[:size], f"{name} cut to {size}"
        if size < ip_end:
            yield drop(title, frame, "NOT_FOR_US")
        elif size < ip_end + 8:
            yield drop(title, frame, "LOCAL")
        else:
            yield refuse(title, frame, header=False)


def extensions(*kinds: int) -> bytes:
    """A chain of IPv6 extension headers of 8 bytes, each naming the next, then nothing (59; RFC 8200 §4)."""
    return b"".join(bytes([following, 0, 1, 4, 0, 0, 0, 0]) for following in (*kinds[1:], 59))


def extension(words: int, following: int = 0, third: int = 0, fourth: int = 0) -> bytes:
    """A CFN extension of so many words, of zeros but for its first four bytes."""
    return bytes([following, words, third, fourth]) + bytes(words * 4 - 4)


def arp(**fields: int) -> bytes:
    given = {"hardware": 1, "protocol": IPV4, "hardware_size": 6, "protocol_size": 4, "operation": 1} | fields
    head = struct.pack("!HHBBH", *given.values())
    return ethernet(ARP, head + CLIENT_MAC + CLIENT_4 + bytes(6) + ROUTER_4, b"\xff" * 6)


def arp_answer() -> bytes:
    head = struct.pack("!HHBBH", 1, IPV4, 6, 4, 2)
    return ethernet(ARP, head + ROUTER_MAC + ROUTER_4 + CLIENT_MAC + CLIENT_4, CLIENT_MAC, ROUTER_MAC)


def whole_frames() -> Iterator[Row]:
    yield drop("empty", b"", "NOT_FOR_US")
    yield passes("64 KiB", ipv4(bytes(LARGEST - V4), length=0xFFFF, dst=PASSING_4))
    yield drop("64 KiB of ones", b"\xff" * LARGEST, "NOT_FOR_US")
    for size in (60, 1514):
        yield drop(f"{size} zeros", bytes(size), "NOT_FOR_US")
        yield drop(f"{size} ones", b"\xff" * size, "NOT_FOR_US")
    for kind in (IPV4, IPV6, ARP):
        yield drop(f"nothing behind type {kind:#x}", ethernet(kind, b""), "NOT_FOR_US")
        for filling in (b"\0", b"\xff"):
            reason = "NOT_FOR_US" if kind == ARP else "BAD_HEADER"
            yield drop(f"{filling.hex()} behind {kind:#x}", ethernet(kind, filling * 100), reason)
    inner = ipv4(udp(cfn()))[12:]
    tags = struct.pack("!HHHH", 0x88A8, 1, 0x8100, 2)
    for count in (4, 8):
        tagged = ROUTER_MAC + CLIENT_MAC + tags[-count:] + inner
        yield drop(f"{count // 4} VLAN tags", tagged, "NOT_FOR_US")
    yield drop("100 VLAN tags", ROUTER_MAC + CLIENT_MAC + tags * 50 + inner, "NOT_FOR_US")


def neighbours() -> Iterator[Row]:
    yield Row("ARP", arp(), ((PORT, arp_answer()),), "ARP_ANSWERED")
    for size in range(ETHERNET, len(arp())):
        yield drop(f"ARP cut to {size}", arp()[:size], "NOT_FOR_US")
    for name, value in (
        ("hardware", 0), ("hardware", 0xFFFF), ("protocol", IPV6),
        ("hardware_size", 0), ("hardware_size", 255), ("protocol_size", 0), ("protocol_size", 16),
        ("operation", 0), ("operation", 2), ("operation", 0xFFFF),
    ):  # fmt: skip
        yield drop(f"ARP, {name} {value}", arp(**{name: value}), "NOT_FOR_US")
    solicitation = bytes([135, 0, 0, 0]) + bytes(20) + bytes([1, 1]) + CLIENT_MAC
    for size in range(len(solicitation)):
        frame = ipv6(solicitation[:size], length=32, next=ICMPV6, hops=255)
        yield drop(f"a solicitation cut to {size}", frame, "LOCAL")


def ipv4_headers() -> Iterator[Row]:
    yield from cut("v4", ipv4(udp(cfn())), V4)
    for version in (0, 3, 5, 6, 15):
        yield drop(f"v4, version {version}", ipv4(udp(cfn()), version=version), "BAD_HEADER")
    for ihl in range(16):
        frame = ipv4(udp(cfn()), ihl=ihl)
        if ihl != 5:
            yield drop(f"v4, IHL {ihl}", frame, "BAD_HEADER" if ihl < 5 else "LOCAL")
        if ihl > 5:
            yield passes(f"v4 passing, IHL {ihl}", ipv4(udp(b""), ihl=ihl, dst=PASSING_4))
    for checksum in (0, 0xFFFF, 0x1234):
        yield drop(f"v4, checksum {checksum:#x}", ipv4(udp(cfn()), checksum=checksum), "BAD_CHECKSUM")
    for length in (0, 1, 19):
        yield drop(f"v4, length {length}", ipv4(udp(cfn()), length=length), "BAD_HEADER")
    for length in (20, 27, 28, 99):
        yield refuse(f"v4, length {length}", ipv4(udp(cfn()), length=length))
    for length in (101, 0xFFFF):
        yield refuse(f"v4, length {length}", ipv4(udp(cfn()), length=length), UNKNOWN)
    for name, options in (
        ("NOPs", NOPS),
        ("a route", RECORD_ROUTE),
        ("ends", bytes(40)),
        ("ones", b"\xff" * 40),
    ):
        yield passes(f"v4, options: {name}", ipv4(udp(b""), options, dst=PASSING_4))
        yield drop(f"v4 to us, options: {name}", ipv4(udp(cfn()), options), "LOCAL")
        yield passes(f"v4, options cut: {name}", ipv4(b"", options, dst=PASSING_4)[: V4 + 3])
    for offset in (1, 60, 0x1FFF):
        yield drop(f"v4, fragment {offset}", ipv4(udp(cfn()), fragment=offset), "LOCAL")
        yield passes(f"v4 passing, fragment {offset}", ipv4(udp(cfn()), fragment=offset, dst=PASSING_4))
    yield refuse("v4, first fragment", ipv4(udp(cfn()), fragment=0x2000))
    yield refuse("v4, all flags", ipv4(udp(cfn()), fragment=0xE000))
    for ttl in (0, 1):
        yield drop(f"v4, TTL {ttl}", ipv4(udp(b""), ttl=ttl, dst=PASSING_4), "TTL")
    yield passes("v4, TTL 2", ipv4(udp(b""), ttl=2, dst=PASSING_4))
    yield passes("v4, from itself", ipv4(udp(b""), src=PASSING_4, dst=PASSING_4))
    yield drop("v4, nowhere", ipv4(udp(b""), dst=NOWHERE_4), "NO_ROUTE")
    yield drop("v4, everywhere", ipv4(udp(cfn()), dst=b"\xff" * 4), "NO_ROUTE")
    for protocol in (0, 1, 6, 50, 255):
        yield drop(f"v4, protocol {protocol}", ipv4(udp(cfn()), protocol=protocol), "LOCAL")


def ipv6_headers() -> Iterator[Row]:
    yield from cut("v6", ipv6(udp(cfn())), V6)
    for version in (0, 4, 15):
        yield drop(f"v6, version {version}", ipv6(udp(cfn()), version=version), "BAD_HEADER")
    for length in (0, 7, 8, 79):
        yield refuse(f"v6, length {length}", ipv6(udp(cfn()), length=length))
    yield refuse("v6, length 65535", ipv6(udp(cfn()), length=0xFFFF), UNKNOWN)
    chains = {
        "each": (0, 60, 43, 44, 51, 50, 60),
        "hop by hop, again and again": (0,) * 180,
        "routing headers": (43,) * 100,
        "fragments": (44,) * 8,
        "unknown": (253, 254, 255),
        "nothing": (59,),
    }
    for name, kinds in chains.items():
        chain = extensions(*kinds)
        yield drop(f"v6 to us, chain: {name}", ipv6(chain, next=kinds[0]), "LOCAL")
        yield passes(f"v6, chain: {name}", ipv6(chain, next=kinds[0], dst=PASSING_6))
        yield passes(f"v6, chain cut: {name}", ipv6(chain, next=kinds[0], dst=PASSING_6)[: V6 + 5])
    for hops in (0, 1):
        yield drop(f"v6, hop limit {hops}", ipv6(udp(b""), hops=hops, dst=PASSING_6), "TTL")
    yield drop("v6, nowhere", ipv6(udp(b""), dst=NOWHERE_6), "NO_ROUTE")


def requests() -> Iterator[Row]:
    for name, wrap in (("v4", ipv4), ("v6", ipv6)):
        yield refuse(f"{name}, a request", wrap(udp(cfn())), UNKNOWN)
        for length in (0, 7, 8, 79):
            yield refuse(f"{name}, UDP length {length}", wrap(udp(cfn(), length=length)), header=False)
        for length in (81, 0xFFFF):
            yield refuse(f"{name}, UDP length {length}", wrap(udp(cfn(), length=length)))
        for version in (0, 2, 15):
            yield refuse(f"{name}, CFN version {version}", wrap(udp(cfn(version=version))))
        for kind in (0, 3, 4, *range(6, 16)):
            yield refuse(f"{name}, kind {kind}", wrap(udp(cfn(kind=kind))))
        for kind in (2, 5):
            yield drop(f"{name}, a response to a router", wrap(udp(cfn(kind=kind))), "STRAY")
        for length in (0, 1, 17, 19, 255):
            yield refuse(f"{name}, CFN length {length}", wrap(udp(cfn(length=length))))
        longest = wrap(udp(cfn(length=255) + b"\xff" * (4 * 255 - 72)))
        yield refuse(f"{name}, extensions of ones to the last byte", longest, UNKNOWN)
        yield refuse(f"{name}, a byte less", wrap(udp(cfn(length=255) + b"\xff" * (4 * 255 - 73))))
        ones = b"\xff" * 72
        yield refuse(f"{name}, a header of ones", wrap(udp(ones)))
        yield refuse(f"{name}, a header of zeros", wrap(udp(bytes(72))))


def cfn_extensions() -> Iterator[Row]:
    """Extensions that lie of themselves: a request is refused, a response goes by unread."""
    fits = {
        "AUTH": (AUTH, extension(4)),
        "AUTH, CHAIN, TRACE": (AUTH, extension(4, CHAIN) + extension(13, TRACE, 0, 2) + extension(5)),
        "CHAIN of 8": (CHAIN, extension(49, 0, 0, 8)),
        "CHAIN of none": (CHAIN, extension(1)),
        "TRACE without records": (TRACE, extension(1)),
        "unknown, then ones": (255, b"\xff" * 40),
        "AUTH, then ones": (AUTH, extension(4, 255) + b"\xff" * 40),
        "room left behind the last": (TRACE, extension(1) + bytes(800)),
    }
    lies = {
        "CHAIN of 9": (CHAIN, extension(55, 0, 0, 9)),
        "CHAIN of 255": (CHAIN, extension(1, 0, 0, 255)),
        "CHAIN of 43, a length that wraps": (CHAIN, extension(3, 0, 0, 43)),
        "CHAIN of ones": (CHAIN, b"\xff" * 800),
        "CHAIN shorter than it says": (CHAIN, extension(7, 0, 0, 2)),
        "CHAIN longer than it says": (CHAIN, extension(13, 0, 0, 1)),
        "CHAIN of none that is longer": (CHAIN, extension(7)),
        "AUTH of 3 words": (AUTH, extension(3) + bytes(4)),
        "AUTH of 5 words": (AUTH, extension(5)),
        "AUTH of 255 words": (AUTH, extension(255)[:800]),
        "AUTH of zeros": (AUTH, bytes(800)),
        "AUTH of ones": (AUTH, b"\xff" * 800),
        "TRACE of zeros": (TRACE, bytes(800)),
        "TRACE of ones": (TRACE, b"\xff" * 800),
        "TRACE beyond the header": (TRACE, extension(9)[:-4]),
        "AUTH beyond the header": (AUTH, extension(4)[:-4]),
        "CHAIN, then a lie": (CHAIN, extension(7, TRACE, 0, 1) + bytes(4)),
    }
    for family, wrap, passing in (("v4", ipv4, PASSING_4), ("v6", ipv6, PASSING_6)):
        for title, (first, body) in (fits | lies).items():
            length = NACK_WORDS + len(body) // 4
            asked = wrap(udp(cfn(length=length, following=first) + body))
            yield refuse(f"{family}, {title}", asked, UNKNOWN if title in fits else MALFORMED)
            if title in lies:
                told = cfn(kind=2, length=length, following=first) + body
                yield passes(f"{family} passing, {title}", wrap(udp(told, CFN_PORT, 40000), dst=passing))


def cfn_extensions_cut() -> Iterator[Row]:
    """A request that ends at each byte of its extensions, with the lengths of the whole in its headers."""
    records = bytes(16)
    body = extension(4, CHAIN) + extension(7, TRACE, 0, 1) + extension(5)[: -len(records)]
    length = NACK_WORDS + (len(body) + len(records)) // 4
    asked = udp(cfn(length=length, following=AUTH) + body + records)
    for family, whole in (("v4", ipv4(asked)), ("v6", ipv6(asked))):
        for size in range(len(whole) - len(body + records), len(whole)):
            code = UNKNOWN if size >= len(whole) - len(records) else MALFORMED
            yield refuse(f"{family}, extensions cut to {size}", whole[:size], code)


ROWS = (
    *whole_frames(),
    *neighbours(),
    *ipv4_headers(),
    *ipv6_headers(),
    *requests(),
    *cfn_extensions(),
    *cfn_extensions_cut(),
)


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def name(local: str) -> str:
    return f"CfnIngress.{local}"


@pytest.fixture(scope="module")
def router() -> Iterator[Dataplane]:
    dataplane = Dataplane(p4src.JSON.read_bytes())
    for table, (action, key, params) in EXACT.items():
        call = Action(name(action), tuple(number(param) for param in params))
        dataplane.table_insert(name(table), [Match(number(key))], 0, call)
    member = dataplane.member_add(name(PROFILE), Action(name(SET_NEXT_HOP), (NEXT_HOP,)))
    for table, (address, prefix, width) in ROUTES.items():
        mask = (1 << prefix) - 1 << width - prefix
        dataplane.table_insert(name(table), [Match(number(address) & mask, mask)], 0, Member(member))
    yield dataplane
    dataplane.close()


@pytest.fixture(scope="module")
def outcomes(router: Dataplane) -> Callable[[], dict[str, int]]:
    """The packets counted by each `Outcome`."""
    table = name("count_outcome.outcome")
    info = text_format.Parse(p4src.P4INFO.read_text(), p4i.P4Info())
    members = info.type_info.serializable_enums["Outcome"].members
    names = {number(member.value): member.name for member in members}
    handles = {names[entry.key[0].value]: entry.handle for entry in router.initial_entries(table)}
    return lambda: {
        reason: router.direct_counter(table, handle).packets for reason, handle in handles.items()
    }


def commands() -> list[str]:
    """The same entries for simple_switch_CLI."""

    def shown(data: bytes) -> str:
        return f"0x{data.hex()}"

    found = [
        f"table_add {name(table)} {name(action)} {shown(key)} => {' '.join(map(shown, params))}"
        for table, (action, key, params) in EXACT.items()
    ]
    found.append(f"act_prof_create_member {name(PROFILE)} {name(SET_NEXT_HOP)} {NEXT_HOP}")
    found += [
        f"table_indirect_add {name(table)} {shown(address)}/{prefix} => 0"
        for table, (address, prefix, _) in ROUTES.items()
    ]
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_frame_gets_its_verdict(
    router: Dataplane, outcomes: Callable[[], dict[str, int]], row: Row
) -> None:
    here(router, row, outcomes)


@pytest.mark.skipif(not bmv2.available(), reason="BMv2 is not installed")
def test_bmv2_gives_the_same_verdicts() -> None:
    there(p4src.JSON.read_bytes(), commands(), ROWS)
