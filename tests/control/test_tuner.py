"""Learning parameters: response surfaces with noise and drift, and what it costs to learn.

One case: pytest tests/control/test_tuner.py -k shift
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from statistics import fmean

import pytest

from control.tuner import Knob, Point, Tuner, Turn

Surface = Callable[[Point, int], float]
START = 0.5
PERIODS = 150


def bowl(point: Point, best: float) -> float:
    """1 at the start, and 0.7 at the best place of one parameter; others do nothing."""
    return 1 - 0.3 * (1 - ((point[0] - best) / (START - best)) ** 2)


SURFACES: dict[str, Surface] = {
    "better": lambda point, _: bowl(point, 0.85),
    "flat": lambda _point, _: 1.0,
    "best": lambda point, _: 1 + 3 * sum((x - START) ** 2 for x in point),
    "cliff": lambda point, _: 1.0 if max(abs(x - START) for x in point) < 0.1 else 3.0,
    "shift": lambda point, period: bowl(point, 0.85 if period < PERIODS // 2 else 0.15),
    "over": lambda point, period: bowl(point, 0.85) if period < PERIODS // 2 else 1 + abs(point[0] - START),
}


def learned(
    name: str, noise: float, drift: float, seed: int = 1, dimensions: int = 1
) -> list[tuple[Turn, float]]:
    """Each period's turn, and how much longer responses took than with the start's setting."""
    chance = random.Random(seed)
    start = (START,) * dimensions
    tuner = Tuner(start, seed)
    found: list[tuple[Turn, float]] = []
    for period in range(PERIODS):
        turn, surface = tuner.turn, SURFACES[name](tuner.turn.point, period)
        found.append((turn, surface / SURFACES[name](start, period)))
        tuner.told(20 * surface * math.exp(drift * math.sin(period / 7) + chance.gauss(0, noise)))
    return found


CASES = [(0.05, 0.5, 2), (0.2, 0.5, 1)]
"""Noise and drift of the level (standard deviation, and amplitude, of the logarithm); parameters."""


@pytest.mark.parametrize("name", sorted(SURFACES))
@pytest.mark.parametrize(("noise", "drift", "dimensions"), CASES)
def test_whatever_comes_the_start_would_have_been_little_better(
    name: str, noise: float, drift: float, dimensions: int
) -> None:
    found = learned(name, noise, drift, dimensions=dimensions)
    assert fmean(ratio for _, ratio in found) <= 1.06
    # Nor for long: over four minutes, whichever they are, there are at most a few bad trials.
    span = 24
    assert max(fmean(r for _, r in found[at : at + span]) for at in range(PERIODS - span)) <= 1.3


@pytest.mark.parametrize("name", ["better", "shift"])
@pytest.mark.parametrize(("noise", "drift", "dimensions"), CASES)
def test_what_is_better_is_found_and_followed(name: str, noise: float, drift: float, dimensions: int) -> None:
    found = learned(name, noise, drift, dimensions=dimensions)
    late = found[-PERIODS // 5 :]
    assert fmean(ratio for _, ratio in late) <= 0.88
    kept = [ratio for turn, ratio in late if turn.role == "kept"]
    assert len(kept) > len(late) / 5
    assert fmean(kept) <= 0.8


def test_what_is_better_no_more_is_given_up_soon() -> None:
    for seed in range(2):
        found = learned("over", 0.1, 0.3, seed)
        after = found[PERIODS // 2 :]
        bad = [at for at, (turn, ratio) in enumerate(after) if turn.role == "kept" and ratio > 1.1]
        assert len(bad) <= 12
        assert max(bad, default=0) <= 40


def test_the_start_has_its_turn_again_and_again() -> None:
    roles = [turn.role for turn, _ in learned("better", 0.1, 0.3)]
    assert roles[0] == "start"
    gaps = [len(gap.split()) for gap in " ".join(roles).split("start")]
    assert max(gaps) <= 5
    assert roles.count("trial") <= len(roles) / 2


def test_a_value_twice_as_bad_ends_a_period() -> None:
    tuner = Tuner((START,))
    assert not tuner.is_bad(1e9)
    tuner.told(10.0)
    assert tuner.turn.role == "trial"
    assert tuner.is_bad(20.1)
    assert not tuner.is_bad(19.9)


@pytest.mark.parametrize("knob", [Knob("pace", 0.25, 4.0, logarithmic=True), Knob("headroom", 0.5, 0.95)])
def test_places_on_a_scale_stand_for_values(knob: Knob) -> None:
    assert [knob.value(0.0), knob.value(1.0)] == pytest.approx([knob.low, knob.high])
    assert knob.value(knob.place(0.8)) == pytest.approx(0.8)


def test_a_logarithmic_scale_has_its_geometric_mean_in_the_middle() -> None:
    assert Knob("pace", 0.25, 4.0, logarithmic=True).place(1.0) == pytest.approx(0.5)
