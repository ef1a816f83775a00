"""What adverts give for response times, and when a measured one can't be explained by them.

A response takes the way there and back, the service, and the wait for what is before it
(`policy.candidate.ahead`). Measured times are a running median and adverts are late, so only what is far off
counts: without the network, more than 5 ms over twice the most that this gives, or more
than 5 ms under half of the service time alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from control.catalogue import Catalogue
from control.decided import Steered
from control.model import FAMILIES, Instance
from control.network import Network, Path
from control.paths import Paths
from control.policy.candidate import ahead
from control.quality import Quality, communication
from control.services import NO_CLASS

Ways = tuple[tuple[str | None, tuple[str, ...]], ...]
"""By which way each instance is reached: its host, None without an address, and the routers pinned."""

_FACTOR = 2.0
_MARGIN_MS = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    """Response time by what adverts tell, in ms; the mean over several instances.

    Attributes:
        network_ms: there and back.
        service_ms: of one request.
        backlog_ms: for what queued when the advert was sent.
        wait_ms: the most that a wait is explained for.
    """

    network_ms: float
    service_ms: float
    backlog_ms: float
    wait_ms: float

    @property
    def response_ms(self) -> float:
        """What a response is expected to take."""
        return self.network_ms + self.service_ms + self.backlog_ms

    def explains(self, response_ms: float) -> bool:
        """Whether a measured response time goes with it."""
        there_ms = response_ms - self.network_ms
        longest = _FACTOR * (self.service_ms + self.wait_ms) + _MARGIN_MS
        return self.service_ms / _FACTOR - _MARGIN_MS <= there_ms <= longest


class Expectation:
    """Ways from routers to instances, and what responses of theirs should take."""

    def __init__(self, catalogue: Catalogue, network: Network, paths: Paths):
        self._network = network
        self._paths = paths
        self._hosts = catalogue.hosts
        # By number: an address takes longer to hash than all else that is done with it.
        self._host = {
            _number(address): name
            for name, host in catalogue.hosts.items()
            for address in (*host.ipv4, *host.ipv6)
        }
        # What stands for a whole site is at the site's own address.
        self._host |= {
            _number(address): site.hosts[0]
            for site in catalogue.sites.values()
            for address in (site.ipv4, site.ipv6)
            if address is not None
        }

    def host(self, instance: Instance, family: int) -> str | None:
        """The host at which an instance is reached by a family; None where it has no address of it."""
        address = instance.address(family)
        return self._host[_number(address)] if address else None

    def via(self, router: str, site: int, asked: Steered) -> tuple[str, ...]:
        """The routers by which requests that ask for this go to a site, where a path is pinned."""
        if not self._paths.pinned:
            return ()
        return self._paths.via(router, asked.func_id, asked.class_id, site)

    def path(self, router: str, instance: Instance, asked: Steered) -> Path | None:
        """The way from a router to an instance's address, if there is one."""
        host = self.host(instance, asked.family)
        return self.path_by(router, host, self.via(router, instance.key.site, asked)) if host else None

    def path_by(self, router: str, name: str, via: tuple[str, ...]) -> Path | None:
        """The way from a router to a host by these routers, if there is one.

        Where a path is pinned, its delay is the mean of the way there and the way back, the shortest.
        """
        shortest = self._network.path_to_host(router, name)
        if not via or not shortest:
            return shortest
        host = self._hosts[name]
        there = self._network.path_via(router, (*via, host.router))
        if not there:
            return shortest
        return replace(
            shortest, delay_ms=(there.delay_ms + host.delay_ms + shortest.delay_ms) / 2, cost=there.cost
        )

    def quality(self, router: str, instance: Instance, asked: Steered) -> Quality | None:
        """What the way there is like, if there is one."""
        host = self.host(instance, asked.family)
        via = self.via(router, instance.key.site, asked)
        return self._network.quality(router, host, via) if host else None

    def norm_fi(self, router: str, instance: Instance, asked: Steered) -> int | None:
        """The metric of level 2 as the router sees it: what the site told, and no better than the way there.

        None when the site told none, or there is no way.
        """
        if instance.norm_fi is None:
            return None
        quality = self.quality(router, instance, asked)
        return quality and min(instance.norm_fi, communication(quality).value)

    def told(self, router: str, instances: Iterable[Instance]) -> Told | None:
        """What a response of any of these instances takes, each counted by the requests it gets.

        None when nothing is known of it: no instance has a way there and a service time.
        """
        known = [
            (one, path)
            for one in instances
            if one.service_ms > 0 and (path := self._any_path(router, one)) is not None
        ]
        if not known:
            return None
        rates = [one.arrival_rps for one, _ in known]
        total = math.fsum(rates)
        parts = [rate / total for rate in rates] if total > 0 else [1 / len(known)] * len(known)
        one_by_one = [_told(one, path) for one, path in known]

        def mean(values: Iterable[float]) -> float:
            return math.fsum(part * value for part, value in zip(parts, values, strict=True))

        return Told(
            mean(one.network_ms for one in one_by_one),
            mean(one.service_ms for one in one_by_one),
            mean(one.backlog_ms for one in one_by_one),
            mean(one.wait_ms for one in one_by_one),
        )

    def _any_path(self, router: str, instance: Instance) -> Path | None:
        asked = (Steered(instance.func_id, NO_CLASS, family) for family in FAMILIES)
        return next(filter(None, (self.path(router, instance, one) for one in asked)), None)


def _number(address: IPv4Address | IPv6Address) -> tuple[int, int]:
    return address.version, int(address)


def _told(instance: Instance, path: Path) -> Told:
    request_ms = 1000 / instance.capacity_rps if instance.capacity_rps else instance.service_ms
    wait_ms = ahead(instance.load, instance.queue) * request_ms
    return Told(2 * path.delay_ms, instance.service_ms, instance.queue * request_ms, wait_ms)
