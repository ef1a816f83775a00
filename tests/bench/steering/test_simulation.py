from statistics import fmean

import pytest

from bench.steering import policies
from bench.steering.figures import figures
from bench.steering.scenarios import SCENARIOS
from bench.steering.trial import (
    CAPACITY_RPS,
    CLIENTS,
    PUBLISHED,
    RUN_S,
    SITES,
    STATED,
    THINK_S,
    interval,
    trial,
)

SHORT_S = 8.0


def test_the_same_seed_gives_the_same_run() -> None:
    one, other = (policies.run(trial("background", 5, duration_s=SHORT_S), "cfn-latency", 3) for _ in "ab")
    assert one.times_s == other.times_s
    assert one.adverts == other.adverts > 0


@pytest.mark.parametrize("policy", policies.POLICIES)
def test_each_policy_answers_all_and_keeps_the_law_of_closed_systems(policy: str) -> None:
    workload = trial("none", 5, duration_s=SHORT_S)
    found = figures(workload, policies.run(workload, policy, 1))
    assert found.unanswered == 0
    # N = X · (R + Z): the response time law (Denning and Buzen, Computing Surveys 10(3), 1978).
    assert found.qps * (found.delay_ms / 1000 + THINK_S) == pytest.approx(5, rel=0.01)
    assert found.delay_ms >= 1000 * RUN_S * 0.9


def test_the_published_rows_give_away_the_pause_of_clients() -> None:
    pauses = [
        1000 * clients / row.qps - row.delay_ms
        for rows in PUBLISHED.values()
        for clients, systems in rows.items()
        for row in systems.values()
    ]
    assert sum(19.9 < pause < 21.9 for pause in pauses) == len(pauses) - 2


def test_the_sites_as_stated_have_the_capacity_that_was_stated() -> None:
    workload = trial("none", 200, STATED, duration_s=SHORT_S)
    found = figures(workload, policies.run(workload, "jbsq", 1))
    assert found.qps == pytest.approx(CAPACITY_RPS, rel=0.02)
    assert len(workload.sites) == SITES


@pytest.mark.parametrize("clients", CLIENTS)
@pytest.mark.parametrize("kind", PUBLISHED)
def test_random_comes_to_what_was_measured_of_it(kind: str, clients: int) -> None:
    found = 1000 * fmean(policies.run(trial(kind, clients, duration_s=40.0), "random", 1).times_s)
    assert found == pytest.approx(PUBLISHED[kind][clients]["random"].delay_ms, rel=0.15)


def test_slow_adverts_are_fewer() -> None:
    fast, slow = (policies.run(interval(each), "cfn-latency", 1).adverts for each in (100, 5000))
    assert slow < fast / 4


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "many"])
def test_each_workload_runs(name: str) -> None:
    workload = SCENARIOS[name]()
    found = figures(workload, policies.run(workload, "round-robin", 1))
    assert found.qps > 100


def test_sessions_stay_while_their_instance_lives() -> None:
    arvr, flapping = (SCENARIOS[name]() for name in ("arvr", "flapping"))
    assert policies.run(arvr, "cfn-latency", 1).moves == 0
    assert policies.run(flapping, "cfn-latency", 1).moves > 0
