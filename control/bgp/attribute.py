"""The path attribute in which a route carries what a site can do: encoding and strict decoding.

An optional transitive attribute, so that speakers that know nothing of it pass it on (RFC 4271, section 5).
Its type code is 255, which is reserved for development (RFC 2042); the first four octets say whose
development it is. What follows are type (1 octet), length (2) and value, the shape of the sub-TLVs of
draft-ietf-idr-5g-edge-service-metadata. A type that is not known is passed over, and so are octets behind the
known ones of a value, so that both can grow. `docs/adverts.md` has the layout.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cfn.metrics.score import BEST
from control.bgp.aggregate import FAMILY_BITS, Pool

MAGIC = b"CFN\x01"
MAX_VALUE = 3500
"""Octets of an attribute's value. A message has 4,096 (RFC 4271, section 4.1): what is left is for the other
attributes, which grow on the way. RFC 8654 allows for more, but not every speaker on the way does."""

MAX_TTL_MS = 600_000
_SITE, _POOL = 1, 2
_TLV = struct.Struct(">BH")
_SITE_FIELDS = struct.Struct(">HHQQIIff")
_POOL_FIELDS = struct.Struct(">BBBHIffffH")
_FUNC_ID = 8
_NOT_TOLD = 255
_DRAINING = 4
_U32 = 2**32 - 1
ROOM = MAX_VALUE - len(MAGIC) - _TLV.size - _SITE_FIELDS.size
"""Octets that one route has for pools."""


def size(pools: int, functions: int) -> int:
    """Octets that so many pools take, of so many functions together."""
    return pools * (_TLV.size + _POOL_FIELDS.size) + functions * _FUNC_ID


def _single(value: float) -> float:
    return struct.unpack(">f", struct.pack(">f", value))[0]


_LEAST, _MOST = _single(1e-6), _single(1e12)
"""Bounds of times, rates and cores other than 0, as in adverts to a controller (`control.advert_check`)."""


class Malformed(ValueError):  # noqa: N818 - says what the attribute is
    """The attribute can't be read; its route counts as withdrawn (RFC 7606, section 2). The text says why."""


class NotOurs(ValueError):  # noqa: N818 - says what the attribute is
    """The attribute is of somebody else's development."""


@dataclass(frozen=True, slots=True)
class SiteRoute:
    """What one route tells of a site.

    Attributes:
        site: the site's id.
        part: number of the route among those of the site, from 0.
        incarnation: of the site's agent, as in its adverts.
        sequence: of the advert that this was made from.
        ttl_ms: how long it is valid after it was first received.
        window_ms: span over which rates and times were measured.
        cpu_utilisation: share of the site's CPU in use, 0-1.
        cpu_capacity: cores.
        pools: those that this route tells of, which may be parts of pools.
    """

    site: int
    part: int
    incarnation: int
    sequence: int
    ttl_ms: int
    window_ms: int
    cpu_utilisation: float
    cpu_capacity: float
    pools: tuple[Pool, ...]


def encode(route: SiteRoute) -> bytes:
    """The attribute's value.

    Raises:
        ValueError: too long, or a number that does not fit.
    """
    site = _SITE_FIELDS.pack(
        route.site,
        route.part,
        route.incarnation,
        route.sequence,
        route.ttl_ms,
        route.window_ms,
        _amount(route.cpu_utilisation),
        _amount(route.cpu_capacity),
    )
    tlvs = [(_SITE, site), *((_POOL, _packed(one)) for one in route.pools)]
    value = MAGIC + b"".join(_TLV.pack(kind, len(body)) + body for kind, body in tlvs)
    if len(value) > MAX_VALUE:
        raise ValueError(f"{len(value)} octets are more than {MAX_VALUE}")
    return value


def decode(value: bytes) -> SiteRoute:
    """Read the attribute's value.

    Raises:
        NotOurs: it does not begin as ours.
        Malformed: it does, and is wrong.
    """
    if value[: len(MAGIC)] != MAGIC:
        raise NotOurs("does not begin with the mark of this attribute")
    site: tuple[Any, ...] | None = None
    pools: list[Pool] = []
    for at, kind, body in _tlvs(value):
        where = f"octet {at}"
        if kind == _SITE:
            if site is not None:
                raise Malformed(f"{where}: the site is told of twice")
            site = _unpacked(where, _SITE_FIELDS, body)
        elif kind == _POOL:
            pools.append(_pool(where, body))
    if site is None:
        raise Malformed("the site is not told of")
    site_id, part, incarnation, sequence, ttl_ms, window_ms, used, cores = site
    if not 0 < ttl_ms <= MAX_TTL_MS:
        raise Malformed(f"ttl_ms: {ttl_ms} is not in 1..{MAX_TTL_MS}")
    if window_ms == 0:
        raise Malformed("window_ms: is 0")
    functions = [func_id for pool in pools for func_id in pool.functions]
    if len(set(functions)) < len(functions):
        raise Malformed("a function is told of twice")
    _check_amount("cpu_utilisation", used)
    _check_amount("cpu_capacity", cores)
    return SiteRoute(site_id, part, incarnation, sequence, ttl_ms, window_ms, used, cores, tuple(pools))


def _tlvs(value: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = len(MAGIC)
    while at < len(value):
        if at + _TLV.size > len(value):
            raise Malformed(f"octet {at}: ends within a type or length")
        kind, length = _TLV.unpack_from(value, at)
        body = value[at + _TLV.size : at + _TLV.size + length]
        if len(body) < length:
            raise Malformed(f"octet {at}: {length} octets are told of, {len(body)} are there")
        yield at, kind, body
        at += _TLV.size + length


def _unpacked(where: str, fields: struct.Struct, body: bytes) -> tuple[Any, ...]:
    if len(body) < fields.size:
        raise Malformed(f"{where}: has {len(body)} octets instead of {fields.size}")
    return fields.unpack_from(body)


def _packed(one: Pool) -> bytes:
    flags = sum(bit for family, bit in FAMILY_BITS.items() if family in one.families)
    fields = _POOL_FIELDS.pack(
        flags | (_DRAINING if one.draining else 0),
        one.load,
        _NOT_TOLD if one.norm_fi is None else one.norm_fi,
        one.instances,
        min(one.queue, _U32),
        _amount(one.service_ms),
        _amount(one.arrival_rps),
        _amount(one.capacity_rps),
        _amount(one.completed_rps),
        len(one.functions),
    )
    return fields + b"".join(func_id.to_bytes(_FUNC_ID) for func_id in one.functions)


def _pool(where: str, body: bytes) -> Pool:
    flags, load, norm_fi, instances, queue, *amounts, count = _unpacked(where, _POOL_FIELDS, body)
    service_ms, arrival_rps, capacity_rps, completed_rps = amounts
    families = frozenset(family for family, bit in FAMILY_BITS.items() if flags & bit)
    if not families:
        raise Malformed(f"{where}: no family of addresses")
    if not instances:
        raise Malformed(f"{where}: no instance")
    if norm_fi > BEST and norm_fi != _NOT_TOLD:
        raise Malformed(f"{where}: norm_fi {norm_fi} is above {BEST}")
    for name, value in zip(("service", "arrivals", "capacity", "completed"), amounts, strict=True):
        _check_amount(f"{where}: {name}", value)
    return Pool(
        functions=_functions(where, count, body),
        instances=instances,
        families=families,
        draining=bool(flags & _DRAINING),
        load=load,
        queue=queue,
        service_ms=service_ms,
        arrival_rps=arrival_rps,
        capacity_rps=capacity_rps,
        completed_rps=completed_rps,
        norm_fi=None if norm_fi == _NOT_TOLD else norm_fi,
    )


def _functions(where: str, count: int, body: bytes) -> tuple[int, ...]:
    if not count:
        raise Malformed(f"{where}: no function")
    if len(body) < _POOL_FIELDS.size + count * _FUNC_ID:
        raise Malformed(f"{where}: {count} functions are told of, there is no room for them")
    functions = struct.unpack_from(f">{count}Q", body, _POOL_FIELDS.size)
    if any(later <= earlier for earlier, later in pairwise(functions)):
        raise Malformed(f"{where}: the functions are not in their order")
    return functions


def _amount(value: float) -> float:
    return min(max(value, _LEAST), _MOST) if value > 0 else 0.0


def _check_amount(where: str, value: float) -> None:
    if not math.isfinite(value) or not (value == 0 or _LEAST <= value <= _MOST):
        raise Malformed(f"{where}: {value} is no amount")
