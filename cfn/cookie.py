"""The affinity cookie: which instance a client's next requests go to, with a tag against forgery.

epoch(2) | site(14) | instance(16) | tag(32). Routers seal and verify it; hosts only echo it. This is the
reference that controller tools and tests compute with.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cfn.halfsiphash import HalfSipHashKey, halfsiphash32

NO_COOKIE = 0
_MASK = 0xFFFFFFFF


class CookieKey(HalfSipHashKey):
    """One epoch's key."""

    __slots__ = ()


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


def _tag(key: CookieKey, place: int, func_id: int, tenant: int) -> int:
    words = b"".join(word.to_bytes(4, "little") for word in (place, func_id >> 32, func_id & _MASK))
    return halfsiphash32(key, words + tenant.to_bytes(2, "little"))


def _place(epoch: int, site: int, instance: int) -> int:
    return epoch << 30 | site << 16 | instance
