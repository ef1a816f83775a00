"""Packets that lie about what they hold, through headers of every shape; what `shapes.p4` reports of each.

A report (error code, next, seen) goes before what is left of the packet.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from switch.dataplane import Dataplane
from tests.switch import bmv2
from tests.switch.harness import program, running
from tests.switch.rows import Row, here, there

FINE, TOO_SHORT, OUT_OF_BOUNDS, HEADER_TOO_SHORT, TOO_DEEP = 0, 1, 3, 4, 9
OPTION = bytes([2, 8]) + b"L" + bytes(range(8)) + b"T"
LARGEST = 1 << 16


def row(name: str, packet: bytes, error: int = FINE, *, left: bytes | None = None, seen: int = 0) -> Row:
    """A row whose packet comes out as it is behind its report, or `left` instead."""
    report = struct.pack("!BBH", error, 0, seen)
    return Row(name, packet, ((1, report + (packet if left is None else left)),))


def cut(name: str, whole: bytes, least: int, most: int) -> list[Row]:
    """A packet that ends at each byte from `least` on: too short for what it announces."""
    return [row(f"{name} cut to {size}", whole[:size], TOO_SHORT) for size in range(least, most)]


ROWS = (
    row("empty", b"", TOO_SHORT),
    row("one byte", b"\x01", TOO_SHORT),
    row("one byte of ones", b"\xff", TOO_SHORT),
    row("all zero", bytes(60)),
    row("all ones", b"\xff" * 60),
    row("all ones, long", b"\xff" * 1514),
    row("64 KiB of zero", bytes(LARGEST)),
    row("64 KiB of labels", b"\x01" + bytes(LARGEST - 1), OUT_OF_BOUNDS),
    *cut("a label", b"\x01\x00\x02\x03", 2, 4),
    row("labels up to the last", b"\x01\x00\x02\x02\x03"),
    row("labels without end", b"\x01\x00" + b"\x02" * 3, OUT_OF_BOUNDS),
    row("labels of ones", b"\x01\x00\xff\xff\xff"),
    row("labels overflown by many", b"\x01\x00" + b"\x02" * 100, OUT_OF_BOUNDS),
    row(
        "a label pushed on a full stack",
        b"\x01\x01\x02\x04\x07",
        left=b"\x01\x01\xaa\x02\x04",
    ),
    row(
        "a label pushed after the stack overflew",
        b"\x01\x01\x02\x04\x06\x08",
        OUT_OF_BOUNDS,
        left=b"\x01\x01\xaa\x02\x04\x08",
    ),
    row("the only label popped", b"\x01\x02\x03", left=b"\x01\x02"),
    row("a label popped that is not there", b"\x01\x02", TOO_SHORT),
    *cut("an option", OPTION, 2, len(OPTION)),
    row("an option", OPTION, left=OPTION[:-1] + b"U"),
    row("an option of no bytes", b"\x02\x00LT", left=b"\x02\x00LU"),
    row("an option longer than its header", b"\x02\x09L" + bytes(9) + b"T", HEADER_TOO_SHORT),
    row("an option longer than its packet", b"\x02\xffL" + bytes(9), TOO_SHORT),
    row("an option far longer than its header", b"\x02\xffL" + bytes(400), HEADER_TOO_SHORT),
    *cut("four bytes of a union", b"\x03\x00four", 2, 6),
    *cut("six bytes of a union", b"\x04\x00sixsix", 2, 8),
    row("a union whose other member is set", b"\x03\x01four", left=b"\x03\x01\x01\x02\x03\x04\x05\x06"),
    row("a look at the last two bytes", b"\x05\x00\x12\x34", seen=0x1234),
    row("a skip of all that is left", b"\x06\x04skip", left=b"\x06\x04"),
    row("a skip of nothing", b"\x06\x00skip"),
    row("a skip beyond the end", b"\x06\x05skip", TOO_SHORT),
    row("the longest skip", b"\x06\xff" + bytes(255), left=b"\x06\xff"),
    row("the longest skip, a byte short", b"\x06\xff" + bytes(254), TOO_SHORT),
    row("a check that holds, then too short", b"\x07\x02fou", TOO_SHORT),
    row("a check that fails on the largest value", b"\x07\xfffour", TOO_DEEP),
    row("a masked value", b"\x8f\x00", seen=0x3A5D),
)


def no_reasons() -> dict[str, int]:
    return {}


@pytest.fixture(scope="module")
def switch() -> Iterator[Dataplane]:
    with running("shapes") as dataplane:
        yield dataplane


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_each_packet_gets_its_verdict(switch: Dataplane, case: Row) -> None:
    here(switch, case, no_reasons)


def test_a_packet_over_the_limit_is_refused(switch: Dataplane) -> None:
    with pytest.raises(OSError, match="Message too long"):
        switch.inject(1, bytes(LARGEST + 1))


@pytest.mark.skipif(not bmv2.available(), reason="BMv2 is not installed")
def test_bmv2_gives_the_same_verdicts() -> None:
    there(program("shapes"), (), ROWS)
