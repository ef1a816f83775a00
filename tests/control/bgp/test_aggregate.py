"""What instances of a site add up to, and what of that another domain sees."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from control.bgp.aggregate import Pool, pools, summed
from control.model import InstanceKey
from tests.control.example import DETECT, FAR, NEAR, NEAR_2, RENDER, advert, catalogue, instance


def test_instances_of_a_function_add_up() -> None:
    told = advert(
        "near",
        1,
        instance(NEAR, load=100, queue=3, service_ms=10.0, arrival_rps=30.0, capacity_rps=100.0, norm_fi=4),
        instance(NEAR_2, load=40, queue=1, service_ms=20.0, arrival_rps=10.0, capacity_rps=50.0, norm_fi=9),
        instance(InstanceKey(1, 3), RENDER, like=NEAR_2),
    )
    detect, render = sorted(pools(told), key=lambda one: one.functions == (RENDER,))
    assert detect == Pool(
        functions=(DETECT,),
        instances=2,
        families=frozenset({4, 6}),
        load=80,
        queue=4,
        service_ms=pytest.approx(12.5),
        arrival_rps=40.0,
        capacity_rps=150.0,
        norm_fi=6,
    )
    assert (render.instances, render.families) == (1, frozenset({4}))


def test_functions_that_the_same_instances_run_are_one_pool() -> None:
    both = instance(NEAR, DETECT, also=frozenset({1, RENDER}))
    told = advert("near", 1, both, instance(NEAR_2, RENDER))
    assert [(one.functions, one.instances) for one in pools(told)] == [
        ((1, DETECT), 1),
        ((RENDER,), 2),
    ]
    (alone, _) = summed(told, catalogue().sites["near"]).instances.values()
    assert alone.functions == {1, DETECT}


def test_what_drains_counts_only_when_all_does() -> None:
    drains = instance(NEAR, load=255, draining=True)
    (one,) = pools(advert("near", 1, drains, instance(NEAR_2, load=7)))
    assert (one.instances, one.load, one.draining) == (1, 7, False)
    (one,) = pools(advert("near", 1, drains))
    assert (one.instances, one.draining) == (1, True)


def test_an_instance_that_was_never_measured_is_like_the_others() -> None:
    fresh = {"service_ms": 0.0, "capacity_rps": 0.0, "arrival_rps": 0.0}
    (one,) = pools(advert("near", 1, instance(NEAR), instance(NEAR_2, **fresh)))
    assert (one.capacity_rps, one.service_ms, one.arrival_rps) == (200.0, 10.0, 20.0)
    (none,) = pools(advert("near", 1, instance(NEAR, **fresh), instance(NEAR_2, **fresh)))
    assert (none.capacity_rps, none.service_ms) == (0.0, 0.0)


def test_another_domain_sees_the_site_at_its_own_address() -> None:
    told = advert("far", 3, instance(FAR, load=9), inputs=[b"i" * 16])
    seen = summed(told, catalogue().sites["far"])
    (key,) = seen.instances
    assert key == InstanceKey.of_function(2, DETECT)
    assert key.is_site
    one = seen.instances[key]
    assert (one.ipv4, one.load, one.func_id) == (IPv4Address("10.253.0.2"), 9, DETECT)
    assert (seen.sequence, seen.inputs, seen.functions) == (3, told.inputs, {DETECT})


def test_a_site_without_instances_stays_so() -> None:
    assert pools(advert("near", 1)) == ()
