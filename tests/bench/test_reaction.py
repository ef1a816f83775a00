"""The reaction benchmark as it runs, with few adverts far apart."""

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.arrivals import fates, reactions_ms
from bench.reaction import run, summary
from bench.targets import TARGETS, Target

_NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")


@pytest.mark.netns
@_NEEDS_ROOT
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_requests_follow_every_advert_and_none_is_lost(target: Target) -> None:
    if not target.installed():
        pytest.skip(f"{target.name} is not installed")
    flips, seen = run(target, adverts=4, rate=100, interval_ms=1000)
    assert [flip.site for flip in flips] == ["far", "near", "far", "near"]
    assert all(math.isfinite(reaction) for reaction in reactions_ms(flips, seen.arrivals, seen.end_ns))
    became = fates(seen.sent, seen.arrivals, seen.refused)
    assert became.sent > 100
    assert (became.lost, became.refused, became.duplicated) == (0, 0, 0)


def test_summary_has_no_number_for_what_never_happened() -> None:
    assert summary([1.0, 2.0, math.inf]) == {"p50": 2.0, "p99": None, "max": None}


@given(st.lists(st.floats(min_value=0, allow_infinity=False), min_size=1))
def test_summary_is_ordered(samples: list[float]) -> None:
    values = summary(samples)
    assert values["p50"] <= values["p99"] <= values["max"]  # type: ignore[operator]
