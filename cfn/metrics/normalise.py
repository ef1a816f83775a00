"""Normalisation: from a raw value to tenths of a point, 0 (worst) to 100 (best).

Draft, section 4.2.2. Every function here is monotonous, has whole numbers as parameters, and is exact: the
tenths are the function's true value with halves rounded up, whatever computes them. `docs/metrics.md` gives
the same in formulas.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import cached_property
from typing import Protocol

from cfn.proto import advert_pb2 as pb

WHOLE = 100
"""The best value, in tenths of a point."""
LARGEST = 10**12
"""Bound of all parameters."""
_STEPS = range(1, 2 * WHOLE, 2)
"""Twice the value at which rounding goes up to 1, 2, … tenths."""
_DIGITS = Context(prec=60)


class Function(Protocol):
    """A normalisation function."""

    @property
    def number(self) -> pb.Normalisation.Function:
        """What adverts call it."""
        ...

    @property
    def parameters(self) -> tuple[int, ...]:
        """Its parameters in the order of adverts."""
        ...

    def tenths(self, value: int) -> int:
        """The value in tenths of a point, 0–100."""
        ...


@dataclass(frozen=True)
class MinMax:
    """A straight line from `worst` (0) to `best` (10), and no further at either end."""

    worst: int
    best: int

    def __post_init__(self) -> None:
        _check_ends(self.worst, self.best, least=0)

    @property
    def number(self) -> pb.Normalisation.Function:
        """See `Function.number`."""
        return pb.Normalisation.MIN_MAX

    @property
    def parameters(self) -> tuple[int, ...]:
        """See `Function.parameters`."""
        return self.worst, self.best

    def tenths(self, value: int) -> int:
        """See `Function.tenths`."""
        span, above = self.best - self.worst, value - self.worst
        if span < 0:
            span, above = -span, -above
        if above <= 0:
            return 0
        return WHOLE if above >= span else (2 * WHOLE * above + span) // (2 * span)


@dataclass(frozen=True)
class Log:
    """A straight line in the logarithm of the value: equal factors are equal steps. Both ends are above 0."""

    worst: int
    best: int

    def __post_init__(self) -> None:
        _check_ends(self.worst, self.best, least=1)

    @property
    def number(self) -> pb.Normalisation.Function:
        """See `Function.number`."""
        return pb.Normalisation.LOG

    @property
    def parameters(self) -> tuple[int, ...]:
        """See `Function.parameters`."""
        return self.worst, self.best

    def tenths(self, value: int) -> int:
        """See `Function.tenths`."""
        return _steps_reached(self._bounds, value, rising=self.best > self.worst)

    @cached_property
    def _bounds(self) -> Sequence[int]:
        """The value at which each step is reached: worst^(1-s) best^s, with s the step's share of all."""
        return sorted(self._bound(step) for step in _STEPS)

    def _bound(self, step: int) -> int:
        # Compared as whole numbers, since a root may be one.
        parts = 2 * WHOLE
        product = self.worst ** (parts - step) * self.best**step
        found = round(math.exp(math.log(self.worst) + step / parts * math.log(self.best / self.worst)))
        while found**parts < product:
            found += 1
        while (found - 1) ** parts >= product:
            found -= 1
        return found if self.best > self.worst or found**parts == product else found - 1


@dataclass(frozen=True)
class Sigmoid:
    """The logistic function: 5 at `middle`, flat far away from it.

    Attributes:
        middle: what gives 5.
        scale: how far from there the odds of 10 against 0 are e to 1; negative where less is better.
    """

    middle: int
    scale: int

    def __post_init__(self) -> None:
        if not 0 <= self.middle <= LARGEST:
            raise ValueError(f"middle: {self.middle} is not in 0..{LARGEST}")
        if not 0 < abs(self.scale) <= LARGEST:
            raise ValueError(f"scale: {self.scale} is 0 or beyond ±{LARGEST}")

    @property
    def number(self) -> pb.Normalisation.Function:
        """See `Function.number`."""
        return pb.Normalisation.SIGMOID

    @property
    def parameters(self) -> tuple[int, ...]:
        """See `Function.parameters`."""
        return self.middle, self.scale

    def tenths(self, value: int) -> int:
        """See `Function.tenths`."""
        return _steps_reached(self._bounds, value, rising=self.scale > 0)

    @cached_property
    def _bounds(self) -> Sequence[int]:
        """The value at which each step is reached: middle + scale ln(s / (1 - s)), which is never whole."""
        rounding = ROUND_CEILING if self.scale > 0 else ROUND_FLOOR
        found: list[int] = []
        for step in _STEPS:
            odds = _DIGITS.ln(_DIGITS.divide(Decimal(step), Decimal(2 * WHOLE - step)))
            exact = _DIGITS.fma(Decimal(self.scale), odds, Decimal(self.middle))
            found.append(int(exact.to_integral_value(rounding)))
        return sorted(found)


def _steps_reached(bounds: Sequence[int], value: int, *, rising: bool) -> int:
    """How many steps a value has reached; where less is better, those whose bound it is not above."""
    return bisect_right(bounds, value) if rising else WHOLE - bisect_left(bounds, value)


def _check_ends(worst: int, best: int, *, least: int) -> None:
    for name, end in (("worst", worst), ("best", best)):
        if not least <= end <= LARGEST:
            raise ValueError(f"{name}: {end} is not in {least}..{LARGEST}")
    if worst == best:
        raise ValueError(f"worst and best are both {worst}")
