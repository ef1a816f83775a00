"""When adverts are due, with a virtual clock."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from cfn.damping import Damping, Schedule, Thresholds, changed
from cfn.holdings import Holdings
from cfn.site import InstanceView

VIEW = InstanceView(
    func_id=0xF,
    instance=1,
    ipv4=IPv4Address("10.2.0.1"),
    ipv6=None,
    load=100,
    queue=20,
    service_time_us=5000.0,
    arrival_rps=50.0,
    completed_rps=50.0,
    capacity_rps=200.0,
    concurrency=1,
    draining=False,
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"load": 125}, False),
        ({"load": 126}, True),
        ({"load": 74}, True),
        ({"queue": 23}, False),
        ({"queue": 24}, True),
        ({"queue": 16}, True),
        ({"service_time_us": 5999.0}, False),
        ({"service_time_us": 6000.0}, True),
        ({"service_time_us": 4000.0}, True),
        ({"arrival_rps": 500.0, "completed_rps": 1.0, "capacity_rps": 1.0}, False),
        ({"draining": True}, True),
        ({"concurrency": 2}, True),
        ({"ipv6": IPv6Address("fd00::1")}, True),
        ({"func_id": 0xE}, True),
        ({}, False),
    ],
)
def test_what_is_told_at_once(change, told):
    assert changed(VIEW, replace(VIEW, **change), Thresholds()) is told


def test_single_requests_in_a_short_queue_are_noise():
    idle = replace(VIEW, queue=0)
    assert not changed(idle, replace(idle, queue=1), Thresholds())
    assert changed(idle, replace(idle, queue=2), Thresholds())


def test_the_first_service_time_is_told():
    fresh = replace(VIEW, service_time_us=0.0)
    assert changed(fresh, VIEW, Thresholds())
    assert not changed(fresh, fresh, Thresholds())


def schedule(**damping) -> Schedule:
    made = Schedule(Damping(**damping))
    made.sent((VIEW,), 10.0)
    return made


def test_the_first_advert_is_due_at_once():
    assert Schedule(Damping()).due((VIEW,)) <= 0.0


def test_without_a_change_the_timer_decides():
    assert schedule(timer_s=1.0).due((replace(VIEW, load=101),)) == 11.0


@pytest.mark.parametrize(
    "views", [(), (VIEW, VIEW), (replace(VIEW, load=200),), (replace(VIEW, instance=2),)]
)
def test_a_change_is_due_after_the_least_interval(views):
    assert schedule(timer_s=1.0, min_interval_s=0.02).due(views) == pytest.approx(10.02)


def test_a_change_that_went_back_waits_for_the_timer_again():
    made = schedule()
    assert made.due((replace(VIEW, load=200),)) < made.due((VIEW,)) == 11.0


def test_a_change_of_what_is_held_is_told_soon_but_not_at_once():
    made = schedule(timer_s=1.0, min_interval_s=0.02, holdings_s=0.2)
    held = Holdings(frozenset([b"i" * 16]))
    assert made.due((VIEW,), held) == pytest.approx(10.2)
    assert made.due((), held) == pytest.approx(10.02)
    made.sent((VIEW,), 11.0, held)
    assert made.due((VIEW,), held) == 12.0
    assert made.due((VIEW,), Holdings()) == pytest.approx(11.2)


def test_the_controller_can_slow_an_agent_down_but_not_hurry_it():
    made = schedule(min_interval_s=0.02)
    made.slow_down(0.5)
    assert made.due(()) == pytest.approx(10.5)
    made.slow_down(0.001)
    assert made.due(()) == pytest.approx(10.02)
    made.slow_down(3.0)
    assert made.due((VIEW,)) == pytest.approx(13.0)
