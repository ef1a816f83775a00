"""The affinity cookie: which instance a client's next requests go to, with a tag against forgery.

epoch(2) | site(14) | instance(16) | tag(32). Routers seal and verify it; hosts only echo it. This is the
reference that controller tools and tests compute with.

The tag is HalfSipHash-2-4 with 32 bits of output: SipHash (Aumasson and Bernstein, 2012) on 32-bit words, as
in the authors' reference code `halfsiphash.c`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

NO_COOKIE = 0
_MASK = 0xFFFFFFFF
_COMPRESSION_ROUNDS = 2
_FINAL_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class CookieKey:
    """One epoch's key: two 32-bit words, the halves of the 8-byte key read in little-endian order."""

    k0: int
    k1: int

    @classmethod
    def from_bytes(cls, key: bytes) -> CookieKey:
        """Split an 8-byte key.

        Raises:
            ValueError: not 8 bytes.
        """
        if len(key) != 8:
            raise ValueError(f"a cookie key has 8 bytes, not {len(key)}")
        return cls(int.from_bytes(key[:4], "little"), int.from_bytes(key[4:], "little"))


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie's parts.

    Attributes:
        epoch: which key sealed it, 0–3.
        site: 14 bits.
        instance: 16 bits, unique within the site.
        tag: 32 bits.
    """

    epoch: int
    site: int
    instance: int
    tag: int

    def to_int(self) -> int:
        """The 64-bit `affinity` field."""
        return _place(self.epoch, self.site, self.instance) << 32 | self.tag

    @classmethod
    def from_int(cls, affinity: int) -> Cookie:
        """Take an `affinity` field apart; says nothing about its tag."""
        return cls(affinity >> 62, affinity >> 48 & 0x3FFF, affinity >> 32 & 0xFFFF, affinity & _MASK)


def seal(key: CookieKey, *, epoch: int, site: int, instance: int, func_id: int, tenant: int) -> int:
    """The `affinity` field that binds a tenant's requests for a function to an instance.

    Raises:
        ValueError: a part does not fit its bits.
    """
    for name, value, bits in (
        ("epoch", epoch, 2),
        ("site", site, 14),
        ("instance", instance, 16),
        ("func_id", func_id, 64),
        ("tenant", tenant, 16),
    ):
        if value < 0 or value >> bits:
            raise ValueError(f"cookie: {name} {value} does not fit {bits} bits")
    place = _place(epoch, site, instance)
    return place << 32 | _tag(key, place, func_id, tenant)


def verify(key: CookieKey, affinity: int, *, func_id: int, tenant: int) -> bool:
    """Whether `key` sealed this cookie for this function and tenant."""
    expected = _tag(key, affinity >> 32, func_id, tenant)
    return hmac.compare_digest(expected.to_bytes(4), (affinity & _MASK).to_bytes(4))


def halfsiphash(key: CookieKey, message: bytes) -> int:
    """HalfSipHash-2-4 with 32-bit output; the reference code writes this number in little-endian order."""
    v0, v1, v2, v3 = key.k0, key.k1, 0x6C796765 ^ key.k0, 0x74656462 ^ key.k1
    whole = len(message) - len(message) % 4
    words = [int.from_bytes(message[i : i + 4], "little") for i in range(0, whole, 4)]
    last = (len(message) & 0xFF) << 24 | int.from_bytes(message[whole:], "little")
    for word in (*words, last):
        v3 ^= word
        for _ in range(_COMPRESSION_ROUNDS):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= 0xFF
    for _ in range(_FINAL_ROUNDS):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v1 ^ v3


def _tag(key: CookieKey, place: int, func_id: int, tenant: int) -> int:
    words = b"".join(word.to_bytes(4, "little") for word in (place, func_id >> 32, func_id & _MASK))
    return halfsiphash(key, words + tenant.to_bytes(2, "little"))


def _place(epoch: int, site: int, instance: int) -> int:
    return epoch << 30 | site << 16 | instance


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _MASK


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
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
