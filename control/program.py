"""What every router should hold, as adverts come and go: the controller without its connections.

All state is soft. A controller that starts goes on from what routers have installed, and leaves alone what
the members of a site stand for until the site has advertised or `hold_s` has passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Set

import finsy as fy

from control import keys, stages
from control.adoption import Adopted
from control.adverts import AdvertStore
from control.catalogue import Catalogue
from control.data_program import DataProgram
from control.decided import ANY_SITE, Group, Place, Steered, Verdict
from control.events import EventLog
from control.expectation import Expectation
from control.keys import KeyRing
from control.links import Links
from control.measurements import Measurements, Report
from control.model import Member, SiteAdvert
from control.network import Network
from control.paths import Paths
from control.responses import Responses
from control.router_program import RouterProgram
from control.services import ServiceIndex
from control.sites import Sites
from control.stages import affinity, route, segments, service
from control.stages.choose import GroupEntries
from control.steering import Steering
from control.usage import Usage, UsageKey


class Program:
    """Wanted tables of all routers; nothing is wanted before `start`."""

    def __init__(
        self,
        catalogue: Catalogue,
        schema: fy.P4Schema,
        clock: Callable[[], float],
        hold_s: float,
        events: EventLog,
    ):
        """`clock` gives seconds, monotonic; `hold_s` is how long silent sites are held after the start."""
        self.catalogue = catalogue
        self.store = AdvertStore(clock)
        self.measurements = Measurements(clock)
        self.network = Network(catalogue)
        self.sites = Sites(catalogue)
        self.paths = Paths(catalogue, ServiceIndex(catalogue), self.sites)
        self.expectation = Expectation(catalogue, self.network, self.paths)
        self.responses = Responses(self.measurements, self.expectation, self.sites, self.store, clock)
        limit = schema.action_profiles["members"].max_group_size
        self.steering = Steering(catalogue, self.expectation, self.responses, limit, clock)
        self.usage = Usage(catalogue, self.steering.services, schema.tables["usage"].size)
        entries = GroupEntries(schema)
        self.routers = {
            router: RouterProgram(router, self.sites, schema, entries) for router in catalogue.routers
        }
        self.data = DataProgram(catalogue, self.steering.services, self.sites, self.routers, schema)
        self.data.measure(self.network)
        self.tables = {router: one.tables for router, one in self.routers.items()}
        self.ring: KeyRing | None = None
        self._clock = clock
        self._hold_s = hold_s
        self._events = events
        self._held_until: dict[int, float] = {}
        self._told_full = False
        self.links = Links(catalogue, clock)
        self._told_ms = list(self.links.used_ms)

    def start(self, found: Mapping[str, Adopted]) -> set[Place]:
        """Go on from what routers have installed; one that is missing or empty gets what others have.

        Returns:
            The decisions that changed.
        """
        if self.links.settle(lasting_s=0):
            self._use_links()
        self.use_keys(keys.adopt([one.ring for one in found.values() if one.ring]))
        for router, one in found.items():
            self.routers[router].adopt(one)
        kept = {site for one in self.routers.values() for site in one.kept_sites}
        kept |= self.data.adopt(found.values())
        for held in self.store:
            self._hear(held.advert)
        silent = kept - {self._site(held.advert) for held in self.store}
        self._held_until = dict.fromkeys(silent, self._clock() + self._hold_s)
        self._place_members()
        self._count(self.usage.adopt(key for one in found.values() for key in one.uses))
        self.steering.adopt(self._verdicts(found))
        for router, one in self.routers.items():
            static = stages.static_entities(
                self.catalogue, self.network, self.sites, self.steering.services, router
            )
            one.want("static", static)
            self._want_routes(router)
            one.admit(self.catalogue)
            one.want("standing", map(service.no_capacity, self.steering.standing()))
        adopted: defaultdict[str, dict[Steered, Verdict]] = defaultdict(dict)
        for place, decision in self.steering.decisions.items():
            adopted[place.router][place.steered] = decision.verdict
        for router, one in self.routers.items():
            one.decide_all(adopted[router])
        advertised = {instance.func_id for instance in self.store.instances().values()}
        functions = self.steering.services.exact_functions() | advertised
        return self._steer(functions | self.steering.functions_decided(), set(), set(self.sites))

    def join(self, router: str, found: Adopted) -> None:
        """A router that was away at the start tells what it holds; what belongs to held sites stays."""
        one = self.routers[router]
        one.adopt(found)
        one.admit(self.catalogue)
        self._count(self.usage.adopt(found.uses))
        self._place_members()
        held = self.steering.functions_bound_to(self._held_until.keys())
        self.steering.adopt(
            {
                place: verdict
                for place, verdict in self._verdicts({router: found}).items()
                if place.router == router and place.steered.func_id in held
            }
        )
        decisions = self.steering.decisions.items()
        one.decide_all({p.steered: decision.verdict for p, decision in decisions if p.router == router})

    def take(self, advert: SiteAdvert) -> set[Place]:
        """Act on an advert.

        Returns:
            The decisions that changed.

        Raises:
            Refused: it is not newer than what the site said before.
        """
        functions = self.store.accept(advert)
        site = self._site(advert)
        self._hear(advert)
        released = self._release({site})
        # While a function was held, news of other sites was not acted upon.
        return self._steer(functions | released, {site}, set(self.sites) if released else {site})

    def expire(self) -> set[Place]:
        """Forget adverts whose time is over, and hold silent sites no longer; decisions that changed."""
        over = self.store.expire()
        for site in over:
            self._events("advert-expired", site=site)
            self.data.forget(self.catalogue.sites[site].id)
        silent = {site for site, end in self._held_until.items() if end <= self._clock()}
        for site in silent:
            self.data.forget(site)
        return self._steer(self._release(silent).union(*over.values()), set(), set(self.sites))

    def settle_links(self) -> set[Place]:
        """Go by what links were measured to be, where that has lasted; decisions that changed."""
        if not self.links.settle():
            return set()
        self._use_links()
        for router in self.routers:
            self._want_routes(router)
        return self._steer(self.steering.functions_decided(), set(), set(self.sites))

    def _use_links(self) -> None:
        self.network.measure(self.links.used_ms)
        self.data.measure(self.network)
        for index, link in enumerate(self.catalogue.links):
            used, declared = self.links.used_ms[index], link.delay_ms
            if used != self._told_ms[index]:
                self._told_ms[index] = used
                ends = (f"{end.router}:{end.port}" for end in (link.a, link.b))
                self._events("link-delay", link="–".join(ends), used_ms=round(used, 3), declared_ms=declared)

    def _want_routes(self, router: str) -> None:
        routes = route.entities(self.catalogue, self.network, self.sites, router)
        self.routers[router].want("routes", routes)
        lists = segments.entities(self.catalogue, self.network, self.paths, router)
        self.routers[router].want("segments", lists)

    def report(self, router: str, report: Report) -> None:
        """Take in what a router measured of a member."""
        self.measurements.report(router, **report._asdict())
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

    def _verdicts(self, found: Mapping[str, Adopted]) -> dict[Place, Verdict]:
        """What is installed, without members that are not known; a router without any is given another's."""
        some = next((one.verdicts for one in found.values() if one.groups), {})
        verdicts: dict[Place, Verdict] = {}
        for router, one in self.routers.items():
            if router in found and found[router].groups:
                mine = found[router].verdicts
            else:
                mine = {row: verdict for row, verdict in some.items() if row.scope == ANY_SITE}
            for row, verdict in mine.items():
                verdicts[Place(router, row)] = self._known(router, verdict, one.placements.keys())
        return verdicts

    def _known(self, router: str, verdict: Verdict, there: Set[Member]) -> Verdict:
        """A verdict as a router can install it: of its own instances, and of sites elsewhere as a whole."""
        if not isinstance(verdict, Group):
            return verdict
        weights: defaultdict[Member, int] = defaultdict(int)
        for member, weight in verdict.weights:
            seen = self._seen_from(router, member)
            if seen and seen in there:
                weights[seen] += weight
        return Group(tuple(sorted(weights.items())))

    def _seen_from(self, router: str, member: Member) -> Member | None:
        """What a router binds to for a member of any router; None for a site of its own as a whole."""
        if member.site in self.sites and self.sites.router(member.site) == router:
            return None if member.is_site else member
        return Member(member.site)

    def _release(self, sites: set[int]) -> frozenset[int]:
        """Hold these sites no longer; functions that have to be decided upon again."""
        released = {site for site in sites if self._held_until.pop(site, None) is not None}
        return self.steering.functions_bound_to(released)

    def _steer(self, functions: Iterable[int], news: set[int], scopes: set[int]) -> set[Place]:
        self._place_members()
        placed = {router: one.placements.keys() for router, one in self.routers.items()}
        held = self.steering.functions_bound_to(self._held_until.keys())
        changed = self.steering.decide(set(functions) - held, self.store.instances(), placed, news, scopes)
        changed |= self.steering.prune(held, placed)
        verdicts: defaultdict[str, dict[Steered, Verdict | None]] = defaultdict(dict)
        for place, (_, after) in changed.items():
            verdicts[place.router][place.steered] = after
        for router, one in self.routers.items():
            one.decide(verdicts[router])
        for place, (before, after) in changed.items():
            self._tell(place, before, after)
        return set(changed)

    def _place_members(self) -> None:
        instances = self.store.instances()
        for router, one in self.routers.items():
            for member in one.place(instances, self._held_until.keys()):
                instance = None if member.is_site else member.instance
                self._events("no-slot", router=router, site=self.sites.name(member.site), instance=instance)
            self.measurements.forget_all_but(router, one.placements.keys())
            self.responses.forget_all_but(router, one.placements.keys())

    def _hear(self, advert: SiteAdvert) -> None:
        """What an advert changes besides the weights."""
        self._count(self.usage.runs(self._site(advert), advert.functions))
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

    def _tell(self, place: Place, before: Verdict | None, after: Verdict | None) -> None:
        services = self.steering.services
        told: dict[str, object] = {
            "router": place.router,
            "function": services.name(place.steered.func_id),
            "demand": services.class_name(place.steered.class_id),
            "family": place.steered.family,
            "before": _shown(before, self.steering),
            "after": _shown(after, self.steering),
        }
        if place.steered.scope != ANY_SITE:
            told["scope"] = self.sites.name(place.steered.scope)
        self._events("weights", **told)


def _shown(verdict: Verdict | None, steering: Steering) -> dict[str, float] | None:
    return steering.by_site(verdict) if isinstance(verdict, Group) else None
