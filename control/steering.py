"""Decisions: what each router binds the requests of each function to, and by which weights.

Pure but for the clock it is given: adverts and measurements in, verdicts out. Policies choose among
instances; a router then binds to the instances of its own sites, and to each other site as a whole by the sum
of its instances' weights. For requests sent to a site its router chooses among that site's instances alone.
`Steering` remembers the shares in use, which is what makes changes smooth (`policy.stability`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypedDict

from cfn.load import utilisation_of
from control.catalogue import Catalogue, PolicyName, Service
from control.decided import ANY_SITE, Group, Place, Steered, Verdict
from control.expectation import Expectation
from control.model import FAMILIES, Instance, InstanceKey, Member
from control.policy import POLICIES, Parameters
from control.policy.candidate import LONG_S, Candidate, complete
from control.policy.shares import Shares, distance, gathered, of_weights, quantise, spread
from control.policy.stability import (
    HYSTERESIS,
    JUST_OVERLOADED,
    TIME_CONSTANT_S,
    settle,
    step_after,
)
from control.qualify import verdict_of
from control.responses import Responses
from control.services import ServiceIndex

Change = tuple[Verdict | None, Verdict | None]
"""A verdict before and after; None for no entry."""
Placed = Mapping[str, Set[Member]]
"""What each router can bind to."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and why.

    Attributes:
        verdict: what to install.
        policy: by which weights were computed.
        candidates: instances that qualified, as the policy saw them.
        target: shares the policy wants.
        shares: shares on the way there; nothing for a verdict that was adopted.
        at: when, in seconds of the clock.
        cut: when overloaded ones lost part of their share last.
    """

    verdict: Verdict
    policy: PolicyName
    candidates: tuple[Candidate, ...] = ()
    target: Shares[InstanceKey] = field(default_factory=Shares[InstanceKey])
    shares: Shares[InstanceKey] = field(default_factory=Shares[InstanceKey])
    at: float = 0.0
    cut: Mapping[InstanceKey, float] = field(default_factory=dict[InstanceKey, float])

    @property
    def weights(self) -> dict[Member, int]:
        """Weights of the members that requests are bound to."""
        return dict(self.verdict.weights) if isinstance(self.verdict, Group) else {}


class _Known(TypedDict):
    known_s: float
    age_s: float
    interval_s: float


class Steering:
    """Decisions for every router, kept up to date function by function."""

    def __init__(
        self,
        catalogue: Catalogue,
        expectation: Expectation,
        responses: Responses,
        weight_limit: int,
        clock: Callable[[], float],
    ):
        """`weight_limit` bounds the sum of a group's weights (max_group_size in P4Info)."""
        self._catalogue = catalogue
        self._expectation = expectation
        self._responses = responses
        self._limit = weight_limit
        self._clock = clock
        self._families = tuple(f for f in FAMILIES if getattr(catalogue.anycast, f"ipv{f}") is not None)
        self.sites = responses.sites
        self.services = ServiceIndex(catalogue)
        self.decisions: dict[Place, Decision] = {}

    def adopt(self, verdicts: Mapping[Place, Verdict]) -> None:
        """Go on from what routers have installed: it is the decision until there is another."""
        for place, verdict in verdicts.items():
            service = self.services.of(place.steered.func_id)
            if service and place in set(self._places(place.steered.func_id, service, set(self.sites))):
                self.decisions[place] = Decision(verdict, self.services.policy(service), at=self._clock())

    def functions_bound_to(self, sites: Set[int]) -> frozenset[int]:
        """FuncIDs that some router binds to these sites (by id), or to an instance of theirs."""
        if not sites:
            return frozenset()
        return frozenset(
            place.steered.func_id
            for place, decision in self.decisions.items()
            if any(member.site in sites for member in decision.weights)
        )

    def functions_decided(self) -> frozenset[int]:
        """FuncIDs that there are decisions on."""
        return frozenset(place.steered.func_id for place in self.decisions)

    def by_site(self, verdict: Verdict) -> dict[str, float]:
        """The share of the traffic that each site gets, by name."""
        shares: dict[str, float] = {}
        for member, share in of_weights(dict(verdict.weights) if isinstance(verdict, Group) else {}).items():
            name = self.sites.name(member.site)
            shares[name] = round(shares.get(name, 0.0) + share, 6)
        return shares

    def prune(self, functions: Set[int], placed: Placed) -> dict[Place, Change]:
        """Take members that are gone out of the groups of functions that are not decided upon yet."""
        changed: dict[Place, Change] = {}
        for place, decision in self.decisions.items():
            if place.steered.func_id in functions and isinstance(decision.verdict, Group):
                there = placed[place.router]
                left = Group(tuple((m, weight) for m, weight in decision.verdict.weights if m in there))
                if left != decision.verdict:
                    changed[place] = (decision.verdict, left)
        for place, (_, left) in changed.items():
            if left is not None:
                self.decisions[place] = replace(self.decisions[place], verdict=left)
        return changed

    def decide(
        self,
        functions: Iterable[int],
        instances: Mapping[InstanceKey, Instance],
        placed: Placed,
        news: Set[int],
        scopes: Set[int],
    ) -> dict[Place, Change]:
        """Decide anew on these functions.

        Args:
            functions: FuncIDs.
            instances: those alive.
            placed: members that have a slot.
            news: ids of the sites whose last advert was not acted upon yet.
            scopes: ids of the sites to decide upon what was sent to them.

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
            for place in self._places(func_id, service, scopes):
                there = [i for i in running[func_id] if place.steered.scope in (ANY_SITE, i.key.site)]
                before = self.decisions.pop(place, None)
                verdict = None
                stays = place.steered.scope == ANY_SITE and self.services.is_exact(func_id)
                if there or stays:
                    seen = complete(list(self._candidates(place, there, placed[place.router])))
                    after = self._decision(place, service, seen, news, before)
                    self.decisions[place] = after
                    verdict = after.verdict
                if (before and before.verdict) != verdict:
                    changed[place] = (before and before.verdict, verdict)
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

    def _places(self, func_id: int, service: Service, scopes: Set[int]) -> Iterator[Place]:
        for steered in self._steered(func_id, service):
            for router in self._catalogue.routers:
                yield Place(router, steered)
            for site in scopes:
                yield Place(self.sites.router(site), steered._replace(scope=site))

    def _decision(
        self,
        place: Place,
        service: Service,
        seen: Sequence[Candidate],
        news: Set[int],
        before: Decision | None,
    ) -> Decision:
        name = self.services.policy(service)
        policy = POLICIES[name]
        now = self._clock()
        demand = self.services.demand_class(place.steered.class_id)
        candidates, refusal = verdict_of(seen, demand, self.sites)
        if not candidates:
            # What this site can't do another may: only of all sites is a demand unmet.
            return Decision(refusal if place.steered.scope == ANY_SITE else Group(), name, at=now)
        members = {c.key: self.sites.member(place.router, c.key) for c in candidates}
        if demand and demand.within_ms is not None:
            candidates = tuple(replace(c, within_ms=demand.within_ms) for c in candidates)
        target = _target(name, candidates, self.services.parameters(service))
        shares = target
        cut: dict[InstanceKey, float] = {}
        if policy.adaptive and before and before.weights:
            had = before.shares or spread(of_weights(before.weights), target, members)
            installed = spread(of_weights(before.weights), had, members)
            overloaded = [c.key for c in candidates if c.overloaded]
            last = {key: before.cut.get(key, -math.inf) for key in overloaded}
            again = {key for key in overloaded if key.site in news and now - last[key] >= TIME_CONSTANT_S}
            cut = {key: now if key in again else last[key] for key in overloaded}
            caps = {
                key: JUST_OVERLOADED * installed.get(key, 0.0) if key in again else had.get(key, 0.0)
                for key in overloaded
            }
            shares = settle(had, target, caps, step_after(now - before.at))
        by_member = gathered(shares, members)
        verdict: Verdict = Group(tuple(sorted(quantise(by_member, self._limit).items())))
        urgent = now in cut.values()
        if policy.adaptive and not urgent and before and _close(before.weights, by_member):
            verdict = before.verdict
        return Decision(verdict, name, candidates, target, shares, now, cut)

    def _candidates(
        self, place: Place, instances: Iterable[Instance], placed: Set[Member]
    ) -> Iterator[Candidate]:
        there = list(instances)
        takers = [instance for instance in there if not instance.draining]
        if place.steered.scope != ANY_SITE:
            # A site that drains still serves what others sent it before they knew.
            takers = takers or there
        for instance in takers:
            member = self.sites.member(place.router, instance.key)
            steered = place.steered
            path = self._expectation.path(place.router, instance, steered.family, steered.class_id)
            if path is None or member not in placed:
                continue
            yield Candidate(
                key=instance.key,
                delay_ms=path.delay_ms,
                service_ms=instance.service_ms,
                capacity_rps=instance.capacity_rps,
                arrival_rps=instance.arrival_rps,
                load=instance.load,
                queue=instance.queue,
                cost=self.sites[instance.key.site].price + path.cost,
                response_ms=self._responses.response_ms(place.router, instance),
                utilisation=utilisation_of(instance.load, instance.queue),
                completed_rps=instance.completed_rps,
                **self._known(instance.key),
            )

    def _known(self, key: InstanceKey) -> _Known:
        """How old what is known of an instance is."""
        held = self._responses.store.get(self.sites.name(key.site))
        if held is None:
            return _Known(known_s=0.0, age_s=0.0, interval_s=0.0)
        now = self._clock()
        known_s = float(min(LONG_S, now - held.since.get(key, now)) // 1)
        return _Known(known_s=known_s, age_s=now - held.received, interval_s=held.interval_s)


@lru_cache(maxsize=4096)
def _target(
    policy: PolicyName, candidates: tuple[Candidate, ...], parameters: Parameters
) -> Shares[InstanceKey]:
    """The shares a policy wants; families and most demand classes have the same candidates."""
    shares = POLICIES[policy].shares(candidates, parameters)
    return dict(zip((c.key for c in candidates), shares, strict=True))


def _close(weights: Mapping[Member, int], shares: Mapping[Member, float]) -> bool:
    """Whether a group is near enough to the shares to stay; never when one of its members is gone."""
    return (
        bool(weights)
        and weights.keys() <= shares.keys()
        and distance(of_weights(weights), shares) < HYSTERESIS
    )
