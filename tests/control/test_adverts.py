"""Adverts: which are believed, and for how long.

One case: pytest tests/control/test_adverts.py -k expire
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cfn.metrics.score import MetricType, Score
from cfn.proto import advert_pb2 as pb
from control.advert_check import MAX_FUNCTIONS, MAX_HELD, MAX_IGNORED, MAX_TTL_MS, check
from control.adverts import AdvertStore
from control.metrics_check import MOST_METRICS, MOST_PROFILE
from control.model import HeldResult, Resources
from control.refused import Refused
from tests.control.example import (
    DETECT,
    FAR,
    NEAR,
    NEAR_2,
    RENDER,
    Clock,
    advert,
    catalogue,
    instance,
    message,
)

TOKEN = "near-token"  # noqa: S105


def told(**values: object) -> pb.Advert:
    """An advert of the near site whose only instance has these values."""
    good = message("near", 1, [instance(NEAR)])
    for name, value in values.items():
        setattr(good.instances[0], name, value)
    return good


HELD, OTHER = b"h" * 16, b"o" * 16
RESULT = pb.Result(func_id=DETECT, data_in=HELD, data_out=OTHER)


def holding(inputs: Sequence[bytes] = (), results: Sequence[pb.Result] = ()) -> pb.Advert:
    """An advert of the near site that tells of this, and of no instance."""
    return pb.Advert(site="near", ttl_ms=1, inputs=inputs, results=results)


GOOD = pb.Metric(type=pb.Metric.NORM_FI, value=7, window_ms=200)
UNKNOWN = pb.Metric(type=77, value=200)  # type: ignore[arg-type] - of a later version
OVERUSED = pb.Resources.Compute(type=pb.Resources.Compute.LOGIC, used_ppm=1_000_001)
GPU = pb.Resources.Compute(type=pb.Resources.Compute.PARALLEL, used_ppm=250_000)


def measured(*before: pb.Metric, of_instance: bool = False, **values: int) -> pb.Advert:
    """An advert of the near site with these metrics, and `GOOD` with these values."""
    message_ = told()
    metrics = message_.instances[0].metrics if of_instance else message_.metrics
    metrics.extend([*before, GOOD])
    for name, value in values.items():
        setattr(metrics[-1], name, value)
    return message_


def published(name: str) -> pb.Advert:
    """An advert of the near site whose metrics are made of this raw metric."""
    return pb.Advert(site="near", ttl_ms=1, profile=pb.Profile(inputs=[pb.Normalisation(metric=name)]))


def having(window_ms: int = 200, **resources: object) -> pb.Advert:
    """An advert of the near site with these resources."""
    return pb.Advert(site="near", ttl_ms=1, resources=pb.Resources(window_ms=window_ms, **resources))


def test_a_good_advert_is_understood() -> None:
    found = check(
        message("near", 7, [instance(NEAR, load=9, queue=3), instance(NEAR_2, draining=True)]),
        TOKEN,
        catalogue(),
    )
    assert found == advert(
        "near", 7, instance(NEAR, load=9, queue=3), instance(NEAR_2, draining=True), ttl_s=60.0
    )
    assert found.functions == {DETECT}


REFUSED = [
    (message("mars", 1), "unknown site or wrong token"),
    (message("far", 1), "unknown site or wrong token"),
    (message("near", 1, ttl_ms=0), f"ttl_ms: 0 is not in 1..{MAX_TTL_MS}"),
    (message("near", 1, ttl_ms=MAX_TTL_MS + 1), f"ttl_ms: {MAX_TTL_MS + 1} is not in 1..{MAX_TTL_MS}"),
    (message("near", 1, [instance(NEAR), instance(NEAR)]), "instances[1].instance: 1 is told of twice"),
    (told(instance=65536), "instances[0].instance: 65536 is not in 0..65535"),
    (told(load=256), "instances[0].load: 256 is not in 0..255"),
    (told(service_time_us=float("nan")), "instances[0].service_time_us: nan is no amount"),
    (told(arrival_rps=-1.0), "instances[0].arrival_rps: -1.0 is no amount"),
    (told(capacity_rps=float("inf")), "instances[0].capacity_rps: inf is no amount"),
    (told(capacity_rps=1e-300), "instances[0].capacity_rps: 1e-300 is no amount"),
    (told(completed_rps=-0.5), "instances[0].completed_rps: -0.5 is no amount"),
    (told(error_rps=-1.0), "instances[0].error_rps: -1.0 is no amount"),
    (told(state=0), "instances[0].state: is neither UP nor DRAINING"),
    (told(ipv4=b"", ipv6=b""), "instances[0]: has no address"),
    (told(ipv4=b"123"), "instances[0].ipv4: has 3 bytes instead of 4"),
    (told(ipv6=b"123"), "instances[0].ipv6: has 3 bytes instead of 16"),
    (told(ipv4=b"\x0a\x03\x00\x01"), "instances[0].ipv4: 10.3.0.1 is not of a host of this site"),
    (told(ipv6=bytes(15) + b"\1"), "instances[0].ipv6: ::1 is not of a host of this site"),
    (pb.Advert(site="near", ttl_ms=1, cpu_utilisation=-1), "cpu_utilisation: -1.0 is no amount"),
    (pb.Advert(site="near", ttl_ms=1, cpu_capacity=float("nan")), "cpu_capacity: nan is no amount"),
    (measured(*[UNKNOWN] * MOST_METRICS), f"metrics: more than {MOST_METRICS}"),
    (having(compute=[GPU] * (MOST_METRICS + 1)), f"resources.compute: more than {MOST_METRICS}"),
    (published("x" * MOST_PROFILE), "profile: 16392 bytes are more than 16384"),
    (measured(value=11), "metrics[0].value: 11 is not in 0..10"),
    (measured(window_ms=0), "metrics[0].window_ms: is missing"),
    (measured(GOOD), "metrics[1].type: NORM_FI is told of twice"),
    (measured(of_instance=True, value=255), "instances[0].metrics[0].value: 255 is not in 0..10"),
    (measured(of_instance=True, window_ms=0), "instances[0].metrics[0].window_ms: is missing"),
    (having(window_ms=0), "resources.window_ms: is missing"),
    (having(compute=[GPU, GPU]), "resources.compute[1].type: parallel is told of twice"),
    (
        having(compute=[OVERUSED]),
        "resources.compute[0].used_ppm: 1000001 is not in 0..1000000",
    ),
    (having(memory=7, memory_left=8), "resources.memory_left: 8 is more than 7"),
    (having(storage_left=8), "resources.storage_left: 8 is more than 0"),
    (holding(inputs=[HELD] * (MAX_HELD + 1)), f"inputs: more than {MAX_HELD}"),
    (holding(inputs=[HELD, b"short"]), "inputs[1]: has 5 bytes instead of 16"),
    (holding(inputs=[bytes(16)]), "inputs[0]: names nothing"),
    (holding(results=[RESULT] * (MAX_HELD + 1)), f"results: more than {MAX_HELD}"),
    (holding(results=[RESULT, RESULT]), "results[1]: its function and input are told of twice"),
    (holding(results=[pb.Result(data_out=OTHER)]), "results[0].data_in: has 0 bytes instead of 16"),
    (holding(results=[pb.Result(data_in=HELD, data_out=bytes(16))]), "results[0].data_out: names nothing"),
]


def test_metrics_are_carried_in_the_order_of_their_types() -> None:
    message_ = measured()
    message_.metrics.add(type=pb.Metric.COMPUTE_NORM, window_ms=1000)
    message_.instances[0].metrics.add(type=pb.Metric.NORM_FI, value=10, window_ms=1)
    found = check(message_, TOKEN, catalogue())
    assert found.metrics == (
        Score(MetricType.COMPUTE_NORM, 0, 1000),
        Score(MetricType.NORM_FI, 7, 200),
    )
    assert found.instances[NEAR].metrics == (Score(MetricType.NORM_FI, 10, 1),)
    assert found.instances[NEAR].norm_fi == 10
    assert check(told(), TOKEN, catalogue()).instances[NEAR].norm_fi is None


def test_unknown_metrics_are_named_and_left_out_while_the_rest_counts() -> None:
    message_ = measured(UNKNOWN)
    message_.instances[0].metrics.extend([UNKNOWN, GOOD, pb.Metric()])
    message_.resources.window_ms = 1
    message_.resources.compute.extend([pb.Resources.Compute(), GPU])
    found = check(message_, TOKEN, catalogue())
    assert found.metrics == found.instances[NEAR].metrics == (Score(MetricType.NORM_FI, 7, 200),)
    assert found.resources == Resources(1, {"parallel": 0.25})
    assert found.ignored == (
        "instances[0].metrics[0].type: 77",
        "instances[0].metrics[2].type: 0",
        "metrics[0].type: 77",
        "resources.compute[0].type: 0",
    )


def test_only_some_of_many_unknown_metrics_are_named() -> None:
    message_ = message("near", 1, [instance(NEAR), instance(NEAR_2)])
    for one in message_.instances:
        one.metrics.extend([UNKNOWN] * 20)
    assert len(check(message_, TOKEN, catalogue()).ignored) == MAX_IGNORED


def test_resources_are_carried() -> None:
    message_ = having(compute=[GPU], memory=8, memory_left=3, storage=100, storage_left=100, power_mw=1500)
    assert check(message_, TOKEN, catalogue()).resources == Resources(
        200, {"parallel": 0.25}, 8, 3, 100, 100, 1.5
    )


def test_what_a_site_holds_is_carried() -> None:
    good = message("near", 7, [instance(NEAR)])
    good.inputs.extend([HELD, OTHER])
    good.results.add(func_id=DETECT, data_in=HELD, data_out=OTHER)
    found = check(good, TOKEN, catalogue())
    assert found.inputs == {HELD, OTHER}
    assert found.results == {HeldResult(DETECT, HELD, OTHER)}
    store = AdvertStore(Clock())
    store.accept(found)
    store.accept(check(message("near", 8, [instance(NEAR)]), TOKEN, catalogue()))
    held = store.get("near")
    assert held is not None
    assert (held.advert.inputs, held.advert.results) == (frozenset(), frozenset())


@pytest.mark.parametrize(("wrong", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_is_not_plausible_is_refused_with_the_reason(wrong: pb.Advert, why: str) -> None:
    with pytest.raises(Refused) as refused:
        check(wrong, TOKEN, catalogue())
    assert str(refused.value) == why


@pytest.mark.parametrize("token", ["", "far-token", "near-tokem", "näher"])
def test_a_wrong_token_is_refused(token: str) -> None:
    with pytest.raises(Refused, match="wrong token"):
        check(message("near", 1), token, catalogue())


def test_an_instance_may_run_several_functions_which_are_the_same_set_while_they_are() -> None:
    told = message("near", 1, [instance(NEAR)])
    told.instances[0].also.extend([RENDER, DETECT, 7])
    found = check(told, TOKEN, catalogue())
    assert found.instances[NEAR].functions == found.functions == {DETECT, RENDER, 7}
    told.sequence, told.instances[0].load = 2, 9
    again = check(told, TOKEN, catalogue(), found)
    assert again.instances[NEAR].also is found.instances[NEAR].also
    assert again.functions_beyond(found) == set()
    told.instances[0].also.append(8)
    assert check(told, TOKEN, catalogue(), found).functions_beyond(found) == {8}


def test_a_site_tells_of_so_many_functions_and_no_more() -> None:
    told = message("near", 1, [instance(NEAR)])
    told.instances[0].also.extend(range(MAX_FUNCTIONS))
    with pytest.raises(Refused, match=f"more than {MAX_FUNCTIONS} functions"):
        check(told, TOKEN, catalogue())


def test_each_advert_replaces_the_one_before() -> None:
    store = AdvertStore(Clock())
    store.accept(advert("near", 1, instance(NEAR), instance(NEAR_2, RENDER)))
    store.accept(advert("far", 1, instance(FAR)))
    store.accept(advert("near", 2, instance(NEAR, load=7)))
    assert store.instances() == {NEAR: instance(NEAR, load=7), FAR: instance(FAR)}


@pytest.mark.parametrize(("incarnation", "sequence"), [(5, 7), (5, 6), (4, 8)])
def test_what_is_not_newer_is_refused(incarnation: int, sequence: int) -> None:
    store = AdvertStore(Clock())
    store.accept(advert("near", 7, instance(NEAR), incarnation=5))
    with pytest.raises(Refused, match="not newer"):
        store.accept(advert("near", sequence, incarnation=incarnation))
    assert store.instances() == {NEAR: instance(NEAR)}


def test_a_new_incarnation_begins_with_any_sequence() -> None:
    store = AdvertStore(Clock())
    store.accept(advert("near", 900, instance(NEAR), incarnation=5))
    store.accept(advert("near", 1, incarnation=6))
    assert store.instances() == {}


def test_adverts_expire_by_the_clock_and_not_before() -> None:
    clock = Clock()
    store = AdvertStore(clock)
    store.accept(advert("near", 5, instance(NEAR), ttl_s=2.0))
    store.accept(advert("far", 1, instance(FAR), ttl_s=3.0))
    assert store.next_expiry == clock.now + 2
    clock.now += 1.999
    assert store.expire() == []
    clock.now += 0.001
    assert store.expire() == [("near", "grpc")]
    assert store.instances() == {FAR: instance(FAR)}
    # What is forgotten has no sequence any more: an agent whose clock was set back is heard again.
    store.accept(advert("near", 1, instance(NEAR), incarnation=0))
    clock.now += 10
    assert {site for site, _ in store.expire()} == {"near", "far"}
    assert store.next_expiry is None


def test_the_store_knows_how_often_a_site_tells_and_since_when_of_what() -> None:
    clock = Clock()
    store = AdvertStore(clock)
    start = clock.now
    for sequence, (after_s, instances) in enumerate(
        [(0.0, [NEAR]), (1.0, [NEAR, NEAR_2]), (0.2, [NEAR_2]), (1.0, [NEAR, NEAR_2])], 1
    ):
        clock.now += after_s
        store.accept(advert("near", sequence, *map(instance, instances)))
    held = store.get("near")
    assert held is not None
    assert held.since == pytest.approx({NEAR: start + 2.2, NEAR_2: start + 1.0})
    assert held.interval_s == pytest.approx(0.85)
