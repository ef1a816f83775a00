"""Normalisation: exact whatever computes it, and never wrong way round.

One case: pytest tests/cfn/metrics/test_normalise.py -k sigmoid
"""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.metrics.normalise import LARGEST, Function, Log, MinMax, Sigmoid

ENDS = st.integers(0, 10**7)
VALUES = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("function", "value", "tenths"),
    [
        (MinMax(0, 1000), 0, 0),
        (MinMax(0, 1000), 4, 0),
        (MinMax(0, 1000), 5, 1),  # a half goes up
        (MinMax(0, 1000), 994, 99),
        (MinMax(0, 1000), 995, 100),
        (MinMax(0, 1000), 10**15, 100),
        (MinMax(1000, 0), 5, 100),
        (MinMax(1000, 0), 6, 99),
        (MinMax(1000, 0), 10**15, 0),
        (MinMax(255, 0), 191, 25),
        (Log(1, 2**20), 2, 5),  # 2^20 at 5 of 100 steps of 2^0.2
        (Log(2**20, 1), 2, 95),
        (Log(10_000_000, 1_000), 1_000, 100),
        (Log(10_000_000, 1_000), 100_000, 50),
        (Log(10_000_000, 1_000), 0, 100),
        (Log(1_000, 10_000_000), 0, 0),
        (Sigmoid(1000, 100), 1000, 50),
        (Sigmoid(1000, 100), 0, 0),
        (Sigmoid(1000, -100), 0, 100),
        (Sigmoid(1000, 100), 1110, 75),
        (Sigmoid(1000, -100), 1110, 25),
    ],
)
def test_values(function: Function, value: int, tenths: int) -> None:
    assert function.tenths(value) == tenths


@given(ENDS, ENDS, VALUES)
def test_min_max_is_the_straight_line_with_halves_rounded_up(worst: int, best: int, value: int) -> None:
    if worst == best:
        with pytest.raises(ValueError, match="are both"):
            MinMax(worst, best)
        return
    exact = min(Fraction(1), max(Fraction(0), Fraction(value - worst, best - worst)))
    assert MinMax(worst, best).tenths(value) == math.floor(100 * exact + Fraction(1, 2))


def near(tenths: int, exact: float) -> bool:
    """Whether it is rounded right, as far as floating point can tell."""
    return abs(tenths - exact) <= 0.5 + 1e-6


@given(ENDS, ENDS, VALUES)
def test_log_is_the_straight_line_in_the_logarithm(worst: int, best: int, value: int) -> None:
    worst, best, value = worst + 1, best + 1, value + 1
    if worst != best:
        exact = 100 * math.log(value / worst) / math.log(best / worst)
        assert near(Log(worst, best).tenths(value), min(100.0, max(0.0, exact)))


@given(ENDS, st.integers(1, 10**6), st.booleans(), VALUES)
def test_sigmoid_is_the_logistic_function(middle: int, scale: int, falls: bool, value: int) -> None:
    scale = -scale if falls else scale
    power = min(700.0, max(-700.0, -(value - middle) / scale))
    assert near(Sigmoid(middle, scale).tenths(value), 100 / (1 + math.exp(power)))


FUNCTIONS = [
    MinMax(7, 11),
    MinMax(LARGEST, 0),
    Log(1, 2),
    Log(LARGEST, 1),
    Sigmoid(3, 1),
    Sigmoid(LARGEST, -LARGEST),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=repr)
@given(VALUES, VALUES)
def test_better_is_never_less(function: Function, one: int, other: int) -> None:
    first, last = function.tenths(0), function.tenths(LARGEST)
    low, high = function.tenths(min(one, other)), function.tenths(max(one, other))
    assert 0 <= low <= 100
    assert low <= high if first < last else low >= high


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda: MinMax(-1, 3), "worst: -1 is not in 0.."),
        (lambda: MinMax(0, LARGEST + 1), "best: .* is not in 0.."),
        (lambda: Log(0, 3), "worst: 0 is not in 1.."),
        (lambda: Log(3, 3), "worst and best are both 3"),
        (lambda: Sigmoid(-1, 3), "middle: -1 is not in"),
        (lambda: Sigmoid(1, 0), "scale: 0 is 0 or beyond"),
    ],
)
def test_parameters_that_make_no_function_are_refused(make, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        make()
