"""When is an advert due? On a timer, and before that when something changes that should be acted on.

Each metric has a rule of its own: which change is worth telling, how soon at the earliest and how late at the
latest. Two bounds hold whatever happens: adverts are never closer than the least interval, and instances that
come and go are told of before the timer only so often (as flapping routes are damped, RFC 2439).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cfn.holdings import NOTHING, Holdings
from cfn.load import MAX_LOAD
from cfn.site import InstanceView

Views = tuple[InstanceView, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Which change of a metric is worth an advert before the timer, and when.

    Attributes:
        absolute: least change, in the metric's unit; a smaller one is noise, whatever its share.
        relative: least change as a share of what was last told.
        floor_s: after the last advert, such a change waits at least this long.
        ceiling_s: any other change of it waits no longer than this.
    """

    absolute: float = 0.0
    relative: float = 0.0
    floor_s: float = 0.0
    ceiling_s: float = math.inf

    def changed(self, told: float, now: float) -> bool:
        """Whether the metric differs by enough."""
        difference = abs(now - told)
        return difference > 0 and difference >= max(self.absolute, self.relative * abs(told))

    def wait_s(self, told: float, now: float) -> float:
        """How long after the last advert the next one may wait, for this metric's sake."""
        if self.changed(told, now):
            return self.floor_s
        return math.inf if told == now else self.ceiling_s


RULES: Mapping[str, Rule] = {
    "load": Rule(absolute=0.10 * MAX_LOAD),
    "queue": Rule(absolute=2, relative=0.10),
    "service_time": Rule(relative=0.20),
    "cpu": Rule(absolute=0.05, floor_s=0.1),
    "holdings": Rule(floor_s=0.2),
}
"""Rules by metric: load of an instance (0-255), requests that wait, µs, share of the site's CPU, and what the
site holds, which only makes a request be served a little slower while it is not known."""


@dataclass(frozen=True, slots=True)
class Damping:
    """How often adverts go out.

    Attributes:
        timer_s: at least this often.
        min_interval_s: never more often, whatever changes.
        rules: by metric; one that is not in it has that of `RULES`.
        flaps: at most so many times in `flap_s`, 1 or more, comings and goings are told of before the timer.
        flap_s: seconds.
    """

    timer_s: float = 1.0
    min_interval_s: float = 0.02
    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    flaps: int = 10
    flap_s: float = 1.0

    def rule(self, metric: str) -> Rule:
        """The rule of a metric."""
        return self.rules.get(metric, RULES[metric])


class Schedule:
    """Says when the next advert is due. Times are seconds of one monotonic clock."""

    def __init__(self, damping: Damping) -> None:
        self._damping = damping
        self._told: Views | None = None
        self._told_held = NOTHING
        self._told_cpu = 0.0
        self._at = 0.0
        self._min_interval_s = damping.min_interval_s
        self._flaps: deque[float] = deque(maxlen=damping.flaps)

    def sent(self, views: Views, now: float, held: Holdings = NOTHING, cpu: float = 0.0) -> None:
        """An advert with these views, holdings and share of the CPU has gone out."""
        if self._told is not None and _comings_and_goings(self._told, views):
            self._flaps.append(now)
        self._told, self._told_held, self._told_cpu, self._at = views, held, cpu, now

    def slow_down(self, min_interval_s: float) -> None:
        """The controller wants no more than one advert in this time; its own minimum stays in force."""
        self._min_interval_s = max(self._damping.min_interval_s, min_interval_s)

    def due(self, views: Views, held: Holdings = NOTHING, cpu: float = 0.0) -> float:
        """When to advertise these, if they don't change any more."""
        if self._told is None:
            return self._at
        waits = [*self._waits(self._told, views, cpu), self._damping.timer_s]
        if held != self._told_held:
            waits.append(self._damping.rule("holdings").floor_s)
        return self._at + max(min(waits), self._min_interval_s)

    def _waits(self, told: Views, views: Views, cpu: float) -> Iterable[float]:
        if _comings_and_goings(told, views):
            yield self._flap_wait()
        before = {_identity(view): view for view in told}
        for view in views:
            if _identity(view) in before:
                yield from waits(before[_identity(view)], view, self._damping)
        yield self._damping.rule("cpu").wait_s(self._told_cpu, cpu)

    def _flap_wait(self) -> float:
        if len(self._flaps) < self._damping.flaps:
            return 0.0
        return self._flaps[0] + self._damping.flap_s - self._at


def waits(told: InstanceView, now: InstanceView, damping: Damping) -> Iterable[float]:
    """How long after the last advert each metric of an instance may wait to be told."""
    for name, old, new in (
        ("load", told.load, now.load),
        ("queue", told.queue, now.queue),
        ("service_time", told.service_time_us, now.service_time_us),
    ):
        yield damping.rule(name).wait_s(old, new)


def _comings_and_goings(told: Views, views: Views) -> bool:
    """Whether instances came, went, or became others."""
    return list(map(_identity, told)) != list(map(_identity, views))


def _identity(view: InstanceView) -> tuple[object, ...]:
    return view.func_id, view.also, view.instance, view.ipv4, view.ipv6, view.concurrency, view.draining
