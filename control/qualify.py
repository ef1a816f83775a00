"""Which instances can meet a demand at all, whatever their load; where none can, which part it fails by."""

from __future__ import annotations

from collections.abc import Sequence

from control.catalogue import DemandClass, Site
from control.decided import DemandPart, Group, Unmet, Verdict
from control.policy.candidate import Candidate
from control.sites import Sites

_FIELD: dict[DemandPart, str] = {
    "TYPE": "type",
    "GRADE": "grade",
    "LATENCY": "within_ms",
    "COST": "max_price",
}


def verdict_of(
    candidates: Sequence[Candidate], demand: DemandClass | None, sites: Sites
) -> tuple[tuple[Candidate, ...], Verdict]:
    """Those that meet the class: compute type and grade of the site, price, unloaded response time.

    Returns:
        Them, and what requests are told when there are none. No class asks nothing.
    """
    if demand is None or not candidates:
        return tuple(candidates), Group()
    found = tuple(c for c in candidates if _meets(c, demand, sites[c.key.site]))
    return found, Group() if found else Unmet(unmet_part(candidates, demand, sites))


def unmet_part(candidates: Sequence[Candidate], demand: DemandClass, sites: Sites) -> DemandPart:
    """The first of type, grade, latency and cost without which one of the candidates would meet the demand.

    Where it takes more than one, the first without which and without those before it one would.
    """
    parts: tuple[DemandPart, ...] = tuple(_FIELD)
    tries: list[tuple[DemandPart, ...]] = [
        *((part,) for part in parts),
        *(parts[:count] for count in range(2, len(parts))),
    ]
    for left_out in tries:
        easier = demand.model_copy(update=dict.fromkeys(_FIELD[part] for part in left_out))
        if any(_meets(c, easier, sites[c.key.site]) for c in candidates):
            return left_out[-1]
    return parts[-1]


def _meets(candidate: Candidate, demand: DemandClass, site: Site) -> bool:
    return _computes(site, demand) and _within(candidate, site, demand)


def _computes(site: Site, demand: DemandClass) -> bool:
    grade = demand.grade or 1
    if demand.type is None:
        return demand.grade is None or any(offered >= grade for offered in site.grades.values())
    return site.grades.get(demand.type, 0) >= grade


def _within(candidate: Candidate, site: Site, demand: DemandClass) -> bool:
    in_time = demand.within_ms is None or candidate.unloaded_ms <= demand.within_ms
    return in_time and (demand.max_price is None or site.price <= demand.max_price)
