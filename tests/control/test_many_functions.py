"""Functions by the many: what they share, and what a change of one of them costs."""

from __future__ import annotations

from typing import Any

from cfn.names import func_id
from control.model import Instance, InstanceKey
from tests.control.example import (
    CATALOGUE,
    FAR,
    NEAR,
    NEAR_2,
    Clock,
    advert,
    instance,
)
from tests.control.test_program import SCHEMA, installed, rows, shares, started


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
    assert len(rows(program, "r1", "draw")) == 1
    assert len(rows(program, "r2", "draw")) == len(names)
    program.take(advert("near", 1, *copies(NEAR, names[:5])))
    assert len(rows(program, "r1", "draw")) == 1 + 5


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
        assert changed == ["draw"]


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
