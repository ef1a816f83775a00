"""What every router should hold, as adverts come and go: the controller without its connections.

All state is soft. A controller that starts goes on from what routers have installed, and leaves alone what
the members of a site stand for until the site has advertised or `hold_s` has passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import finsy as fy

from control import keys, stages, weights_told
from control.adoption import Adopted, labels
from control.adverts import AdvertStore
from control.bgp.aggregate import summed
from control.catalogue import Catalogue
from control.cohorts import NO_COHORT, Moves, Told
from control.data_program import DataProgram
from control.decided import ANY_SITE, Draw, Group, Spot, Steered, Verdict
from control.due import Due, Why
from control.entries import wanted
from control.events import EventLog
from control.expectation import Expectation
from control.keys import KeyRing
from control.links import Links
from control.measurements import Measurements, Report
from control.model import Member, SiteAdvert, Way
from control.network import Network
from control.paths import Paths
from control.responses import Responses
from control.router_program import Entries, RouterProgram
from control.services import ServiceIndex
from control.sites import Sites
from control.stages import affinity, route, segments, service
from control.stages.choose import GroupEntries
from control.stages.service import ServiceEntries
from control.steering import Change, Placed, Steering
from control.usage import Usage, UsageKey

if TYPE_CHECKING:
    from control.tuning import Tuning

Changes = dict[str, dict[Draw, Verdict | None]]
"""Decisions that changed, by router; None where there is none any more."""
T = TypeVar("T")


class Program:
    """Wanted tables of all routers; nothing is wanted before `start`."""

    def __init__(
        self,
        catalogue: Catalogue,
        schema: fy.P4Schema,
        clock: Callable[[], float],
        hold_s: float,
        events: EventLog,
        *,
        routers: Iterable[str] | None = None,
        in_pieces: bool = False,
    ):
        """`clock` gives seconds, monotonic; `hold_s` is how long silent sites are held after the start.

        `routers` are those to drive; None for all. Who wants decisions `in_pieces` calls `decide` for them.
        """
        self.catalogue = catalogue
        self.store = AdvertStore(clock)
        self.measurements = Measurements(clock)
        self.network = Network(catalogue)
        self.sites = Sites(catalogue, routers)
        self.paths = Paths(catalogue, ServiceIndex(catalogue), self.sites)
        self.expectation = Expectation(catalogue, self.network, self.paths)
        self.responses = Responses(self.measurements, self.expectation, self.sites, self.store, clock)
        limit = schema.action_profiles["members"].max_group_size
        self.steering = Steering(catalogue, self.expectation, self.responses, limit, clock)
        self.usage = Usage(catalogue, self.steering.services, schema.tables["usage"].size)
        self.cohorts = self.steering.cohorts
        entries = Entries(GroupEntries(schema), ServiceEntries(schema))
        self.routers = {
            router: RouterProgram(router, self.sites, self.cohorts, schema, entries)
            for router in self.sites.routers
        }
        self.data = DataProgram(catalogue, self.steering.services, self.sites, self.routers, schema)
        self.data.measure(self.network)
        self.tables = {router: one.tables for router, one in self.routers.items()}
        self.ring: KeyRing | None = None
        self._schema = schema
        self._clock = clock
        self._hold_s = hold_s
        self._events = events
        self._held_until: dict[int, float] = {}
        self._told_full = False
        self._placed_for = frozenset[int]()
        self._reported: set[int] = set()
        self._in_pieces = in_pieces
        self._relocates = False
        self.due = Due()
        self.tuning: Tuning | None = None
        if any(service.tune for service in catalogue.services):
            # Only then: what it learns with takes a second and 60 MB to load.
            from control.tuning import Tuning  # noqa: PLC0415

            self.tuning = Tuning(catalogue, self.steering, self.measurements, clock, events)
        self.links = Links(catalogue, clock)

    def start(self, found: Mapping[str, Adopted]) -> Changes:
        """Go on from what routers have installed; one that is missing or empty gets what others have.

        Returns:
            The decisions that changed.
        """
        if self.links.settle(lasting_s=0):
            self._use_links()
        installed = [one.ring for one in found.values() if one.ring]
        cookies = self.catalogue.cookies
        self.use_keys(keys.declared(cookies) if cookies else keys.adopt(installed))
        self.cohorts.adopt(labels(found))
        self.cohorts.update({self._site(held.advert): held.advert.instances for held in self.store})
        for router, one in found.items():
            self.routers[router].adopt(one, self._draws(one.rows))
        kept = {site for one in self.routers.values() for site in one.kept_sites}
        kept |= self.data.adopt(found.values())
        for held in self.store:
            self._hear(held.advert, None)
        silent = kept - {self._site(held.advert) for held in self.store}
        self._held_until = dict.fromkeys(silent, self._clock() + self._hold_s)
        self._place_members()
        self._count(self.usage.adopt(key for one in found.values() for key in one.uses))
        self.steering.adopt(self._verdicts(found))
        services = self.steering.services
        common = wanted(stages.common_entities(self.catalogue, services), self._schema)
        standing = wanted(map(service.no_capacity, self.steering.standing()), self._schema)
        for router, one in self.routers.items():
            static = stages.static_entities(self.catalogue, self.network, self.sites, router)
            one.tables.want("common", common)
            one.want("static", static)
            self._want_routes(router)
            one.admit(self.catalogue)
            one.tables.want("standing", standing)
        for router, verdicts in self.steering.verdicts().items():
            self.routers[router].decide_all(verdicts)
        return self._steer({}, set(), anew=True)

    def join(self, router: str, found: Adopted) -> None:
        """A router that was away at the start tells what it holds; what belongs to held sites stays."""
        one = self.routers[router]
        one.adopt(found, self._draws(found.rows))
        one.admit(self.catalogue)
        self._count(self.usage.adopt(found.uses))
        self._place_members()
        held = self.steering.bound_to(self._held_until.keys())
        self.steering.adopt(
            {
                spot: verdict
                for spot, verdict in self._verdicts({router: found}).items()
                if spot.router == router and spot.draw.cohort in held
            }
        )
        one.decide_all(self.steering.verdicts()[router])

    def accept(self, advert: SiteAdvert) -> None:
        """Take note of an advert without acting on it.

        Of a site of another domain only what its instances add up to counts, however it came.

        Raises:
            Refused: it is not newer than what the site said before.
        """
        site = self._site(advert)
        if not self.sites.is_own(site) and advert.way == "grpc":
            advert = summed(advert, self.sites[site])
        self.store.accept(advert)

    def take(self, advert: SiteAdvert) -> Changes:
        """Act on an advert.

        Returns:
            The decisions that changed.

        Raises:
            Refused: it is not newer than what the site said before.
        """
        before = self.store.get(advert.site)
        self.accept(advert)
        self._hear(advert, before and before.advert)
        self._held_until.pop(self._site(advert), None)
        return self._steer(self._told_by([advert.site]), {self._site(advert)})

    def withdraw(self, site: str, way: Way) -> Changes:
        """A site is told of no more in one way; decisions that changed."""
        self.store.withdraw(site, way)
        return self._steer(self._told_by([site]), set())

    def _told_by(self, sites: Iterable[str]) -> dict[int, Told]:
        """What sites run by their newest adverts; nothing where there is none."""
        held = {self.catalogue.sites[name].id: self.store.get(name) for name in sites}
        return {site: one.advert.instances if one else {} for site, one in held.items()}

    def expire(self) -> Changes:
        """Forget adverts whose time is over, and hold silent sites no longer; decisions that changed."""
        over = self.store.expire()
        for site, way in over:
            self._events("advert-expired", site=site, way=way)
            if way == "grpc":
                self.data.forget(self.catalogue.sites[site].id)
        silent = {site for site, end in self._held_until.items() if end <= self._clock()}
        for site in silent:
            self.data.forget(site)
            del self._held_until[site]
        return self._steer(self._told_by(site for site, _ in over), set())

    def tune(self) -> Changes:
        """Learn from what was measured; call it about twice a second. Decisions that changed."""
        if self.tuning is None:
            return {}
        learned = self.tuning.look().items()
        concerned = set[int]().union(*(self.steering.learn(*each) for each in learned))
        return self._steer({}, set(), also=concerned) if concerned else {}

    def settle_links(self) -> Changes:
        """Go by what links were measured to be, where that has lasted; decisions that changed."""
        self.network.observe(self.links.qualities())
        if not self.links.settle():
            return {}
        self._use_links()
        for router in self.routers:
            self._want_routes(router)
        return self._steer({}, set(), anew=True)

    def _use_links(self) -> None:
        self.network.measure(self.links.used_ms)
        self.data.measure(self.network)
        self.links.tell(self._events)

    def _want_routes(self, router: str) -> None:
        routes = route.entities(self.catalogue, self.network, self.sites, router)
        self.routers[router].want("routes", routes)
        lists = segments.entities(self.catalogue, self.network, self.paths, router)
        self.routers[router].want("segments", lists)

    def report(self, router: str, report: Report) -> None:
        """Take in what a router measured of a member."""
        self.measurements.report(router, **report._asdict())
        self._reported.add(report.member.site)
        self.responses.look(router, report.member, self._events)

    @property
    def next_deadline(self) -> float | None:
        """When `expire` has something to do, in seconds of the clock."""
        return min([*self._held_until.values(), *filter(None, [self.store.next_expiry])], default=None)

    def use_keys(self, ring: KeyRing) -> None:
        """Check and seal cookies with these keys, on all routers."""
        self.ring = ring
        for one in self.routers.values():
            one.want("keys", affinity.entities(ring))

    def _draws(self, rows: Mapping[Steered, T]) -> dict[Draw, T]:
        """What rows of functions are, by what is drawn alike."""
        found: dict[Draw, T] = {}
        for (func_id, class_id, family, _, scope), one in rows.items():
            cohort = self.cohorts.of(func_id)
            if cohort != NO_COHORT:
                found.setdefault(Draw(cohort, class_id, family, scope), one)
        return found

    def _verdicts(self, found: Mapping[str, Adopted]) -> dict[Spot, Verdict]:
        """What is installed, without members that are not known; a router without any is given another's."""
        installed = {router: self._draws(one.verdicts) for router, one in found.items() if one.groups}
        some = next(iter(installed.values()), {})
        elsewhere = {draw: verdict for draw, verdict in some.items() if draw.scope == ANY_SITE}
        return {
            Spot(router, draw): self._known(router, verdict, one.placements.keys())
            for router, one in self.routers.items()
            for draw, verdict in installed.get(router, elsewhere).items()
        }

    def _known(self, router: str, verdict: Verdict, there: Set[Member]) -> Verdict:
        """A verdict as a router can install it: of its own instances, and of sites elsewhere as a whole."""
        if not isinstance(verdict, Group):
            return verdict
        weights: defaultdict[Member, int] = defaultdict(int)
        for member, weight in verdict.weights:
            seen = self.sites.seen_from(router, member)
            if seen and seen in there:
                weights[seen] += weight
        same = weights.keys() & {member for member, _ in verdict.weights}
        return replace(verdict.among(same), weights=tuple(sorted(weights.items())))

    def _steer(
        self, told: Mapping[int, Told], news: set[int], *, anew: bool = False, also: Set[int] = frozenset()
    ) -> Changes:
        """What sites tell now, and `also` these cohorts, or `anew` everything, is to be decided upon.

        `news` are the sites that did tell.
        """
        held = self.steering.bound_to(self._held_until.keys())
        released = self.cohorts.adopted - held
        moves = self.cohorts.update(told, released)
        changes = self.steering.follow(moves)
        self._relocates |= moves.relocates or self._held_until.keys() != self._placed_for
        held = self.steering.bound_to(self._held_until.keys())
        concerned = set(self.cohorts) if anew else moves.changed.union(*map(self._concerned, news), also)
        # While a cohort was held, news of other sites was not acted upon.
        scopes = set(self.sites) if anew or released or also else set(told)
        self.due.follow(moves)
        self.due.drop(held)
        self.due.add(sorted(concerned - held), Why(self._clock(), frozenset(news), frozenset(scopes)))
        if self._in_pieces:
            # Functions that go to a cohort that never was decided upon would be refused until it is.
            joined = {new for old, new in moves.moved if old != NO_COHORT} - self.steering.decided
            if joined & self.due.keys():
                changes |= self._decide(self.due.turns(sorted(joined & self.due.keys())))
        else:
            changes |= self._decide(self.due.turns())
        changes |= self.steering.prune(held, self._placed())
        return self._want(changes, moves)

    @property
    def has_work(self) -> bool:
        """Whether there is something left to `decide`."""
        return self._relocates or bool(self.due)

    def decide(self, enough: Callable[[], bool]) -> Changes:
        """Decide upon cohorts that are due, in their turn, at least one, until it is `enough`.

        Returns:
            The decisions that changed.
        """
        return self._want(self._decide(self.due.turns(), enough), Moves())

    def _decide(
        self, turns: Iterable[tuple[int, Why]], enough: Callable[[], bool] = lambda: False
    ) -> dict[Spot, Change]:
        relocates, self._relocates = self._relocates, False
        if relocates:
            self._place_members()
        placed = self._placed()
        changes: dict[Spot, Change] = {}
        for number, why in turns:
            changes |= self.steering.decide([number], placed, why.news, why.scopes)
            if enough():
                break
        return changes | self.steering.prune(self.due.keys(), placed) if relocates else changes

    def _want(self, changes: Mapping[Spot, Change], moves: Moves) -> Changes:
        by_router: Changes = {router: {} for router in self.routers}
        for (router, draw), (_, after) in changes.items():
            by_router[router][draw] = after
        for router, one in self.routers.items():
            if by_router[router] or moves.moved or one.is_moved:
                one.decide(by_router[router], moves)
        weights_told.tell(changes, self.steering, self._events)
        return {router: changed for router, changed in by_router.items() if changed}

    def _placed(self) -> Placed:
        return {router: one.placements.keys() for router, one in self.routers.items()}

    def _concerned(self, site: int) -> set[int]:
        """Cohorts on which to decide anew when a site tells what it told before."""
        if site in self._reported:
            self._reported.discard(site)
            return self.cohorts.run_at(site)
        return self.steering.moving(site)

    def _place_members(self) -> None:
        """Give slots to the members that there are."""
        self._placed_for = frozenset(self._held_until)
        for router, one in self.routers.items():
            for member in one.place(self._held_until.keys()):
                instance = None if member.is_site else member.instance
                self._events("no-slot", router=router, site=self.sites.name(member.site), instance=instance)
            self.measurements.forget_all_but(router, one.placements.keys())
            self.responses.forget_all_but(router, one.placements.keys())

    def _hear(self, advert: SiteAdvert, before: SiteAdvert | None) -> None:
        """What an advert changes besides the weights."""
        self._count(self.usage.runs(self._site(advert), advert.functions_beyond(before)))
        if advert.way == "grpc":
            self.data.take(self._site(advert), advert)

    def _count(self, uses: list[UsageKey]) -> None:
        if uses:
            for one in self.routers.values():
                one.count(uses)
        if self.usage.is_full and not self._told_full:
            self._told_full = True
            self._events("usage-full", rows=self.usage.limit)

    def _site(self, advert: SiteAdvert) -> int:
        return self.catalogue.sites[advert.site].id
