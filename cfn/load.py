"""How busy an instance is: utilisation over a sliding window, and the load that responses report."""

from __future__ import annotations

from collections import deque

WINDOW_S = 0.2
"""Span of the utilisation that is reported."""
FULLY_BUSY = 191
"""Load of an instance whose workers were busy all the time, with nothing waiting."""
PER_WAITING = 8
MAX_LOAD = 255


def load_of(utilisation: float, waiting: int) -> int:
    """The load 0–255 of docs/wire-format.md.

    Args:
        utilisation: share of the window that the workers were busy, 0–1.
        waiting: requests in the queue.
    """
    return min(MAX_LOAD, round(FULLY_BUSY * utilisation) + PER_WAITING * waiting)


def utilisation_of(load: int, waiting: int) -> float:
    """The utilisation 0–1 that a load tells of; all of it where those that wait fill the load's scale."""
    if load >= MAX_LOAD or PER_WAITING * waiting > load:
        return 1.0
    return min(1.0, (load - PER_WAITING * waiting) / FULLY_BUSY)


class Utilisation:
    """Share of the workers' time that was busy within the last `window_s`, exact to the event.

    Times are in seconds of one monotonic clock and never go back.
    """

    def __init__(self, workers: int, now: float, window_s: float = WINDOW_S) -> None:
        self._workers = workers
        self._window_s = window_s
        # (since, workers busy from then on); the first entry may lie before the window.
        self._changes: deque[tuple[float, int]] = deque([(now - window_s, 0)])
        self._worked_s = 0.0

    def change(self, by: int, now: float) -> None:
        """`by` more workers are busy from now on."""
        self._worked_s = self.worked_s(now)
        self._changes.append((now, self._changes[-1][1] + by))
        self._forget(now)

    def worked_s(self, now: float) -> float:
        """The time that workers were busy, summed over all of them, in seconds."""
        since, workers = self._changes[-1]
        return self._worked_s + workers * (now - since)

    def value(self, now: float) -> float:
        """The utilisation, 0–1."""
        self._forget(now)
        start = now - self._window_s
        busy = 0.0
        end = now
        for since, workers in reversed(self._changes):
            busy += workers * (end - max(since, start))
            end = max(since, start)
        return min(1.0, max(0.0, busy / (self._window_s * self._workers)))

    def _forget(self, now: float) -> None:
        while len(self._changes) > 1 and self._changes[1][0] <= now - self._window_s:
            self._changes.popleft()
