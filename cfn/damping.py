"""When is an advert due? On a timer, and at once when something changes that the controller should act on."""

from __future__ import annotations

from dataclasses import dataclass

from cfn.holdings import NOTHING, Holdings
from cfn.site import InstanceView

Views = tuple[InstanceView, ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as a change worth telling at once.

    Attributes:
        load: change of the load, as a share of its scale (255).
        relative: change of queue or service time, as a share of what was last told.
        queue: requests; a smaller change of the queue is noise, whatever its share.
    """

    load: float = 0.10
    relative: float = 0.20
    queue: int = 2


@dataclass(frozen=True, slots=True)
class Damping:
    """How often adverts go out.

    Attributes:
        timer_s: at least this often.
        min_interval_s: never more often, whatever changes.
        holdings_s: never more often for a change of what the site holds: while it is not known, a request is
            only served a little slower.
        thresholds: what counts as a change.
    """

    timer_s: float = 1.0
    min_interval_s: float = 0.02
    holdings_s: float = 0.2
    thresholds: Thresholds = Thresholds()


class Schedule:
    """Says when the next advert is due. Times are seconds of one monotonic clock."""

    def __init__(self, damping: Damping) -> None:
        self._damping = damping
        self._told: Views | None = None
        self._told_held = NOTHING
        self._at = 0.0
        self._min_interval_s = damping.min_interval_s

    def sent(self, views: Views, now: float, held: Holdings = NOTHING) -> None:
        """An advert with these views and holdings has gone out."""
        self._told, self._told_held, self._at = views, held, now

    def slow_down(self, min_interval_s: float) -> None:
        """The controller wants no more than one advert in this time; its own minimum stays in force."""
        self._min_interval_s = max(self._damping.min_interval_s, min_interval_s)

    def due(self, views: Views, held: Holdings = NOTHING) -> float:
        """When to advertise these views and holdings, if they don't change any more."""
        if self._told is None:
            return self._at
        wait = self._min_interval_s if self._urgent(self._told, views) else self._damping.timer_s
        if held != self._told_held:
            wait = min(wait, self._damping.holdings_s)
        return self._at + max(wait, self._min_interval_s)

    def _urgent(self, told: Views, views: Views) -> bool:
        if len(told) != len(views):
            return True
        return any(changed(old, new, self._damping.thresholds) for old, new in zip(told, views, strict=True))


def changed(old: InstanceView, new: InstanceView, thresholds: Thresholds) -> bool:
    """Whether an instance differs from what was told by enough to tell it at once."""
    if _identity(old) != _identity(new):
        return True
    if abs(new.load - old.load) >= thresholds.load * 255:
        return True
    if abs(new.queue - old.queue) >= max(thresholds.queue, thresholds.relative * old.queue):
        return True
    difference = abs(new.service_time_us - old.service_time_us)
    return difference > 0 and difference >= thresholds.relative * old.service_time_us


def _identity(view: InstanceView) -> tuple[object, ...]:
    return view.func_id, view.instance, view.ipv4, view.ipv6, view.concurrency, view.draining
