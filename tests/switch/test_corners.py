"""Corners of v1model by hand; `differential` and `recorded` hold the same program to BMv2."""

import binascii
from collections.abc import Iterator

import pytest

from switch.api import Action, Match
from switch.dataplane import Dataplane
from tests.switch.harness import one, running

WIDE, ODD = 456, 40  # bits
MOST = (1 << 127) - 1


@pytest.fixture
def switch() -> Iterator[Dataplane]:
    with running("corners") as dataplane:
        yield dataplane


def packet(
    what: int, *, amount: int = 0, a: int = 0, c: int = 0, d: int = 0, x: int = 0, y: int = 0
) -> bytes:
    wide = a << 391 | c << 199 | d << 70
    odd = x << 37 | y << 24
    return (
        bytes([what, amount])
        + bytes(6)
        + wide.to_bytes(WIDE // 8, "big")
        + odd.to_bytes(ODD // 8, "big")
        + b"\0"
    )


def found(switch: Dataplane, sent: bytes) -> int:
    return int.from_bytes(one(switch.inject(1, sent))[2:8], "big")


@pytest.mark.parametrize(
    ("low", "high", "inside", "outside"),
    [
        (
            1 << 64,
            1 << 65,
            (1 << 64, (1 << 64) + 5, (1 << 65) - 1, 1 << 65),
            (0, (1 << 64) - 1, (1 << 65) + 1),
        ),
        (5, (3 << 64) + 2, (5, 1 << 64, (3 << 64) + 2, (2 << 64) + 9), (4, (3 << 64) + 3, MOST)),
        ((7 << 64) + 9, (7 << 64) + 9, ((7 << 64) + 9,), (9, (7 << 64) + 8, (7 << 64) + 10, (6 << 64) + 9)),
        (0, MOST, (0, 1, MOST), ()),
    ],
)
def test_a_range_wider_than_a_word(
    switch: Dataplane, low: int, high: int, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    key = [Match(low, 0, high), Match(3, 0, 1 << 64), Match(0, 0)]
    handle = switch.table_insert("I.range_t", key, 1, Action("I.note", (77,)))
    for c in inside:
        assert found(switch, packet(0, c=c, a=3)) == 77
        assert found(switch, packet(0, c=c, a=1 << 64)) == 77
        assert found(switch, packet(0, c=c, a=2)) == 0
        assert found(switch, packet(0, c=c, a=(1 << 64) + 1)) == 0
    for c in outside:
        assert found(switch, packet(0, c=c, a=3)) == 0
    switch.table_delete("I.range_t", handle)
    assert found(switch, packet(0, c=inside[0], a=3)) == 0


def test_ranges_alone_make_a_key(switch: Dataplane) -> None:
    key = [Match(0x40, 0, 0x7BA), Match(5, 0, 7)]
    switch.table_insert("I.narrow_range_t", key, 1, Action("I.note", (9,)))
    assert found(switch, packet(1, x=7, y=0x252)) == 9
    assert found(switch, packet(1, x=4, y=0x252)) == 0
    assert found(switch, packet(1, x=7, y=0x3F)) == 0


def test_a_key_in_a_header_made_invalid_is_0(switch: Dataplane) -> None:
    switch.table_insert("I.gone_t", [Match(5), Match(1)], 0, Action("I.note", (1,)))
    switch.table_insert("I.gone_t", [Match(0), Match(0)], 0, Action("I.note", (2,)))
    assert found(switch, packet(2, amount=1, y=5)) == 1
    assert found(switch, packet(2, amount=10, y=5)) == 2


def test_entries_of_the_program_go_by_their_annotated_priority(switch: Dataplane) -> None:
    assert found(switch, packet(3, y=5, d=0)) == 2
    assert found(switch, packet(3, y=0, d=1)) == 1
    assert found(switch, packet(3, y=0, d=7)) == 3
    assert found(switch, packet(3, y=9, d=1)) == 0


def test_the_custom_crcs_start_as_the_plain_ones(switch: Dataplane) -> None:
    a, x = 0x1_2345_6789_ABCD_EF01, 5
    fields = a << 12 | x << 9  # 65, 3 and 9 bits: 77, filled up to 80
    assert found(switch, packet(4, a=a, x=x)) >> 16 == binascii.crc32((fields << 3).to_bytes(10, "big"))
