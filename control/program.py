"""What every router should hold, as adverts come and go: the controller without its connections.

All state is soft. A controller that starts goes on from what routers have installed, and leaves alone what
the instances of a site stand for until the site has advertised or `hold_s` has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

import finsy as fy

from control import desired, keys
from control.adoption import Adopted
from control.adverts import AdvertStore
from control.catalogue import Catalogue
from control.entries import wanted
from control.events import EventLog
from control.keys import KeyRing
from control.measurements import Measurements
from control.model import InstanceKey, SiteAdvert
from control.network import Network
from control.router_tables import RouterTables
from control.service_entries import ServiceEntries
from control.slots import Slots
from control.steering import Place, Steering


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
        limit = schema.action_profiles["instances"].max_group_size
        self.steering = Steering(catalogue, self.network, self.measurements, limit, clock)
        self.tables = {router: RouterTables() for router in catalogue.routers}
        self.ring: KeyRing | None = None
        self.placements: dict[InstanceKey, desired.Placement] = {}
        self._schema = schema
        self._entries = ServiceEntries(schema)
        self._clock = clock
        self._hold_s = hold_s
        self._events = events
        self._slots = Slots(0)
        self._kept: dict[InstanceKey, desired.Placement] = {}
        self._held_until: dict[int, float] = {}

    def start(self, found: Mapping[str, Adopted]) -> set[Place]:
        """Go on from what routers have installed; one that is missing or empty gets what others have.

        Returns:
            The decisions that changed.
        """
        self.use_keys(keys.adopt([one.ring for one in found.values() if one.ring]))
        kept: dict[InstanceKey, desired.Placement] = {}
        for one in found.values():
            kept = {**one.placements, **kept}
        size = self._schema.counters["bound"].size
        self._slots = Slots(size, ((key, place.slot) for key, place in kept.items()))
        slots = self._slots.assigned
        self._kept = {key: place._replace(slot=slots[key]) for key, place in kept.items() if key in slots}
        declared = {site.id for site in self.catalogue.sites.values()}
        silent = {key.site for key in self._kept} & declared - {
            self._site(held.advert) for held in self.store
        }
        self._held_until = dict.fromkeys(silent, self._clock() + self._hold_s)
        self._place_instances()
        self.steering.adopt(self._groups(found))
        for router in self.tables:
            self._want(router, "static", desired.static_entities(self.catalogue, self.network, router))
            self._want(router, "standing", map(desired.no_capacity_entity, self.steering.standing()))
        advertised = {instance.func_id for instance in self.store.instances().values()}
        functions = self.steering.services.exact_functions() | advertised
        for place in self.steering.decisions:
            self._want_service(place)
        return self._steer(functions | self.steering.functions_decided(), news=set())

    def join(self, router: str, found: Adopted) -> None:
        """A router that was away at the start tells what it holds; what belongs to held sites stays."""
        held = self.steering.functions_bound_to(self._held_until.keys())
        groups = {
            place: group
            for place, group in self._groups({router: found}).items()
            if place.router == router and place.steered.func_id in held
        }
        self.steering.adopt(groups)
        for place in groups:
            self._want_service(place)

    def take(self, advert: SiteAdvert) -> set[Place]:
        """Act on an advert.

        Returns:
            The decisions that changed.

        Raises:
            Refused: it is not newer than what the site said before.
        """
        functions = self.store.accept(advert)
        site = self._site(advert)
        return self._steer(functions | self._release({site}), news={site})

    def expire(self) -> set[Place]:
        """Forget adverts whose time is over, and hold silent sites no longer; decisions that changed."""
        over = self.store.expire()
        for site in over:
            self._events("advert-expired", site=site)
        silent = {site for site, end in self._held_until.items() if end <= self._clock()}
        return self._steer(self._release(silent).union(*over.values()), news=set())

    @property
    def next_deadline(self) -> float | None:
        """When `expire` has something to do, in seconds of the clock."""
        return min([*self._held_until.values(), *filter(None, [self.store.next_expiry])], default=None)

    def use_keys(self, ring: KeyRing) -> None:
        """Check and seal cookies with these keys, on all routers."""
        self.ring = ring
        for router in self.tables:
            self._want(router, "keys", desired.key_entities(ring))

    def _groups(self, found: Mapping[str, Adopted]) -> dict[Place, desired.Group]:
        """Groups installed, of instances that are still known; a router without any is given another's."""
        some = next((one.groups for one in found.values() if one.groups), {})
        return {
            Place(router, steered): desired.Group(
                tuple((k, w) for k, w in group.weights if k in self.placements)
            )
            for router in self.tables
            for steered, group in (
                found[router].groups if router in found and found[router].groups else some
            ).items()
        }

    def _release(self, sites: set[int]) -> frozenset[int]:
        """Hold these sites no longer; functions that have to be decided upon again."""
        released = {site for site in sites if self._held_until.pop(site, None) is not None}
        return self.steering.functions_bound_to(released)

    def _steer(self, functions: Iterable[int], news: set[int]) -> set[Place]:
        moved = self._place_instances()
        alive = {key: i for key, i in self.store.instances().items() if key in self.placements}
        self.measurements.forget_all_but(set(self.placements))
        held = self.steering.functions_bound_to(self._held_until.keys())
        decided = set(functions) - held
        changed = self.steering.decide(decided, alive, news)
        changed |= self.steering.prune(held, self.placements.keys())
        again = (
            {p for p in self.steering.decisions if p.steered.func_id in decided} if moved else set[Place]()
        )
        for place in again | changed.keys():
            self._want_service(place)
        for place, (before, after) in changed.items():
            self._tell(place, before, after)
        return set(changed)

    def _place_instances(self) -> bool:
        """Give instances their slots; whether what routers are told of any of them changed."""
        instances = self.store.instances()
        kept = {key: place for key, place in self._kept.items() if key.site in self._held_until}
        for key in self._slots.keep(instances.keys() | kept.keys()):
            self._events("no-slot", site=key.site, instance=key.instance)
        slots = self._slots.assigned
        told = {
            key: desired.Placement(slots[key], int(one.ipv4 or 0), int(one.ipv6 or 0))
            for key, one in instances.items()
            if key in slots
        }
        placements = {**kept, **told}
        if placements == self.placements:
            return False
        self.placements = placements
        for router in self.tables:
            self._want(router, "instances", desired.instance_entities(placements))
        return True

    def _want_service(self, place: Place) -> None:
        decision = self.steering.decisions.get(place)
        group = decision and decision.group
        entries = [] if group is None else [self._entries.entry(place.steered, group, self.placements)]
        self.tables[place.router].want(place.steered, entries)

    def _want(
        self, router: str, part: Hashable, entities: Iterable[fy.P4TableEntry | fy.P4DigestEntry]
    ) -> None:
        self.tables[router].want(part, wanted(entities, self._schema))

    def _site(self, advert: SiteAdvert) -> int:
        return self.catalogue.sites[advert.site].id

    def _tell(self, place: Place, before: desired.Group | None, after: desired.Group | None) -> None:
        services = self.steering.services
        self._events(
            "weights",
            router=place.router,
            function=services.name(place.steered.func_id),
            demand=services.class_name(place.steered.class_id),
            family=place.steered.family,
            before=before and self.steering.by_site(before),
            after=after and self.steering.by_site(after),
        )
