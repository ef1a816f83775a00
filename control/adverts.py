"""Soft state: the last advert of each site, until it expires or the site withdraws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from control.model import Instance, InstanceKey, SiteAdvert
from control.refused import Refused

_SMOOTHING = 0.25
"""Part that the last interval has in the smoothed one."""


@dataclass(frozen=True, slots=True)
class Held:
    """An advert, and what is known of the site's adverts. Times are of the store's clock, in seconds.

    Attributes:
        advert: the last one.
        received: when it came.
        expires: when it goes.
        interval_s: time between two, smoothed; 0 until there were two.
        since: when each instance was first told of, without a break.
    """

    advert: SiteAdvert
    received: float
    expires: float
    interval_s: float
    since: Mapping[InstanceKey, float]


class AdvertStore:
    """Last adverts by site name; time comes from the clock that is passed in (seconds, monotonic)."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._held: dict[str, Held] = {}

    def __iter__(self) -> Iterator[Held]:
        return iter(self._held.values())

    def get(self, site: str) -> Held | None:
        """What a site last told, if that is still valid."""
        return self._held.get(site)

    def accept(self, advert: SiteAdvert) -> None:
        """Replace what the site said before.

        Raises:
            Refused: not newer than what is held.
        """
        before = self._held.get(advert.site)
        if before:
            have, got = _age(before.advert), _age(advert)
            if got <= have:
                raise Refused(f"sequence: (incarnation, sequence) {got} is not newer than {have}")
        now = self._clock()
        self._held[advert.site] = Held(
            advert,
            now,
            now + advert.ttl_s,
            _interval_s(before, now),
            {key: before.since.get(key, now) if before else now for key in advert.instances},
        )

    def expire(self) -> list[str]:
        """Forget adverts whose time is over.

        Returns:
            The sites that were forgotten.
        """
        now = self._clock()
        over = [name for name, held in self._held.items() if held.expires <= now]
        for name in over:
            del self._held[name]
        return over

    @property
    def next_expiry(self) -> float | None:
        """When `expire` has something to do, in seconds of the clock."""
        return min((held.expires for held in self._held.values()), default=None)

    def instances(self) -> dict[InstanceKey, Instance]:
        """Every instance alive, draining ones included."""
        return {key: instance for held in self for key, instance in held.advert.instances.items()}


def _interval_s(before: Held | None, now: float) -> float:
    if before is None:
        return 0.0
    gap = now - before.received
    return before.interval_s + _SMOOTHING * (gap - before.interval_s) if before.interval_s else gap


def _age(advert: SiteAdvert) -> tuple[int, int]:
    return advert.incarnation, advert.sequence
