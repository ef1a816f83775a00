"""The path attribute: what is written is read, what is wrong is told, and nothing crashes the reader.

One case: pytest tests/control/bgp/test_attribute.py -k malformed
"""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.bgp.aggregate import Pool
from control.bgp.attribute import (
    MAGIC,
    MAX_TTL_MS,
    MAX_VALUE,
    ROOM,
    Malformed,
    NotOurs,
    SiteRoute,
    decode,
    encode,
    size,
)
from tests.control.bgp.domains import pool, route, value

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
AMOUNTS = st.just(0.0) | st.floats(2**-19, 2**39, width=32)
POOLS = st.builds(
    Pool,
    functions=st.sets(U64, min_size=1, max_size=5).map(lambda ids: tuple(sorted(ids))),
    instances=st.integers(1, 2**16 - 1),
    families=st.sampled_from([{4}, {6}, {4, 6}]).map(frozenset),
    draining=st.booleans(),
    load=U8,
    queue=U32,
    service_ms=AMOUNTS,
    arrival_rps=AMOUNTS,
    capacity_rps=AMOUNTS,
    completed_rps=AMOUNTS,
    norm_fi=st.none() | st.integers(0, 10),
)


def _all_differ(pools: tuple[Pool, ...]) -> bool:
    functions = [func_id for one in pools for func_id in one.functions]
    return len(set(functions)) == len(functions)


ROUTES = st.builds(
    SiteRoute,
    site=U16,
    part=U16,
    incarnation=U64,
    sequence=U64,
    ttl_ms=st.integers(1, MAX_TTL_MS),
    window_ms=st.integers(1, 2**32 - 1),
    cpu_utilisation=AMOUNTS,
    cpu_capacity=AMOUNTS,
    pools=st.lists(POOLS, max_size=5).map(tuple).filter(_all_differ),
)


@given(ROUTES)
def test_what_is_written_is_read(one: SiteRoute) -> None:
    assert decode(encode(one)) == one


def test_the_layout_is_as_documented() -> None:
    one = pool(
        0x0102030405060708, 0x0102030405060709, load=9, queue=4, norm_fi=10, draining=True, completed_rps=0.5
    )
    assert value(one, sequence=7) == bytes.fromhex(
        "43464e01"  # "CFN", version
        "01 0024  0002 0000  0000000000000001 0000000000000007  00007530 000003e8  3f000000 40000000"
        "02 002b  05 09 0a 0001 00000004  41200000 41a00000 42c80000 3f000000"
        "0002  0102030405060708 0102030405060709"
    )


def test_a_full_route_fits_into_a_message() -> None:
    count = (ROOM - size(1, 0)) // size(0, 1)
    assert count >= 400
    assert len(encode(route(pool(*range(count))))) <= MAX_VALUE
    with pytest.raises(ValueError, match=f"more than {MAX_VALUE}"):
        encode(route(pool(*range(count + 1))))
    alone = ROOM // size(1, 1)
    assert alone >= 90
    assert len(encode(route(*map(pool, range(alone))))) <= MAX_VALUE


def test_what_is_out_of_bounds_is_told_as_near_as_possible() -> None:
    one = pool(service_ms=1e-9, capacity_rps=1e15, queue=2**40)
    (read,) = decode(value(one)).pools
    assert (read.queue, read.service_ms, read.capacity_rps) == (
        2**32 - 1,
        pytest.approx(1e-6),
        pytest.approx(1e12),
    )


def tlv(kind: int, body: bytes) -> bytes:
    return struct.pack(">BH", kind, len(body)) + body


GOOD = value()
SITE, POOL = GOOD[4:43], GOOD[43:]


def changed(part: bytes, at: int, to: bytes) -> bytes:
    return part[:at] + to + part[at + len(to) :]


def disordered(part: bytes) -> bytes:
    """The same function twice."""
    return tlv(2, changed(part[3:], 25, b"\0\2") + part[-8:])


NAN = struct.pack(">f", float("nan"))
MALFORMED = [
    (MAGIC, "the site is not told of"),
    (MAGIC + POOL, "the site is not told of"),
    (MAGIC + SITE + SITE, "octet 43: the site is told of twice"),
    (MAGIC + SITE + POOL + POOL, "a function is told of twice"),
    (GOOD[:-1], "octet 43: 35 octets are told of, 34 are there"),
    (GOOD + b"\x02\x00", "octet 81: ends within a type or length"),
    (MAGIC + tlv(1, SITE[3:-1]), "octet 4: has 35 octets instead of 36"),
    (MAGIC + SITE + tlv(2, POOL[3:29]), "octet 43: has 26 octets instead of 27"),
    (MAGIC + SITE + tlv(2, POOL[3:-1]), "octet 43: 1 functions are told of, there is no room for them"),
    (MAGIC + SITE + changed(POOL, 3 + 25, b"\0\0"), "octet 43: no function"),
    (MAGIC + SITE + disordered(POOL), "octet 43: the functions are not in their order"),
    (MAGIC + changed(SITE, 3 + 20, bytes(4)), f"ttl_ms: 0 is not in 1..{MAX_TTL_MS}"),
    (MAGIC + changed(SITE, 3 + 20, b"\xff" * 4), f"ttl_ms: {2**32 - 1} is not in 1..{MAX_TTL_MS}"),
    (MAGIC + changed(SITE, 3 + 24, bytes(4)), "window_ms: is 0"),
    (MAGIC + changed(SITE, 3 + 28, NAN), "cpu_utilisation: nan is no amount"),
    (MAGIC + SITE + changed(POOL, 3, b"\0"), "octet 43: no family of addresses"),
    (MAGIC + SITE + changed(POOL, 3 + 2, b"\x0b"), "octet 43: norm_fi 11 is above 10"),
    (MAGIC + SITE + changed(POOL, 3 + 3, b"\0\0"), "octet 43: no instance"),
    (MAGIC + SITE + changed(POOL, 3 + 13, NAN), "octet 43: arrivals: nan is no amount"),
    (
        MAGIC + SITE + changed(POOL, 3 + 17, struct.pack(">f", -1)),
        "octet 43: capacity: -1.0 is no amount",
    ),
]


@pytest.mark.parametrize(("wrong", "why"), MALFORMED)
def test_what_is_malformed_is_told(wrong: bytes, why: str) -> None:
    with pytest.raises(Malformed) as told:
        decode(wrong)
    assert str(told.value) == why


def test_what_is_not_known_is_passed_over() -> None:
    assert decode(MAGIC + tlv(99, b"later") + SITE + POOL) == decode(GOOD)
    longer = tlv(1, SITE[3:] + b"more") + tlv(2, POOL[3:] + b"more")
    assert decode(MAGIC + longer) == decode(GOOD)


def test_what_somebody_else_develops_is_not_ours() -> None:
    for other in (b"", b"CFN", b"CFN\x02" + GOOD[4:], b"\0" * 40):
        with pytest.raises(NotOurs):
            decode(other)


@given(st.binary(max_size=200))
def test_no_octets_crash_the_reader(octets: bytes) -> None:
    try:
        read = decode(MAGIC + octets)
    except Malformed:
        return
    assert decode(encode(read)) == read


@given(ROUTES, st.data())
def test_no_damage_crashes_the_reader(one: SiteRoute, data: st.DataObject) -> None:
    whole = bytearray(encode(one))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(U8)
    try:
        read = decode(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except (Malformed, NotOurs):
        return
    assert decode(encode(read)) == read
