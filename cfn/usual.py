"""What is usual: a mean without the few values that are much larger, however early they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import fmean

REMEMBERED = 100
_MUCH = 10
"""How many times the lower quartile is much larger."""


def lower_quartile(values: Iterable[float]) -> float:
    """A quarter of the values, at least one, are no larger than this one of them; there must be one."""
    ordered = sorted(values)
    return ordered[len(ordered) // 4]


class Usual:
    """The mean of the last `REMEMBERED` values, without those above ten times their lower quartile."""

    def __init__(self) -> None:
        self._values = deque[float](maxlen=REMEMBERED)

    def add(self, value: float) -> None:
        """Remember one more."""
        self._values.append(value)

    @property
    def value(self) -> float:
        """It; 0 when there was none yet."""
        if not self._values:
            return 0.0
        most = _MUCH * lower_quartile(self._values)
        return fmean(value for value in self._values if value <= most)
