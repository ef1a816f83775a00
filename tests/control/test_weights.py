"""Shares as the weights of a group's members."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.model import InstanceKey
from control.policy.shares import of_weights, quantise

NEAR, MID, FAR = InstanceKey(1, 1), InstanceKey(2, 1), InstanceKey(3, 1)

weight_shares = st.dictionaries(
    st.builds(InstanceKey, st.integers(1, 9), st.integers(0, 99)), st.floats(0, 1), min_size=1, max_size=40
)


@given(weight_shares, st.integers(1, 256))
def test_weights_are_bounded_and_follow_the_shares(shares: dict[InstanceKey, float], limit: int) -> None:
    weights = quantise(shares, limit)
    assert sum(weights.values()) <= limit
    assert all(weight > 0 for weight in weights.values())
    total = sum(shares.values())
    if total > 0:
        assert weights
        for key, share in of_weights(weights).items():
            assert share == pytest.approx(shares[key] / total, abs=1 / limit)


@given(weight_shares, st.integers(1, 256))
def test_weights_do_not_depend_on_order(shares: dict[InstanceKey, float], limit: int) -> None:
    assert quantise(dict(reversed(shares.items())), limit) == quantise(shares, limit)


@pytest.mark.parametrize(
    ("shares", "weights"),
    [
        ({NEAR: 1.0}, {NEAR: 1}),
        ({NEAR: 1 / 3, MID: 1 / 3, FAR: 1 / 3}, {NEAR: 1, MID: 1, FAR: 1}),
        ({NEAR: 0.75, FAR: 0.25}, {NEAR: 3, FAR: 1}),
        ({NEAR: 1.0, FAR: 0.0}, {NEAR: 1}),
        ({NEAR: 0.0}, {}),
        ({}, {}),
    ],
)
def test_weights_of(shares: dict[InstanceKey, float], weights: dict[InstanceKey, int]) -> None:
    assert quantise(shares, 256) == weights
