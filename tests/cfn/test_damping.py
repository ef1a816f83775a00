"""When adverts are due, with a virtual clock."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.damping import Damping, Rule, Schedule
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
    error_rps=0.0,
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
        ({"queue": 21}, False),
        ({"queue": 22}, True),
        ({"queue": 18}, True),
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
def test_what_is_told_before_the_timer(change, told):
    assert (schedule().due((replace(VIEW, **change),)) < 11.0) is told


def test_single_requests_in_a_short_queue_are_noise():
    idle = replace(VIEW, queue=0)
    made = schedule(idle)
    assert made.due((replace(idle, queue=1),)) == 11.0
    assert made.due((replace(idle, queue=2),)) == pytest.approx(10.02)


def test_the_first_service_time_is_told():
    fresh = replace(VIEW, service_time_us=0.0)
    assert schedule(fresh).due((VIEW,)) == pytest.approx(10.02)
    assert schedule(fresh).due((fresh,)) == 11.0


def test_the_cpu_in_use_has_a_threshold_and_a_floor_of_its_own():
    made = schedule()
    assert made.due((VIEW,), cpu=0.04) == 11.0
    assert made.due((VIEW,), cpu=0.05) == pytest.approx(10.1)
    made.sent((VIEW,), 11.0, cpu=0.5)
    assert made.due((VIEW,), cpu=0.52) == 12.0
    assert made.due((VIEW,), cpu=0.40) == pytest.approx(11.1)


def test_a_metric_can_have_a_floor_and_a_ceiling():
    made = schedule(rules={"queue": Rule(relative=0.5, floor_s=0.1, ceiling_s=0.4)})
    assert made.due((VIEW,)) == 11.0
    assert made.due((replace(VIEW, queue=21),)) == pytest.approx(10.4)
    assert made.due((replace(VIEW, queue=30),)) == pytest.approx(10.1)
    # Each metric for itself: another one need not wait.
    assert made.due((replace(VIEW, queue=30, load=200),)) == pytest.approx(10.02)


def schedule(view: InstanceView = VIEW, **damping) -> Schedule:
    made = Schedule(Damping(**damping))
    made.sent((view,), 10.0)
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
    made = schedule(timer_s=1.0, min_interval_s=0.02)
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


def test_comings_and_goings_are_told_at_once_only_so_often():
    made = schedule(timer_s=5.0, flaps=2, flap_s=1.0)
    made.sent((), 10.1)
    assert made.due((VIEW,)) == pytest.approx(10.12)
    made.sent((VIEW,), 10.2)
    assert made.due(()) == pytest.approx(11.1)
    # What else changes is told meanwhile.
    other = replace(VIEW, instance=2)
    assert made.due((replace(VIEW, load=255), other)) == pytest.approx(10.22)
    made.sent((), 11.1)
    assert made.due((VIEW,)) == pytest.approx(11.2)


NUMBERS = st.lists(st.integers(1, 4), max_size=4, unique=True).map(sorted)
STEP = st.tuples(st.floats(0.0, 0.3), NUMBERS, st.integers(0, 255), st.integers(0, 50), st.floats(0, 1))


def views_of(numbers: list[int], **values: int) -> tuple[InstanceView, ...]:
    return tuple(replace(VIEW, instance=number, **values) for number in numbers)


@given(st.lists(STEP, max_size=150), st.floats(0.005, 0.2))
def test_no_history_brings_adverts_closer_than_the_least_interval(steps, min_interval_s):
    made = Schedule(Damping(min_interval_s=min_interval_s))
    now, sent = 0.0, []
    for wait, numbers, load, queue, cpu in steps:
        now += wait
        views = views_of(numbers, load=load, queue=queue)
        if now >= made.due(views, cpu=cpu):
            made.sent(views, now, cpu=cpu)
            sent.append(now)
    assert all(later - earlier >= min_interval_s * (1 - 1e-9) for earlier, later in pairwise(sent))


@given(st.lists(st.tuples(st.floats(0.0, 0.3), NUMBERS), max_size=300), st.integers(1, 4))
def test_no_spawning_and_killing_pushes_adverts_past_the_limit(steps, flaps):
    made = Schedule(Damping(timer_s=10.0, min_interval_s=0.01, flaps=flaps, flap_s=1.0))
    now, sent = 0.0, []
    for wait, numbers in steps:
        now += wait
        if now >= made.due(views_of(numbers)):
            made.sent(views_of(numbers), now)
            sent.append(now)
    # One more, by the timer or as the first.
    assert all(len([t for t in sent if at <= t < at + 1.0 - 1e-9]) <= flaps + 1 for at in sent)
