"""Which uses are counted: requests of a tenant for a service, bound to a site.

A use is counted from the first time that a site tells of an instance of the service. Its row then stays as
long as the catalogue permits the use, whatever comes and goes: its counter is what a bill is made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from control.catalogue import Catalogue
from control.services import ServiceIndex


class UsageKey(NamedTuple):
    """Numbers of a tenant, a service and a site."""

    tenant: int
    service: int
    site: int


class Usage:
    """The uses that are counted, alike on all routers.

    Attributes:
        limit: how many rows a router has.
        is_full: a use could not be counted for lack of rows.
    """

    def __init__(self, catalogue: Catalogue, services: ServiceIndex, limit: int):
        self.is_full = False
        self._services = services
        self._tenants = _tenants(catalogue, services)
        self._sites = {site.id for site in catalogue.sites.values()}
        self.limit = limit
        self._counted: set[tuple[int, int]] = set()
        self._rows = 0

    def adopt(self, found: Iterable[UsageKey]) -> list[UsageKey]:
        """Go on counting what routers count already; what is new of it."""
        places = sorted({(key.service, key.site) for key in found})
        return [key for place in places for key in self._count(*place)]

    def runs(self, site: int, functions: Iterable[int]) -> list[UsageKey]:
        """A site tells of these functions (FuncIDs); what is to be counted from now on."""
        services = filter(None, map(self._services.of, sorted(functions)))
        return [key for service in services for key in self._count(self._services.id(service), site)]

    def _count(self, service: int, site: int) -> list[UsageKey]:
        tenants = self._tenants.get(service, ())
        if (service, site) in self._counted or site not in self._sites or not tenants:
            return []
        if self._rows + len(tenants) > self.limit:
            self.is_full = True
            return []
        self._counted.add((service, site))
        self._rows += len(tenants)
        return [UsageKey(tenant, service, site) for tenant in tenants]


def _tenants(catalogue: Catalogue, services: ServiceIndex) -> dict[int, list[int]]:
    """Numbers of the tenants that may ask for each service, by its number."""
    tenants = catalogue.tenants_by_name
    return {
        services.id(service): sorted(
            {tenants[name].id for name in (tenants if service.tenants == "any" else service.tenants)}
        )
        for service in catalogue.services
    }
