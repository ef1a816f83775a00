"""Which requests go by which routers: the paths that the catalogue pins, as each router sees them.

A list of segments names the routers that are still to be passed. It ends where the last of them unpacks the
request, which goes on from there by the shortest path: so the site's router need not be named, and one list
is right for every site.
"""

from __future__ import annotations

from cfn.names import func_prefix
from control.catalogue import Catalogue, PinnedPath
from control.network import Network
from control.services import ServiceIndex
from control.sites import Sites


def added_bytes(segments: int) -> int:
    """What a list of so many segments adds to a packet: IPv6 header, routing header, addresses (RFC 8754)."""
    return 40 + 8 + 16 * segments


class Paths:
    """The pinned paths of a catalogue."""

    def __init__(self, catalogue: Catalogue, services: ServiceIndex, sites: Sites):
        self._services = services
        self._sites = sites
        self._classes = {name: demand.id for name, demand in catalogue.classes.items()}
        self.pinned = tuple(catalogue.paths.values())

    def sites(self, path: PinnedPath, router: str) -> list[int]:
        """Ids of the sites that requests go to by it from a router: those elsewhere."""
        return [s for s in self._sites if self._leads_to(path, s) and self._sites.router(s) != router]

    def segments(self, path: PinnedPath, router: str, site: int) -> tuple[str, ...]:
        """The routers to name on the way from a router to a site; none where the shortest path is right."""
        left = path.via[path.via.index(router) + 1 :] if router in path.via else path.via
        end = self._sites.router(site)
        if end in left:
            left = left[: left.index(end) + 1]
        return () if left == (end,) else left

    def via(self, router: str, func_id: int, class_id: int, site: int) -> tuple[str, ...]:
        """The routers to name on the way to a site for requests for a function, of a demand class."""
        if self._sites.router(site) == router:
            return ()
        asked = (path for path in self.pinned if self._is_for(path, func_id, class_id, site))
        path = next(asked, None)
        return self.segments(path, router, site) if path else ()

    def room(self, path: PinnedPath, network: Network) -> int | None:
        """How long an IP packet may be so that it fits everywhere with its segments; None without any."""
        found = [
            way.mtu - added_bytes(len(segments))
            for router in network.routers
            for site in self.sites(path, router)
            if (segments := self.segments(path, router, site)) and (way := network.path_via(router, segments))
        ]
        return min(found, default=None)

    def service_ids(self, path: PinnedPath) -> list[int | None]:
        """What routers know its services by; None for all."""
        if path.services is None:
            return [None]
        return [*map(self._services.id, self._services.named(path.services))]

    def class_ids(self, path: PinnedPath) -> list[int | None]:
        """Ids of its demand classes; None for all."""
        return [None] if path.classes is None else [self._classes[name] for name in path.classes]

    def _leads_to(self, path: PinnedPath, site: int) -> bool:
        return path.sites is None or self._sites.name(site) in path.sites

    def _is_for(self, path: PinnedPath, func_id: int, class_id: int, site: int) -> bool:
        if not self._leads_to(path, site) or not {None, class_id} & {*self.class_ids(path)}:
            return False
        if path.services is None:
            return True
        service = self._services.of(func_id)
        return service is not None and service.prefix in map(func_prefix, path.services)
