"""Constants of CRC-32 (IEEE 802.3), the polynomial reflected: bit 0 is the coefficient of x^31."""

from __future__ import annotations

POLYNOMIAL = 0xEDB88320
WORD = 64


def carries(count: int) -> list[tuple[int, int]]:
    """What the two halves of each of `count` words are multiplied with, to be added to the last word.

    A word that is n words before the last is worth x^(64 n) times as much, its first half x^32 more. The
    product of two reflected polynomials comes out one place too low, hence the exponent is one less. For the
    last word, which stays as it is, both are 0.
    """
    distances = range(WORD * (count - 1), 0, -WORD)
    return [*((_power(distance + 31), _power(distance - 1)) for distance in distances), (0, 0)]


def _power(exponent: int) -> int:
    """x^exponent modulo the polynomial."""
    value = 1 << 31
    for _ in range(exponent):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value
