"""Which routes a domain announces for its sites, and when: pure, with the clock's seconds passed in.

A site has a route for its own address, and further ones when it runs more functions than one carries. Each is
soft state of its own: it is announced anew when what it tells of has changed by enough, and by the timer. Two
announcements of a route are at least `min_interval_s` apart, whatever happens (as by RFC 4271, section
9.2.1.1). A withdrawal is never held back, since requests are being sent to what is gone; the announcement
after it is, so that a flapping site causes one message of either kind in `min_interval_s`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address

from cfn.damping import RULES, Rule
from cfn.site import WINDOW_US
from control.bgp.aggregate import Pool, pools
from control.bgp.attribute import MAX_TTL_MS, ROOM, SiteRoute, size
from control.domain import Domain, Speaker
from control.model import SiteAdvert

Prefix = IPv4Address | IPv6Address
"""An address; routes are for a single one."""

_TTL_OF_TIMER = 3.5
"""Two refreshs of a route may be late before its receivers forget it."""
_RATES = Rule(absolute=1.0, relative=0.20)


@dataclass(frozen=True, slots=True)
class Announce:
    """Announce, or announce anew."""

    prefix: Prefix
    route: SiteRoute


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Withdraw."""

    prefix: Prefix


@dataclass(slots=True)
class _Route:
    """What a route should tell of, what it has told since it is up, and when it was announced last."""

    prefix: Prefix
    functions: dict[int, tuple[Pool, set[int]]] = field(default_factory=dict[int, tuple[Pool, set[int]]])
    taken: int = 0
    told: SiteRoute | None = None
    at: float = -math.inf

    @property
    def pools(self) -> tuple[Pool, ...]:
        """What it should tell of, by the first FuncID."""
        parts = (replace(pool, functions=tuple(sorted(ids))) for pool, ids in self.functions.values())
        return tuple(sorted(parts, key=lambda pool: pool.functions))

    def take(self, func_id: int, pool: Pool) -> bool:
        """Tell of a function from now on, if there is room."""
        name = pool.functions[0]
        taken = self.taken + size(name not in self.functions, 1)
        if taken > ROOM:
            return False
        self.functions.setdefault(name, (pool, set()))[1].add(func_id)
        self.taken = taken
        return True

    def clear(self) -> list[int]:
        """Tell of nothing; FuncIDs of what it told of."""
        had = sorted(func_id for _, ids in self.functions.values() for func_id in ids)
        self.functions.clear()
        self.taken = 0
        return had


@dataclass(slots=True)
class _Site:
    id: int
    routes: list[_Route]
    advert: SiteAdvert | None = None


class Routes:
    """The routes of a domain's sites."""

    def __init__(self, domain: Domain, speaker: Speaker):
        self._speaker = speaker
        self._more = iter(domain.more_routes) if domain.more_routes else iter(())
        self._free: list[_Route] = []
        self._sites: dict[str, _Site] = {}
        self._ttl_ms = min(MAX_TTL_MS, round(speaker.timer_s * _TTL_OF_TIMER * 1000))

    def tell(self, name: str, site: int, address: Prefix, advert: SiteAdvert | None) -> int:
        """A site has told this; None or an advert of no instance: there is nothing to tell of it.

        Returns:
            How many functions there was no route for.
        """
        one = self._sites.setdefault(name, _Site(site, [_Route(address)]))
        one.advert = advert
        told = pools(advert) if advert else ()
        wanted = {func_id: pool for pool in told for func_id in pool.functions}
        for route in one.routes:
            # What it told of before it goes on telling of, so that other routes stay as they are.
            for func_id in route.clear():
                if func_id in wanted and route.take(func_id, wanted[func_id]):
                    del wanted[func_id]
        return sum(not self._place(one, func_id, pool) for func_id, pool in wanted.items())

    def due(self, now: float) -> Iterator[Announce | Withdraw]:
        """What is to be sent now; counts as sent."""
        for site in self._sites.values():
            for number, route in enumerate(site.routes):
                if self._due_at(site, route) > now:
                    continue
                if route.functions and site.advert:
                    told = self._told(site, number, route, site.advert)
                    route.told, route.at = told, now
                    yield Announce(route.prefix, told)
                else:
                    route.told = None
                    yield Withdraw(route.prefix)
            while len(site.routes) > 1 and not site.routes[-1].functions and site.routes[-1].told is None:
                self._free.append(site.routes.pop())

    @property
    def next_due(self) -> float | None:
        """When `due` has something, in seconds of the clock."""
        times = (self._due_at(site, route) for site in self._sites.values() for route in site.routes)
        return min((time for time in times if time < math.inf), default=None)

    def announced(self) -> list[Announce]:
        """Everything that is up, for a speaker that starts anew."""
        return [
            Announce(route.prefix, route.told)
            for site in self._sites.values()
            for route in site.routes
            if route.told
        ]

    def _due_at(self, site: _Site, route: _Route) -> float:
        if not route.functions or site.advert is None:
            return math.inf if route.told is None else -math.inf
        if route.told is None or self._changed(site.advert, route.told, route):
            return route.at + self._speaker.min_interval_s
        return route.at + self._speaker.timer_s

    def _changed(self, advert: SiteAdvert, told: SiteRoute, route: _Route) -> bool:
        now = route.pools
        return (
            advert.incarnation != told.incarnation
            or len(told.pools) != len(now)
            or RULES["cpu"].changed(told.cpu_utilisation, advert.cpu_utilisation)
            or any(changed(old, new) for old, new in zip(told.pools, now, strict=True))
        )

    def _told(self, site: _Site, number: int, route: _Route, advert: SiteAdvert) -> SiteRoute:
        return SiteRoute(
            site=site.id,
            part=number,
            incarnation=advert.incarnation,
            sequence=advert.sequence,
            ttl_ms=self._ttl_ms,
            window_ms=WINDOW_US // 1000,
            cpu_utilisation=advert.cpu_utilisation,
            cpu_capacity=advert.cpu_capacity,
            pools=route.pools,
        )

    def _place(self, site: _Site, func_id: int, pool: Pool) -> bool:
        """Have one of the site's routes tell of a function; whether one can."""
        if any(route.take(func_id, pool) for route in site.routes):
            return True
        # One that was used before still keeps its distance from what it announced last.
        if not self._free and (prefix := next(self._more, None)) is not None:
            self._free.append(_Route(prefix))
        if not self._free:
            return False
        site.routes.append(self._free.pop())
        return site.routes[-1].take(func_id, pool)


def changed(old: Pool, new: Pool) -> bool:
    """Whether a pool differs by enough to announce it anew."""
    return (
        _identity(old) != _identity(new)
        or RULES["load"].changed(old.load, new.load)
        or RULES["queue"].changed(old.queue, new.queue)
        or RULES["service_time"].changed(old.service_ms, new.service_ms)
        or _RATES.changed(old.arrival_rps, new.arrival_rps)
        or _RATES.changed(old.capacity_rps, new.capacity_rps)
    )


def _identity(one: Pool) -> tuple[object, ...]:
    return one.functions, one.instances, one.families, one.draining, one.norm_fi
