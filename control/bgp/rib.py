"""What BGP peers tell of other domains' sites, and which of it is believed: pure, with a clock passed in.

A route is believed when it is for an address of a site of a domain that the peer may tell of, comes from that
domain's autonomous system, and its attribute tells of that site. Of several peers' tellings the newest
counts. A route expires when its time is over, counted from when its content was first heard, however often it
is repeated since; when the session to its peer is lost, `hold_s` later at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from control.bgp.aggregate import Pool, whole_site
from control.bgp.attribute import MAX_TTL_MS, Malformed, NotOurs, SiteRoute, decode
from control.catalogue import Catalogue
from control.domain import Peer
from control.model import SiteAdvert

Address = IPv4Address | IPv6Address


class _Refused(ValueError):  # noqa: N818 - says what happened to the route
    """The text says why."""


class Outcome(NamedTuple):
    """What became of an announcement.

    Attributes:
        sites: names of those of which something else is known now.
        refused: why it is not believed and counts as withdrawn; None when it is, or is no business of ours.
    """

    sites: set[str]
    refused: str | None = None


class _Key(NamedTuple):
    peer: Address
    prefix: Address


@dataclass(frozen=True, slots=True)
class _Heard:
    site: str
    route: SiteRoute
    expires: float


class _Newest(NamedTuple):
    age: tuple[int, int]
    void: float


class Rib:
    """Routes by peer and address, and what they make of each site."""

    def __init__(self, catalogue: Catalogue, domain: str, clock: Callable[[], float], hold_s: float):
        """`domain` is the own one; `clock` gives seconds."""
        self._catalogue = catalogue
        self._asn = catalogue.domains[domain].asn
        self._domain = domain
        self._clock = clock
        self._hold_s = hold_s
        self._heard: dict[_Key, _Heard] = {}
        self._newest: dict[tuple[str, int], _Newest] = {}
        self._domain_of = {site: name for name in catalogue.domains for site in catalogue.sites_of(name)}
        self._site_at = {
            address: name
            for name, site in catalogue.sites.items()
            for address in (site.ipv4, site.ipv6)
            if address is not None
        }
        self._names = {site.id: name for name, site in catalogue.sites.items()}

    def announce(self, peer: Peer, prefix: Address, as_path: Sequence[int], value: bytes) -> Outcome:
        """A peer announces a route, instead of what it announced under this address before."""
        changed = self.withdraw(peer, prefix)
        try:
            route = self._believed(peer, prefix, as_path, value)
        except _Refused as refused:
            return Outcome(changed, str(refused))
        if route is not None:
            name = self._names[route.site]
            expires = self._expiry(name, route)
            if expires > self._clock():
                self._heard[_Key(peer.address, prefix)] = _Heard(name, route, expires)
                changed.add(name)
        return Outcome(changed)

    def withdraw(self, peer: Peer, prefix: Address) -> set[str]:
        """A peer withdraws a route; names of the sites of which something else is known now."""
        before = self._heard.pop(_Key(peer.address, prefix), None)
        return {before.site} if before else set()

    def lost(self, peer: Peer) -> None:
        """The session to a peer is lost: what it told is held for a while."""
        last = self._clock() + self._hold_s
        for key, heard in self._heard.items():
            if key.peer == peer.address and heard.expires > last:
                self._heard[key] = replace(heard, expires=last)

    def expire(self) -> set[str]:
        """Forget routes whose time is over; names of the sites that had one."""
        now = self._clock()
        over = [key for key, heard in self._heard.items() if heard.expires <= now]
        sites = {self._heard.pop(key).site for key in over}
        # By then nobody repeats it any more.
        old = [where for where, newest in self._newest.items() if newest.void + MAX_TTL_MS / 1000 <= now]
        for where in old:
            del self._newest[where]
        return sites

    @property
    def next_expiry(self) -> float | None:
        """When `expire` has something to do, in seconds of the clock."""
        return min((heard.expires for heard in self._heard.values()), default=None)

    def count(self, peer: Peer) -> int:
        """How many routes of a peer are held."""
        return sum(key.peer == peer.address for key in self._heard)

    def site(self, name: str) -> SiteAdvert | None:
        """What is known of a site, by the newest telling of each of its routes; None when nothing is."""
        heard = self._newest_routes(one for one in self._heard.values() if one.site == name)
        if not heard:
            return None
        oldest_first = sorted(heard, key=lambda one: _age(one.route))
        newer = set[int]()
        pools: list[Pool] = []
        for one in reversed(oldest_first):
            pools += (left for pool in one.route.pools if (left := _without(pool, newer)))
            newer |= {func_id for pool in one.route.pools for func_id in pool.functions}
        newest = oldest_first[-1].route
        return SiteAdvert(
            site=name,
            incarnation=newest.incarnation,
            sequence=newest.sequence,
            ttl_s=max(one.expires for one in heard) - self._clock(),
            cpu_utilisation=newest.cpu_utilisation,
            cpu_capacity=newest.cpu_capacity,
            instances=whole_site(self._catalogue.sites[name], pools),
            way="bgp",
        )

    def _newest_routes(self, heard: Iterable[_Heard]) -> list[_Heard]:
        by_part: dict[int, _Heard] = {}
        for one in heard:
            have = by_part.get(one.route.part)
            if have is None or _age(one.route) > _age(have.route):
                by_part[one.route.part] = one
        # What an agent told before it was started anew says nothing of what runs now.
        latest = max((one.route.incarnation for one in by_part.values()), default=0)
        return [one for one in by_part.values() if one.route.incarnation == latest]

    def _believed(
        self, peer: Peer, prefix: Address, as_path: Sequence[int], value: bytes
    ) -> SiteRoute | None:
        external = peer.asn != self._asn
        if external and self._asn in as_path:
            # Our own, come round (RFC 4271, section 9.1.2).
            return None
        if external and (not as_path or as_path[0] != peer.asn):
            raise _Refused(f"AS path {_shown(as_path)}: does not begin with the peer's {peer.asn}")
        try:
            route = decode(value)
        except NotOurs:
            return None
        except Malformed as malformed:
            raise _Refused(f"malformed attribute: {malformed}") from None
        name = self._names.get(route.site)
        domain = self._domain_of.get(name or "")
        if name is None or domain is None:
            raise _Refused(f"there is no site {route.site}")
        if domain == self._domain:
            if external:
                raise _Refused(f"{name!r} is a site of this domain")
            return None
        if domain not in self._catalogue.domains_told_by(self._domain, peer):
            raise _Refused(f"{name!r} is of {domain!r}, of which this peer may not tell")
        origin = as_path[-1] if as_path else self._asn
        if origin != self._catalogue.domains[domain].asn:
            raise _Refused(f"{name!r} is of AS {self._catalogue.domains[domain].asn}, not of {origin}")
        self._check_prefix(name, domain, prefix)
        return route

    def _check_prefix(self, name: str, domain: str, prefix: Address) -> None:
        more = self._catalogue.domains[domain].more_routes
        if self._site_at.get(prefix) != name and not (more and prefix in more):
            raise _Refused(f"{prefix} is not an address of {name!r}")

    def _expiry(self, name: str, route: SiteRoute) -> float:
        """When a route is void; what is older than what was heard before is already."""
        newest = self._newest.get((name, route.part))
        if newest is None or _age(route) > newest.age:
            newest = _Newest(_age(route), self._clock() + route.ttl_ms / 1000)
            self._newest[name, route.part] = newest
        return newest.void if _age(route) == newest.age else -math.inf


def _without(pool: Pool, functions: Set[int]) -> Pool | None:
    left = tuple(func_id for func_id in pool.functions if func_id not in functions)
    return replace(pool, functions=left) if left else None


def _age(route: SiteRoute) -> tuple[int, int]:
    return route.incarnation, route.sequence


def _shown(as_path: Sequence[int]) -> str:
    return " ".join(map(str, as_path)) or "(empty)"
