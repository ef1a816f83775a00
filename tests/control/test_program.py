"""What routers should hold as adverts come and go, with a virtual clock and no network.

One case: pytest tests/control/test_program.py -k drains
"""

from __future__ import annotations

import finsy as fy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import p4src
from control.adoption import Adopted
from control.decided import ANY_SITE, Unmet
from control.events import EventLog
from control.model import Instance, Member
from control.policy import POLICIES
from control.program import Program
from control.router_tables import RouterTables
from tests.control.example import (
    CATALOGUE,
    DETECT,
    FAR,
    NEAR,
    NEAR_2,
    RENDER,
    Clock,
    advert,
    catalogue,
    instance,
)

SCHEMA = fy.P4Schema(p4src.P4INFO)


HOLD_S = 10.0


def installed(tables: RouterTables) -> RouterTables:
    """The tables after everything wanted was written."""
    for phase in tables.changes():
        tables.done(phase)
    return tables


def rows(program: Program, router: str, table: str) -> set[str]:
    entries = installed(program.tables[router]).installed
    lines = {entry.describe(SCHEMA) for entry in entries}
    return {line.removeprefix(f"{table} ") for line in lines if line.startswith(f"{table} ")}


def shares(
    program: Program, router: str = "r1", func: int = DETECT, class_id: int = 0, scope: int = ANY_SITE
) -> dict[str, float] | None:
    for place, decision in program.steering.decisions.items():
        steered = place.steered
        if (place.router, *steered) == (router, func, class_id, 4, 64, scope):
            return None if isinstance(decision.verdict, Unmet) else program.steering.by_site(decision.verdict)
    return None


def started(
    clock: Clock | None = None, found: dict[str, Adopted] | None = None, text: str = CATALOGUE
) -> Program:
    program = Program(catalogue(text), SCHEMA, clock or Clock(), HOLD_S, EventLog())
    program.start(found or {})
    return program


def test_what_follows_from_the_catalogue_alone() -> None:
    program = started()
    lines = {entry.describe(SCHEMA) for entry in installed(program.tables["r1"]).installed}
    keys = {line for line in lines if line.startswith(("cookie_key", "seal_key"))}
    assert len(keys) == 2
    assert lines - keys == {
        "my_mac dst_addr=0x20000000100 → for_router()",
        "local_ipv4 dst_addr=0xaff0001 → anycast()",
        "local_ipv4 dst_addr=0xa000001 → own_address()",
        "local_ipv4 dst_addr=0xa9fe0101 → own_address()",
        "local_ipv6 dst_addr=0xfd0000cf000000000000000000000001 → anycast()",
        "local_ipv4 dst_addr=0xafd0001 → site_address(site=0x1)",
        "local_ipv6 dst_addr=0xfd0000fd000000000000000000000001 → site_address(site=0x1)",
        "core_port port=0x1 → from_core()",
        "core_port port=0x2 → from_core()",
        "site site=0x1 → here(slot=0x0, ipv4=0xafd0001, ipv6=0xfd0000fd000000000000000000000001)",
        "local_ipv6 dst_addr=0xfe800000000000000000000000000001 → own_address()",
        "arp_reply target=0xa000001 → answer_arp(mac=0x20000000100)",
        "arp_reply target=0xa9fe0101 → answer_arp(mac=0x20000000100)",
        "nd_reply target=0xfe800000000000000000000000000001 → answer_nd(mac=0x20000000100)",
        "next_hop next_hop=0x1 → "
        "forward_core(port=0x1, src_mac=0x20000000100, dst_mac=0x20000000200, mtu=0x5dc)",
        "next_hop next_hop=0x2 → "
        "forward_core(port=0x2, src_mac=0x20000000100, dst_mac=0x20000000200, mtu=0x5dc)",
        "next_hop next_hop=0x3 → "
        "forward_edge(port=0x3, src_mac=0x20000000100, dst_mac=0x20100000001, mtu=0x5dc)",
        "next_hop next_hop=0x4 → "
        "forward_edge(port=0x4, src_mac=0x20000000100, dst_mac=0x20100000002, mtu=0x5dc)",
        "ipv4_route dst_addr=0xa010001 → 1*set_next_hop(next_hop=0x3)",
        "ipv4_route dst_addr=0xa020001 → 1*set_next_hop(next_hop=0x4)",
        "ipv4_route dst_addr=0xa020002 → 1*set_next_hop(next_hop=0x4)",
        "ipv4_route dst_addr=0xa030001 → 1*set_next_hop(next_hop=0x1) 1*set_next_hop(next_hop=0x2)",
        "ipv4_route dst_addr=0xafd0002 → 1*set_next_hop(next_hop=0x1) 1*set_next_hop(next_hop=0x2)",
        "ipv6_route dst_addr=0xfd0000fd000000000000000000000002 → "
        "1*set_next_hop(next_hop=0x1) 1*set_next_hop(next_hop=0x2)",
        "ipv6_route dst_addr=0xfd000001000000000000000000000001 → 1*set_next_hop(next_hop=0x3)",
        "ipv6_route dst_addr=0xfd000002000000000000000000000001 → 1*set_next_hop(next_hop=0x4)",
        "ipv6_route dst_addr=0xfd000003000000000000000000000001 → "
        "1*set_next_hop(next_hop=0x1) 1*set_next_hop(next_hop=0x2)",
        "ipv6_route dst_addr=0xfd000000000000000000000000000002 → "
        "1*set_next_hop(next_hop=0x1) 1*set_next_hop(next_hop=0x2)",
        "function func_id=0x5944aecfacfd3ec3 → "
        "known(service=0x9aac, public=0x0, per_request=0x0, lead=0x10, flow_s=0x0)",
        "function func_id=0xcab1c0000000000/24 → "
        "known(service=0x728c, public=0x1, per_request=0x1, lead=0x10, flow_s=0x0)",
        "permit tenant=0x7 func_id=0x5944aecfacfd3ec3 → allow()",
        "demand_class latency_ms=0x1...0x14 → set_class(class_id=0x1)",
        "demand_class type=0x3 grade=0x2 cost=0x1...0x4 → set_class(class_id=0x2)",
        "anycast_source default → anycast_is(ipv4=0xaff0001, ipv6=0xfd0000cf000000000000000000000001)",
        "router default → router_is(router=0x1, ipv4=0xa000001, ipv6=0x0)",
        "digest member_report → list 64 for 50000000 ns",
        "digest link_report → list 64 for 50000000 ns",
        *(f"meter errors {port} → 100/s by 20, 100/s by 20" for port in (1, 2, 3, 4)),
        *(
            f"service is_ipv6={six:#x} scope=0x0 class_id={number:#x} func_id=0x5944aecfacfd3ec3 → "
            "no_capacity(retry_after_ms=0x1f4)"
            for six in (0, 1)
            for number in (0, 1, 2)
        ),
        *(
            f"service is_ipv6={six:#x} scope=0x0 class_id=0x0 func_id=0xcab1c0000000000/24 → "
            "no_capacity(retry_after_ms=0x1f4)"
            for six in (0, 1)
        ),
    }


def alone(slot: int) -> str:
    """What is said of the race of a member without rivals."""
    nothing = "base_{0}=0x0, unit_{0}=0x0, free_{0}=0x0"
    own = (f"slot_{rival}={slot:#x}, {nothing.format(rival)}" for rival in (2, 3, 4))
    return ", ".join([nothing.format(1), *own])


def test_an_advert_makes_instances_known_and_binds_requests_to_them() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2, draining=True)))
    assert rows(program, "r1", "instance") == {
        "site=0x1 instance=0x1 → live(slot=0x1, ipv4=0xa020001, ipv6=0xfd000002000000000000000000000001)",
        "site=0x1 instance=0x2 → live(slot=0x2, ipv4=0xa020002, ipv6=0x0)",
    }
    assert rows(program, "r2", "instance") == set()
    where = "site=0x1, instance=0x1, slot=0x1, ipv4=0xa020001, ipv6=0xfd000002000000000000000000000001"
    assert rows(program, "r1", "draw") == {f"group=0x1 → 1*bind_instance({where}, {alone(1)})"}
    assert rows(program, "r1", "rival") == {
        f"slot=0x1 → to_instance({where.replace(' slot=0x1,', '')})",
        "slot=0x2 → to_instance(site=0x1, instance=0x2, ipv4=0xa020002, ipv6=0x0)",
    }
    func = "func_id=0x5944aecfacfd3ec3"
    assert {row for row in rows(program, "r1", "service") if func in row} == {
        f"is_ipv6={six:#x} scope={scope:#x} class_id={number:#x} {func} → {said}"
        for six in (0, 1)
        for scope in (0, 1)
        # Nobody near computes neural, which class 2 asks; elsewhere somebody may.
        for number, said in enumerate(
            (
                "set_group(group=0x1)",
                "set_group(group=0x1)",
                "no_capacity(retry_after_ms=0x1f4)" if scope else "unmet(part=0x1)",
            )
        )
    }


def test_other_routers_bind_to_the_site_as_a_whole() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2)))
    where = "slot=0x1, ipv4=0xafd0001, ipv6=0xfd0000fd000000000000000000000001"
    assert rows(program, "r2", "site") == {
        f"site=0x1 → remote({where})",
        "site=0x2 → here(slot=0x0, ipv4=0xafd0002, ipv6=0xfd0000fd000000000000000000000002)",
    }
    assert rows(program, "r2", "draw") == {f"group=0x1 → 1*bind_site(site=0x1, {where}, {alone(1)})"}
    assert rows(program, "r2", "rival") == {
        f"slot=0x1 → to_site(site=0x1, {where.removeprefix('slot=0x1, ')})"
    }
    assert rows(program, "r2", "instance") == set()
    assert not any("scope=0x1" in row for row in rows(program, "r2", "service"))


def test_an_instance_more_at_a_site_changes_nothing_elsewhere() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR)))
    installed(program.tables["r2"])
    program.take(advert("near", 2, instance(NEAR), instance(NEAR_2)))
    assert program.tables["r2"].changes() == []
    assert any("bind_instance(site=0x1, instance=0x2" in row for row in rows(program, "r1", "draw"))


def test_a_site_that_dies_is_forgotten_by_all_routers() -> None:
    clock = Clock()
    program = started(clock)
    program.take(advert("near", 1, instance(NEAR), ttl_s=2.0))
    program.take(advert("far", 1, instance(FAR), ttl_s=60.0))
    clock.now += 2.0
    program.expire()
    assert not any("site=0x1 → remote" in row for row in rows(program, "r2", "site"))
    assert not any("scope=0x1" in row for row in rows(program, "r1", "service"))
    for router in ("r1", "r2"):
        assert not any("site=0x1" in row for row in rows(program, router, "draw"))
        assert shares(program, router) == {"far": 1.0}


def test_a_router_that_knows_no_instances_of_its_site_refuses_what_others_still_send_there() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR)))
    program.take(advert("far", 1, instance(FAR)))
    installed(program.tables["r2"])
    program.take(advert("near", 2))
    # r2 was not written yet, so it still sends to the near site; r1 has no row for that any more.
    before = {entry.describe(SCHEMA) for entry in program.tables["r2"].installed}
    assert any(line.startswith("draw") and "bind_site(site=0x1" in line for line in before)
    assert shares(program, "r1", scope=1) is None
    assert shares(program, "r1") == {"far": 1.0}
    assert not any("scope=0x1" in row for row in rows(program, "r1", "service"))


def test_a_site_that_drains_still_serves_what_others_sent_it() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2)))
    program.take(advert("near", 2, instance(NEAR, draining=True), instance(NEAR_2)))
    assert shares(program, "r1", scope=1) == {"near": 1.0}
    assert not any("instance=0x1," in row for row in rows(program, "r1", "draw"))
    program.take(advert("near", 3, instance(NEAR, draining=True), instance(NEAR_2, draining=True)))
    assert shares(program, "r1") == {}
    assert shares(program, "r1", scope=1) == {"near": 1.0}


@pytest.mark.parametrize(
    ("demand", "part"),
    [
        ("type: neural", "TYPE"),
        ("type: logic, grade: 3", "GRADE"),
        ("within_ms: 5", "LATENCY"),
        ("max_price: 1", "COST"),
        ("grade: 3, max_price: 1", "COST"),
        ("type: neural, max_price: 1", "COST"),
        ("type: neural, grade: 4, within_ms: 5, max_price: 1", "COST"),
    ],
)
def test_what_nobody_can_meet_says_by_which_part(demand: str, part: str) -> None:
    text = CATALOGUE.replace("type: neural, grade: 2, cost_ceiling: [1, 4]", demand)
    program = started(text=text)
    program.take(advert("near", 1, instance(NEAR)))
    number = SCHEMA.type_info.serializable_enums["DemandPart"].members[part]
    found = {row for row in rows(program, "r1", "service") if "class_id=0x2" in row and "unmet" in row}
    assert {row.split(" → ")[1] for row in found} == {f"unmet(part={number:#x})"}


def test_a_class_gets_only_instances_that_meet_it() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR)))
    program.take(advert("far", 1, instance(FAR)))
    assert shares(program, "r1", class_id=1) == {"near": 1.0}
    assert shares(program, "r1", class_id=2) == {"far": 1.0}
    assert shares(program, "r2", class_id=1) == {"far": 1.0}


def test_a_family_without_an_address_has_no_capacity() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR_2)))
    found = {
        row
        for row in rows(program, "r1", "service")
        if "scope=0x0 class_id=0x0 func_id=0x5944aecfacfd3ec3" in row
    }
    assert {("no_capacity" in row, "is_ipv6=0x1" in row) for row in found} == {(True, True), (False, False)}


def test_functions_of_a_namespace_come_and_go_with_their_instances() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR, RENDER)))
    assert shares(program, func=RENDER) == {"near": 1.0}
    before = len(rows(program, "r1", "service"))
    program.take(advert("near", 2))
    assert shares(program, func=RENDER) is None
    assert len(rows(program, "r1", "service")) == before - 4
    assert rows(program, "r1", "draw") == set()
    assert rows(program, "r1", "instance") == set()


def test_an_expired_advert_takes_its_instances_out_at_once() -> None:
    clock = Clock()
    program = started(clock)
    program.take(advert("near", 1, instance(NEAR), ttl_s=2.0))
    program.take(advert("far", 1, instance(FAR), ttl_s=60.0))
    assert program.next_deadline == clock.now + 2
    clock.now += 2.0
    assert program.expire()
    assert shares(program) == {"far": 1.0}
    assert rows(program, "r1", "instance") == set()
    assert len(rows(program, "r2", "instance")) == 1


def test_a_draining_instance_keeps_its_sessions_and_gets_no_new_ones() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR)))
    program.take(advert("far", 1, instance(FAR)))
    program.take(advert("near", 2, instance(NEAR, draining=True)))
    assert shares(program) == {"far": 1.0}
    assert len(rows(program, "r1", "instance")) == 1


def phases(program: Program) -> list[set[tuple[str, str]]]:
    """Kind and table of the changes to be made, phase by phase."""
    return [
        {(change.kind.name, change.entry.describe(SCHEMA).split()[0]) for change in phase}
        for phase in program.tables["r1"].changes()
    ]


def test_what_is_referred_to_comes_before_and_goes_after() -> None:
    program = started()
    installed(program.tables["r1"])
    program.take(advert("near", 1, instance(NEAR)))
    assert phases(program) == [
        {("INSERT", "instance"), ("INSERT", "rival"), ("INSERT", "usage")},
        {("INSERT", "draw")},
        {("INSERT", "service")},
        {("MODIFY", "service")},
    ]
    program = started()
    program.take(advert("near", 1, instance(NEAR)))
    installed(program.tables["r1"])
    program.take(advert("near", 2))
    assert phases(program) == [
        {("MODIFY", "service")},
        {("DELETE", "service")},
        {("DELETE", "draw")},
        {("DELETE", "instance"), ("DELETE", "rival")},
    ]


amounts = st.just(0.0) | st.floats(1e-6, 1e12)


told = st.builds(
    instance,
    st.sampled_from([NEAR, NEAR_2, FAR]),
    st.sampled_from([DETECT, RENDER, 5]),
    load=st.integers(0, 255),
    queue=st.integers(0, 2**32 - 1),
    service_ms=amounts,
    arrival_rps=amounts,
    capacity_rps=amounts,
    draining=st.booleans(),
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["near", "far"]), st.lists(told, max_size=3), st.floats(0, 8)), max_size=12
    ),
    st.sampled_from(sorted(POLICIES)),
)
@settings(max_examples=60)
def test_whatever_sites_tell_the_tables_stay_consistent(
    adverts: list[tuple[str, list[Instance], float]], policy: str
) -> None:
    clock = Clock()
    program = started(clock, text=CATALOGUE + f"policy: {policy}\n")
    for sequence, (site, instances, pause) in enumerate(adverts):
        mine = [one for one in instances if (one.key.site == 1) == (site == "near")]
        clock.now += pause
        program.expire()
        program.take(advert(site, sequence, *mine))
        alive = {key for key, one in program.store.instances().items() if not one.draining}
        for router, one in program.routers.items():
            told_of = {program.sites.member(router, key) for key in program.store.instances()}
            own = {Member(site) for site in program.sites.at(router)}
            assert one.placements.keys() == told_of | own
        for place, decision in program.steering.decisions.items():
            weights = decision.weights
            there = alive if place.steered.scope == ANY_SITE else program.store.instances().keys()
            assert weights.keys() <= {program.sites.member(place.router, key) for key in there}
            if place.steered.scope != ANY_SITE:
                # Whatever other routers believe, what was sent to a site goes no further.
                assert {(m.site, m.is_site) for m in weights} <= {(place.steered.scope, False)}
            assert all(weight > 0 for weight in weights.values())
            assert sum(weights.values()) <= 256
    for tables in program.tables.values():
        installed(tables)
        assert tables.changes() == []
