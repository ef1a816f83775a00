"""Restarts: what routers hold is held against what follows from catalogue and adverts."""

from __future__ import annotations

from dataclasses import replace

import finsy as fy
import pytest

import p4src
from bench.restart import adverts, differences
from control.entries import Entry
from control.events import EventLog
from control.model import SiteAdvert
from control.program import Program
from tests.control.example import CATALOGUE, FAR, NEAR, NEAR_2, Clock, advert, catalogue, instance

SCHEMA = fy.P4Schema(p4src.P4INFO)
WANTED = catalogue(CATALOGUE + "policy: round-robin\n")
TOLD = [advert("near", 1, instance(NEAR)), advert("far", 1, instance(FAR))]


def installed(told: list[SiteAdvert]) -> dict[str, dict[bytes, Entry]]:
    program = Program(WANTED, SCHEMA, Clock(), 0.0, EventLog())
    program.start({})
    for one in told:
        program.take(one)
    for tables in program.tables.values():
        for phase in tables.changes():
            tables.done(phase)
    return {name: {entry.key: entry for entry in tables.installed} for name, tables in program.tables.items()}


def draws(found: dict[str, dict[bytes, Entry]]) -> list[str]:
    rows = [entry.describe(SCHEMA) for entries in found.values() for entry in entries.values()]
    return sorted(row for row in rows if row.startswith("draw "))


def test_what_a_controller_has_left_is_right() -> None:
    assert differences(WANTED, installed(TOLD), TOLD) == []


@pytest.mark.parametrize("table", ["service", "draw", "instance", "ipv4_route", "function", "cookie_key"])
def test_an_entry_that_is_missing_is_found(table: str) -> None:
    found = installed(TOLD)
    gone = next(key for key, entry in found["r1"].items() if entry.describe(SCHEMA).startswith(f"{table} "))
    del found["r1"][gone]
    assert any(line.startswith(f"r1: INSERT {table} ") for line in differences(WANTED, found, TOLD))


def test_an_entry_that_holds_something_else_is_found() -> None:
    found = installed(TOLD)
    groups = [(key, e) for key, e in found["r2"].items() if e.describe(SCHEMA).startswith("draw ")]
    (key, one), (_, other) = groups[:2]
    found["r2"][key] = replace(one, body=other.body)
    assert differences(WANTED, found, TOLD) != []


def test_other_expectations_alone_make_no_entry_wrong() -> None:
    slower = [advert("near", 1, instance(NEAR, service_ms=14.0)), TOLD[1]]
    assert draws(installed(slower)) != draws(installed(TOLD))
    assert differences(WANTED, installed(slower), TOLD) == []


def test_other_weights_are_found() -> None:
    found = installed([advert("near", 1, instance(NEAR), instance(NEAR_2)), TOLD[1]])
    twice = catalogue(CATALOGUE + "policy: nearest\n")
    assert any(": MODIFY draw " in line for line in differences(twice, found, TOLD))


def test_what_belongs_to_a_site_that_is_gone_is_found() -> None:
    assert any("DELETE" in line for line in differences(WANTED, installed(TOLD), TOLD[:1]))


def test_adverts_are_read_from_a_status() -> None:
    status = {
        "sites": {
            "near": {
                "advert": {
                    "incarnation": 5,
                    "sequence": 7,
                    "instances": [
                        {
                            "instance": 1,
                            "function": "vision/detect",
                            "state": "UP",
                            "ipv4": "10.2.0.1",
                            "ipv6": None,
                            "service_ms": 2.0,
                            "capacity_rps": 500.0,
                        }
                    ],
                }
            },
            "far": {"advert": None},
        }
    }
    (told,) = adverts(status, WANTED)
    assert (told.site, told.incarnation, told.sequence) == ("near", 5, 7)
    (one,) = told.instances.values()
    assert (one.key, str(one.ipv4), one.service_ms, one.capacity_rps) == (NEAR, "10.2.0.1", 2.0, 500.0)
