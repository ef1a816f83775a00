"""Constants of CRC-32 (IEEE 802.3), the polynomial reflected: bit 0 is the coefficient of x^31."""

from __future__ import annotations

POLYNOMIAL = 0xEDB88320
WORD = 64


def carries(count: int) -> list[int]:
    """Factors: of each of `count` words but the last, to be added to it; at last, of what is above it then.

    A word that is n words before the last is worth x^(64 n) times as much. The product of two reflected
    polynomials comes out one place too low, hence the exponent is one less. A factor fills the upper half of
    64 bits, so a product has the upper 96 of 128: 32 of them above the last word, worth x^64.
    """
    distances = range(WORD * (count - 1), 0, -WORD)
    return [_power(distance - 1) << WORD // 2 for distance in (*distances, WORD)]


def _power(exponent: int) -> int:
    """x^exponent modulo the polynomial."""
    value = 1 << 31
    for _ in range(exponent):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value
