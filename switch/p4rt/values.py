"""Integers as P4Runtime's byte strings (§ 8.3)."""

from __future__ import annotations

from collections.abc import Callable


class OutOfRangeError(ValueError):
    """A byte string is empty or its value is wider than its type: OUT_OF_RANGE where nothing else is said."""


def encode(value: int) -> bytes:
    """The canonical (shortest, big-endian) byte string of an unsigned integer; zero is one byte."""
    return value.to_bytes((value.bit_length() + 7) // 8 or 1, "big")


def decoder(bits: int) -> Callable[[bytes], int]:
    """What gives the unsigned integer of a byte string of any length whose value fits `bits`.

    It raises OutOfRangeError where the string is empty or its value is too wide.
    """

    def decode(data: bytes) -> int:
        if not data:
            raise OutOfRangeError("the value is missing (an empty byte string)")
        value = int.from_bytes(data, "big")
        if value >> bits:
            raise OutOfRangeError(f"0x{value:x} does not fit {bits} bits")
        return value

    return decode


def decode(data: bytes, bits: int) -> int:
    """The same for one string.

    Raises:
        OutOfRangeError: the string is empty or its value is too wide.
    """
    return decoder(bits)(data)


def encode_signed(value: int, bits: int) -> bytes:
    """The canonical two's-complement byte string of the `bits` wide pattern `value`."""
    signed = value - (1 << bits) if value >> (bits - 1) else value
    needed = (signed if signed >= 0 else ~signed).bit_length() + 1
    return signed.to_bytes((needed + 7) // 8, "big", signed=True)


def decode_signed(data: bytes, bits: int) -> int:
    """The `bits` wide two's-complement pattern of a sign-extended byte string, as an unsigned integer.

    Raises:
        OutOfRangeError: the string is empty or its value is too wide.
    """
    if not data:
        raise OutOfRangeError("the value is missing (an empty byte string)")
    signed = int.from_bytes(data, "big", signed=True)
    if not -(1 << (bits - 1)) <= signed < 1 << (bits - 1):
        raise OutOfRangeError(f"{signed} does not fit int<{bits}>")
    return signed & ((1 << bits) - 1)


def prefix_mask(length: int, bits: int) -> int:
    """The mask of a prefix of `length` bits in a field of `bits`."""
    return ((1 << length) - 1) << (bits - length)
