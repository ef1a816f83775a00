"""Domains in the catalogue: what is wrong is told; and a controller of one drives its own routers alone."""

from __future__ import annotations

import json

import finsy as fy
import pytest

import p4src
from cfn import yamlfile
from cfn.cookie import CookieKey
from control import keys
from control.adoption import Adopted
from control.bgp.aggregate import summed
from control.catalogue import Catalogue
from control.controller import Controller, Options
from control.events import EventLog
from control.model import Member, SiteAdvert
from control.program import Program
from control.refused import Refused
from control.status import Status
from tests.control.bgp.domains import DOMAINS, two_domains
from tests.control.example import CATALOGUE, FAR, NEAR, Clock, advert, instance, message

WRONG = [
    ("routers: [r2]", "routers: [r9]", "domains.west.routers[0]: there is no router 'r9'"),
    ("routers: [r2]", "routers: [r9]", "routers.r2: is of no domain"),
    ("routers: [r2]", "routers: [r1, r2]", "domains.west.routers[0]: 'r1' is already a router of 'east'"),
    ("seal: 0", "seal: 1", "cookies.seal: there is no key of epoch 1"),
    ('cookies: {keys: {0: "0011223344556677"}, seal: 0}', "", "cookies: is needed"),
    (
        "address: 127.0.1.1, port: 1790, peers",
        'address: "::1", port: 1790, peers',
        "domains.east.bgp.router_id",
    ),
    (
        "address: 127.0.1.1, port: 1790, peers",
        'address: "::1", port: 1790, peers',
        "domains.east.more_routes",
    ),
    (
        "{address: 127.0.1.2, asn",
        '{address: "::2", asn',
        "domains.east.bgp.peers[0].address: is not of the family",
    ),
    ("127.0.1.2, asn: 65002", "127.0.1.2, asn: 65009", "there is no other domain in AS 65009"),
    ("127.0.1.2, asn: 65002", "127.0.1.2, domains: [mars], asn: 1", "domains[0]: there is no domain 'mars'"),
    (
        "127.0.1.2, asn: 65002",
        "127.0.1.2, domains: [east], asn: 1",
        "nobody else tells of a domain's own sites",
    ),
    ("127.0.1.2, asn: 65002", "127.0.1.2, asn: 65001, domains: [west], hops: 1", "hops: TTL security is for"),
    ("127.0.1.2, asn: 65002", "127.0.1.2, asn: 65002, password: 'a b'", "must be 1 to 80 letters, digits"),
    (
        "127.0.1.2, asn: 65002",
        "127.0.1.2, asn: 65002, hops: 255",
        "domains.east.bgp.peers[0].hops: must be ≤ 254",
    ),
    (
        "port: 1790, peers: [{address: 127.0.1.2",
        "timer_s: 0.5, peers: [{address: 127.0.1.2",
        "is more than timer_s",
    ),
    ("asn: 65001\n", "asn: 0\n", "domains.east.asn: must be ≥ 1"),
]


@pytest.mark.parametrize(("old", "new", "told"), WRONG)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, told: str) -> None:
    text = CATALOGUE + DOMAINS
    assert old in text
    with pytest.raises(yamlfile.FileError) as caught:
        yamlfile.parse(text.replace(old, new, 1), Catalogue)
    assert told in str(caught.value)


def test_secrets_are_not_shown() -> None:
    text = DOMAINS.replace("asn: 65002, port", "asn: 65002, password: psst-psst, port")
    shown = repr(two_domains(text))
    assert "psst" not in shown
    assert "0011223344556677" not in shown


def test_cookies_are_sealed_with_the_keys_of_the_catalogue() -> None:
    cookies = two_domains().cookies
    assert cookies is not None
    key = CookieKey.from_bytes(bytes.fromhex("0011223344556677"))
    assert keys.declared(cookies) == keys.KeyRing({0: key}, 0)


def east(clock: Clock) -> Program:
    program = Program(two_domains(), fy.P4Schema(p4src.P4INFO), clock, 10.0, EventLog(), routers=["r1"])
    program.start({"r1": Adopted()})
    return program


def test_a_program_is_of_its_domains_routers_and_of_other_sites_as_a_whole() -> None:
    program = east(Clock())
    program.take(advert("near", 1, instance(NEAR)))
    program.take(advert("far", 1, instance(FAR)))
    assert program.tables.keys() == {"r1"}
    assert {place.router for place in program.steering.decisions} == {"r1"}
    assert program.routers["r1"].placements.keys() == {Member(1), Member(1, 1), Member(2)}
    assert all(key.is_site for key in program.store.instances() if key.site == 2)


def weight_of_far(program: Program) -> float:
    return max(
        (one.weights.get(Member(2), 0) for place, one in program.steering.decisions.items()), default=0
    )


def test_of_two_tellings_the_newer_counts_and_of_equal_ones_the_direct_one() -> None:
    clock = Clock()
    program = east(clock)

    def over_bgp(sequence: int) -> SiteAdvert:
        site = program.catalogue.sites["far"]
        told = advert("far", sequence, instance(FAR), ttl_s=30.0, way="bgp")
        return summed(told, site)

    def told() -> tuple[str, int]:
        held = program.store.get("far")
        assert held is not None
        return held.advert.way, held.advert.sequence

    program.take(advert("far", 5, instance(FAR), ttl_s=3.0, inputs=[b"i" * 16]))
    program.take(over_bgp(4))
    assert told() == ("grpc", 5)
    program.take(over_bgp(5))
    assert told() == ("grpc", 5)
    program.take(over_bgp(6))
    assert told() == ("bgp", 6)
    with pytest.raises(Refused):
        program.take(advert("far", 5, instance(FAR)))
    # Each expires for itself, and the other goes on.
    clock.now += 3
    program.expire()
    assert told() == ("bgp", 6)
    assert weight_of_far(program)
    program.take(advert("far", 7, instance(FAR)))
    program.withdraw("far", "bgp")
    assert told() == ("grpc", 7)
    clock.now += 5
    program.expire()
    assert program.store.get("far") is None
    assert not weight_of_far(program)


def controller(adverts: str) -> Controller:
    return Controller(two_domains(), EventLog(), Options(domain="east", adverts=adverts))  # type: ignore[arg-type]


def test_with_bgp_alone_sites_of_other_domains_are_not_heard_directly() -> None:
    far = message("far", 1, [instance(FAR)])
    with pytest.raises(Refused, match="the site is of another domain, which tells of it over BGP"):
        controller("bgp").take(far, "far-token")
    for adverts in ("hybrid", "grpc"):
        one = controller(adverts)
        one.take(far, "far-token")
        assert one.program.store.get("far") is not None


async def test_the_status_tells_of_peers_and_of_the_own_routers() -> None:
    one = controller("bgp")
    tree = json.loads(json.dumps(await Status(one).tree()))
    assert tree["routers"].keys() == {"r1"}
    assert tree["bgp"] == [{"address": "127.0.1.2", "asn": 65002, "up": False, "since": None, "routes": 0}]
    with pytest.raises(RuntimeError, match="the catalogue declares the keys"):
        await one.rotate_keys()
