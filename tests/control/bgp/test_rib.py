"""What peers may tell of sites, and which telling counts; with a virtual clock.

One case: pytest tests/control/bgp/test_rib.py -k newest
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

import pytest

from control.bgp.rib import Rib
from control.domain import Peer
from tests.control.bgp.domains import (
    DOMAINS,
    EAST_ASN,
    FAR_AT,
    NEAR_AT,
    WEST,
    WEST_ASN,
    pool,
    two_domains,
    value,
)
from tests.control.example import DETECT, RENDER, Clock

TRANSIT_ASN = 65009
TRANSIT = IPv4Address("127.0.1.9")
FROM_WEST = Peer(address=WEST, asn=WEST_ASN)
BY_TRANSIT = Peer(address=TRANSIT, asn=TRANSIT_ASN, domains=("west",))
HOLD_S = 5.0


def rib(clock: Clock | None = None, text: str = DOMAINS) -> Rib:
    return Rib(two_domains(text), "east", clock or Clock(), HOLD_S)


def load(one: Rib, func_id: int = DETECT) -> int | None:
    advert = one.site("far")
    found = [each.load for each in advert.instances.values() if func_id in each.functions] if advert else []
    return found[0] if found else None


def test_a_site_of_a_peers_domain_is_known() -> None:
    one = rib()
    outcome = one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(pool(load=9), sequence=4))
    assert outcome == ({"far"}, None)
    advert = one.site("far")
    assert advert is not None
    (instance,) = advert.instances.values()
    assert (advert.way, advert.sequence, advert.functions) == ("bgp", 4, {DETECT})
    assert (instance.ipv4, instance.load, instance.capacity_rps) == (FAR_AT, 9, 100.0)
    assert one.withdraw(FROM_WEST, FAR_AT) == {"far"}
    assert one.site("far") is None


REFUSED: list[tuple[Peer, IPv4Address, Sequence[int], bytes, str]] = [
    (FROM_WEST, NEAR_AT, [WEST_ASN], value(site=1), "'near' is a site of this domain"),
    (FROM_WEST, NEAR_AT, [WEST_ASN], value(site=2), "10.253.0.1 is not an address of 'far'"),
    (FROM_WEST, FAR_AT, [WEST_ASN], value(site=77), "there is no site 77"),
    (FROM_WEST, IPv4Address("10.254.1.1"), [WEST_ASN], value(), "10.254.1.1 is not an address of 'far'"),
    (FROM_WEST, FAR_AT, [WEST_ASN, 65003], value(), "'far' is of AS 65002, not of 65003"),
    (
        FROM_WEST,
        FAR_AT,
        [65003, WEST_ASN],
        value(),
        "AS path 65003 65002: does not begin with the peer's 65002",
    ),
    (FROM_WEST, FAR_AT, [], value(), "AS path (empty): does not begin with the peer's 65002"),
    (
        FROM_WEST,
        FAR_AT,
        [WEST_ASN],
        value()[:-1],
        "malformed attribute: octet 43: 35 octets are told of, 34 are there",
    ),
    (
        Peer(address=TRANSIT, asn=TRANSIT_ASN, domains=()),
        FAR_AT,
        [TRANSIT_ASN, WEST_ASN],
        value(),
        "'far' is of 'west', of which this peer may not tell",
    ),
]


@pytest.mark.parametrize(("peer", "prefix", "as_path", "octets", "why"), REFUSED)
def test_what_a_peer_may_not_say_is_refused(
    peer: Peer, prefix: IPv4Address, as_path: Sequence[int], octets: bytes, why: str
) -> None:
    one = rib()
    assert one.announce(peer, prefix, as_path, octets) == (set(), why)
    assert one.site("far") is None


def test_what_is_refused_counts_as_withdrawn() -> None:
    one = rib()
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value())
    outcome = one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value()[:-1])
    assert outcome.sites == {"far"}
    assert outcome.refused
    assert one.site("far") is None


def test_our_own_that_comes_round_and_what_others_develop_is_no_business_of_ours() -> None:
    one = rib()
    loop = [WEST_ASN, EAST_ASN]
    assert one.announce(FROM_WEST, NEAR_AT, loop, value(site=1)) == (set(), None)
    assert one.announce(FROM_WEST, FAR_AT, [WEST_ASN], b"something else") == (set(), None)
    assert one.site("far") is None


def test_a_domain_of_the_same_system_tells_through_a_reflector() -> None:
    text = DOMAINS.replace("asn: 65002", "asn: 65001")
    reflector = Peer(address=TRANSIT, asn=EAST_ASN)
    one = rib(text=text)
    assert one.announce(reflector, FAR_AT, [], value()) == ({"far"}, None)
    assert one.announce(reflector, NEAR_AT, [], value(site=1)) == (set(), None)


def test_of_several_tellings_the_newest_counts() -> None:
    one = rib()
    by_transit = [TRANSIT_ASN, WEST_ASN]
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(pool(load=1), sequence=5))
    one.announce(BY_TRANSIT, FAR_AT, by_transit, value(pool(load=2), sequence=6))
    assert load(one) == 2
    # Older than what is known: void, whoever repeats it.
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(pool(load=1), sequence=5))
    assert load(one) == 2
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(pool(load=2), sequence=6))
    one.withdraw(BY_TRANSIT, FAR_AT)
    assert load(one) == 2
    one.announce(BY_TRANSIT, FAR_AT, by_transit, value(pool(load=3), sequence=1, incarnation=2))
    assert load(one) == 3


def test_routes_of_a_site_add_up() -> None:
    one = rib()
    second = IPv4Address("10.254.2.7")
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(pool(load=1), sequence=9))
    one.announce(FROM_WEST, second, [WEST_ASN], value(pool(RENDER, load=2), part=1, sequence=3))
    advert = one.site("far")
    assert advert is not None
    assert (advert.functions, advert.sequence) == ({DETECT, RENDER}, 9)
    # An agent that was started anew tells all anew: what it said before says nothing any more.
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(pool(load=1), incarnation=2))
    assert (load(one), load(one, RENDER)) == (1, None)
    one.withdraw(FROM_WEST, FAR_AT)
    assert (load(one), load(one, RENDER)) == (None, 2)


def test_a_route_expires_from_when_it_was_first_heard() -> None:
    clock = Clock()
    one = rib(clock)
    start = clock.now
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(ttl_ms=30_000))
    clock.now += 20
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(ttl_ms=30_000))
    assert one.next_expiry == start + 30
    assert one.expire() == set()
    clock.now = start + 30
    assert one.expire() == {"far"}
    # A reflector that has it still does not bring it to life again.
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(ttl_ms=30_000))
    assert one.site("far") is None
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(sequence=2))
    assert one.site("far") is not None


def test_an_agent_whose_clock_was_set_back_is_heard_in_the_end() -> None:
    clock = Clock()
    one = rib(clock)
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(incarnation=9))
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(incarnation=8))
    assert one.site("far") is None
    clock.now += 30 + 600
    one.expire()
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value(incarnation=8))
    assert one.site("far") is not None


def test_what_a_lost_peer_told_is_held_for_a_while() -> None:
    clock = Clock()
    one = rib(clock)
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value())
    one.lost(FROM_WEST)
    assert one.next_expiry == clock.now + HOLD_S
    clock.now += 4
    assert one.site("far") is not None
    # It comes back and tells the same: as before.
    one.announce(FROM_WEST, FAR_AT, [WEST_ASN], value())
    assert one.next_expiry == clock.now - 4 + 30
    one.lost(FROM_WEST)
    clock.now += HOLD_S
    assert one.expire() == {"far"}
    assert one.site("far") is None
