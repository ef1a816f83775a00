"""A site as other domains need to know it: what its instances of a function add up to.

Routers send requests for a function to a site elsewhere as a whole, and its own router chooses among its
instances, so the sums lose nothing that those routers use. What a controller hears of such a site directly is
summed up in the same way, so that both tellings of a site look alike and may take turns.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from control.catalogue import Site
from control.model import Instance, InstanceKey, SiteAdvert

FAMILY_BITS = {4: 1, 6: 2}


@dataclass(frozen=True, slots=True)
class Pool:
    """Functions that the same instances of a site run, and what those add up to (draining ones if all do).

    Attributes:
        functions: FuncIDs, in their order.
        instances: how many instances.
        families: 4, 6 or both: what requests can reach them by.
        draining: they want no new sessions.
        load: 0-255, the mean by capacity.
        queue: requests that wait.
        service_ms: mean by arrivals; 0 when not measured yet.
        arrival_rps: requests that arrive a second.
        capacity_rps: requests a second that they could do; 0 when not known yet.
        completed_rps: requests that they answer a second.
        norm_fi: mean by capacity of those that told it, 0-10; None when none did.
    """

    functions: tuple[int, ...]
    instances: int
    families: frozenset[int]
    draining: bool = False
    load: int = 0
    queue: int = 0
    service_ms: float = 0.0
    arrival_rps: float = 0.0
    capacity_rps: float = 0.0
    completed_rps: float = 0.0
    norm_fi: int | None = None


def pools(advert: SiteAdvert) -> tuple[Pool, ...]:
    """What an advert's instances add up to, by the first FuncID."""
    running: defaultdict[int, list[InstanceKey]] = defaultdict(list)
    for key, instance in sorted(advert.instances.items()):
        for func_id in instance.functions:
            running[func_id].append(key)
    alike: defaultdict[tuple[InstanceKey, ...], list[int]] = defaultdict(list)
    for func_id in sorted(running):
        alike[tuple(running[func_id])].append(func_id)
    return tuple(
        _pool(tuple(functions), [advert.instances[key] for key in keys]) for keys, functions in alike.items()
    )


def whole_site(site: Site, told: Iterable[Pool]) -> dict[InstanceKey, Instance]:
    """The pools as instances that stand for the whole site, at the site's own address."""
    instances = (_instance(site, one) for one in told)
    return {instance.key: instance for instance in instances}


def summed(advert: SiteAdvert, site: Site) -> SiteAdvert:
    """A direct advert of a site elsewhere, with its instances added up."""
    return replace(advert, instances=whole_site(site, pools(advert)))


def _instance(site: Site, one: Pool) -> Instance:
    return Instance(
        key=InstanceKey.of_function(site.id, one.functions[0]),
        func_id=one.functions[0],
        also=frozenset(one.functions[1:]),
        ipv4=site.ipv4 if 4 in one.families else None,
        ipv6=site.ipv6 if 6 in one.families else None,
        load=one.load,
        queue=one.queue,
        service_ms=one.service_ms,
        arrival_rps=one.arrival_rps,
        capacity_rps=one.capacity_rps,
        completed_rps=one.completed_rps,
        norm_fi=one.norm_fi,
        draining=one.draining,
    )


def _pool(functions: tuple[int, ...], instances: Sequence[Instance]) -> Pool:
    takers = [one for one in instances if not one.draining] or list(instances)
    known = [one.capacity_rps for one in takers if one.capacity_rps > 0]
    # An instance that was never measured is taken for one like the others.
    like = math.fsum(known) / len(known) if known else 0.0
    capacities = [one.capacity_rps or like for one in takers]
    measured = [one for one in takers if one.service_ms > 0]
    return Pool(
        functions=functions,
        instances=len(takers),
        families=frozenset(f for f in FAMILY_BITS if any(one.address(f) for one in takers)),
        draining=takers[0].draining,
        load=_rounded_mean([one.load for one in takers], capacities),
        queue=sum(one.queue for one in takers),
        service_ms=_mean([one.service_ms for one in measured], [one.arrival_rps for one in measured]),
        arrival_rps=math.fsum(one.arrival_rps for one in takers),
        capacity_rps=math.fsum(capacities),
        completed_rps=math.fsum(one.completed_rps for one in takers),
        norm_fi=_norm_fi(takers, capacities),
    )


def _norm_fi(instances: Sequence[Instance], capacities: Sequence[float]) -> int | None:
    told = [
        (one.norm_fi, weight)
        for one, weight in zip(instances, capacities, strict=True)
        if one.norm_fi is not None
    ]
    return _rounded_mean([value for value, _ in told], [weight for _, weight in told]) if told else None


def _rounded_mean(values: Sequence[int], weights: Sequence[float]) -> int:
    return math.floor(_mean([float(value) for value in values], weights) + 0.5)


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """The mean by weight; the plain one without any weight, and 0 of nothing."""
    total = math.fsum(weights)
    if not values:
        return 0.0
    if total <= 0:
        return math.fsum(values) / len(values)
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / total
