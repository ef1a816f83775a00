"""HalfSipHash-2-4 with 32 and with 64 bits of output: what cookies and AUTH tags are made of.

SipHash (Aumasson and Bernstein, 2012) on 32-bit words, as in the authors' reference code `halfsiphash.c`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

_MASK = 0xFFFFFFFF
_COMPRESSION_ROUNDS = 2
_FINAL_ROUNDS = 4

_State = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class HalfSipHashKey:
    """A 64-bit key: its halves, each read in little-endian order."""

    k0: int
    k1: int

    @classmethod
    def from_bytes(cls, key: bytes) -> Self:
        """Split an 8-byte key.

        Raises:
            ValueError: not 8 bytes.
        """
        if len(key) != 8:
            raise ValueError(f"a key has 8 bytes, not {len(key)}")
        return cls(int.from_bytes(key[:4], "little"), int.from_bytes(key[4:], "little"))


def halfsiphash32(key: HalfSipHashKey, message: bytes) -> int:
    """32 bits of output; the reference code writes this number in little-endian order."""
    v0, v1, v2, v3 = _absorb(key, message, wide=0)
    _, v1, _, v3 = _rounds(_FINAL_ROUNDS, v0, v1, v2 ^ 0xFF, v3)
    return v1 ^ v3


def halfsiphash64(key: HalfSipHashKey, message: bytes) -> int:
    """64 bits of output: of the two words the reference code writes, the first is the high half."""
    v0, v1, v2, v3 = _absorb(key, message, wide=0xEE)
    v0, v1, v2, v3 = _rounds(_FINAL_ROUNDS, v0, v1, v2 ^ 0xEE, v3)
    high = v1 ^ v3
    _, v1, _, v3 = _rounds(_FINAL_ROUNDS, v0, v1 ^ 0xDD, v2, v3)
    return high << 32 | v1 ^ v3


def _absorb(key: HalfSipHashKey, message: bytes, *, wide: int) -> _State:
    v0, v1, v2, v3 = key.k0, key.k1 ^ wide, 0x6C796765 ^ key.k0, 0x74656462 ^ key.k1
    whole = len(message) - len(message) % 4
    words = [int.from_bytes(message[i : i + 4], "little") for i in range(0, whole, 4)]
    last = (len(message) & 0xFF) << 24 | int.from_bytes(message[whole:], "little")
    for word in (*words, last):
        v0, v1, v2, v3 = _rounds(_COMPRESSION_ROUNDS, v0, v1, v2, v3 ^ word)
        v0 ^= word
    return v0, v1, v2, v3


def _rounds(count: int, v0: int, v1: int, v2: int, v3: int) -> _State:
    for _ in range(count):
        v0 = (v0 + v1) & _MASK
        v1 = _rotate(v1, 5) ^ v0
        v0 = _rotate(v0, 16)
        v2 = (v2 + v3) & _MASK
        v3 = _rotate(v3, 8) ^ v2
        v0 = (v0 + v3) & _MASK
        v3 = _rotate(v3, 7) ^ v0
        v2 = (v2 + v1) & _MASK
        v1 = _rotate(v1, 13) ^ v2
        v2 = _rotate(v2, 16)
    return v0, v1, v2, v3


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _MASK
