"""The usual value: few that are much larger don't change it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.usual import REMEMBERED, Usual, lower_quartile


def usual(*values: float) -> float:
    found = Usual()
    for value in values:
        found.add(value)
    return found.value


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_a_quarter_is_no_larger_and_three_quarters_are_no_smaller(values: list[float]) -> None:
    quartile = lower_quartile(values)
    assert quartile in values
    assert 4 * sum(value <= quartile for value in values) >= len(values)
    assert 4 * sum(value >= quartile for value in values) >= 3 * len(values)


def test_nothing_is_usual_before_the_first() -> None:
    assert usual() == 0


def test_values_of_the_same_kind_have_their_mean() -> None:
    assert usual(3.0, 4.0, 8.0, 5.0) == 5
    assert usual(0.0, 0.0) == 0


def test_what_is_much_larger_does_not_count_even_if_it_came_first() -> None:
    assert usual(400.0, 390.0, 410.0, 4.0, 6.0) == 5
    assert usual(400.0) == 400


def test_the_last_values_count() -> None:
    assert usual(*[4.0] * REMEMBERED, *[1.0] * REMEMBERED) == pytest.approx(1)
