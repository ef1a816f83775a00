"""Decisions: what each router binds the requests of each cohort of functions to, and by which weights.

Pure but for the clock it is given: adverts and measurements in, verdicts out. Policies choose among
instances; a router then binds to the instances of its own sites, and to each other site as a whole by the sum
of its instances' weights. For requests sent to a site its router chooses among that site's instances alone.
`Steering` remembers the shares in use, which is what makes changes smooth (`policy.stability`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from control.candidates import Candidates, Known
from control.catalogue import Catalogue, PolicyName
from control.cohorts import NO_COHORT, Cohorts, Moves
from control.decided import ANY_SITE, Draw, Group, Place, Racer, Spot, Steered, Verdict
from control.expectation import Expectation, Ways
from control.model import FAMILIES, InstanceKey, Member
from control.policy import POLICIES, Parameters
from control.policy.candidate import LONG_S, Candidate
from control.policy.shares import Shares, distance, gathered, of_weights, quantise, spread
from control.policy.stability import HYSTERESIS, LEAST_SHARE, LEAVING, Cuts, Standing, moved, probed
from control.qualify import verdict_of
from control.race import race, racers
from control.responses import Responses
from control.services import ServiceIndex, Treatment

Change = tuple[Verdict | None, Verdict | None]
"""A verdict before and after; None for no entry."""
_SETTLED = 1e-3
"""Share of the traffic that is still to move when shares are taken to be where they should."""
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
    cut: Cuts = field(default_factory=dict[InstanceKey, float])

    @property
    def has_settled(self) -> bool:
        """Whether it would be the same if nothing new were told."""
        known = all(candidate.known_s >= LONG_S for candidate in self.candidates)
        return known and not self.cut and distance(self.shares, self.target) < _SETTLED

    @property
    def weights(self) -> dict[Member, int]:
        """Weights of the members that requests are bound to."""
        return dict(self.verdict.weights) if isinstance(self.verdict, Group) else {}

    @property
    def races(self) -> tuple[Racer, ...]:
        """Members that race."""
        return self.verdict.races if isinstance(self.verdict, Group) else ()

    @property
    def sites(self) -> set[int]:
        """Ids of the sites that requests can be bound to."""
        idle = self.verdict.idle if isinstance(self.verdict, Group) else frozenset[int]()
        return {member.site for member in self.weights} | idle


class Steering:
    """Decisions for every router, kept up to date cohort by cohort."""

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
        self._candidates = Candidates(expectation, responses, clock)
        self._limit = weight_limit
        self._clock = clock
        self._families = tuple(f for f in FAMILIES if getattr(catalogue.anycast, f"ipv{f}") is not None)
        self.sites = responses.sites
        self.services = ServiceIndex(catalogue)
        self.cohorts = Cohorts(self.services)
        self._decisions: dict[int, dict[Spot, Decision]] = {}
        self._moving: set[int] = set()
        self._learned: dict[str | None, Parameters] = {}

    @property
    def decisions(self) -> dict[Place, Decision]:
        """All decisions, function by function."""
        return {
            spot.place(func_id): decision
            for number, decisions in self._decisions.items()
            for spot, decision in decisions.items()
            for func_id in self.cohorts[number].functions
        }

    @property
    def decided(self) -> Set[int]:
        """Cohorts that were decided upon, by number."""
        return self._decisions.keys()

    def spot(self, place: Place) -> Spot | None:
        """What is decided of for a place."""
        func_id, class_id, family, _, scope = place.steered
        number = self.cohorts.of(func_id)
        return None if number == NO_COHORT else Spot(place.router, Draw(number, class_id, family, scope))

    def verdicts(self) -> dict[str, dict[Draw, Verdict]]:
        """What each router is to do."""
        found: dict[str, dict[Draw, Verdict]] = {router: {} for router in self.sites.routers}
        for decisions in self._decisions.values():
            for (router, draw), decision in decisions.items():
                found[router][draw] = decision.verdict
        return found

    def adopt(self, verdicts: Mapping[Spot, Verdict]) -> None:
        """Go on from what routers have installed: it is the decision until there is another."""
        found: dict[tuple[object, ...], Decision] = {}
        for spot, verdict in verdicts.items():
            router, draw = spot
            treatment = self.cohorts[draw.cohort].identity.treatment
            here = draw.scope == ANY_SITE or draw.scope in self.sites.at(router)
            if here and draw.class_id in treatment.class_ids and draw.family in self._families:
                decision = Decision(verdict, treatment.policy, at=self._clock())
                # Shared, so that what follows is shared, too.
                alike = (router, draw.cohort, draw.scope, verdict)
                decision = found.setdefault(alike, decision)
                self._decisions.setdefault(draw.cohort, {})[spot] = decision

    def bound_to(self, sites: Set[int]) -> set[int]:
        """Cohorts that some router binds to these sites (by id), or to an instance of theirs."""
        if not sites:
            return set()
        return {
            number
            for number, decisions in self._decisions.items()
            if any(one.sites & sites for one in decisions.values())
        }

    def by_site(self, verdict: Verdict) -> dict[str, float]:
        """The share of the traffic that each site gets, by name."""
        shares: dict[str, float] = {}
        for member, share in of_weights(dict(verdict.weights) if isinstance(verdict, Group) else {}).items():
            name = self.sites.name(member.site)
            shares[name] = round(shares.get(name, 0.0) + share, 6)
        return shares

    def follow(self, moves: Moves) -> dict[Spot, Change]:
        """Go on, for new cohorts, from what was decided of those that they were a part of; forget those gone.

        Returns:
            What routers have to be told anew.
        """
        changed: dict[Spot, Change] = {}
        for number, parent in moves.parents.items():
            mine = self._decisions[number] = {
                Spot(router, draw._replace(cohort=number)): decision
                for (router, draw), decision in self._decisions.get(parent, {}).items()
            }
            changed |= {spot: (decision.verdict, decision.verdict) for spot, decision in mine.items()}
        for number in moves.gone:
            decisions = self._decisions.pop(number, {})
            changed |= {spot: (decision.verdict, None) for spot, decision in decisions.items()}
        self._moving -= moves.gone
        return changed

    def prune(self, cohorts: Set[int], placed: Placed) -> dict[Spot, Change]:
        """Take members that are gone out of the groups of cohorts that are not decided upon yet."""
        changed: dict[Spot, Change] = {}
        for number in cohorts:
            decisions = self._decisions.get(number, {})
            for spot, decision in decisions.items():
                if isinstance(decision.verdict, Group):
                    there = placed[spot.router]
                    left = decision.verdict.among(there)
                    if left != decision.verdict:
                        changed[spot] = (decision.verdict, left)
                        decisions[spot] = replace(decision, verdict=left)
        return changed

    def moving(self, site: int) -> set[int]:
        """Cohorts whose shares an advert of a site moves on even when it tells nothing new."""
        return self._moving & self.cohorts.run_at(site)

    def decide(
        self, cohorts: Iterable[int], placed: Placed, news: Set[int], scopes: Set[int]
    ) -> dict[Spot, Change]:
        """Decide anew on these cohorts.

        Args:
            cohorts: their numbers.
            placed: members that have a slot.
            news: ids of the sites whose last advert was not acted upon yet.
            scopes: ids of the sites to decide upon what was sent to them.

        Returns:
            What became another one.
        """
        changed: dict[Spot, Change] = {}
        for number in cohorts:
            known = self._candidates.known(self.cohorts.instances(number))
            for router in self.sites.routers:
                changed |= self._decide(router, number, known, placed[router], news)
            for site in filter(self.sites.is_own, scopes):
                there = [one for one in known if one.instance.key.site == site]
                router = self.sites.router(site)
                changed |= self._decide(router, number, there, placed[router], news, scope=site)
            decisions = self._decisions[number].values()
            different = {id(decision): decision for decision in decisions}.values()
            settled = all(decision.has_settled for decision in different)
            (self._moving.discard if settled else self._moving.add)(number)
        return changed

    def learn(self, service: str, parameters: Parameters) -> set[int]:
        """Go by these parameters for a service that is tuned; cohorts that it concerns."""
        self._learned[service] = parameters
        return {number for number in self.cohorts if self.cohorts[number].identity.treatment.tuned == service}

    def tuned_decisions(self, service: str) -> Iterator[tuple[str, Decision]]:
        """Decisions on requests for any site of a service that is tuned, with their routers."""
        for number, decisions in self._decisions.items():
            if self.cohorts[number].identity.treatment.tuned == service:
                for (router, draw), decision in decisions.items():
                    if draw.scope == ANY_SITE:
                        yield router, decision

    def standing(self) -> Iterator[Steered]:
        """What is steered whatever the sites tell: the rest of a namespace, which nobody runs."""
        for service in self._catalogue.services:
            if not self.services.is_exact_service(service):
                prefix, length = service.prefix
                for class_id in self.services.class_ids(service):
                    for family in self._families:
                        yield Steered(prefix, class_id, family, length)

    def _draws(self, cohort: int, scope: int) -> Iterator[Draw]:
        for class_id in self.cohorts[cohort].identity.treatment.class_ids:
            for family in self._families:
                yield Draw(cohort, class_id, family, scope)

    def _decide(
        self,
        router: str,
        cohort: int,
        known: Sequence[Known],
        placed: Set[Member],
        news: Set[int],
        *,
        scope: int = ANY_SITE,
    ) -> dict[Spot, Change]:
        """Decide upon a cohort's draws at a router; those with the same candidates share a decision."""
        changed: dict[Spot, Change] = {}
        decisions = self._decisions.setdefault(cohort, {})
        treatment = self.cohorts[cohort].identity.treatment
        seen: dict[Ways, tuple[Candidate, ...]] = {}
        made: dict[tuple[object, ...], Decision] = {}
        for draw in self._draws(cohort, scope):
            spot = Spot(router, draw)
            before, after = decisions.pop(spot, None), None
            if known or scope == ANY_SITE:
                asked = draw.steered(self.cohorts[cohort].first)
                ways = self._candidates.ways(router, known, asked)
                if ways not in seen:
                    seen[ways] = self._candidates.seen(router, known, ways, asked, placed)
                demand = self.services.demand_class(draw.class_id)
                candidates, refusal = verdict_of(seen[ways], demand, self.sites)
                within_ms = demand and demand.within_ms
                alike = (tuple(c.key for c in candidates) or refusal, ways, within_ms, id(before))
                if alike in made:
                    after = made[alike]
                elif candidates:
                    if within_ms is not None:
                        candidates = tuple(replace(c, within_ms=within_ms) for c in candidates)
                    after = self._decision(router, treatment, candidates, news, before)
                else:
                    # What this site can't do another may: only of all sites is a demand unmet.
                    verdict = refusal if scope == ANY_SITE else Group()
                    after = Decision(verdict, treatment.policy, at=self._clock())
                made[alike] = decisions[spot] = after
            if (before and before.verdict) != (after and after.verdict):
                changed[spot] = (before and before.verdict, after and after.verdict)
        return changed

    def _decision(
        self,
        router: str,
        treatment: Treatment,
        candidates: tuple[Candidate, ...],
        news: Set[int],
        before: Decision | None,
    ) -> Decision:
        policy = POLICIES[treatment.policy]
        now = self._clock()
        members = {c.key: self.sites.member(router, c.key) for c in candidates}
        parameters = self._learned.get(treatment.tuned, treatment.parameters)
        shares_wanted = policy.shares(candidates, parameters)
        target = dict(zip(members, shares_wanted, strict=True))
        shares = target
        cut: Cuts = {}
        had_weights = before.weights if before else {}
        if policy.adaptive and before and had_weights:
            in_use = of_weights(had_weights)
            had = before.shares or spread(in_use, target, members)
            # Cuts alone go by it.
            installed = spread(in_use, had, members) if any(c.overloaded for c in candidates) else {}
            standing = Standing(had, installed, before.at, before.cut)
            shares, cut = moved(
                candidates,
                target,
                standing,
                news=news,
                now=now,
                warm_up_s=treatment.warm_up_s,
                pace=parameters.pace,
            )
        tried: Set[Member] = frozenset()
        if policy.probes and all(math.isinf(c.within_ms) for c in candidates):
            shares, keys = probed(shares, candidates)
            tried = {members[key] for key in keys}
        by_member = gathered(shares, members)
        weights = quantise(by_member, self._limit)
        urgent = now in cut.values() or (before is not None and not tried <= had_weights.keys())
        if policy.adaptive and not urgent and _close(had_weights, by_member):
            weights = had_weights
        idle = {key.site for key in members} - {member.site for member in weights}
        races: tuple[Racer, ...] = ()
        if treatment.races and len(weights) > 1:
            raced = before.races if before else ()
            racing = racers(candidates, members, raced, treatment.warm_up_s)
            races = race(weights, racing, raced, thrifty=policy.thrifty)
        verdict = Group(tuple(sorted(weights.items())), frozenset(idle), races)
        return Decision(verdict, treatment.policy, candidates, target, shares, now, cut)


def _close(weights: Mapping[Member, int], shares: Mapping[Member, float]) -> bool:
    """Whether a group is near enough to the shares to stay; never when one of its members is gone.

    Nor when one is to lose most of what it has: a few requests in a hundred that go where none should are the
    slowest of all.
    """
    if not weights or not weights.keys() <= shares.keys():
        return False
    have = of_weights(weights)
    leaves = any(shares[m] < have[m] * LEAVING and have[m] > LEAST_SHARE for m in have)
    return not leaves and distance(have, shares) < HYSTERESIS
