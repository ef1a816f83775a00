"""Byte strings: the examples of P4Runtime 1.4.1 § 8.3, and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.p4rt import values


@pytest.mark.parametrize(
    ("data", "bits", "value"),
    [
        ("63", 8, 99),
        ("0063", 16, 99),
        ("63", 16, 99),
        ("3064", 16, 12388),
        ("003064", 16, 12388),
        ("0063", 12, 99),
        ("000063", 12, 99),
    ],
)
def test_unsigned_examples(data: str, bits: int, value: int) -> None:
    assert values.decode(bytes.fromhex(data), bits) == value


@pytest.mark.parametrize(
    ("data", "bits", "value"),
    [("63", 8, 0x63), ("9d", 8, -0x63), ("ff9d", 8, -0x63), ("fd1d", 12, -0x2E3), ("0000", 16, 0)],
)
def test_signed_examples(data: str, bits: int, value: int) -> None:
    assert values.decode_signed(bytes.fromhex(data), bits) == value % (1 << bits)


@pytest.mark.parametrize(
    ("data", "bits"),
    [("0163", 8), ("", 8), ("010063", 16), ("1063", 12), ("010063", 12), ("004063", 12)],
)
def test_invalid_unsigned_examples(data: str, bits: int) -> None:
    with pytest.raises(ValueError, match=r"fit|missing"):
        values.decode(bytes.fromhex(data), bits)


@pytest.mark.parametrize(("data", "bits"), [("009d", 8), ("8d1d", 12), ("", 16)])
def test_invalid_signed_examples(data: str, bits: int) -> None:
    with pytest.raises(ValueError, match=r"fit|missing"):
        values.decode_signed(bytes.fromhex(data), bits)


@given(st.integers(1, 200).flatmap(lambda bits: st.tuples(st.just(bits), st.integers(0, (1 << bits) - 1))))
def test_encoding_is_shortest_and_reversible(case: tuple[int, int]) -> None:
    bits, value = case
    data = values.encode(value)
    assert values.decode(data, bits) == values.decode(b"\0" + data, bits) == value
    assert len(data) == 1 or data[0] != 0
    signed = values.encode_signed(value, bits)
    sign = b"\xff" if signed[0] & 0x80 else b"\0"
    assert values.decode_signed(signed, bits) == values.decode_signed(sign + signed, bits) == value
    assert len(signed) == 1 or (signed[:1] != sign) or ((signed[1] ^ signed[0]) & 0x80)


def test_prefixes() -> None:
    assert [values.prefix_mask(length, 8) for length in (0, 1, 7, 8)] == [0, 0x80, 0xFE, 0xFF]
