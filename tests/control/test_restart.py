"""A controller that starts where another one was: what it goes on from, and what it drops."""

from __future__ import annotations

from control.adoption import Adopted, adopt
from control.events import EventLog
from control.program import Program
from tests.control.example import (
    CATALOGUE,
    FAR,
    NEAR,
    NEAR_2,
    Clock,
    advert,
    catalogue,
    instance,
)
from tests.control.test_many_functions import many
from tests.control.test_program import HOLD_S, SCHEMA, installed, rows, shares, started


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
    assert not any("instance=0x2" in row for row in rows(after, "r1", "draw"))
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
        assert not any("site=0x2" in row for row in rows(after, router, "draw"))
        assert not any(
            "site=0x2" in row for row in rows(after, router, "site") | rows(after, router, "instance")
        )
    assert shares(after) == {"near": 1.0}
