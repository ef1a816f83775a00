"""Virtual time: what happens when; two things at once happen in the order they were asked for."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Clock:
    """Events to come. Times are seconds from the start of the run."""

    def __init__(self) -> None:
        self.now = 0.0
        self._number = 0
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []

    def seconds(self) -> float:
        """The time, in the form that the product's modules take a clock in."""
        return self.now

    def at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        """Call it then; at once, but not before this event is over, where that time has passed."""
        self._number += 1
        heapq.heappush(self._events, (max(when, self.now), self._number, call, args))

    def after(self, delay_s: float, call: Callable[..., None], *args: Any) -> None:
        """Call it so much later."""
        self.at(self.now + delay_s, call, *args)

    def run(self, until: float) -> None:
        """Let everything happen that is due until then."""
        events, pop = self._events, heapq.heappop
        while events and events[0][0] <= until:
            self.now, _, call, args = pop(events)
            call(*args)
        self.now = until
