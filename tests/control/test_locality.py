"""Where the data is: what routers are told of inputs and results, and of their members at the holders."""

from __future__ import annotations

import re
from pathlib import Path

import p4src
from cfn.names import func_id
from control.adoption import adopt
from control.locality import Held, Holders, Locality, ResultKey
from control.model import HeldResult
from control.program import Program
from control.stages.locality import PREFETCH_SESSION
from tests.control.example import CATALOGUE, DETECT, FAR, NEAR, NEAR_2, RENDER, Clock, advert, instance
from tests.control.test_program import SCHEMA, installed, rows, shares, started

A, B = b"a" * 16, b"b" * 16
A_NUMBER = int.from_bytes(A)
TEXT = CATALOGUE.replace("name: vision/detect,", "name: vision/detect, pure: true,").replace(
    "hosts: [far],", "hosts: [far], data_agent: {ipv4: 10.3.0.1},"
)
TEXT += "policy: round-robin\n"
RESULT = HeldResult(DETECT, A, B)
FAR_PLACE = "slot=0x0, ipv4=0xafd0002, ipv6=0xfd0000fd000000000000000000000002"


def holding() -> Program:
    program = started(text=TEXT)
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2), inputs=[A]))
    program.take(advert("far", 1, instance(FAR), inputs=[A, B], results=[RESULT]))
    return program


def test_requests_go_to_the_nearest_holder() -> None:
    program = holding()
    a, b = (f"data_in={int.from_bytes(item):#x} → input_at" for item in (A, B))
    assert rows(program, "r1", "input_holder") == {f"{a}(site=0x1)", f"{b}(site=0x2)"}
    assert rows(program, "r2", "input_holder") == {f"{a}(site=0x2)", f"{b}(site=0x2)"}


def test_results_are_told_of_pure_services_alone() -> None:
    program = holding()
    program.take(
        advert("near", 2, instance(NEAR), results=[HeldResult(RENDER, A, B), HeldResult(0xBAD, A, B)])
    )
    told = {f"func_id={DETECT:#x} data_in={A_NUMBER:#x} → result_at(site=0x2)"}
    assert rows(program, "r1", "result_holder") == rows(program, "r2", "result_holder") == told


def group_of(program: Program, router: str, scope: int, func: int = DETECT, class_id: int = 0) -> str:
    prefix = f"is_ipv6=0x0 scope={scope:#x} class_id={class_id:#x} func_id={func:#x} → set_group(group="
    return next(
        line.removeprefix(prefix)[:-1] for line in rows(program, router, "service") if line.startswith(prefix)
    )


def test_a_group_is_drawn_from_by_site() -> None:
    program = holding()
    group, there = group_of(program, "r1", 0), group_of(program, "r1", 1)
    assert group != there
    found = rows(program, "r1", "member")
    near = program.routers["r1"].placements
    assert f"group={group} site=0x1 → member_here(slot=0x0, group={there})" in found
    far = next(place for member, place in near.items() if member.site == 2)
    assert (
        f"group={group} site=0x2 → member_remote(slot={far.slot:#x}, ipv4={far.ipv4:#x}, ipv6={far.ipv6:#x})"
        in found
    )


def test_members_come_and_go_with_instances_and_with_data() -> None:
    program = holding()
    program.take(advert("far", 2, instance(FAR)))
    assert {line.split()[1] for line in rows(program, "r1", "member")} == {"site=0x1"}
    program.take(advert("near", 2, inputs=[A]))
    assert rows(program, "r1", "member") == set()
    program.take(advert("far", 3, instance(FAR), inputs=[B]))
    assert {line.split()[1] for line in rows(program, "r1", "member")} == {"site=0x2"}
    assert not rows(started(text=TEXT), "r1", "member")


# Only price counts, and the far site is the cheaper one: the near one has no weight.
CHEAP = TEXT.replace("price: 2", "price: 9").replace(
    "policy: round-robin\n", "  - {name: vision/count}\npolicy: cost\n"
)
COUNT = func_id("vision/count")


def with_idle_site(**held: object) -> Program:
    """A program whose near site runs two functions and is given no requests."""
    program = started(text=CHEAP)
    program.take(advert("far", 1, instance(FAR), instance(FAR._replace(instance=2), COUNT, like=FAR)))
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2, COUNT), **held))  # type: ignore[arg-type]
    return program


def test_an_idle_site_elsewhere_draws_requests_about_its_data() -> None:
    program = with_idle_site()
    assert shares(program, "r2") == {"far": 1.0}
    assert rows(program, "r2", "member") == set()
    program.take(advert("near", 2, instance(NEAR), instance(NEAR_2, COUNT), inputs=[A]))
    group = group_of(program, "r2", 0)
    assert {line.split(" → ")[0] for line in rows(program, "r2", "member")} >= {f"group={group} site=0x1"}
    program.take(advert("near", 3, instance(NEAR_2, COUNT), inputs=[A]))
    assert f"group={group_of(program, 'r2', 0)} site=0x1" not in {
        line.split(" → ")[0] for line in rows(program, "r2", "member")
    }


def test_an_idle_site_here_draws_each_function_to_its_own_instances() -> None:
    program = with_idle_site(inputs=[A])
    assert shares(program, "r1") == {"far": 1.0}
    found = {
        line.split(" site=0x1 → ")[0]: line for line in rows(program, "r1", "member") if "site=0x1" in line
    }
    drawn = {
        line.split(" → ")[0]: line.split("bind_instance(")[1].split(", slot")[0]
        for line in rows(program, "r1", "draw")
        if "bind_instance" in line
    }
    for func, key in ((DETECT, NEAR), (COUNT, NEAR_2)):
        there = re.search(r"group=(0x\w+)\)", found[f"group={group_of(program, 'r1', 0, func)}"])
        assert there
        assert drawn[f"group={there[1]}"] == f"site=0x1, instance={key.instance:#x}"


def test_an_idle_site_that_cannot_meet_the_demand_draws_nothing() -> None:
    program = with_idle_site(inputs=[A])
    near = {line.split(" ")[0] for line in rows(program, "r1", "member") if "site=0x1" in line}
    # Nobody near computes neural, which class 2 asks.
    assert f"group={group_of(program, 'r1', 0, class_id=2)}" not in near
    assert f"group={group_of(program, 'r1', 0)}" in near


def test_a_restart_leaves_what_idle_sites_draw() -> None:
    before = with_idle_site(inputs=[A])
    tables = {name: installed(one) for name, one in before.tables.items()}
    after = Program(before.catalogue, SCHEMA, Clock(), 10.0, before._events)
    after.start({name: adopt(one.installed, SCHEMA) for name, one in tables.items()})
    for name, one in tables.items():
        after.tables[name].found({entry.key: entry for entry in one.installed})
        assert after.tables[name].changes() == []
    after.take(advert("far", 2, instance(FAR), instance(FAR._replace(instance=2), COUNT, like=FAR)))
    after.take(advert("near", 2, instance(NEAR), instance(NEAR_2, COUNT), inputs=[A]))
    for name in tables:
        assert after.tables[name].changes() == []


def test_every_group_that_a_member_row_names_is_there() -> None:
    program = holding()
    for step in range(2, 12):
        program.take(advert("near", step, *[instance(NEAR), instance(NEAR_2)][: step % 3], inputs=[A]))
        program.take(advert("far", step, *[instance(FAR)][: step % 2], inputs=[B]))
        for router in ("r1", "r2"):
            groups = {line.split()[0] for line in rows(program, router, "draw")}
            members = rows(program, router, "member")
            assert {line.split()[0] for line in members} <= groups
            named = {match[1] for line in members if (match := re.search(r"group=(0x\w+)\)", line))}
            assert {f"group={number}" for number in named} <= groups


def test_silence_is_forgotten() -> None:
    clock = Clock()
    program = started(clock, text=TEXT)
    program.take(advert("near", 1, instance(NEAR), inputs=[A], ttl_s=5))
    clock.now += 6
    program.expire()
    assert rows(program, "r1", "input_holder") == rows(program, "r1", "member") == set()


def test_a_restart_changes_nothing_until_a_site_was_silent_for_long() -> None:
    before, clock = holding(), Clock()
    tables = {name: installed(one) for name, one in before.tables.items()}
    after = Program(before.catalogue, SCHEMA, clock, 10.0, before._events)  # the same log
    after.start({name: adopt(one.installed, SCHEMA) for name, one in tables.items()})
    kinds = ("input_holder", "result_holder", "member", "data_agent")
    for router in tables:
        for kind in kinds:
            assert rows(after, router, kind) == rows(before, router, kind)
    clock.now += 11
    after.expire()
    assert rows(after, "r1", "input_holder") == set()


def test_headers_are_sent_ahead_to_agents_that_are_declared() -> None:
    lines = {entry.describe(SCHEMA) for entry in installed(holding().tables["r1"]).installed}
    assert "data_agent site=0x2 → agent_at(ipv4=0xa030001, ipv6=0x0)" in lines
    assert f"clone session {PREFETCH_SESSION} → 1" in lines
    numbers = Path(p4src.__file__).with_name("numbers.p4").read_text()
    assert f"PREFETCH_SESSION = {PREFETCH_SESSION};" in numbers


def test_the_newest_items_stay_where_there_is_no_room_for_all() -> None:
    holders = Holders[int](limit=2)
    assert holders.replace(1, set(), {10}) == {10}
    assert holders.replace(2, set(), {11}) == {11}
    assert holders.replace(3, set(), {12}) == {10, 12}
    assert [set(holders[item]) for item in (10, 11, 12)] == [set(), {2}, {3}]
    assert holders.replace(4, set(), {10}) == {10, 11}
    assert holders[10] == {1, 4}
    assert holders.replace(3, {12}, set()) == {11, 12}
    assert holders[11] == {2}


def test_a_site_replaces_what_it_said() -> None:
    one = Locality(10, 10)
    result = ResultKey(DETECT, A)
    assert one.tell(1, Held(frozenset({A}), frozenset({result}))) == ({A}, {result}, True)
    assert one.tell(1, Held(frozenset({B}))) == ({A, B}, {result}, False)
    assert one.sites == {1}
    assert one.tell(1, Held()) == ({B}, set(), True)
    assert one.sites == set()
