"""Pinned paths: which requests take which routers along, what routers are told, what policies make of it.

One case: pytest tests/control/test_paths.py -k earlier
"""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from control import catalogue_check
from control.network import Network
from control.paths import Paths, added_bytes
from control.services import ServiceIndex
from control.sites import Sites
from tests.control.example import DETECT, FAR, NEAR, RENDER, advert, catalogue, instance
from tests.control.test_program import SCHEMA, rows, shares, started

# r1 has the clients and the near site, r2 the far one; r3 and r4 are a way around, r3 first.
TEXT = """\
anycast: {ipv4: 10.255.0.1, ipv6: "fd00:cf::1"}
gateway: {ipv4: 169.254.1.1, ipv6: "fe80::1"}
routers:
  r1: {device_id: 1, address: "127.0.0.1:1", mac: "02:00:00:00:01:00", ipv6: "fd00::1", sid: "fd00:5e::1"}
  r2: {device_id: 2, address: "127.0.0.1:2", mac: "02:00:00:00:02:00", ipv6: "fd00::2", sid: "fd00:5e::2"}
  r3: {device_id: 3, address: "127.0.0.1:3", mac: "02:00:00:00:03:00", sid: "fd00:5e::3"}
  r4: {device_id: 4, address: "127.0.0.1:4", mac: "02:00:00:00:04:00", sid: "fd00:5e::4"}
links:
  - {a: {router: r1, port: 1}, b: {router: r2, port: 1}, delay_ms: 5, cost: 1}
  - {a: {router: r1, port: 2}, b: {router: r3, port: 1}, delay_ms: 10, cost: 2, mtu: 1600}
  - {a: {router: r3, port: 2}, b: {router: r4, port: 1}, delay_ms: 10, cost: 2, mtu: 1540}
  - {a: {router: r4, port: 2}, b: {router: r2, port: 2}, delay_ms: 10, cost: 2, mtu: 1600}
hosts:
  client: {router: r1, port: 3, mac: "02:01:00:00:00:01", ipv4: [10.1.0.1], ipv6: ["fd00:1::1"]}
  near: {router: r1, port: 4, mac: "02:01:00:00:00:02", ipv4: [10.2.0.1], ipv6: ["fd00:2::1"]}
  far: {router: r2, port: 3, mac: "02:01:00:00:00:03", ipv4: [10.3.0.1], ipv6: ["fd00:3::1"], delay_ms: 1}
sites:
  near: {id: 1, ipv4: 10.253.0.1, ipv6: "fd00:fd::1", price: 2, token: "near-token", hosts: [near]}
  far: {id: 2, ipv4: 10.253.0.2, ipv6: "fd00:fd::2", price: 1, token: "far-token", hosts: [far]}
classes:
  quick: {id: 1, latency_ms: [1, 20], within_ms: 50}
services:
  - {name: vision/detect, id: 9, policy: nearest}
  - {name: video/*, id: 8, policy: nearest}
paths:
  around: {via: [r3, r4], services: [vision/detect], classes: [quick], sites: [far]}
  half: {via: [r4], services: [vision/detect]}
"""
PINNED = ("r3", "r4")


def paths(text: str = TEXT) -> Paths:
    declared = catalogue(text)
    return Paths(declared, ServiceIndex(declared), Sites(declared))


def test_service_class_and_site_say_which_path_and_the_earlier_wins() -> None:
    found = paths()
    assert found.via("r1", DETECT, 1, FAR.site) == PINNED
    assert found.via("r1", DETECT, 0, FAR.site) == ("r4",)
    assert found.via("r1", RENDER, 1, FAR.site) == ()
    assert found.via("r2", DETECT, 1, NEAR.site) == ("r4",)
    assert found.via("r1", DETECT, 1, NEAR.site) == ()


@pytest.mark.parametrize(
    ("via", "router", "segments"),
    [
        ("[r3, r4]", "r1", PINNED),
        ("[r3, r4]", "r3", ("r4",)),
        ("[r3, r4]", "r4", ()),
        ("[r3, r2]", "r1", ("r3", "r2")),
        ("[r3, r2, r4]", "r1", ("r3", "r2")),
        ("[r2]", "r1", ()),
        ("[r4, r3, r2]", "r3", ()),
    ],
)
def test_a_list_names_what_is_still_to_be_passed(via: str, router: str, segments: tuple[str, ...]) -> None:
    found = paths(TEXT.replace("[r3, r4]", via))
    assert found.segments(found.pinned[0], router, FAR.site) == segments


def test_routers_are_told_lists_segments_and_the_ways_to_them() -> None:
    program = started(text=TEXT)
    src = "src=0xfd000000000000000000000000000001"
    first, second = "0xfd00005e000000000000000000000003", "0xfd00005e000000000000000000000004"
    assert rows(program, "r1", "segment_list") == {
        f"site=0x2 service=0x9 class_id=0x1 → via_2({src}, mtu=0x604, segment_1={first}, segment_2={second})",
        f"site=0x2 service=0x9 → via_1({src}, mtu=0x5dc, segment={second})",
    }
    assert rows(program, "r4", "segment_list") == {
        "site=0x1 service=0x9 → direct()",
        "site=0x2 service=0x9 → direct()",
        "site=0x2 service=0x9 class_id=0x1 → direct()",
    }
    assert f"dst_addr={second} → segment()" in rows(program, "r4", "local_ipv6")
    ways = {
        f"dst_addr={sid} → 1*set_next_hop(next_hop={hop})" for sid, hop in ((first, "0x2"), (second, "0x1"))
    }
    assert ways <= rows(program, "r1", "ipv6_route")


def test_policies_go_by_the_pinned_path_there_and_the_shortest_back() -> None:
    program = started(text=TEXT)
    program.take(advert("far", 1, instance(FAR), instance(FAR._replace(instance=2), RENDER, like=FAR)))
    delays = {
        (place.steered.func_id, place.steered.class_id): [(c.delay_ms, c.cost) for c in decision.candidates]
        for place, decision in program.steering.decisions.items()
        if place.router == "r1" and place.steered.family == 4
    }
    assert delays[DETECT, 0] == [((15 + 10 + 1 + 5 + 1) / 2, 1 + 5)]  # to r4 by r2, and back again
    assert delays[DETECT, 1] == [((30 + 1 + 5 + 1) / 2, 1 + 6)]
    assert delays[RENDER, 0] == [(6, 1 + 1)]


def test_a_path_may_be_too_long_for_a_demand() -> None:
    # 2 · 18.5 ms on the way and 10 ms of service.
    program = started(text=TEXT.replace("within_ms: 50", "within_ms: 46"))
    program.take(advert("far", 1, instance(FAR), instance(FAR._replace(instance=2), RENDER, like=FAR)))
    assert shares(program, "r1", DETECT, 1) is None
    assert shares(program, "r1", RENDER, 1) == {"far": 1.0}


def test_what_a_list_adds_leaves_less_room() -> None:
    found, network = paths(), Network(catalogue(TEXT))
    assert found.room(found.pinned[0], network) == 1540 - added_bytes(2) == 1540 - 80
    alone = paths(TEXT.replace("[r3, r4]", "[r2]"))
    assert alone.room(alone.pinned[0], network) is None


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("[r3, r4]", "[r3, r9]", "paths.around.via[1]: there is no router 'r9'"),
        ("[r3, r4]", "[r3, r3]", "paths.around: passes a router twice"),
        ("[r3, r4]", "[]", "paths.around.via: "),
        ("[r3, r4]", "[r1, r2, r3, r4]", "paths.around.via: "),
        (
            "[vision/detect], classes",
            "[vision/see], classes",
            "paths.around.services[0]: there is no",
        ),
        ("[quick]", "[slow]", "paths.around.classes[0]: there is no class 'slow'"),
        ("[far]}", "[moon]}", "paths.around.sites[0]: there is no site 'moon'"),
        (', sid: "fd00:5e::4"', ', ipv6: "fd00::4"', "paths.around.via[1]: the router 'r4' has no sid"),
        (', ipv6: "fd00::1", sid: "fd00:5e::1"', "", "routers.r1: needs ipv6 or a sid, as paths go by SRv6"),
        ("fd00:5e::3", "fd00::2", "routers.r3.sid: address is already used by routers.r2.ipv6"),
        ("fd00:5e::3", "10.0.0.3", "routers.r3.sid: "),
        (
            "  - {a: {router: r3, port: 2}, b: {router: r4, port: 1}, delay_ms: 10, cost: 2, mtu: 1540}\n"
            "  - {a: {router: r4, port: 2}, b: {router: r2, port: 2}, delay_ms: 10, cost: 2, mtu: 1600}\n",
            "",
            "paths.around.via[1]: no links lead from 'r3' to it",
        ),
    ],
)
def test_what_is_wrong_with_a_path_is_told_with_its_place(old: str, new: str, error: str) -> None:
    assert old in TEXT
    with pytest.raises(Exception, match=re.escape(error)) as raised:
        catalogue(TEXT.replace(old, new))
    assert not isinstance(raised.value, ValidationError | AssertionError)


def test_more_lists_than_a_router_holds_are_too_many() -> None:
    names = [f"vision/f{number}" for number in range(600)]
    text = TEXT.replace("paths:", "".join(f"  - {{name: {name}}}\n" for name in names) + "paths:")
    with pytest.raises(Exception, match="1203 combinations of site, service and class"):
        catalogue(text.replace("services: [vision/detect]}", f"services: [{', '.join(names)}, 'video/*']}}"))


def test_limits_are_those_of_the_program() -> None:
    assert SCHEMA.tables["segment_list"].size == catalogue_check.MAX_LISTS
    assert SCHEMA.tables["tenant_key"].size == catalogue_check.MAX_SIGNERS
    lists = {action.alias for action in SCHEMA.tables["segment_list"].actions} - {"direct", "NoAction"}
    assert lists == {f"via_{n}" for n in range(1, catalogue_check.MAX_SEGMENTS + 1)}
