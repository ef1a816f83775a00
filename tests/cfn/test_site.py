"""What a site makes of its instances' statuses, with a virtual clock."""

import pytest

from cfn.cpu import Cpu
from cfn.site import SILENT_AFTER_S, SiteState, StaleStatusError
from tests.cfn.statuses import status

IDLE = Cpu(cores=4.0)


def site(*statuses) -> SiteState:
    state = SiteState()
    for each in statuses:
        state.take(each, each.at_us / 1e6)
    return state


def test_rates_and_service_time_are_those_of_the_last_second():
    (view,) = site(
        status(at_s=0.0, arrived=0),
        status(at_s=9.0, arrived=500, completed=500, busy_us=9_000_000),
        status(
            at_s=9.5, arrived=550, completed=530, failed=1, busy_us=9_150_000, workers=2, load=99, queue=20
        ),
        status(
            at_s=10.0, arrived=600, completed=560, failed=3, busy_us=9_300_000, workers=2, load=120, queue=40
        ),
    ).view(IDLE, draining=False)
    assert view.service_time_us == 5000
    assert (view.arrival_rps, view.completed_rps, view.error_rps, view.capacity_rps) == (100, 60, 3, 400)
    assert (view.load, view.queue, view.concurrency, view.draining) == (120, 40, 2, False)


def test_the_first_status_knows_no_rates():
    (view,) = site(status(at_s=5.0, arrived=10, completed=10, busy_us=50_000)).view(IDLE, draining=False)
    assert (view.service_time_us, view.arrival_rps, view.capacity_rps) == (0, 0, 0)


def test_instances_share_what_is_left_of_the_cpu():
    statuses = [
        status(number, at_s=at_s, arrived=done, completed=done, busy_us=5000 * done, cpu_us=5000 * done)
        for number in (1, 2)
        for at_s, done in ((0.0, 0), (1.0, 20))
    ]
    views = site(*statuses).view(Cpu(cores=0.3, utilisation=0.5), draining=False)
    # 0.15 cores are left, 0.075 for each: 15 requests a second more.
    assert [view.capacity_rps for view in views] == [pytest.approx(35)] * 2


def test_an_instance_of_a_full_site_has_its_part_of_the_cores_for_all_its_workers():
    told = {"arrived": 20, "completed": 20, "cpu_us": 100_000, "workers": 8}
    full = Cpu(cores=2.0, utilisation=1.0)
    # 13 others want the cores: with one run the pace is 7, with eight it is 10.5.
    (view,) = site(status(), status(at_s=1.0, busy_us=700_000, **told)).view(full, draining=False)
    assert view.service_time_us == pytest.approx(35_000)
    assert view.capacity_rps == pytest.approx(8 / (10.5 * 0.005))
    # Nobody else does: four runs have a pace of 2, and all that the site can do is done.
    done = {**told, "arrived": 400, "completed": 400, "cpu_us": 2_000_000, "beside_us": 12_000_000}
    (view,) = site(status(), status(at_s=1.0, busy_us=4_000_000, **done)).view(full, draining=False)
    assert view.capacity_rps == pytest.approx(400)


def test_an_idle_instance_of_a_full_site_has_next_to_no_capacity_which_is_not_unknown():
    ran = {"arrived": 20, "completed": 20, "busy_us": 80_000, "cpu_us": 60_000}
    state = site(status(), *(status(at_s=at_s, **ran) for at_s in (0.5, 2.0, 3.5)))
    (view,) = state.view(Cpu(cores=1.0, utilisation=1.0), draining=False)
    assert (view.arrival_rps, view.completed_rps) == (0, 0)
    assert view.service_time_us == pytest.approx(20 * 3000)
    assert view.capacity_rps == pytest.approx(1 / 0.060)


def test_instances_are_told_in_the_order_of_their_numbers():
    views = site(status(9), status(2, ipv4="10.2.0.2"), status(5)).view(IDLE, draining=False)
    assert [view.instance for view in views] == [2, 5, 9]


def test_a_silent_instance_is_forgotten():
    state = site(status(1, at_s=0.0), status(2, at_s=1.5))
    assert state.next_silence() == SILENT_AFTER_S
    assert state.forget_silent(SILENT_AFTER_S) == []
    assert state.forget_silent(SILENT_AFTER_S + 0.01) == [1]
    assert [view.instance for view in state.view(IDLE, draining=False)] == [2]


def test_an_instance_that_says_goodbye_is_forgotten_at_once():
    state = site(status(1), status(1, at_s=1.0, state="gone"))
    assert state.view(IDLE, draining=False) == ()
    assert state.next_silence() is None


def test_goodbye_from_an_instance_that_nobody_knew_is_no_news():
    assert site(status(1, state="gone")).view(IDLE, draining=False) == ()


def test_draining_is_told_of_one_instance_or_of_the_whole_site():
    state = site(status(1), status(2, state="draining"))
    assert [view.draining for view in state.view(IDLE, draining=False)] == [False, True]
    assert [view.draining for view in state.view(IDLE, draining=True)] == [True, True]


def test_a_restarted_server_begins_anew():
    (view,) = site(
        status(at_s=0.0, arrived=1000, completed=1000, busy_us=9_000_000),
        status(at_s=1.0, started_us=2000),
        status(at_s=2.0, started_us=2000, arrived=10, completed=10, busy_us=20_000),
    ).view(IDLE, draining=False)
    assert (view.arrival_rps, view.service_time_us) == (10, 2000)


def test_late_words_of_the_server_before_don_t_count():
    state = site(status(at_s=0.0, started_us=2000, load=50))
    for stale in (status(at_s=1.0, started_us=1000, load=9), status(at_s=1.0, started_us=1000, state="gone")):
        with pytest.raises(StaleStatusError, match="instance 1"):
            state.take(stale, 1.0)
    assert [view.load for view in state.view(IDLE, draining=False)] == [50]


def test_a_status_out_of_order_does_not_count():
    state = site(status(at_s=1.0, arrived=10))
    with pytest.raises(StaleStatusError, match="older"):
        state.take(status(at_s=0.5, arrived=5), 1.1)
