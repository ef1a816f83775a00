"""What ways are like, and their communication metric.

One case: pytest tests/control/test_quality.py -k measured
"""

from __future__ import annotations

from dataclasses import replace

import finsy as fy
import pytest

from cfn.metrics.score import MetricType, Score
from control import status_view
from control.decided import Place, Steered
from control.events import EventLog
from control.expectation import Expectation
from control.link_report import link_report
from control.links import LinkReport, Links
from control.network import Network
from control.paths import Paths
from control.program import Program
from control.quality import Quality, along, communication
from control.services import NO_CLASS, ServiceIndex
from control.sites import Sites
from p4src import P4INFO
from tests.control.example import CATALOGUE, DETECT, FAR, NEAR, Clock, advert, catalogue, instance

LINKED = CATALOGUE.replace(
    "port: 1}, delay_ms: 10", "port: 1}, delay_ms: 10, jitter_ms: 3, loss: 0.01, rate_mbps: 100"
).replace("port: 2}, delay_ms: 10", "port: 2}, delay_ms: 11")


def test_links_are_shown_with_their_rate() -> None:
    declared = catalogue(LINKED)
    told = link_report(declared, Links(declared, Clock()))
    assert told[0]["declared"] == {"delay_ms": 10, "jitter_ms": 3, "loss": 0.01, "rate_mbps": 100}
    assert list(status_view.links(told).columns[-1].cells) == ["100", "–"]


def test_ways_in_a_row() -> None:
    way = along([Quality(10, 3, 0.5, 100), Quality(1, 4, 0.5, None, 7), Quality(rate_mbps=50)])
    assert way == Quality(11, 5, 0.75, 50, 7)
    assert along([]) == Quality()


@pytest.mark.parametrize(
    ("quality", "value"),
    [
        (Quality(), 10),
        # (4 * 90 + 1 * 94 + 2 * 80 + 1 * 50) / 8 tenths, by docs/metrics.md
        (Quality(10.0, 3.0, 0.01, 100.0), 8),
        (Quality(100.0, 50.0, 0.05, 1.0), 0),
        (Quality(1000.0, 0.0, 0.0, None), 4),
    ],
)
def test_the_communication_metric(quality: Quality, value: int) -> None:
    assert communication(quality) == Score(MetricType.COMMUNICATION_NORM, value, 1)


def test_a_path_is_as_its_links_are_declared() -> None:
    network = Network(catalogue(LINKED))
    assert network.quality("r1", "far") == Quality(11.0, 3.0, pytest.approx(0.01), 100.0)
    assert network.quality("r1", "near") == Quality(1.0)


def test_a_way_by_others_is_all_of_their_links() -> None:
    text = LINKED.replace(
        "links:",
        "  r3: {device_id: 3, address: '127.0.0.1:3', mac: '02:00:00:00:03:00'}\n"
        "links:\n"
        "  - {a: {router: r1, port: 9}, b: {router: r3, port: 1}, delay_ms: 20, loss: 0.5}\n"
        "  - {a: {router: r2, port: 9}, b: {router: r3, port: 2}, delay_ms: 30, jitter_ms: 1}",
    )
    network = Network(catalogue(text))
    assert network.quality("r1", "far", ("r3",)) == Quality(51.0, 1.0, 0.5)
    assert network.quality("r1", "far") == Quality(11.0, 3.0, pytest.approx(0.01), 100.0)


def test_a_host_out_of_reach_has_no_quality() -> None:
    lines = [line for line in CATALOGUE.splitlines() if not line.startswith(("links", "  - {a:"))]
    assert Network(catalogue("\n".join(lines))).quality("r1", "far") is None


def test_measured_jitter_and_loss_count_instead_of_those_declared() -> None:
    declared = catalogue(LINKED)
    clock = Clock()
    links, network = Links(declared, clock), Network(declared)
    for returned in range(1, 102):
        clock.now += 0.1
        links.report("r2", LinkReport(1, returned + returned // 4, returned, 30_000, 7_000))
    network.observe(links.qualities())
    found = network.quality("r1", "far")
    # One in five round trips is lost; the delay is the one that paths go by.
    assert found == Quality(11.0, 7.0, pytest.approx(1 - 0.8**0.5, rel=0.02), 100.0, 9900)
    assert communication(found).window_ms == 9900
    network.measure([10.0, 5.0])
    assert network.quality("r1", "far") == Quality(6.0)
    network.measure([10.0, 11.0])
    assert network.quality("r1", "far") == found
    clock.now += 4
    network.observe(links.qualities())
    assert network.quality("r1", "far") == Quality(11.0, 3.0, pytest.approx(0.01), 100.0)


def test_norm_fi_is_no_better_than_the_way() -> None:
    declared = catalogue(LINKED)
    sites = Sites(declared)
    expectation = Expectation(declared, Network(declared), Paths(declared, ServiceIndex(declared), sites))
    seen = [
        expectation.norm_fi("r1", replace(instance(key), norm_fi=value), Steered(DETECT, NO_CLASS, 4))
        for key in (NEAR, FAR)
        for value in (None, 5, 10)
    ]
    assert seen == [None, 5, 10, None, 5, 8]


def test_requests_are_shared_by_what_a_router_sees_of_norm_fi() -> None:
    program = Program(catalogue(f"{LINKED}policy: norm\n"), fy.P4Schema(P4INFO), Clock(), 5.0, EventLog())
    program.start({})
    program.take(advert("near", 1, instance(NEAR, norm_fi=4)))
    program.take(advert("far", 1, instance(FAR, norm_fi=10)))
    decision = program.steering.decisions[Place("r1", Steered(DETECT, NO_CLASS, 4))]
    # The way to the far site is worth no more than 8.
    assert decision.target == pytest.approx({NEAR: 1 / 3, FAR: 2 / 3})
