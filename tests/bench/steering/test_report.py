import json

import pytest

from bench.steering import policies
from bench.steering.figures import Figures, figures
from bench.steering.report import results, trial_table
from bench.steering.simulation import Tally
from bench.steering.trial import CLIENTS, INTERVALS_MS, PUBLISHED, trial


def one(delay_ms: float, p99_ms: float = 10.0) -> Figures:
    return Figures(delay_ms, delay_ms, p99_ms, p99_ms, 100.0, 0.0, 0.0, 1.0, 0.0, 1.0)


def test_figures_are_those_of_what_was_answered_and_percentiles_of_all() -> None:
    tally = Tally(times_s=[0.01] * 97 + [0.03, 0.05, float("inf")], cost=198.0, adverts=30, span_s=10.0)
    found = figures(trial("none", 5, duration_s=15.0), tally)
    assert found.qps == 9.9
    assert found.cost == 2.0
    assert found.adverts_per_s == 2.0
    assert (found.p50_ms, found.p99_ms, found.p999_ms) == (10.0, 50.0, float("inf"))
    assert found.late == pytest.approx(0.03)
    assert found.unanswered == pytest.approx(0.01)
    assert found.plain()["p999_ms"] is None


def test_results_have_the_names_that_were_agreed() -> None:
    found = {
        **{
            f"trial-{kind}-{n}": {"cfn-latency": one(5.0, 12.0), "random": one(8.0), policies.BOUND: one(4.0)}
            for kind in PUBLISHED
            for n in CLIENTS
        },
        **{f"interval-{each}": {"random": one(8.0)} for each in INTERVALS_MS},
    }
    told = json.loads(json.dumps(results(found, [1]), allow_nan=False))
    assert told["trial"]["background"]["10"]["cfn-latency"] == {"delay_ms": 5.0, "qps": 100.0}
    assert set(told["trial"]) == {"none", "background", "mixed"}
    assert told["interval_ms"]["10000"]["random"] == 8.0
    assert told["p99_over_bound"]["trial-none-5"]["cfn-latency"] == pytest.approx(1.2)
    table = trial_table(found, "trial")
    assert table.row_count == 9 * 5


def test_every_policy_of_ours_is_named_so() -> None:
    names = set(policies.POLICIES)
    assert {"cfn-latency", "cfn-cost", "cfn-mix", "cfn-latency-1"} <= names
    peers = {
        "random",
        "nearest",
        "round-robin",
        "ecmp",
        "least-load",
        "p2c",
        "jbsq",
        "prequal",
        "wrr",
        "locality",
    }
    assert peers <= names
