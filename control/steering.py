"""Decisions: which instances each router binds the requests of each function to, and by which weights.

Pure but for the clock it is given: adverts and measurements in, groups out. `Steering` remembers the shares
in use, which is what makes changes smooth (`policy.stability`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from control.catalogue import Catalogue, PolicyName, Service
from control.desired import Group, Steered
from control.measurements import Measurements
from control.model import FAMILIES, Instance, InstanceKey
from control.network import Network
from control.policy import POLICIES
from control.policy.candidate import Candidate, complete
from control.policy.shares import Shares, distance, of_weights, quantise
from control.policy.stability import (
    HYSTERESIS,
    JUST_OVERLOADED,
    TIME_CONSTANT_S,
    settle,
    step_after,
)
from control.qualify import qualified
from control.services import ServiceIndex

Change = tuple[Group | None, Group | None]
"""A group before and after; None for no entry."""


class Place(NamedTuple):
    """What one decision is about: what is steered, and the ingress router that does it."""

    router: str
    steered: Steered


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and why.

    Attributes:
        group: weights to install; None where no instance can meet the demand, so there is no entry.
        policy: by which they were computed.
        candidates: instances that qualified, as the policy saw them.
        target: shares the policy wants.
        shares: shares on the way there.
        at: when, in seconds of the clock.
        cut: when overloaded ones lost part of their share last.
    """

    group: Group | None
    policy: PolicyName
    candidates: tuple[Candidate, ...] = ()
    target: Shares = field(default_factory=Shares)
    shares: Shares = field(default_factory=Shares)
    at: float = 0.0
    cut: Mapping[InstanceKey, float] = field(default_factory=dict[InstanceKey, float])


class Steering:
    """Decisions for every router, kept up to date function by function."""

    def __init__(
        self,
        catalogue: Catalogue,
        network: Network,
        measurements: Measurements,
        weight_limit: int,
        clock: Callable[[], float],
    ):
        """`weight_limit` bounds the sum of a group's weights (max_group_size in P4Info)."""
        self._catalogue = catalogue
        self._network = network
        self._measurements = measurements
        self._limit = weight_limit
        self._clock = clock
        self._site = {site.id: site for site in catalogue.sites.values()}
        self._site_name = {site.id: name for name, site in catalogue.sites.items()}
        self._host = {
            address: name for name, host in catalogue.hosts.items() for address in (*host.ipv4, *host.ipv6)
        }
        self._families = tuple(f for f in FAMILIES if getattr(catalogue.anycast, f"ipv{f}") is not None)
        self.services = ServiceIndex(catalogue)
        self.decisions: dict[Place, Decision] = {}

    def adopt(self, groups: Mapping[Place, Group]) -> None:
        """Go on from what routers have installed: it is the decision until there is another."""
        for place, group in groups.items():
            service = self.services.of(place.steered.func_id)
            if service and place.steered in set(self._steered(place.steered.func_id, service)):
                shares = of_weights(dict(group.weights))
                self.decisions[place] = Decision(
                    group, self.services.policy(service), target=shares, shares=shares, at=self._clock()
                )

    def functions_bound_to(self, sites: Set[int]) -> frozenset[int]:
        """FuncIDs that some router binds to an instance of these sites (by id)."""
        if not sites:
            return frozenset()
        return frozenset(
            place.steered.func_id
            for place, decision in self.decisions.items()
            if decision.group and any(key.site in sites for key, _ in decision.group.weights)
        )

    def functions_decided(self) -> frozenset[int]:
        """FuncIDs that there are decisions on."""
        return frozenset(place.steered.func_id for place in self.decisions)

    def by_site(self, group: Group) -> dict[str, float]:
        """The share of the traffic that each site gets, by name."""
        shares: dict[str, float] = {}
        for key, share in of_weights(dict(group.weights)).items():
            name = self.site_name(key)
            shares[name] = round(shares.get(name, 0.0) + share, 6)
        return shares

    def site_name(self, key: InstanceKey) -> str:
        """The name of an instance's site, or its id where the catalogue has none."""
        return self._site_name.get(key.site, str(key.site))

    def prune(self, functions: Set[int], placed: Set[InstanceKey]) -> dict[Place, Change]:
        """Take instances that are gone out of the groups of functions that are not decided upon yet."""
        changed: dict[Place, Change] = {}
        for place, decision in self.decisions.items():
            if place.steered.func_id in functions and decision.group:
                left = Group(tuple((key, weight) for key, weight in decision.group.weights if key in placed))
                if left != decision.group:
                    changed[place] = (decision.group, left)
        for place, (_, left) in changed.items():
            self.decisions[place] = replace(self.decisions[place], group=left)
        return changed

    def decide(
        self, functions: Iterable[int], instances: Mapping[InstanceKey, Instance], news: Set[int]
    ) -> dict[Place, Change]:
        """Decide anew on these functions.

        Args:
            functions: FuncIDs.
            instances: those alive that have a slot.
            news: ids of the sites whose last advert was not acted upon yet.

        Returns:
            What became another one.
        """
        running: defaultdict[int, list[Instance]] = defaultdict(list)
        for instance in instances.values():
            running[instance.func_id].append(instance)
        changed: dict[Place, Change] = {}
        for func_id in functions:
            service = self.services.of(func_id)
            if service is None:
                continue
            gone = func_id not in running and not self.services.is_exact(func_id)
            for steered in self._steered(func_id, service):
                for router in self._catalogue.routers:
                    place = Place(router, steered)
                    before = self.decisions.pop(place, None)
                    group = None
                    if not gone:
                        after = self._decision(place, service, running[func_id], news, before)
                        self.decisions[place] = after
                        group = after.group
                    if (before and before.group) != group:
                        changed[place] = (before and before.group, group)
        return changed

    def standing(self) -> Iterator[Steered]:
        """What is steered whatever the sites tell: the rest of a namespace, which nobody runs."""
        for service in self._catalogue.services:
            if not self.services.is_exact_service(service):
                prefix, length = service.prefix
                yield from (s._replace(prefix_len=length) for s in self._steered(prefix, service))

    def _steered(self, func_id: int, service: Service) -> Iterator[Steered]:
        for class_id in self.services.class_ids(service):
            for family in self._families:
                yield Steered(func_id, class_id, family)

    def _decision(
        self,
        place: Place,
        service: Service,
        instances: Iterable[Instance],
        news: Set[int],
        before: Decision | None,
    ) -> Decision:
        name = self.services.policy(service)
        policy = POLICIES[name]
        now = self._clock()
        seen = complete(list(self._candidates(place, instances)))
        demand = self.services.demand_class(place.steered.class_id)
        candidates = tuple(qualified(seen, demand, self._site) if demand else seen)
        if not candidates:
            return Decision(None if seen else Group(), name, at=now)
        target = _target(name, candidates)
        shares = target
        cut: dict[InstanceKey, float] = {}
        if policy.adaptive and before:
            overloaded = [c.key for c in candidates if c.overloaded]
            last = {key: before.cut.get(key, -math.inf) for key in overloaded}
            again = {key for key in overloaded if key.site in news and now - last[key] >= TIME_CONSTANT_S}
            cut = {key: now if key in again else last[key] for key in overloaded}
            installed = of_weights(dict(before.group.weights)) if before.group else before.shares
            caps = {
                key: JUST_OVERLOADED * installed.get(key, 0.0)
                if key in again
                else before.shares.get(key, 0.0)
                for key in overloaded
            }
            shares = settle(before.shares, target, caps, step_after(now - before.at))
        group = Group(tuple(sorted(quantise(shares, self._limit).items())))
        urgent = now in cut.values()
        if policy.adaptive and not urgent and before and before.group and _close(before.group, shares):
            group = before.group
        return Decision(group, name, candidates, target, shares, now, cut)

    def _candidates(self, place: Place, instances: Iterable[Instance]) -> Iterator[Candidate]:
        for instance in instances:
            address = instance.address(place.steered.family)
            if instance.draining or address is None:
                continue
            path = self._network.path_to_host(place.router, self._host[address])
            if path is None:
                continue
            measured = self._measurements.get(place.router, instance.key)
            yield Candidate(
                key=instance.key,
                delay_ms=path.delay_ms,
                service_ms=instance.service_ms,
                capacity_rps=instance.capacity_rps,
                arrival_rps=instance.arrival_rps,
                load=instance.load,
                queue=instance.queue,
                cost=self._site[instance.key.site].price + path.cost,
                response_ms=measured.response_ms if measured else None,
            )


@lru_cache(maxsize=4096)
def _target(policy: PolicyName, candidates: tuple[Candidate, ...]) -> Shares:
    """The shares a policy wants; families and most demand classes have the same candidates."""
    return dict(zip((c.key for c in candidates), POLICIES[policy].shares(candidates), strict=True))


def _close(group: Group, shares: Shares) -> bool:
    """Whether a group is near enough to the shares to stay; never when one of its members is gone."""
    weights = dict(group.weights)
    return weights.keys() <= shares.keys() and distance(of_weights(weights), shares) < HYSTERESIS
