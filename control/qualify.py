"""Which instances can meet a demand at all, whatever their load is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from control.catalogue import DemandClass, Site
from control.policy.candidate import Candidate


def qualified(
    candidates: Iterable[Candidate], demand: DemandClass, sites: Mapping[int, Site]
) -> list[Candidate]:
    """Those that meet the class: compute type and grade of the site, price, unloaded response time."""
    return [
        c
        for c in candidates
        if _computes(sites[c.key.site], demand) and _within(c, sites[c.key.site], demand)
    ]


def _computes(site: Site, demand: DemandClass) -> bool:
    grade = demand.grade or 1
    if demand.type is None:
        return demand.grade is None or any(offered >= grade for offered in site.compute.values())
    return site.compute.get(demand.type, 0) >= grade


def _within(candidate: Candidate, site: Site, demand: DemandClass) -> bool:
    in_time = demand.within_ms is None or candidate.unloaded_ms <= demand.within_ms
    return in_time and (demand.max_price is None or site.price <= demand.max_price)
