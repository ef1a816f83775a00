import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import Spread, histogram, percentile

samples = st.lists(st.floats(allow_nan=False), min_size=1)


def test_spread_is_median_and_range() -> None:
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(median=3.0, low=1.0, high=10.0)


@pytest.mark.parametrize(("percent", "expected"), [(50, 5), (99, 10), (100, 10), (90, 9), (91, 10), (1, 1)])
def test_percentile_is_the_nearest_rank(percent: float, expected: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], percent) == expected


def test_what_never_happened_shows_in_the_percentile() -> None:
    assert percentile([1.0] * 98 + [math.inf] * 2, 99) == math.inf
    assert percentile([1.0] * 99 + [math.inf], 99) == 1.0


@pytest.mark.parametrize("percent", [0, -1, 100.5])
def test_percentile_refuses_what_is_no_percentage(percent: float) -> None:
    with pytest.raises(ValueError, match="not in 0 < percent <= 100"):
        percentile([1.0], percent)


def test_nothing_has_no_statistics() -> None:
    with pytest.raises(ValueError, match="no samples"):
        Spread.of([])
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


@given(samples, st.floats(min_value=1, max_value=100))
def test_percentile_splits_the_samples(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100
    assert sum(value < found for value in values) < len(values) * percent / 100


def test_histogram_counts_a_sample_on_an_edge_in_the_bin_above() -> None:
    assert histogram([0.5, 1, 1.5, 2, 9, math.inf], [1, 2, 5]) == [1, 2, 1, 2]


@given(samples)
def test_histogram_counts_each_sample_once(values: list[float]) -> None:
    assert sum(histogram(values, [-1, 0, 1])) == len(values)
