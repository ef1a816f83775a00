"""How shares move with what sites tell and with time, with a virtual clock and no network.

One case: pytest tests/control/test_shares.py -k overload
"""

from __future__ import annotations

import pytest

from control.decided import Place, Steered
from tests.control.example import (
    CATALOGUE,
    DETECT,
    FAR,
    NEAR,
    NEAR_2,
    Clock,
    advert,
    instance,
)
from tests.control.test_program import installed, shares, started


def test_a_site_counts_with_the_weights_of_all_its_instances() -> None:
    program = started(text=CATALOGUE + "policy: weighted\n")
    program.take(advert("near", 1, instance(NEAR), instance(NEAR_2)))
    program.take(advert("far", 1, instance(FAR)))
    for router in ("r1", "r2"):
        assert shares(program, router) == pytest.approx({"near": 2 / 3, "far": 1 / 3}, abs=0.01)


@pytest.mark.parametrize(
    "news", [{"load": 255, "queue": 30}, {"arrival_rps": 140.0, "load": 200}, {"queue": 40}]
)
def test_an_overloaded_site_loses_half_with_the_next_advert(news: dict[str, float]) -> None:
    clock = Clock()
    program = started(clock)
    program.take(advert("far", 1, instance(FAR)))
    program.take(advert("near", 1, instance(NEAR, arrival_rps=60.0)))
    for sequence in range(2, 12):
        clock.now += 0.25
        program.take(advert("near", sequence, instance(NEAR, arrival_rps=60.0)))
        program.take(advert("far", sequence, instance(FAR)))
    had = shares(program)
    assert had is not None
    assert had["near"] > 0.5
    clock.now += 0.001
    program.take(advert("near", 90, instance(NEAR, **news)))
    now = shares(program)
    assert now is not None
    assert now.get("near", 0.0) <= had["near"] / 2 + 1 / 256
    # Adverts of others are no news of the near site: it isn't halved again.
    program.take(advert("far", 90, instance(FAR)))
    again = shares(program)
    assert again is not None
    assert again.get("near", 0.0) == pytest.approx(now.get("near", 0.0), abs=0.02)


def test_a_site_that_recovers_gets_its_share_back() -> None:
    clock = Clock()
    program = started(clock)
    program.take(advert("far", 1, instance(FAR, arrival_rps=0.0)))
    program.take(advert("near", 1, instance(NEAR, load=255, queue=50)))
    for sequence in range(2, 30):
        clock.now += 0.25
        program.take(advert("near", sequence, instance(NEAR, load=40, arrival_rps=5.0)))
    recovered = shares(program)
    assert recovered is not None
    assert recovered["near"] > 0.95


def test_policies_see_how_much_is_known_and_how_old_it_is() -> None:
    clock = Clock()
    program = started(clock)
    program.take(advert("near", 1, instance(NEAR)))
    for sequence, after_s in enumerate((2.0, 0.4), 1):
        clock.now += after_s
        told = instance(FAR, load=199, queue=1, completed_rps=90.0, error_rps=2.0, norm_fi=7)
        program.take(advert("far", sequence, told))
    seen = program.steering.decisions[Place("r1", Steered(DETECT, 0, 4))].candidates
    near, far = seen
    assert (far.utilisation, far.completed_rps, far.error_rps, far.norm_fi) == (1.0, 90.0, 2.0, 7)
    assert [(c.known_s, c.age_s, c.interval_s) for c in seen] == [
        pytest.approx((2.0, 2.4, 0.0)),
        pytest.approx((0.0, 0.0, 0.4)),
    ]
    assert near.utilisation == 0.0


def test_who_was_never_measured_is_tried_at_once_but_not_for_requests_with_a_latency_bound() -> None:
    program = started(text=CATALOGUE.replace("within_ms: 20", "within_ms: 90"))
    program.take(advert("near", 1, instance(NEAR)))
    program.take(advert("far", 1, instance(FAR, service_ms=0.0, capacity_rps=0.0, arrival_rps=0.0)))
    tried = shares(program)
    assert tried is not None
    assert 0.0 < tried["far"] < 0.02
    assert shares(program, class_id=1) == {"near": 1.0}


def test_a_new_instance_gets_its_share_by_and_by() -> None:
    clock = Clock()
    text = CATALOGUE.replace("name: vision/detect,", "name: vision/detect, warm_up_s: 8.0,")
    program = started(clock, text=text)
    program.take(advert("near", 1, instance(NEAR, arrival_rps=70.0)))
    clock.now += 60.0
    program.take(advert("far", 1))
    found: list[float] = []
    for sequence in range(2, 60):
        clock.now += 0.25
        program.take(advert("near", sequence, instance(NEAR, arrival_rps=70.0), ttl_s=600.0))
        program.take(advert("far", sequence, instance(FAR, arrival_rps=70.0)))
        found.append((shares(program) or {}).get("far", 0.0))
    assert found == sorted(found)
    assert found[0] < 0.15
    assert found[12] < 0.3
    assert found[-1] > 0.35


def test_small_changes_of_load_write_nothing() -> None:
    clock = Clock()
    program = started(clock)
    for site, key in (("near", NEAR), ("far", FAR)):
        program.take(advert(site, 1, instance(key, arrival_rps=50.0)))
    for sequence in range(2, 20):
        clock.now += 0.25
        for site, key in (("near", NEAR), ("far", FAR)):
            program.take(advert(site, sequence, instance(key, arrival_rps=50.0)))
    installed(program.tables["r1"])
    clock.now += 0.25
    assert program.take(advert("near", 90, instance(NEAR, arrival_rps=50.5))) == {}
    assert program.tables["r1"].changes() == []
