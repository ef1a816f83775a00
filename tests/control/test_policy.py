"""Policies: properties that hold for any candidates, and what each one is for.

One case: pytest tests/control/test_policy.py -k overload
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.catalogue import PolicyName
from control.model import InstanceKey
from control.policy import POLICIES, Parameters
from control.policy.candidate import Candidate, complete
from control.policy.queueing import Queue

NEAR, MID, FAR = InstanceKey(1, 1), InstanceKey(2, 1), InstanceKey(3, 1)


@st.composite
def candidate_lists(draw: st.DrawFn) -> list[Candidate]:
    keys = draw(
        st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9)), min_size=1, max_size=8, unique=True)
    )
    positive = st.floats(0.1, 1e4)
    within_ms = draw(st.just(math.inf) | st.floats(1, 500))
    return complete(
        [
            Candidate(
                InstanceKey(*key),
                delay_ms=draw(st.floats(0, 200)),
                service_ms=draw(st.just(0.0) | positive),
                capacity_rps=draw(st.just(0.0) | positive),
                arrival_rps=draw(st.just(0.0) | positive),
                load=draw(st.integers(0, 255)),
                queue=draw(st.integers(0, 1000)),
                cost=draw(st.floats(0, 100)),
                response_ms=draw(st.none() | positive),
                utilisation=draw(st.just(0.0) | st.floats(0.001, 1)),
                completed_rps=draw(st.just(0.0) | positive),
                error_rps=draw(st.just(0.0) | positive),
                norm_fi=draw(st.none() | st.integers(0, 10)),
                known_s=float(draw(st.integers(0, 60))),
                within_ms=within_ms,
            )
            for key in keys
        ]
    )


policies = st.sampled_from(sorted(POLICIES))


def sites(*rows: Candidate) -> list[Candidate]:
    return complete(rows)


def share_of(policy: str, candidates: Sequence[Candidate]) -> dict[InstanceKey, float]:
    return dict(zip([c.key for c in candidates], POLICIES[policy].shares(candidates), strict=True))


def share_list(policy: str, candidates: Sequence[Candidate]) -> list[float]:
    return POLICIES[policy].shares(candidates)


def test_every_policy_of_the_catalogue_exists() -> None:
    assert set(POLICIES) == set(get_args(PolicyName))


@given(policies, candidate_lists())
def test_shares_are_non_negative_and_sum_to_one(policy: str, candidates: list[Candidate]) -> None:
    shares = POLICIES[policy].shares(candidates)
    assert all(share >= 0 for share in shares)
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_nobody_to_choose_from_is_no_error(policy: str) -> None:
    assert POLICIES[policy].shares([]) == []


@given(policies, candidate_lists(), st.randoms(use_true_random=False))
def test_order_of_candidates_does_not_matter(policy: str, candidates: list[Candidate], random) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert share_of(policy, shuffled) == pytest.approx(share_of(policy, candidates), abs=1e-6)


monotone = st.sampled_from(sorted(POLICIES.keys() - {"locality"}))
"""With Envoy's, a busy site may get more when those elsewhere are so busy that all but probes stays local."""


@given(
    monotone,
    candidate_lists(),
    st.integers(0, 7),
    st.tuples(st.integers(0, 255), st.integers(0, 1000), st.floats(0, 1)),
)
def test_who_is_busier_never_gets_more(
    policy: str, candidates: list[Candidate], which: int, news: tuple[int, int, float]
) -> None:
    load, queue, utilisation = news
    which %= len(candidates)
    before = candidates[which]
    busier = replace(before, load=max(load, before.load), queue=max(queue, before.queue))
    if before.utilisation > 0:
        busier = replace(busier, utilisation=max(utilisation, before.utilisation))
    worse = [*candidates[:which], busier, *candidates[which + 1 :]]
    assert share_of(policy, worse)[before.key] <= share_of(policy, candidates)[before.key] + 1e-6


@given(candidate_lists(), st.floats(0.1, 10))
def test_only_the_ratio_of_prices_matters(candidates: list[Candidate], factor: float) -> None:
    priced = [replace(c, cost=float(round(c.cost))) for c in candidates]
    scaled = [replace(c, cost=c.cost * factor) for c in priced]
    assert share_of("cost", scaled) == pytest.approx(share_of("cost", priced), abs=1e-6)


@given(candidate_lists(), st.floats(0.5, 2))
def test_only_the_ratio_of_times_matters(candidates: list[Candidate], factor: float) -> None:
    def slower(c: Candidate) -> Candidate:
        return replace(
            c,
            delay_ms=c.delay_ms * factor,
            service_ms=c.service_ms * factor,
            capacity_rps=c.capacity_rps / factor,
            arrival_rps=c.arrival_rps / factor,
            response_ms=None,
            within_ms=c.within_ms * factor,
        )

    once = [slower(replace(c, response_ms=None)) for c in candidates]
    assert share_of("latency", [slower(c) for c in once]) == pytest.approx(
        share_of("latency", once), abs=1e-4
    )


def test_latency_splits_where_marginal_costs_meet() -> None:
    # Two M/M/1 queues without network: at 0.8 of the capacity of both, the optimum is half and half.
    even = sites(
        Candidate(NEAR, 0, service_ms=10, capacity_rps=100, arrival_rps=160),
        Candidate(FAR, 0, service_ms=10, capacity_rps=100),
    )
    assert share_of("latency", even) == pytest.approx({NEAR: 0.5, FAR: 0.5}, abs=1e-6)
    # With little demand the network's 20 ms are more than the queue near by costs.
    calm = [replace(even[0], arrival_rps=20), replace(even[1], delay_ms=10)]
    assert share_of("latency", calm) == pytest.approx({NEAR: 1.0, FAR: 0.0}, abs=1e-6)
    # With more demand than the near one can do, what is over goes far.
    busy = [replace(even[0], arrival_rps=130), replace(even[1], delay_ms=10)]
    assert 0.5 < share_of("latency", busy)[NEAR] < 0.75


def test_latency_minimises_the_mean_response_time() -> None:
    def total(candidates: list[Candidate], shares: list[float]) -> float:
        demand = sum(c.arrival_rps for c in candidates)
        split = zip(candidates, shares, strict=True)
        return sum(share * response_ms(c, share, demand) for c, share in split)

    candidates = sites(
        Candidate(NEAR, 1, service_ms=5, capacity_rps=200, arrival_rps=150),
        Candidate(MID, 4, service_ms=8, capacity_rps=300, arrival_rps=90),
        Candidate(FAR, 9, service_ms=3, capacity_rps=500, arrival_rps=30),
    )
    best = POLICIES["latency"].shares(candidates)
    for give in range(3):
        for take in range(3):
            moved = list(best)
            amount = min(0.01, moved[give])
            moved[give] -= amount
            moved[take] += amount
            assert total(candidates, moved) >= total(candidates, best) - 1e-9


OURS = ["latency", "cost", "mix"]


def response_ms(c: Candidate, share: float, demand_rps: float) -> float:
    """The mean response time of an instance that gets a share of the demand (M/M/c)."""
    return c.unloaded_ms + Queue.of(c).wait_ms(share * demand_rps / 1000)


@pytest.mark.parametrize("policy", OURS)
def test_nobody_gets_more_than_the_latency_bound_allows_while_others_have_room(policy: str) -> None:
    near = Candidate(NEAR, 1, service_ms=10, capacity_rps=100, arrival_rps=90, cost=1)
    mid = Candidate(MID, 5, service_ms=10, capacity_rps=100, cost=5)
    free = sites(near, mid, Candidate(FAR, 14, service_ms=10, capacity_rps=100, cost=3))
    bound = [replace(c, within_ms=30) for c in free]
    shares = share_of(policy, bound)
    # The far one takes 38 ms without any load; the near one alone would take 102 ms.
    assert shares[FAR] < 1e-6
    for c in bound[:2]:
        assert response_ms(c, shares[c.key], 90) <= 30 + 1e-3
    if policy == "cost":
        assert share_of(policy, free)[NEAR] > shares[NEAR]


@pytest.mark.parametrize("policy", ["latency", "mix"])
def test_a_latency_bound_that_all_break_is_broken_by_each_a_little(policy: str) -> None:
    candidates = sites(
        Candidate(NEAR, 1, service_ms=10, capacity_rps=100, arrival_rps=150, within_ms=25),
        Candidate(FAR, 5, service_ms=10, capacity_rps=100, within_ms=25),
    )
    shares = share_of(policy, candidates)
    assert min(shares.values()) > 0.4
    assert all(25 < response_ms(c, shares[c.key], 150) < 60 for c in candidates)


def test_mix_goes_from_least_time_to_least_price() -> None:
    candidates = sites(
        Candidate(NEAR, 1, service_ms=5, capacity_rps=200, arrival_rps=120, cost=4),
        Candidate(MID, 4, service_ms=5, capacity_rps=200, cost=2),
        Candidate(FAR, 9, service_ms=5, capacity_rps=200, cost=1),
    )
    times: list[float] = []
    prices: list[float] = []
    for weight in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        shares = POLICIES["mix"].shares(candidates, Parameters(cost_weight=weight))
        split = list(zip(candidates, shares, strict=True))
        times.append(sum(share * response_ms(c, share, 120) for c, share in split))
        prices.append(sum(share * c.cost for c, share in split))
    assert times == sorted(times)
    assert prices == sorted(prices, reverse=True)
    assert times[0] < 0.7 * times[-1]
    assert prices[-1] < 0.7 * prices[0]
    assert POLICIES["mix"].shares(candidates, Parameters(cost_weight=0)) == share_list("latency", candidates)
    assert POLICIES["mix"].shares(candidates, Parameters(cost_weight=1)) == share_list("cost", candidates)


@given(candidate_lists(), st.floats(0, 1), st.floats(0.1, 10))
def test_neither_unit_matters_to_mix(candidates: list[Candidate], weight: float, factor: float) -> None:
    parameters = Parameters(cost_weight=weight)
    priced = [replace(c, cost=float(round(c.cost))) for c in candidates]
    dearer = [replace(c, cost=c.cost * factor) for c in priced]
    shares = POLICIES["mix"].shares(priced, parameters)
    assert POLICIES["mix"].shares(dearer, parameters) == pytest.approx(shares, abs=1e-4)


def test_cost_fills_the_cheap_up_to_its_headroom_then_the_next() -> None:
    candidates = sites(
        Candidate(NEAR, 1, service_ms=5, capacity_rps=100, arrival_rps=100, cost=3),
        Candidate(FAR, 40, service_ms=5, capacity_rps=100, cost=1),
    )
    assert share_of("cost", candidates) == pytest.approx({NEAR: 0.2, FAR: 0.8})


def test_nearest_looks_at_delay_only() -> None:
    candidates = sites(
        Candidate(NEAR, 1, load=255, queue=900, capacity_rps=1), Candidate(MID, 1), Candidate(FAR, 2)
    )
    assert share_of("nearest", candidates) == {NEAR: 0.5, MID: 0.5, FAR: 0}


def test_ecmp_is_blind_to_what_sites_run_and_to_fractions_of_a_ms() -> None:
    one, two, other = Candidate(NEAR, 1.2), Candidate(InstanceKey(1, 2), 1.2), Candidate(MID, 1.9)
    assert share_of("ecmp", sites(one, two, other, Candidate(FAR, 2.1))) == {
        NEAR: 0.25,
        InstanceKey(1, 2): 0.25,
        MID: 0.5,
        FAR: 0,
    }


def test_grpc_weighs_by_requests_utilisation_and_errors() -> None:
    fast = Candidate(NEAR, 1, utilisation=0.5, completed_rps=100)
    failing = Candidate(MID, 1, utilisation=0.3, completed_rps=100, error_rps=20)
    busy = Candidate(FAR, 1, utilisation=1.0, completed_rps=100)
    weights = {NEAR: 200, MID: 200, FAR: 100}
    expected = {key: weight / 500 for key, weight in weights.items()}
    assert share_of("wrr", [fast, failing, busy]) == pytest.approx(expected)
    # Whoever has not reported for ten seconds yet, or nothing, weighs as much as the others on average.
    young = replace(busy, known_s=9.0)
    assert share_of("wrr", [fast, failing, young]) == pytest.approx(dict.fromkeys(weights, 1 / 3))
    assert share_of("wrr", [fast, Candidate(MID, 1), young]) == pytest.approx(dict.fromkeys(weights, 1 / 3))


def locality(*utilisations: float) -> list[float]:
    """Shares of three sites of ten instances each, the first of which is the local one."""
    ten = [
        Candidate(InstanceKey(site, number), delay_ms=site, utilisation=busy)
        for site, busy in enumerate(utilisations, 1)
        for number in range(10)
    ]
    shares = POLICIES["locality"].shares(ten)
    return [sum(shares[start : start + 10]) for start in range(0, len(ten), 10)]


@pytest.mark.parametrize(
    ("utilisations", "shares"),
    [
        # The example in Envoy's documentation: 0.7 is more than 0.1 over the mean of the others.
        ([0.7, 0.3, 0.4], [3 / 16, 7 / 16, 6 / 16]),
        ([0.44, 0.3, 0.4], [0.97, 0.015, 0.015]),
        ([0.2, 0.9, 0.9], [0.97, 0.015, 0.015]),
        ([1.0, 1.0, 1.0], [1 / 3, 1 / 3, 1 / 3]),
        ([0.5], [1.0]),
    ],
)
def test_envoy_stays_local_until_the_local_site_is_busier(
    utilisations: list[float], shares: list[float]
) -> None:
    assert locality(*utilisations) == pytest.approx(shares)


def test_norm_goes_by_the_one_number() -> None:
    told = [Candidate(NEAR, 9, norm_fi=9, load=250), Candidate(MID, 1, norm_fi=3), Candidate(FAR, 1)]
    assert share_of("norm", told) == pytest.approx({NEAR: 0.5, MID: 1 / 6, FAR: 1 / 3})
    none = [Candidate(NEAR, 1, norm_fi=0), Candidate(FAR, 1, norm_fi=0)]
    assert share_of("norm", none) == {NEAR: 0.5, FAR: 0.5}


def test_a_measured_response_time_that_nothing_explains_counts() -> None:
    candidates = sites(Candidate(NEAR, 5, service_ms=5), Candidate(FAR, 6, service_ms=5))
    measured = [replace(candidates[0], response_ms=40.0), candidates[1]]
    assert share_of("latency", measured)[NEAR] < share_of("latency", candidates)[NEAR]


@pytest.mark.parametrize("policy", [*OURS, "least-load"])
def test_saturated_site_gets_next_to_nothing_and_the_rest_is_spread(policy: str) -> None:
    candidates = sites(
        Candidate(NEAR, 1, service_ms=10, capacity_rps=100, arrival_rps=100, load=255, queue=60),
        Candidate(MID, 5, service_ms=10, capacity_rps=100, arrival_rps=50, load=100),
        Candidate(FAR, 15, service_ms=10, capacity_rps=100, load=20),
    )
    shares = share_of(policy, candidates)
    assert shares[NEAR] < 0.05
    assert shares[MID] > 0.15
    assert shares[FAR] > 0.15


def test_unknown_times_are_taken_for_those_of_the_others() -> None:
    known = Candidate(NEAR, 1, service_ms=4, capacity_rps=250)
    like = Candidate(FAR, 1, service_ms=4, capacity_rps=250, measured=False)
    assert complete([known, Candidate(FAR, 1)]) == [known, like]
    # Where only a norm is told, the capacity goes by that.
    assert complete([known, Candidate(FAR, 1, norm_fi=4)])[1].capacity_rps == pytest.approx(100)
