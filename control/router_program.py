"""What one router should hold, as members come and go and decisions change."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Set

import finsy as fy

from control.adoption import Adopted
from control.catalogue import Catalogue
from control.catalogue_check import MAX_SIGNERS
from control.decided import ANY_SITE, Group, Steered, Unmet, Verdict
from control.entries import Entity, Entry, wanted
from control.groups import Groups
from control.model import Instance, InstanceKey, Member, Placement
from control.router_tables import RouterTables
from control.sites import Sites
from control.slots import Slots
from control.stages import alive, locality, service, tenants, usage
from control.stages.choose import GroupEntries
from control.stages.row import numbers
from control.usage import UsageKey

_Answer = int | Unmet
"""What a row of `service` says: the id of a group, `_NOBODY`, or what is unmet."""
_NOBODY = 0


class RouterProgram:
    """Wanted tables of one router."""

    def __init__(self, router: str, sites: Sites, schema: fy.P4Schema, entries: GroupEntries):
        """`entries` makes group rows, and may be shared by all routers of the program."""
        self.tables = RouterTables()
        self.placements: dict[Member, Placement] = {}
        self._router = router
        self._sites = sites
        self._schema = schema
        self._entries = entries
        self._size = schema.counters["bound"].size
        self._slots = Slots[Member](self._size)
        self._auth_slots = Slots[int](MAX_SIGNERS)
        self._kept: dict[Member, Placement] = {}
        self._groups = Groups()
        self._answers: dict[Steered, _Answer] = {}
        self._moved: set[Member] = set()
        self._preferred: Set[int] = frozenset()

    def adopt(self, found: Adopted) -> None:
        """Go on from what the router has installed: slots, group ids and members."""
        known = {
            member: place
            for member, place in found.placements.items()
            if member.site in self._sites and (member.is_site or self._is_here(member))
        }
        self._slots = Slots(self._size, ((member, place.slot) for member, place in known.items()))
        self._auth_slots = Slots(MAX_SIGNERS, found.auth_slots.items())
        slots = self._slots.assigned
        self._kept = {m: place._replace(slot=slots[m]) for m, place in known.items() if m in slots}
        for number, _ in self._groups:
            self.tables.want(("group", number), [])
            self.tables.want(("members", number), [])
        self._groups = Groups(found.rows, found.groups)

    @property
    def kept_sites(self) -> set[int]:
        """Ids of the sites that what was adopted belongs to."""
        return {member.site for member in self._kept if not member.is_site or not self._is_here(member)}

    def place(self, instances: Mapping[InstanceKey, Instance], held: Set[int]) -> list[Member]:
        """Give slots to the members that lead to these instances, or to what was adopted of `held` sites.

        Returns:
            Members for which no slot was left.
        """
        wanted_: dict[Member, Mapping[str, int]] = {
            m: {"ipv4": kept.ipv4, "ipv6": kept.ipv6}
            for m, kept in self._kept.items()
            if m.site in held and not m.is_site
        }
        here = set(self._sites.at(self._router))
        for site in here | held:
            wanted_[Member(site)] = numbers(self._sites[site])
        for key, instance in instances.items():
            member = self._sites.member(self._router, key)
            wanted_[member] = numbers(self._sites[member.site] if member.is_site else instance)
        without = self._slots.keep(wanted_)
        slots = self._slots.assigned
        placements = {m: Placement(slots[m], **where) for m, where in wanted_.items() if m in slots}
        if placements != self.placements:
            self._moved |= {m for m, place in self.placements.items() if placements.get(m, place) != place}
            self.placements = placements
            self.want("members", alive.entities(placements, here))
        return without

    def admit(self, catalogue: Catalogue) -> None:
        """Want the tenants' keys and rates, each tenant that signs in the slot that it has had."""
        self._auth_slots.keep(one.id for one in catalogue.tenants_by_name.values() if one.key)
        self.want("tenants", tenants.entities(catalogue, self._auth_slots.assigned))

    def count(self, uses: Iterable[UsageKey]) -> None:
        """Count these uses from now on."""
        for key in uses:
            self.want(("usage", key), [usage.entity(key)])

    def decide(self, verdicts: Mapping[Steered, Verdict | None]) -> None:
        """Make these decisions the wanted ones, None for no row, and write members that moved anew."""
        groups = {
            steered: verdict if isinstance(verdict, Group) and verdict.weights else None
            for steered, verdict in verdicts.items()
        }
        touched = self._groups.assign(groups)
        if self._moved:
            touched |= {
                number
                for number, group in self._groups
                if any(member in self._moved for member, _ in group.weights)
            }
            self._moved.clear()
        for number in touched:
            group = self._groups[number]
            entries = self._entries.entries(number, group, self.placements) if group else []
            self.tables.want(("group", number), entries)
        there = (self._groups.of(steered._replace(scope=ANY_SITE)) for steered in verdicts)
        for number in touched.union(filter(None, there)):
            self._want_members(number)
        for steered, verdict in verdicts.items():
            answer = self._answer(steered, verdict)
            if answer != self._answers.pop(steered, None):
                self.tables.want(steered, self._service_row(steered, answer))
            if answer is not None:
                self._answers[steered] = answer

    def decide_all(self, verdicts: Mapping[Steered, Verdict]) -> None:
        """Make these decisions all there are, and every group of theirs wanted."""
        self.decide({**dict.fromkeys(self._groups.rows | self._answers.keys()), **verdicts})
        for number, group in self._groups:
            self.tables.want(("group", number), self._entries.entries(number, group, self.placements))
            self._want_members(number)

    def prefer(self, sites: Set[int]) -> None:
        """These sites hold what requests can be about: they can be drawn from each group."""
        self._preferred = sites
        for number, _ in self._groups:
            self._want_members(number)

    def _want_members(self, number: int) -> None:
        """Rows of `member` for a group."""
        group = self._groups[number]
        sites = {member.site for member, _ in group.weights} & self._preferred if group else set[int]()
        rows = (self._member(number, site) for site in sorted(sites))
        self.want(("members", number), (row for row in rows if row))

    def _member(self, number: int, site: int) -> fy.P4TableEntry | None:
        place = self.placements.get(Member(site))
        if place is None:
            return None
        if self._sites.router(site) != self._router:
            return locality.member_remote(number, site, place)
        # A group's rows are for one function, so what was sent to the site is drawn alike for each of them.
        steered = (row for row in self._groups.rows_of(number) if row.scope == ANY_SITE)
        groups = (self._groups.of(row._replace(scope=site)) for row in sorted(steered))
        there = next(filter(None, groups), None)
        return locality.member_here(number, site, place.slot, there) if there else None

    def want(self, part: Hashable, entities: Iterable[Entity]) -> None:
        """Replace a part of what is wanted."""
        self.tables.want(part, wanted(entities, self._schema))

    def _answer(self, steered: Steered, verdict: Verdict | None) -> _Answer | None:
        if isinstance(verdict, Group):
            return self._groups.of(steered) or _NOBODY
        return verdict

    def _service_row(self, steered: Steered, answer: _Answer | None) -> list[Entry]:
        if answer is None:
            return []
        if isinstance(answer, Unmet):
            entity = service.unmet(steered, answer.part, self._schema)
        elif answer == _NOBODY:
            entity = service.no_capacity(steered)
        else:
            entity = service.grouped(steered, answer)
        return wanted([entity], self._schema)

    def _is_here(self, member: Member) -> bool:
        return self._sites.router(member.site) == self._router
