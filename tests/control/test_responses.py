"""Measured response times held against adverts: which go together, and what is said when they don't."""

from __future__ import annotations

import pytest

from control.adverts import AdvertStore
from control.events import EventLog
from control.expectation import Expectation
from control.measurements import Measurements, Report
from control.model import Instance, Member
from control.network import Network
from control.paths import Paths
from control.program import Program
from control.responses import LASTING_S, Responses
from control.services import ServiceIndex
from control.sites import Sites
from tests.control.example import DETECT, FAR, NEAR, RENDER, Clock, advert, catalogue, instance
from tests.control.test_program import SCHEMA

SITE = Member(FAR.site)


def responses(clock: Clock, *far: Instance) -> tuple[Responses, Measurements]:
    """What r1 measures of the far site, 22 ms there and back."""
    declared = catalogue()
    measured, store = Measurements(clock), AdvertStore(clock)
    store.accept(advert("far", 1, *far, ttl_s=600.0))
    sites = Sites(declared)
    expectation = Expectation(declared, Network(declared), Paths(declared, ServiceIndex(declared), sites))
    return Responses(measured, expectation, sites, store, clock), measured


@pytest.mark.parametrize(
    ("news", "response_ms", "explained"),
    [
        ({}, 32.0, True),
        ({}, 46.0, True),
        ({}, 48.0, False),
        ({"queue": 5}, 60.0, True),
        ({"queue": 5}, 150.0, False),
        ({"load": 172}, 200.0, True),
        ({"load": 172}, 300.0, False),
        ({"service_ms": 100.0}, 80.0, True),
        ({"service_ms": 100.0}, 60.0, False),
    ],
)
def test_what_an_advert_explains(news: dict[str, float], response_ms: float, explained: bool) -> None:
    compared, _ = responses(Clock(), instance(FAR, **news))
    told = compared.told("r1", SITE)
    assert told is not None
    assert told.network_ms == 22.0
    assert told.explains(response_ms) == explained


def test_of_an_instance_never_measured_nothing_is_told() -> None:
    compared, _ = responses(Clock(), instance(FAR, service_ms=0.0))
    assert compared.told("r1", SITE) is None
    assert compared.told("r1", Member(*NEAR)) is None


def test_each_instance_of_a_site_takes_its_part_of_the_mean() -> None:
    slow = instance(FAR._replace(instance=2), RENDER, like=FAR, service_ms=98.0, arrival_rps=10.0)
    quick = instance(FAR, DETECT, service_ms=8.0, arrival_rps=20.0)
    compared, measured = responses(Clock(), quick, slow)
    # (2 × 30 + 120) / 3 ms are expected; twice that was measured.
    measured.report("r1", SITE, 0, 0, 120_000)
    assert compared.response_ms("r1", quick) == pytest.approx(60.0)
    assert compared.response_ms("r1", slow) == pytest.approx(240.0)
    assert compared.response_ms("r2", quick) is None


def test_who_tells_of_more_speed_since_is_believed_as_far_as_what_it_told_was_so() -> None:
    clock = Clock()
    compared, measured = responses(clock, instance(FAR, service_ms=88.0))
    measured.report("r1", SITE, 0, 0, 220_000)
    assert compared.response_ms("r1", instance(FAR)) == pytest.approx(2 * 32.0)
    clock.now += 1
    compared.store.accept(advert("far", 2, instance(FAR, service_ms=28.0), ttl_s=600.0))
    assert compared.response_ms("r1", instance(FAR, service_ms=28.0)) == pytest.approx(2 * 50.0)
    # Another measurement tells better.
    measured.report("r1", SITE, 0, 0, 220_000)
    assert compared.response_ms("r1", instance(FAR, service_ms=28.0)) == pytest.approx(220.0)


def test_what_was_measured_may_be_told_of_later() -> None:
    clock = Clock()
    compared, measured = responses(clock, instance(FAR))
    measured.report("r1", SITE, 0, 0, 110_000)
    assert compared.response_ms("r1", instance(FAR)) == pytest.approx(110.0)
    for sequence, service_ms in ((2, 88.0), (3, 10.0)):
        clock.now += 0.4
        compared.store.accept(advert("far", sequence, instance(FAR, service_ms=service_ms), ttl_s=600.0))
        found = compared.response_ms("r1", instance(FAR, service_ms=service_ms))
    assert found == pytest.approx(32.0)


def test_a_disagreement_that_lasts_is_told_once_and_so_is_its_end() -> None:
    clock = Clock()
    compared, measured = responses(clock, instance(FAR))
    log = EventLog()

    def looked(response_ms: float) -> list[str]:
        for _ in range(3):
            clock.now += LASTING_S / 2
            measured.report("r1", SITE, 0, 0, round(response_ms * 1000))
            compared.look("r1", SITE, log)
        return [event["event"] for event in log.last]

    assert looked(32.0) == []
    assert looked(500.0) == ["response-disagrees"]
    assert compared.disagrees("r1", SITE)
    assert looked(500.0) == ["response-disagrees"]
    assert log.last[0] | {"time": 0} == {
        "time": 0,
        "event": "response-disagrees",
        "router": "r1",
        "site": "far",
        "instance": None,
        "measured_ms": 500.0,
        "told_ms": 32.0,
    }
    assert looked(32.0) == ["response-disagrees", "response-agrees"]
    assert not compared.disagrees("r1", SITE)
    looked(500.0)
    compared.forget_all_but("r1", [])
    assert not compared.disagrees("r1", SITE)


def test_reports_of_routers_reach_the_policies() -> None:
    program = Program(catalogue(), SCHEMA, Clock(), 10.0, EventLog())
    program.start({})
    program.take(advert("far", 1, instance(FAR)))
    program.report("r1", Report(SITE, 10, 1, 64_000))
    program.take(advert("far", 2, instance(FAR)))
    (found,) = {
        decision.candidates[0].response_ms
        for place, decision in program.steering.decisions.items()
        if place.router == "r1" and place.steered.func_id == DETECT and decision.candidates
    }
    assert found == 64.0
