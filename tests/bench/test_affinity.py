"""The affinity benchmark as it runs, with few sessions and changes."""

import os

import pytest
from finsy import P4Schema

import p4src
from bench import two_ingresses
from bench.affinity import COOKIE, HASH, PROMISED, Site, found_of, laid, with_cookies, with_flow_table
from bench.sessions import Sessions
from bench.targets import EMBEDDED, TARGETS, Target
from bench.two_ingresses import BY_HASH, INGRESS

_NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")


@pytest.fixture(params=TARGETS.values(), ids=list(TARGETS))
def target(request: pytest.FixtureRequest) -> Target:
    if not request.param.installed():
        pytest.skip(f"{request.param.name} is not installed")
    return request.param


@pytest.mark.netns
@_NEEDS_ROOT
def test_cookies_hold_where_hashing_tears(target: Target) -> None:
    found, events = with_cookies(target, changes=20, count=32)
    assert found[COOKIE].torn == 0
    assert found[HASH].torn > 0
    assert all((one.refused, one.lost) == (0, 0) for one in found.values())
    assert len(events) == 5
    assert set(events.values()) == {0}


@pytest.mark.netns
@_NEEDS_ROOT
def test_the_flow_table_holds(target: Target) -> None:
    found = with_flow_table(target, changes=20, count=64)
    assert (found.torn, found.unkept, found.refused, found.lost) == (0, 0, 0, 0)
    assert found.changes >= 20


@pytest.mark.netns
@_NEEDS_ROOT
def test_requests_that_never_arrive_are_counted() -> None:
    with laid(EMBEDDED) as (_, endpoints):
        nobody = Sessions(BY_HASH, 3, INGRESS["r1"], echo=False)
        Site({}, endpoints).once(nobody)
    assert found_of(nobody, 0).lost == 3


def test_promised_flows_are_those_of_the_program() -> None:
    assert P4Schema(p4src.P4INFO).registers["flow_cell"].size == 8 * PROMISED


def test_every_row_is_of_the_program() -> None:
    schema = P4Schema(p4src.P4INFO)
    for router in two_ingresses.ROUTERS:
        for entry in two_ingresses.entries(router):
            entry.encode(schema)
