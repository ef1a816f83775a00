"""What is kept between adverts: slots, cookie keys, measurements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.cookie import CookieKey
from control.keys import EPOCHS, KeyRing, adopt
from control.measurements import FRESH_S, Measurement, Measurements
from control.model import Member
from control.slots import Slots
from tests.control.example import Clock

NEAR, NEAR_2, FAR = Member(1, 1), Member(1, 2), Member(2)

A, B, C = CookieKey(1, 1), CookieKey(2, 2), CookieKey(3, 3)


def test_slots_are_stable_and_used_again_as_late_as_possible() -> None:
    slots = Slots(3)
    assert slots.keep([NEAR, FAR]) == []
    assert slots.assigned == {NEAR: 0, FAR: 1}
    slots.keep([FAR])
    slots.keep([FAR, NEAR_2])
    assert slots.assigned == {FAR: 1, NEAR_2: 2}
    slots.keep([FAR, NEAR_2, NEAR])
    assert slots.assigned[NEAR] == 0


def test_without_a_slot_left_the_others_keep_theirs() -> None:
    slots = Slots(1)
    assert slots.keep([NEAR]) == []
    assert slots.keep([NEAR, FAR]) == [FAR]
    assert slots.assigned == {NEAR: 0}


def test_installed_slots_are_adopted_and_contradictions_settled() -> None:
    slots = Slots(10, [(NEAR, 7), (FAR, 7), (NEAR, 3), (NEAR_2, 10)])
    assert slots.assigned == {NEAR: 7}
    slots.keep([NEAR, FAR, NEAR_2])
    assert slots.assigned == {NEAR: 7, NEAR_2: 0, FAR: 1}


@given(st.lists(st.sets(st.builds(Member, st.integers(1, 3), st.integers(-1, 4)), max_size=8), max_size=12))
def test_no_two_instances_share_a_slot(rounds: list[set[Member]]) -> None:
    slots = Slots(10)
    before: dict[Member, int] = {}
    for alive in rounds:
        slots.keep(alive)
        now = dict(slots.assigned)
        assert len(set(now.values())) == len(now)
        assert all(now[key] == before[key] for key in now.keys() & before.keys() & alive)
        before = now


def test_without_keys_installed_a_random_one_is_made() -> None:
    ring = adopt([], lambda size: bytes(range(size)))
    assert ring == KeyRing({0: CookieKey.from_bytes(bytes(range(8)))}, 0)
    assert adopt([]).keys != adopt([]).keys


def test_keys_installed_are_adopted() -> None:
    assert adopt([KeyRing({1: A, 2: B}, 2), KeyRing({2: B}, 2)]) == KeyRing({1: A, 2: B}, 2)


@pytest.mark.parametrize("sealing", range(EPOCHS))
def test_after_a_rotation_cut_short_the_newest_epoch_that_seals_wins(sealing: int) -> None:
    following = (sealing + 1) % EPOCHS
    old = KeyRing({sealing: A, following: B}, sealing)
    new = KeyRing({sealing: A, following: B}, following)
    assert adopt([old, new]) == adopt([new, old]) == new
    assert adopt([old, old]) == KeyRing({sealing: A}, sealing)


def test_a_rotation_announces_first_and_keeps_the_last_key() -> None:
    ring = KeyRing({0: A, 3: B}, 0)
    announced = ring.announced(lambda _: bytes(8))
    assert announced == KeyRing({0: A, 1: CookieKey(0, 0)}, 0)
    assert announced.rotated() == KeyRing({0: A, 1: CookieKey(0, 0)}, 1)


def test_measurements_age() -> None:
    clock = Clock()
    measured = Measurements(clock)
    measured.report("r1", NEAR, load=10, queue=2, response_us=1500)
    assert measured.get("r1", NEAR) == Measurement(10, 2, 1.5, clock.now)
    assert measured.get("r2", NEAR) is None
    clock.now += FRESH_S + 0.1
    assert measured.get("r1", NEAR) is None


def test_a_response_time_of_nothing_is_none() -> None:
    clock = Clock()
    measured = Measurements(clock)
    measured.report("r1", NEAR, load=10, queue=2, response_us=0)
    assert measured.get("r1", NEAR) == Measurement(10, 2, None, clock.now)
    assert measured.response_ms("r1", NEAR) is None


def test_measurements_of_what_is_gone_are_dropped() -> None:
    measured = Measurements(Clock())
    measured.report("r1", NEAR, load=1, queue=1, response_us=1)
    measured.report("r1", FAR, load=1, queue=1, response_us=1)
    measured.report("r2", NEAR, load=1, queue=1, response_us=1)
    measured.forget_all_but("r1", {FAR})
    assert measured.get("r1", NEAR) is None
    assert measured.get("r1", FAR) is not None
    assert measured.get("r2", NEAR) is not None
