"""Soft state: the last advert of each site, until it expires or the site withdraws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from control.model import Instance, InstanceKey, SiteAdvert, Way
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
    """Last adverts by site name; time comes from the clock that is passed in (seconds, monotonic).

    What comes of a site directly and over BGP is held, and expires, each for itself. The newer one counts, by
    (incarnation, sequence); of equal ones that which came directly, since it tells more.
    """

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._told: dict[str, dict[Way, Held]] = {}

    def __iter__(self) -> Iterator[Held]:
        return map(_newest, self._told.values())

    def get(self, site: str) -> Held | None:
        """What a site last told, if that is still valid."""
        told = self._told.get(site)
        return _newest(told) if told else None

    def accept(self, advert: SiteAdvert) -> None:
        """Replace what the site said before in the same way.

        What comes over BGP was compared with what came before already (`control.bgp.rib`).

        Raises:
            Refused: it came directly and is not newer than what is held.
        """
        last = self._told.get(advert.site, {}).get(advert.way)
        if last and advert.way == "grpc":
            have, got = _age(last.advert), _age(advert)
            if got <= have:
                raise Refused(f"sequence: (incarnation, sequence) {got} is not newer than {have}")
        before = self.get(advert.site)
        now = self._clock()
        self._told.setdefault(advert.site, {})[advert.way] = Held(
            advert,
            now,
            now + advert.ttl_s,
            _interval_s(last, now),
            {key: before.since.get(key, now) if before else now for key in advert.instances},
        )

    def withdraw(self, site: str, way: Way) -> None:
        """Forget what a site told in one way."""
        told = self._told.get(site, {})
        told.pop(way, None)
        if not told:
            self._told.pop(site, None)

    def expire(self) -> list[tuple[str, Way]]:
        """Forget adverts whose time is over.

        Returns:
            Of which sites, and how they had come.
        """
        now = self._clock()
        over: list[tuple[str, Way]] = [
            (site, way)
            for site, told in self._told.items()
            for way, held in told.items()
            if held.expires <= now
        ]
        for site, way in over:
            self.withdraw(site, way)
        return over

    @property
    def next_expiry(self) -> float | None:
        """When `expire` has something to do, in seconds of the clock."""
        return min((held.expires for told in self._told.values() for held in told.values()), default=None)

    def instances(self) -> dict[InstanceKey, Instance]:
        """Every instance alive, draining ones included."""
        return {key: instance for held in self for key, instance in held.advert.instances.items()}


def _newest(told: Mapping[Way, Held]) -> Held:
    return max(told.values(), key=lambda held: (_age(held.advert), held.advert.way == "grpc"))


def _interval_s(before: Held | None, now: float) -> float:
    if before is None:
        return 0.0
    gap = now - before.received
    return before.interval_s + _SMOOTHING * (gap - before.interval_s) if before.interval_s else gap


def _age(advert: SiteAdvert) -> tuple[int, int]:
    return advert.incarnation, advert.sequence
