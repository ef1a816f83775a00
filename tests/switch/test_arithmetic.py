"""Results of generated arithmetic against Python's integers, at widths around machine words."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.dataplane import Dataplane
from tests.switch.harness import one, running


@dataclass(frozen=True)
class Operands:
    """Operands by width; `s`, `t` are the signed ones."""

    a: dict[int, int]
    b: dict[int, int]
    s: int
    t: int


WIDTHS = (8, 13, 32, 64, 128, 200)


@pytest.fixture(scope="module")
def switch() -> Iterator[Dataplane]:
    with running("arithmetic") as dataplane:
        yield dataplane


def edges(width: int) -> st.SearchStrategy[int]:
    top = (1 << width) - 1
    return st.integers(0, top) | st.sampled_from(
        [0, 1, top, top - 1, 1 << (width - 1), (1 << (width - 1)) - 1]
    )


def operands() -> st.SearchStrategy[Operands]:
    side = st.fixed_dictionaries({w: edges(w) for w in WIDTHS})
    signed = st.integers(-128, 127) | st.sampled_from([-128, 127, -1, 0])
    return st.builds(Operands, side, side, signed, signed)


def run(switch: Dataplane, op: int, x: Operands) -> dict[int | str, int]:
    """The results of one operation by width; `s` is the signed one."""
    bits, length = 0, 0

    def put(value: int, width: int) -> None:
        nonlocal bits, length
        bits, length = bits << width | value & ((1 << width) - 1), length + width

    put(op, 8)
    for value in (x.a[8], x.b[8], 0, x.s, x.t, 0):
        put(value, 8)
    for width in WIDTHS[1:]:
        put(x.a[width], width), put(x.b[width], width), put(0, width)
        if width == 13:
            put(0, 1)
    out = int.from_bytes(one(switch.inject(1, bits.to_bytes(length // 8, "big"))), "big")
    position = length

    def take(width: int) -> int:
        nonlocal position
        position -= width
        return out >> position & ((1 << width) - 1)

    take(8 + 16)
    found: dict[int | str, int] = {8: take(8)}
    take(16)
    found["s"] = take(8)
    for width in WIDTHS[1:]:
        take(2 * width)
        found[width] = take(width)
        if width == 13:
            take(1)
    return found


def clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


@given(operands())
@settings(max_examples=200)
def test_add_subtract_multiply_wrap(switch: Dataplane, x: Operands) -> None:
    for op, apply in ((0, int.__add__), (1, int.__sub__), (2, int.__mul__)):
        want = {w: apply(x.a[w], x.b[w]) & ((1 << w) - 1) for w in WIDTHS}
        assert run(switch, op, x) == want | {"s": apply(x.s, x.t) & 0xFF}


@given(operands())
@settings(max_examples=100)
def test_bitwise(switch: Dataplane, x: Operands) -> None:
    a, b = x.a, x.b
    assert run(switch, 3, x) == {
        8: a[8] & b[8],
        13: a[13] | b[13],
        32: a[32] ^ b[32],
        64: ~a[64] & ((1 << 64) - 1),
        128: a[128] ^ b[128],
        200: ~a[200] & ((1 << 200) - 1),
        "s": x.s & x.t & 0xFF,
    }


@given(operands())
@settings(max_examples=200)
def test_shifts_by_any_amount(switch: Dataplane, x: Operands) -> None:
    by = x.b[8]
    left = {w: x.a[w] << by & ((1 << w) - 1) for w in WIDTHS}
    assert run(switch, 4, x) == left | {"s": x.s << by & 0xFF}
    right = {w: x.a[w] >> by for w in WIDTHS}
    assert run(switch, 5, x) == right | {"s": x.s >> by & 0xFF}


@given(operands())
@settings(max_examples=200)
def test_saturating(switch: Dataplane, x: Operands) -> None:
    for op, apply in ((6, int.__add__), (7, int.__sub__)):
        want = {w: clamp(apply(x.a[w], x.b[w]), 0, (1 << w) - 1) for w in WIDTHS}
        assert run(switch, op, x) == want | {"s": clamp(apply(x.s, x.t), -128, 127) & 0xFF}


@given(operands())
@settings(max_examples=200)
def test_comparisons(switch: Dataplane, x: Operands) -> None:
    a, b = x.a, x.b
    assert run(switch, 8, x) == {
        8: a[8] < b[8],
        13: a[13] <= b[13],
        32: a[32] > b[32],
        64: a[64] >= b[64],
        128: a[128] < b[128],
        200: a[200] < b[200],
        "s": x.s < x.t,
    }


@given(operands())
@settings(max_examples=100)
def test_slices_concatenation_casts(switch: Dataplane, x: Operands) -> None:
    a, b = x.a, x.b
    got = run(switch, 9, x)
    assert got[8] == a[32] >> 12 & 0xFF
    assert got["s"] == -x.s & 0xFF
    assert got[13] == b[32] & 0x1FFF
    assert got[32] == (a[8] << 24 | b[8] << 16 | a[8] << 8 | b[8])
    assert got[64] == x.s & ((1 << 64) - 1)
    assert got[128] == a[64] << 64 | b[64]
    assert got[200] == (a[128] & ((1 << 100) - 1)) << 100 | b[128] >> 28


@given(operands())
@settings(max_examples=100)
def test_mixed_widths(switch: Dataplane, x: Operands) -> None:
    a, b = x.a, x.b
    got = run(switch, 10, x)
    assert got[8] == (b[8] if a[8] == 0 else (a[8] - b[8]) & 0xFF)
    assert got[32] == (a[32] << 5 | a[32] >> 27) & 0xFFFFFFFF
    assert got[64] == (a[32] + b[32] & 0xFFFFFFFF) >> 1
    assert got[128] == (a[64] * b[64] & ((1 << 64) - 1)) + a[128] & ((1 << 128) - 1)
    assert got[200] == (a[200] << 64 ^ b[200] >> 136) & ((1 << 200) - 1)
