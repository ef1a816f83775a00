"""What is usual: a lower quartile, which few values that are much larger don't change."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

REMEMBERED = 100


def lower_quartile(values: Iterable[float]) -> float:
    """A quarter of the values, at least one, are no larger than this one of them; there must be one."""
    ordered = sorted(values)
    return ordered[len(ordered) // 4]


class Usual:
    """The lower quartile of the last `REMEMBERED` values."""

    def __init__(self) -> None:
        self._values = deque[float](maxlen=REMEMBERED)

    def add(self, value: float) -> None:
        """Remember one more."""
        self._values.append(value)

    @property
    def value(self) -> float:
        """It; 0 when there was none yet."""
        return lower_quartile(self._values) if self._values else 0.0
