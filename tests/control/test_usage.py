"""Which uses are counted, and what is made of the counts."""

from __future__ import annotations

from control.services import ServiceIndex
from control.usage import Usage, UsageKey
from control.usage_report import usage_report
from tests.control.example import CATALOGUE, DETECT, RENDER, catalogue

TEXT = CATALOGUE.replace("tenants: {demo: 7}", "tenants: {demo: 7, other: {id: 9}}")
DECLARED = catalogue(TEXT)
SERVICES = ServiceIndex(DECLARED)
ONE, TWO = (SERVICES.id(service) for service in DECLARED.services)


def usage(limit: int = 100) -> Usage:
    return Usage(DECLARED, SERVICES, limit)


def test_what_may_be_asked_of_a_site_is_counted_once() -> None:
    one = usage()
    assert set(one.runs(1, [DETECT, RENDER])) == {(7, ONE, 1), (7, TWO, 1), (9, TWO, 1)}
    assert one.runs(1, [DETECT, 0xBAD]) == []
    assert one.runs(2, [DETECT]) == [(7, ONE, 2)]


def test_what_is_counted_goes_on_if_the_catalogue_permits_it() -> None:
    found = {UsageKey(7, ONE, 2), UsageKey(8, ONE, 2), UsageKey(7, 1, 1), UsageKey(7, TWO, 3)}
    one = usage()
    assert one.adopt(found) == [(7, ONE, 2)]
    assert one.runs(2, [DETECT]) == []


def test_what_finds_no_room_is_told_and_the_rest_is_counted() -> None:
    one = usage(limit=2)
    assert one.runs(1, [DETECT]) == [(7, ONE, 1)]
    assert not one.is_full
    assert one.runs(1, [RENDER]) == []
    assert one.is_full
    assert one.runs(2, [DETECT]) == [(7, ONE, 2)]


def test_counts_of_all_routers_add_up_and_cost_what_the_site_takes() -> None:
    routers = [
        {UsageKey(7, ONE, 1): (2, 200), UsageKey(9, TWO, 2): (0, 0)},
        {UsageKey(7, ONE, 1): (3, 300), UsageKey(5, 6, 7): (1, 1)},
    ]
    assert usage_report(DECLARED, SERVICES, routers) == [
        {"tenant": "5", "service": "6", "site": "7", "requests": 1, "bytes": 1, "cost": 0.0},
        {
            "tenant": "demo",
            "service": "vision/detect",
            "site": "near",
            "requests": 5,
            "bytes": 500,
            "cost": 10.0,
        },
        {"tenant": "other", "service": "video/*", "site": "far", "requests": 0, "bytes": 0, "cost": 0.0},
    ]
