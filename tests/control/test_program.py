"""What routers should hold as adverts come and go, with a virtual clock and no network.

One case: pytest tests/control/test_program.py -k overload
"""

from __future__ import annotations

from typing import Any

import finsy as fy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import p4src
from cfn.names import func_id
from control.adoption import Adopted, adopt
from control.decided import ANY_SITE, Place, Steered, Unmet
from control.events import EventLog
from control.model import Instance, InstanceKey, Member
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


def test_an_advert_makes_instances_known_and_binds_requests_to_them() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2, draining=True)))
    assert rows(program, "r1", "instance") == {
        "site=0x1 instance=0x1 → live(slot=0x1, ipv4=0xa020001, ipv6=0xfd000002000000000000000000000001)",
        "site=0x1 instance=0x2 → live(slot=0x2, ipv4=0xa020002, ipv6=0x0)",
    }
    assert rows(program, "r2", "instance") == set()
    where = "site=0x1, instance=0x1, slot=0x1, ipv4=0xa020001, ipv6=0xfd000002000000000000000000000001"
    bound = {f"group=0x1 → 1*bind_instance({where})"}
    assert rows(program, "r1", "first") == rows(program, "r1", "second") == bound
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
    assert rows(program, "r2", "first") == {f"group=0x1 → 1*bind_site(site=0x1, {where})"}
    assert rows(program, "r2", "instance") == set()
    assert not any("scope=0x1" in row for row in rows(program, "r2", "service"))


def test_an_instance_more_at_a_site_changes_nothing_elsewhere() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR)))
    installed(program.tables["r2"])
    program.take(advert("near", 2, instance(NEAR), instance(NEAR_2)))
    assert program.tables["r2"].changes() == []
    assert any("bind_instance(site=0x1, instance=0x2" in row for row in rows(program, "r1", "first"))


def test_a_site_counts_with_the_weights_of_all_its_instances() -> None:
    program = started(text=CATALOGUE + "policy: weighted\n")
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2)))
    program.take(advert("far", 1, instance(FAR)))
    for router in ("r1", "r2"):
        assert shares(program, router) == pytest.approx({"near": 2 / 3, "far": 1 / 3}, abs=0.01)


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
        assert not any("site=0x1" in row for row in rows(program, router, "first"))
        assert shares(program, router) == {"far": 1.0}


def test_a_router_that_knows_no_instances_of_its_site_refuses_what_others_still_send_there() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR)))
    program.take(advert("far", 1, instance(FAR)))
    installed(program.tables["r2"])
    program.take(advert("near", 2))
    # r2 was not written yet, so it still sends to the near site; r1 has no row for that any more.
    before = {entry.describe(SCHEMA) for entry in program.tables["r2"].installed}
    assert any(line.startswith("first") and "bind_site(site=0x1" in line for line in before)
    assert shares(program, "r1", scope=1) is None
    assert shares(program, "r1") == {"far": 1.0}
    assert not any("scope=0x1" in row for row in rows(program, "r1", "service"))


def test_a_site_that_drains_still_serves_what_others_sent_it() -> None:
    program = started()
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2)))
    program.take(advert("near", 2, instance(NEAR, draining=True), instance(NEAR_2)))
    assert shares(program, "r1", scope=1) == {"near": 1.0}
    assert not any("instance=0x1," in row for row in rows(program, "r1", "first"))
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


def copies(key: InstanceKey, names: list[str]) -> list[Instance]:
    """An instance for each function, otherwise like that of `key`."""
    return [
        instance(key._replace(instance=number), func_id(name), like=key)
        for number, name in enumerate(names, 1)
    ]


def test_rows_that_say_the_same_share_a_group_and_change_with_it() -> None:
    names = [f"vision/f{number}" for number in range(20)]
    services = "".join(f"  - {{name: {name}, policy: nearest}}\n" for name in names)
    program = started(text=CATALOGUE + services)
    program.take(advert("far", 1, *copies(FAR, names)))
    assert len(rows(program, "r1", "first")) == 1
    assert len(rows(program, "r2", "first")) == len(names)
    program.take(advert("near", 1, *copies(NEAR, names[:5])))
    assert len(rows(program, "r1", "first")) == 1 + 5


def many(count: int) -> tuple[str, list[int]]:
    """A catalogue with that many functions more, and their FuncIDs."""
    names = [f"many/f{number}" for number in range(count)]
    lines = "".join(f"  - {{name: {name}, classes: []}}\n" for name in names)
    return CATALOGUE.replace("services:\n", f"services:\n{lines}"), [func_id(name) for name in names]


def test_what_a_site_tells_of_many_functions_costs_writes_by_groups() -> None:
    text, functions = many(50)
    clock = Clock()
    program = started(clock, text=text)
    first, *also = functions

    def tell(sequence: int, near: float) -> None:
        clock.now += 1
        one: dict[str, Any] = {"also": frozenset(also), "capacity_rps": 1000.0}
        program.take(advert("near", sequence, instance(NEAR, first, **one, arrival_rps=near)))
        program.take(advert("far", sequence, instance(FAR, first, **one, arrival_rps=50.0)))

    tell(1, near=50.0)
    assert all(len(installed(tables)) > 50 for tables in program.tables.values())
    tell(2, near=900.0)
    for tables in program.tables.values():
        changed = [change.entry.describe(SCHEMA).split()[0] for phase in tables.changes() for change in phase]
        # A group is an entry for each of the two draws.
        assert sorted(changed) == ["first", "second"]


def test_a_function_that_goes_elsewhere_takes_only_its_own_rows_along() -> None:
    text, functions = many(50)
    clock = Clock()
    program = started(clock, text=text)
    first, *also = functions
    program.take(advert("near", 1, instance(NEAR, first, also=frozenset(also))))
    installed(program.tables["r1"])
    program.take(
        advert(
            "near",
            2,
            instance(NEAR, first, also=frozenset(also[1:])),
            instance(NEAR_2, also[0]),
        )
    )
    changed = [change for phase in program.tables["r1"].changes() for change in phase]
    rows_ = {
        change.entry.describe(SCHEMA) for change in changed if "service" in change.entry.describe(SCHEMA)
    }
    assert len(rows_) == 4
    assert all(f"func_id={also[0]:#x}" in row for row in rows_)
    assert shares(program, func=also[0]) == shares(program, func=first) == {"near": 1.0}


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
    assert rows(program, "r1", "first") == set()
    assert rows(program, "r1", "instance") == set()


@pytest.mark.parametrize(
    "news", [{"load": 255, "queue": 30}, {"arrival_rps": 140.0, "load": 200}, {"queue": 40}]
)
def test_an_overloaded_site_loses_half_with_the_next_advert(news: dict[str, float]) -> None:
    clock = Clock()
    program = started(clock)
    program.take(advert("far", 1, instance(FAR)))
    program.take(advert("near", 1, instance(NEAR, arrival_rps=60.0)))
    for sequence in range(2, 12):
        clock.now += 0.25
        program.take(advert("near", sequence, instance(NEAR, arrival_rps=60.0)))
        program.take(advert("far", sequence, instance(FAR)))
    had = shares(program)
    assert had is not None
    assert had["near"] > 0.5
    clock.now += 0.001
    program.take(advert("near", 90, instance(NEAR, **news)))
    now = shares(program)
    assert now is not None
    assert now.get("near", 0.0) <= had["near"] / 2 + 1 / 256
    # Adverts of others are no news of the near site: it isn't halved again.
    program.take(advert("far", 90, instance(FAR)))
    again = shares(program)
    assert again is not None
    assert again.get("near", 0.0) == pytest.approx(now.get("near", 0.0), abs=0.02)


def test_a_site_that_recovers_gets_its_share_back() -> None:
    clock = Clock()
    program = started(clock)
    program.take(advert("far", 1, instance(FAR, arrival_rps=0.0)))
    program.take(advert("near", 1, instance(NEAR, load=255, queue=50)))
    for sequence in range(2, 30):
        clock.now += 0.25
        program.take(advert("near", sequence, instance(NEAR, load=40, arrival_rps=5.0)))
    recovered = shares(program)
    assert recovered is not None
    assert recovered["near"] > 0.95


def test_policies_see_how_much_is_known_and_how_old_it_is() -> None:
    clock = Clock()
    program = started(clock)
    program.take(advert("near", 1, instance(NEAR)))
    for sequence, after_s in enumerate((2.0, 0.4), 1):
        clock.now += after_s
        told = instance(FAR, load=199, queue=1, completed_rps=90.0, norm_fi=7)
        program.take(advert("far", sequence, told))
    seen = program.steering.decisions[Place("r1", Steered(DETECT, 0, 4))].candidates
    near, far = seen
    assert (far.utilisation, far.completed_rps, far.norm_fi) == (1.0, 90.0, 7)
    assert [(c.known_s, c.age_s, c.interval_s) for c in seen] == [
        pytest.approx((2.0, 2.4, 0.0)),
        pytest.approx((0.0, 0.0, 0.4)),
    ]
    assert near.utilisation == 0.0


def test_who_was_never_measured_is_tried_at_once_but_not_for_requests_with_a_latency_bound() -> None:
    program = started(text=CATALOGUE.replace("within_ms: 20", "within_ms: 90"))
    program.take(advert("near", 1, instance(NEAR)))
    program.take(advert("far", 1, instance(FAR, service_ms=0.0, capacity_rps=0.0, arrival_rps=0.0)))
    tried = shares(program)
    assert tried is not None
    assert 0.0 < tried["far"] < 0.02
    assert shares(program, class_id=1) == {"near": 1.0}


def test_a_new_instance_gets_its_share_by_and_by() -> None:
    clock = Clock()
    text = CATALOGUE.replace("name: vision/detect,", "name: vision/detect, warm_up_s: 8.0,")
    program = started(clock, text=text)
    program.take(advert("near", 1, instance(NEAR, arrival_rps=70.0)))
    clock.now += 60.0
    program.take(advert("far", 1))
    found: list[float] = []
    for sequence in range(2, 60):
        clock.now += 0.25
        program.take(advert("near", sequence, instance(NEAR, arrival_rps=70.0), ttl_s=600.0))
        program.take(advert("far", sequence, instance(FAR, arrival_rps=70.0)))
        found.append((shares(program) or {}).get("far", 0.0))
    assert found == sorted(found)
    assert found[0] < 0.15
    assert found[12] < 0.3
    assert found[-1] > 0.35


def test_small_changes_of_load_write_nothing() -> None:
    clock = Clock()
    program = started(clock)
    for site, key in (("near", NEAR), ("far", FAR)):
        program.take(advert(site, 1, instance(key, arrival_rps=50.0)))
    for sequence in range(2, 20):
        clock.now += 0.25
        for site, key in (("near", NEAR), ("far", FAR)):
            program.take(advert(site, sequence, instance(key, arrival_rps=50.0)))
    installed(program.tables["r1"])
    clock.now += 0.25
    assert program.take(advert("near", 90, instance(NEAR, arrival_rps=50.5))) == {}
    assert program.tables["r1"].changes() == []


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


SIGNED = CATALOGUE.replace(
    "tenants: {demo: 7}",
    "tenants: {demo: 7, one: {id: 8, key: '0100000002000000'}, two: {id: 9, key: '0300000004000000',"
    " rate: {per_s: 10, burst: 5, peak_per_s: 20}}}",
)


def test_tenants_sign_and_have_a_rate() -> None:
    program = started(text=SIGNED)
    assert rows(program, "r1", "tenant_key") == {
        "tenant=0x8 → signs_with(auth_slot=0x0, k0=0x1, k1=0x2)",
        "tenant=0x9 → signs_with(auth_slot=0x1, k0=0x3, k1=0x4)",
    }
    assert rows(program, "r1", "contract") == {
        "tenant=0x9 → measure(retry_after_ms=0x3e8), 10/s by 5, 20/s by 5"
    }


def test_a_tenant_keeps_its_slot_when_another_leaves() -> None:
    before = started(text=SIGNED)
    without = "\n".join(
        line.replace("one: {id: 8, key: '0100000002000000'}, ", "") for line in SIGNED.splitlines()
    )
    found = adopt(installed(before.tables["r1"]).installed, SCHEMA)
    after = started(found={"r1": found}, text=without)
    assert rows(after, "r1", "tenant_key") == {"tenant=0x9 → signs_with(auth_slot=0x1, k0=0x3, k1=0x4)"}


def test_uses_are_counted_on_while_sites_come_and_go() -> None:
    program = started()
    program.take(advert("far", 1, instance(FAR)))
    program.take(advert("far", 2))
    used = {"tenant=0x7 service=0x9aac site=0x2 → count_use()"}
    assert rows(program, "r1", "usage") == rows(program, "r2", "usage") == used
    found = adopt(installed(program.tables["r1"]).installed, SCHEMA)
    assert rows(started(found={"r1": found}), "r2", "usage") == used


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
        {("INSERT", "instance"), ("INSERT", "usage")},
        {("INSERT", "first"), ("INSERT", "second")},
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
        {("DELETE", "first"), ("DELETE", "second")},
        {("DELETE", "instance")},
    ]


# --- a controller that starts where another one was


def running() -> tuple[Clock, Program]:
    clock = Clock()
    program = started(clock)
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2)))
    program.take(advert("far", 1, instance(FAR)))
    for tables in program.tables.values():
        installed(tables)
    return clock, program


def successor(clock: Clock, before: Program) -> Program:
    program = Program(catalogue(), SCHEMA, clock, HOLD_S, EventLog())
    for router, tables in program.tables.items():
        tables.found({entry.key: entry for entry in before.tables[router].installed})
    program.start({router: adopt(tables.installed, SCHEMA) for router, tables in before.tables.items()})
    return program


def test_a_restart_writes_nothing() -> None:
    clock, before = running()
    after = successor(clock, before)
    assert {router: tables.changes() for router, tables in after.tables.items()} == {"r1": [], "r2": []}
    assert after.ring == before.ring
    after.take(advert("near", 2, instance(NEAR), instance(NEAR_2)))
    after.take(advert("far", 2, instance(FAR)))
    assert {router: tables.changes() for router, tables in after.tables.items()} == {"r1": [], "r2": []}


def test_a_restart_with_many_functions_writes_nothing_whoever_advertises_first() -> None:
    text, functions = many(20)
    half = frozenset(functions[1:10])
    near = [
        instance(NEAR, functions[0], also=half),
        instance(NEAR_2, functions[10], also=frozenset(functions[11:])),
    ]
    far = instance(FAR, functions[0], also=half)
    clock = Clock()
    before = started(clock, text=text)
    before.take(advert("near", 1, *near))
    before.take(advert("far", 1, far))
    for tables in before.tables.values():
        installed(tables)
    after = Program(catalogue(text), SCHEMA, clock, HOLD_S, EventLog())
    for router, tables in after.tables.items():
        tables.found({entry.key: entry for entry in before.tables[router].installed})
    after.start({router: adopt(tables.installed, SCHEMA) for router, tables in before.tables.items()})
    for told in (advert("near", 2, *near), advert("far", 2, far), advert("near", 3, *near)):
        assert {router: tables.changes() for router, tables in after.tables.items()} == {"r1": [], "r2": []}
        after.take(told)
    assert {router: tables.changes() for router, tables in after.tables.items()} == {"r1": [], "r2": []}
    assert len(after.cohorts) == len(before.cohorts)


def test_a_site_that_stays_silent_after_a_restart_is_dropped_when_the_hold_is_over() -> None:
    clock, before = running()
    after = successor(clock, before)
    after.take(advert("near", 2, instance(NEAR), instance(NEAR_2)))
    assert len(rows(after, "r2", "instance")) == 1
    assert after.next_deadline == clock.now + 5.0
    clock.now += HOLD_S
    after.take(advert("near", 3, instance(NEAR), instance(NEAR_2)))
    after.expire()
    assert shares(after) == {"near": 1.0}
    assert rows(after, "r2", "instance") == set()


def test_an_instance_that_died_meanwhile_is_out_as_soon_as_its_site_says_so() -> None:
    clock, before = running()
    after = successor(clock, before)
    after.take(advert("near", 2, instance(NEAR)))
    assert not any("instance=0x2" in row for row in rows(after, "r1", "first"))
    assert len(rows(after, "r1", "instance")) == 1


def test_a_router_that_was_reset_gets_what_the_others_have_of_sites_elsewhere() -> None:
    clock, before = running()
    found = {"r1": Adopted(), "r2": adopt(before.tables["r2"].installed, SCHEMA)}
    after = Program(catalogue(), SCHEMA, clock, HOLD_S, EventLog())
    after.start(found)
    assert after.ring == before.ring
    assert any("site=0x2 → remote(" in row for row in rows(after, "r1", "site"))
    # Only its own agent knows which instances there are near.
    assert shares(after, "r1") == {"far": 1.0}
    assert shares(after, "r2") == shares(before, "r2")
    after.take(advert("near", 2, instance(NEAR), instance(NEAR_2)))
    assert len(rows(after, "r1", "instance")) == 2


def test_a_router_that_answers_late_keeps_what_it_has() -> None:
    clock, before = running()
    # Its share differs from the other router's, which is no reason to change it.
    assert shares(before, "r1") != shares(before, "r2")
    after = Program(catalogue(), SCHEMA, clock, HOLD_S, EventLog())
    after.start({"r1": adopt(before.tables["r1"].installed, SCHEMA)})
    after.tables["r2"].found({entry.key: entry for entry in before.tables["r2"].installed})
    after.join("r2", adopt(before.tables["r2"].installed, SCHEMA))
    assert after.tables["r2"].changes() == []
    assert shares(after, "r2") == shares(before, "r2")


def test_sites_that_left_the_catalogue_are_dropped_at_once() -> None:
    clock, before = running()
    text = "\n".join(
        line for line in CATALOGUE.splitlines() if not line.startswith(("  far: {id", "        compute"))
    )
    after = Program(catalogue(text), SCHEMA, clock, HOLD_S, EventLog())
    after.start({router: adopt(tables.installed, SCHEMA) for router, tables in before.tables.items()})
    for router in ("r1", "r2"):
        assert not any("site=0x2" in row for row in rows(after, router, "first"))
        assert not any(
            "site=0x2" in row for row in rows(after, router, "site") | rows(after, router, "instance")
        )
    assert shares(after) == {"near": 1.0}


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
@settings(max_examples=60, deadline=None)
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
