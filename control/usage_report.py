"""What was used, for bills: the routers' counters added up, under the catalogue's names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from control.catalogue import Catalogue
from control.services import ServiceIndex
from control.usage import UsageKey

Counts = Mapping[UsageKey, tuple[int, int]]
"""Requests and bytes."""


def usage_report(
    catalogue: Catalogue, services: ServiceIndex, routers: Iterable[Counts]
) -> list[dict[str, Any]]:
    """What each tenant used of each service at each site; the cost is the site's price of each request."""
    used: defaultdict[UsageKey, list[int]] = defaultdict(lambda: [0, 0])
    for counts in routers:
        for key, (requests, size) in counts.items():
            used[key][0] += requests
            used[key][1] += size
    tenants = {tenant.id: name for name, tenant in catalogue.tenants_by_name.items()}
    names = {services.id(service): service.name for service in catalogue.services}
    sites = {site.id: (name, site.price) for name, site in catalogue.sites.items()}
    rows: list[dict[str, Any]] = []
    for key, (requests, size) in used.items():
        site, price = sites.get(key.site, (str(key.site), 0.0))
        rows.append(
            {
                "tenant": tenants.get(key.tenant, str(key.tenant)),
                "service": names.get(key.service, str(key.service)),
                "site": site,
                "requests": requests,
                "bytes": size,
                "cost": round(requests * price, 6),
            }
        )
    return sorted(rows, key=lambda row: (row["tenant"], row["service"], row["site"]))
