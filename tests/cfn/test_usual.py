"""The usual value: few that are much larger don't change it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cfn.usual import REMEMBERED, Usual, lower_quartile


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_a_quarter_is_no_larger_and_three_quarters_are_no_smaller(values):
    usual = lower_quartile(values)
    assert usual in values
    assert 4 * sum(value <= usual for value in values) >= len(values)
    assert 4 * sum(value >= usual for value in values) >= 3 * len(values)


def test_the_last_values_count():
    usual = Usual()
    assert usual.value == 0
    for value in [400.0, 4.0, 4.0, 400.0]:
        usual.add(value)
    assert usual.value == 4
    for _ in range(REMEMBERED):
        usual.add(1.0)
    assert usual.value == 1
