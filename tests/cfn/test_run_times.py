"""What runs take, by what statuses tell of them."""

from __future__ import annotations

import pytest

from cfn.cpu import Cpu
from cfn.run_times import RunTimes, Share, Times
from tests.cfn.statuses import status

QUIET = Share(cores=2.0, left=1.0, instances=1, workers=8)
SHORT, LONG = (5, 4.0, 4.0), (1, 400.0, 400.0)


def reported(*runs: tuple[float, ...], usual_ms: float = 4.0, cpu: Cpu | None = None) -> RunTimes:
    """Told every 50 ms of so many runs, and of each in ms: how long, of the CPU, and others beside it."""
    times = RunTimes()
    last = status()
    for number, (count, busy_ms, cpu_ms, *beside) in enumerate(runs, 1):
        now = status(
            at_s=number * 0.05,
            completed=last.completed + round(count),
            busy_us=last.busy_us + round(1000 * count * busy_ms),
            cpu_us=last.cpu_us + round(1000 * count * cpu_ms),
            beside_us=last.beside_us + round(1000 * count * busy_ms * sum(beside)),
            usual_cpu_us=round(1000 * usual_ms),
        )
        times.take(last, now, number * 0.05)
        if cpu:
            times.used(cpu)
        last = now
    return times


def ms(times: RunTimes, share: Share = QUIET, *, idle: bool = False) -> Times:
    return Times(*(1000 * each for each in times.times(share, idle=idle)))


def test_nothing_is_known_before_the_first_run():
    assert RunTimes().times(QUIET, idle=True) == Times()


def test_a_long_run_now_and_then_is_no_slowness_and_counts_in_the_mean():
    assert ms(reported(*[SHORT] * 20)).usual_s == pytest.approx(4)
    mixed = ms(reported(*([SHORT] * 19 + [LONG]) * 2))
    assert mixed.usual_s == pytest.approx(4)
    # 190 short and two long ones, and twenty more that are taken for usual.
    assert mixed.mean_s == mixed.cpu_s == pytest.approx((190 * 4 + 2 * 400 + 20 * 4) / 212)


def test_that_the_first_runs_were_long_ones_soon_counts_for_little():
    assert ms(reported(LONG)).mean_s == pytest.approx((400 + 20 * 4) / 21)


def test_what_runs_are_slowed_down_by_shows_at_once_whatever_was_asked_for():
    for slowed in ((5, 28.0, 4.0), (1, 2800.0, 400.0)):
        assert ms(reported(*[SHORT] * 20, slowed, slowed)).usual_s == pytest.approx(28)
        assert ms(reported(*[SHORT] * 20, slowed, slowed, SHORT, SHORT)).usual_s == pytest.approx(4)
    assert ms(reported(*[SHORT] * 20, (5, 28.0, 4.0))).usual_s == pytest.approx(16)


def test_others_of_the_instance_slow_a_run_down_by_a_core_each():
    # 13 others and n runs want two cores: the pace is (13 + n)/2.
    for beside in (0, 1, 4):
        times = ms(reported((5, 4 * (14 + beside) / 2, 4.0, beside)))
        assert times.usual_s == times.mean_s == pytest.approx(28)
        assert times.crowded_s == pytest.approx(4 * 21 / 2)


def test_a_run_takes_no_less_than_the_cpu_time_that_it_needs():
    # Three at once on two cores, which have nothing else to do.
    times = ms(reported((5, 6.0, 4.0, 2)))
    assert (times.usual_s, times.crowded_s) == (pytest.approx(4), pytest.approx(4 * 8 / 2))


def test_nor_less_than_on_a_site_that_had_cpu_left():
    # It waits for 12 ms for something else than the CPU.
    quiet = Cpu(2.0, 0.5, window_s=0.25, at=9.0)
    times = reported(*[(5, 16.0, 4.0)] * 4, (5, 18.0, 4.0, 6), cpu=quiet)
    assert ms(times).usual_s == ms(times).best_s == pytest.approx(16)
    assert ms(times, idle=True).usual_s == pytest.approx(16)
    # A site that was full does not tell what its runs take when it is not.
    full = reported(*[(5, 16.0, 4.0)] * 9, cpu=Cpu(2.0, 1.0, window_s=0.25, at=9.0))
    assert ms(full).best_s == pytest.approx(4)


def test_the_cpu_counts_for_the_time_in_which_it_was_measured():
    times = reported(*[(5, 16.0, 4.0)] * 8)
    times.used(Cpu(2.0, 1.0, window_s=0.25, at=0.2))
    times.used(Cpu(2.0, 0.1, window_s=0.25, at=0.41))
    assert ms(times).best_s == pytest.approx(16)
    times = reported(*[(5, 16.0, 4.0)] * 8)
    times.used(Cpu(2.0, 1.0, window_s=0.25, at=0.3))
    times.used(Cpu(2.0, 0.1, window_s=0.25, at=0.41))
    # Two statuses are too few.
    assert ms(times).best_s == pytest.approx(4)


def test_an_idle_instance_computes_in_what_is_left():
    rushed = reported((5, 4.0, 4.0), *[(5, 40.0, 4.0)] * 9)
    assert ms(rushed, idle=True).usual_s == pytest.approx(4)
    assert ms(rushed, QUIET._replace(left=0.25), idle=True).usual_s == pytest.approx(16)
    assert ms(rushed, QUIET._replace(left=0.0), idle=True).usual_s == pytest.approx(80)


def test_where_runs_hardly_compute_it_takes_several_statuses():
    waits, slow = (5, 20.0, 0.1), (5, 80.0, 0.1)
    assert ms(reported(*[waits] * 20, slow)).usual_s == pytest.approx(20)
    assert ms(reported(*[waits] * 20, slow, slow)).usual_s == pytest.approx(80)
    assert ms(reported(*[waits] * 20, slow, slow)).mean_s == pytest.approx(80)
    assert ms(reported(*[waits] * 20, slow, slow), idle=True).usual_s == pytest.approx(20)


def test_what_is_too_short_for_the_cpu_clock_is_not_taken_for_nothing():
    coarse = reported(*[SHORT, (5, 4.0, 0.0)] * 20, usual_ms=0.0)
    assert 0 < ms(coarse).usual_s <= 4


def test_runs_that_take_no_time_at_all_are_not_measured():
    assert ms(reported((5, 0.0, 0.0), usual_ms=0.0)) == Times()


def test_what_lasts_becomes_the_work():
    quicker = (5, 1.0, 1.0)
    times = ms(reported(*[SHORT] * 20, *[quicker] * 100, usual_ms=1.0))
    assert (times.usual_s, times.mean_s) == (pytest.approx(1), pytest.approx(1))
