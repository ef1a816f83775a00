"""Figures of runs that are made up, so that the right ones are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from topo import figure, summary
from topo.records import Outcome, Record
from topo.summary import Phase, Run, Sample

SITES = {1: "near", 2: "far"}
PHASES = Phase("before", 0, 10), Phase("during", 10, 20), Phase("after", 20, 30)
BASE = Record(
    client="c",
    source="single",
    session=None,
    function="f/g",
    family=4,
    bound=False,
    sent_s=0.0,
    latency_ms=10.0,
    outcome=Outcome.OK,
    site=1,
    instance=1,
)
LOST = replace(BASE, latency_ms=None, outcome=Outcome.LOST, site=None, instance=None)


def _run(records: list[Record], samples: list[Sample] | None = None) -> Run:
    return Run(records, samples or [], PHASES, SITES, "near", {})


def _placements(*spans: tuple[float, float, str]) -> list[Record]:
    """100 placements a second; a span (from, until, pattern) repeats sites n(ear) and f(ar)."""
    return [
        replace(BASE, sent_s=start + i / 100, site=1 if pattern[i % len(pattern)] == "n" else 2)
        for start, end, pattern in spans
        for i in range(round((end - start) * 100))
    ]


def test_shares_count_placements_and_if_asked_sessions() -> None:
    bound = replace(BASE, bound=True, site=2)
    records = [BASE, BASE, BASE, replace(BASE, site=2), bound, bound, LOST]
    assert summary.shares(records, SITES) == {"near": 0.75, "far": 0.25}
    assert summary.shares(records, SITES, placed=False) == {"near": 0.5, "far": 0.5}
    assert summary.shares([], SITES) == {"near": 0.0, "far": 0.0}


def test_percentiles_are_of_good_answers_only() -> None:
    records = [replace(BASE, latency_ms=float(n)) for n in range(1, 101)]
    records += [LOST, replace(BASE, outcome=Outcome.FAILED, latency_ms=1e6)]
    assert summary.percentile_ms(records, 50) == 50.5
    assert summary.percentile_ms(records, 99) == pytest.approx(99.01)
    assert summary.percentile_ms([LOST], 50) is None


def _session(*instances: tuple[int, int]) -> list[Record]:
    return [
        replace(BASE, source="session", session=5, sent_s=float(i), site=site, instance=instance)
        for i, (site, instance) in enumerate(instances)
    ]


def test_a_session_is_torn_when_it_leaves_a_living_instance() -> None:
    assert summary.torn_sessions(_session((1, 1), (1, 1), (1, 1)), {}) == 0
    assert summary.torn_sessions(_session((1, 1), (1, 2), (1, 1)), {}) == 1
    assert summary.torn_sessions(_session((1, 1), (2, 1)), {}) == 1
    assert summary.torn_sessions(list(reversed(_session((1, 1), (2, 1)))), {}) == 1


def test_a_session_may_leave_an_instance_that_has_ended() -> None:
    records = _session((1, 1), (2, 1))
    assert summary.torn_sessions(records, {(1, 1): 0.5}) == 0
    assert summary.torn_sessions(records, {(1, 1): 1.5}) == 1


def test_sessions_of_two_clients_with_one_number_are_two() -> None:
    records = [*_session((1, 1)), *(replace(r, client="d", site=2) for r in _session((1, 1)))]
    assert summary.torn_sessions(records, {}) == 0


def test_a_lost_request_tears_nothing() -> None:
    records = _session((1, 1), (1, 1), (1, 1))
    records[1] = replace(LOST, source="session", session=5, sent_s=1.0)
    assert summary.torn_sessions(records, {}) == 0


def test_the_moment_at_which_a_share_has_halved() -> None:
    records = _placements((0, 10, "nnnf"), (10, 10.5, "nnnf"), (10.5, 20, "nfff"))
    moved = summary.halved_s(records, 1, 0.75, since_s=10.0)
    assert moved is not None
    assert 10.5 < moved <= 10.5 + summary.SHARE_WINDOW / 100


def test_a_share_that_never_halves() -> None:
    assert summary.halved_s(_placements((0, 20, "nnnf")), 1, 0.75, since_s=10.0) is None


def test_sessions_are_no_placements() -> None:
    stuck = [replace(BASE, bound=True, sent_s=10 + i / 100) for i in range(500)]
    records = [*_placements((0, 10, "n"), (10, 20, "f")), *stuck]
    assert summary.halved_s(records, 1, 1.0, since_s=10.0) == pytest.approx(10.19)


def test_the_advert_that_tips_the_scales() -> None:
    samples = [
        Sample(5.0, "near", weight=0.8, load=0.3, advert_s=4.9),
        Sample(11.0, "near", weight=0.7, load=0.5, advert_s=10.9),
        Sample(11.5, "far", weight=0.1, load=0.5, advert_s=11.4),
        Sample(12.0, "near", weight=0.3, load=0.9, advert_s=11.9),
        Sample(13.0, "near", weight=0.1, load=0.9, advert_s=12.9),
    ]
    assert summary.tipping_advert_s(samples, "near", *PHASES[:2]) == 11.9
    assert summary.tipping_advert_s(samples[:3], "near", *PHASES[:2]) is None
    assert summary.tipping_advert_s(samples[1:], "near", *PHASES[:2]) is None


def test_a_whole_run(tmp_path: Path) -> None:
    records = _placements((0, 10, "nnnf"), (10, 11, "nnnf"), (11, 20, "f"), (20, 30, "nnnf"))
    records += [replace(LOST, sent_s=12.0), replace(LOST, sent_s=12.0, outcome=Outcome.NACK, latency_ms=1.0)]
    samples = [
        Sample(float(t), name, weight, 0.5, float(t))
        for t in range(30)
        for name, weight in (("near", 0.1 if 11 <= t < 20 else 0.75), ("far", 0.9 if 11 <= t < 20 else 0.25))
    ]
    run = _run(records, samples)
    made = summary.summarise(run)
    assert made["requests"] == 3002
    assert (made["answered"], made["lost"], made["nacks"], made["failed"]) == (3000, 1, 1, 0)
    assert made["shares"]["before"] == {"near": 0.75, "far": 0.25}
    assert made["shares"]["during"]["near"] == 0.075
    assert made["moved_ms"] == pytest.approx(190, abs=11)
    assert made["overload_to_advert_ms"] == 1000.0
    assert made["overload_to_halved_ms"] == pytest.approx(1000 + made["moved_ms"])
    assert made["p50_ms"] == {"before": 10.0, "during": 10.0, "after": 10.0}
    assert made["torn_sessions"] == 0
    figure.draw(run, made, tmp_path / "out" / "run.png")
    assert (tmp_path / "out" / "run.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_in_which_nothing_happened(tmp_path: Path) -> None:
    run = _run([])
    made = summary.summarise(run)
    assert made["moved_ms"] is None
    assert made["p99_ms"]["during"] is None
    figure.draw(run, made, tmp_path / "run.png")
