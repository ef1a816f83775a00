"""What one router should hold, as members come and go and decisions change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

import finsy as fy

from control.adoption import Adopted
from control.catalogue import Catalogue
from control.catalogue_check import MAX_SIGNERS
from control.cohorts import NO_COHORT, Cohorts, Moves
from control.decided import ANY_SITE, Draw, Group, Verdict
from control.entries import Entity, wanted
from control.groups import Groups
from control.model import Member, Placement
from control.router_tables import RouterTables
from control.sites import Sites
from control.slots import Slots
from control.stages import alive, choose, locality, tenants, usage
from control.stages.row import numbers
from control.stages.service import NOBODY, Answer, Asked, ServiceEntries
from control.usage import UsageKey

_SHARING = 2
"""Cohorts of so few functions share groups: for one that leaves, that many rows are written anew."""


@dataclass(frozen=True, slots=True)
class Entries:
    """What makes entries of the tables that change often."""

    groups: choose.GroupEntries
    services: ServiceEntries


class RouterProgram:
    """Wanted tables of one router."""

    def __init__(self, router: str, sites: Sites, cohorts: Cohorts, schema: fy.P4Schema, entries: Entries):
        """`entries` may be shared by all routers of the program."""
        self.tables = RouterTables()
        self.placements: dict[Member, Placement] = {}
        self._router = router
        self._sites = sites
        self._cohorts = cohorts
        self._schema = schema
        self._entries = entries
        self._size = schema.counters["bound"].size
        self._slots = Slots[Member](self._size)
        self._auth_slots = Slots[int](MAX_SIGNERS)
        self._kept: dict[Member, Placement] = {}
        self._groups = Groups(self._owner)
        self._answers: dict[int, dict[Asked, Answer]] = {}
        self._moved: set[Member] = set()
        self._preferred: Set[int] = frozenset()
        self._idle: dict[Draw, frozenset[int]] = {}

    def adopt(self, found: Adopted, draws: Mapping[Draw, int]) -> None:
        """Go on from what the router has installed: slots, members, and the ids of the groups of draws."""
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
        self._groups = Groups(self._owner, draws, found.groups)

    @property
    def kept_sites(self) -> set[int]:
        """Ids of the sites that what was adopted belongs to."""
        return {member.site for member in self._kept if not member.is_site or not self._is_here(member)}

    def place(self, held: Set[int]) -> list[Member]:
        """Give slots to the members that lead to instances, or to what was adopted of `held` sites.

        Returns:
            Members for which no slot was left.
        """
        wanted_: dict[Member, Mapping[str, int]] = {
            m: {"ipv4": kept.ipv4, "ipv6": kept.ipv6}
            for m, kept in self._kept.items()
            if m.site in held and not m.is_site
        }
        here = set(self._sites.at(self._router))
        for site in here | held | self._cohorts.sites:
            wanted_[Member(site)] = numbers(self._sites[site])
        for site in here:
            told = self._cohorts.at(site)
            wanted_ |= {Member(*key): numbers(instance) for key, instance in told.items()}
        without = self._slots.keep(wanted_)
        slots = self._slots.assigned
        placements = {m: Placement(slots[m], **where) for m, where in wanted_.items() if m in slots}
        if placements != self.placements:
            self._moved |= {m for m, place in self.placements.items() if placements.get(m, place) != place}
            other = placements.items() ^ self.placements.items()
            self.placements = placements
            for member in {member for member, _ in other}:
                there = {member: placements[member]} if member in placements else {}
                self.want(member, [*alive.entities(there, here), *self._rivals(there)])
        return without

    @property
    def is_moved(self) -> bool:
        """Whether members have other slots or addresses than groups say."""
        return bool(self._moved)

    def _rivals(self, placements: Mapping[Member, Placement]) -> Iterator[fy.P4TableEntry]:
        """Rows by which members are bound to as rivals: sites elsewhere, and instances."""
        for member, place in placements.items():
            if not (member.is_site and self._is_here(member)):
                yield choose.rival(member, place)

    def admit(self, catalogue: Catalogue) -> None:
        """Want the tenants' keys and rates, each tenant that signs in the slot that it has had."""
        self._auth_slots.keep(one.id for one in catalogue.tenants_by_name.values() if one.key)
        self.want("tenants", tenants.entities(catalogue, self._auth_slots.assigned))

    def count(self, uses: Iterable[UsageKey]) -> None:
        """Count these uses from now on."""
        for key in uses:
            self.want(("usage", key), [usage.entity(key)])

    def decide(self, verdicts: Mapping[Draw, Verdict | None], moves: Moves) -> None:
        """Make these decisions the wanted ones, None for no row, and write members that moved anew.

        A change of a group's weights is that and nothing more. Rows of functions are written only where
        these go to other cohorts, or where a whole cohort gets another group or another refusal.
        """
        cohorts = {draw.cohort for draw in verdicts}.union(*moves.moved) - {NO_COHORT}
        before = {number: dict(self._answers.get(number, {})) for number in cohorts}
        self._want_groups(verdicts)
        for draw, verdict in verdicts.items():
            self._answer(draw, verdict)
        came: defaultdict[int, set[int]] = defaultdict(set)
        for (old, new), functions in moves.moved.items():
            came[new] |= functions
            self._want_rows(functions, before.get(old, {}), self._answers.get(new, {}))
        for number, was in before.items():
            now = self._answers.get(number, {})
            if now != was and number not in moves.gone:
                self._want_rows(self._cohorts[number].functions - came[number], was, now)

    def decide_all(self, verdicts: Mapping[Draw, Verdict]) -> None:
        """Make these decisions all there are, and every group and row of theirs wanted."""
        self._answers.clear()
        self._want_groups({**dict.fromkeys(self._groups.draws), **verdicts})
        for number, group in self._groups:
            self.tables.want(("group", number), self._entries.groups.entries(number, group, self.placements))
            self._want_members(number)
        for draw, verdict in verdicts.items():
            self._answer(draw, verdict)
        for number, answers in self._answers.items():
            self._want_rows(self._cohorts[number].functions, {}, answers)

    def _want_groups(self, verdicts: Mapping[Draw, Verdict | None]) -> None:
        touched = self._groups.assign({draw: self._group(draw, one) for draw, one in verdicts.items()})
        if self._moved:
            touched |= {
                number
                for number, group in self._groups
                if any(member in self._moved for member, _ in group.weights)
            }
            self._moved.clear()
        for number in touched:
            group = self._groups[number]
            entries = self._entries.groups.entries(number, group, self.placements) if group else []
            self.tables.want(("group", number), entries)
        there = (self._groups.of(draw._replace(scope=ANY_SITE)) for draw in verdicts)
        for number in touched.union(filter(None, there)):
            self._want_members(number)

    def _group(self, draw: Draw, verdict: Verdict | None) -> Group | None:
        """What a draw is made from; of the sites that are idle, with those that hold data."""
        self._idle.pop(draw, None)
        if not isinstance(verdict, Group) or not verdict.weights:
            return None
        if verdict.idle:
            self._idle[draw] = verdict.idle
        return replace(verdict, idle=verdict.idle & self._preferred)

    def _answer(self, draw: Draw, verdict: Verdict | None) -> None:
        """Keep what the rows of a draw's functions say."""
        cohort, asked = draw.cohort, draw[1:]
        answers = self._answers.setdefault(cohort, {})
        if verdict is None:
            answers.pop(asked, None)
        else:
            answers[asked] = self._groups.of(draw) or NOBODY if isinstance(verdict, Group) else verdict
        if not answers:
            del self._answers[cohort]

    def _want_rows(
        self, functions: Set[int], was: Mapping[Asked, Answer], now: Mapping[Asked, Answer]
    ) -> None:
        services = self._entries.services
        for asked in was.keys() | now.keys():
            answer = now.get(asked)
            if answer == was.get(asked):
                continue
            if answer is None:
                self.tables.drop(services.keys(functions, asked))
            else:
                self.tables.put(services.rows(functions, asked, answer))

    def _owner(self, draw: Draw, group: Group) -> Draw | None:
        """Which draws may share a group: those of small cohorts all, others only with the other family."""
        if group.idle & {*self._sites.at(self._router)}:
            return draw
        if len(self._cohorts[draw.cohort].functions) <= _SHARING:
            return None
        return draw._replace(family=0)

    def prefer(self, sites: Set[int]) -> None:
        """These sites hold what requests can be about: they can be drawn from each group."""
        moved = {
            draw: replace(self._groups[number] or Group(), idle=idle)
            for draw, idle in self._idle.items()
            if idle & (sites ^ self._preferred) and (number := self._groups.of(draw))
        }
        self._preferred = sites
        self.decide(moved, Moves())
        for number, _ in self._groups:
            self._want_members(number)

    def _want_members(self, number: int) -> None:
        """Rows of `member` for a group."""
        group = self._groups[number]
        weighted = {member.site for member, _ in group.weights} & self._preferred if group else set[int]()
        sites = weighted | group.idle if group else weighted
        rows = (self._member(number, site) for site in sorted(sites))
        self.want(("members", number), (row for row in rows if row))

    def _member(self, number: int, site: int) -> fy.P4TableEntry | None:
        place = self.placements.get(Member(site))
        if place is None:
            return None
        if self._sites.router(site) != self._router:
            return locality.member_remote(number, site, place)
        # A group's draws are for the same instances: what was sent to the site is drawn alike for all.
        draws = (draw for draw in self._groups.draws_of(number) if draw.scope == ANY_SITE)
        groups = (self._groups.of(draw._replace(scope=site)) for draw in sorted(draws))
        there = next(filter(None, groups), None)
        return locality.member_here(number, site, place.slot, there) if there else None

    def want(self, part: Hashable, entities: Iterable[Entity]) -> None:
        """Replace a part of what is wanted."""
        self.tables.want(part, wanted(entities, self._schema))

    def _is_here(self, member: Member) -> bool:
        return self._sites.router(member.site) == self._router
