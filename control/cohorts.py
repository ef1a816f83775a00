"""Cohorts: functions that the same instances run and the catalogue treats alike.

What is decided of one function of a cohort is decided of all, so decisions, groups and writes grow with
cohorts and not with services; a forwarding equivalence class (RFC 3031, section 2.1) of functions. A cohort
is known by a number, which it keeps while its functions stay together: when an instance that runs all of
them comes or goes, it is the same cohort, with the same groups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from control.model import Instance, InstanceKey, runs_the_same
from control.services import ServiceIndex, Treatment

NO_COHORT = 0
Told = Mapping[InstanceKey, Instance]
"""The instances that a site tells of."""


class Identity(NamedTuple):
    """What makes functions alike.

    `adopted` tells functions apart that an earlier controller had steered differently, as long as not all of
    their instances have been heard of again; 0 for all others.
    """

    treatment: Treatment
    instances: frozenset[InstanceKey] = frozenset()
    adopted: int = 0


@dataclass(slots=True)
class Cohort:
    """Functions, by FuncID, that are steered alike; `first` is the least of them, and stands for all."""

    number: int
    identity: Identity
    first: int
    functions: set[int] = field(default_factory=set[int])


@dataclass(slots=True)
class Moves:
    """What an update of the cohorts has changed.

    Attributes:
        changed: numbers of cohorts that have other instances, or whose instances tell something new.
        parents: new cohorts, by number, and the ones that they were a part of.
        gone: cohorts that have no functions any more.
        relocates: an instance has come or gone, or has another address.
        moved: functions that went from one cohort to another, by both numbers; `NO_COHORT` for none.
    """

    changed: set[int] = field(default_factory=set[int])
    parents: dict[int, int] = field(default_factory=dict[int, int])
    gone: set[int] = field(default_factory=set[int])
    relocates: bool = False
    moved: dict[tuple[int, int], set[int]] = field(default_factory=dict[tuple[int, int], set[int]])


_Part = tuple[int, Identity | None]
"""A cohort's number, and the identity that some of its functions get."""


class Cohorts:
    """All functions that are steered, by cohort, and the instances that run them."""

    def __init__(self, services: ServiceIndex):
        """Nobody runs anything yet: functions that the catalogue names are there nevertheless."""
        self._services = services
        self._of: dict[int, Cohort] = {}
        self._cohorts: dict[int, Cohort] = {}
        self._by_identity: dict[Identity, Cohort] = {}
        self._by_instance: defaultdict[InstanceKey, set[int]] = defaultdict(set)
        self._sites: dict[int, Told] = {}
        self._last = 0
        self._regroup({one: self._alone(one) for one in services.exact_functions()})

    def __getitem__(self, number: int) -> Cohort:
        return self._cohorts[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._cohorts)

    def __contains__(self, number: object) -> bool:
        return number in self._cohorts

    def __len__(self) -> int:
        return len(self._cohorts)

    def of(self, func_id: int) -> int:
        """The number of a function's cohort, or `NO_COHORT`."""
        cohort = self._of.get(func_id)
        return cohort.number if cohort else NO_COHORT

    def at(self, site: int) -> Told:
        """The instances of a site that are alive, draining ones included."""
        return self._sites.get(site, {})

    def run_at(self, site: int) -> set[int]:
        """Cohorts that some instance of a site runs, by number."""
        return set[int]().union(*(self._by_instance[key] for key in self.at(site)))

    @property
    def sites(self) -> Set[int]:
        """Ids of the sites that have an instance."""
        return self._sites.keys()

    @property
    def adopted(self) -> set[int]:
        """Cohorts that are told apart by what was adopted, by number."""
        return {number for number, cohort in self._cohorts.items() if cohort.identity.adopted}

    def instances(self, number: int) -> list[Instance]:
        """The instances of a cohort, in the order of their keys."""
        return [self._sites[key.site][key] for key in sorted(self._cohorts[number].identity.instances)]

    def adopt(self, labels: Mapping[int, int]) -> None:
        """Tell these functions apart by label (above 0), until they are released."""
        alone = {one: self._of[one].identity if one in self._of else self._alone(one) for one in labels}
        self._regroup({one: it._replace(adopted=labels[one]) for one, it in alone.items() if it})

    def update(self, told: Mapping[int, Told], released: Iterable[int] = ()) -> Moves:
        """Sites tell of these instances and no others; what was adopted of these cohorts counts no more."""
        flips: defaultdict[int, list[InstanceKey]] = defaultdict(list)
        news: set[InstanceKey] = set()
        relocates = False
        for site, after in told.items():
            for key, old, new in _differences(self._sites.pop(site, {}), after):
                news.add(key)
                relocates |= _where(old) != _where(new)
                for function in _other_functions(old, new):
                    flips[function].append(key)
            if after:
                self._sites[site] = after
        free = set(released)
        going = {one for number in free for one in self._cohorts[number].functions}
        after_flip = cache(_flipped)
        wanted: dict[int, Identity | None] = {}
        for function in flips.keys() | going:
            identity = self._of[function].identity if function in self._of else self._alone(function)
            treatment = self._services.treatment(function)
            if treatment is None:
                continue
            identity = identity or Identity(treatment)
            if function in going:
                identity = identity._replace(adopted=0)
            identity = after_flip(identity, tuple(flips.get(function, ())))
            stays = identity.instances or identity.adopted or treatment.is_exact
            wanted[function] = identity if stays else None
        moves = self._regroup(wanted)
        moves.relocates = relocates
        moves.changed |= (free - moves.gone).union(*(self._by_instance.get(key, ()) for key in news))
        return moves

    def _alone(self, function: int) -> Identity | None:
        treatment = self._services.treatment(function)
        return treatment and Identity(treatment)

    def _regroup(self, wanted: Mapping[int, Identity | None]) -> Moves:
        """Give functions these identities, None for none.

        Of what a cohort falls into, the largest part keeps its number, unless it joins another.
        """
        parts: defaultdict[_Part, set[int]] = defaultdict(set)
        left: dict[int, set[int]] = {}
        for function, identity in wanted.items():
            cohort = self._of.get(function)
            if (cohort and cohort.identity) != identity:
                parts[self.of(function), identity].add(function)
                if cohort:
                    if cohort.number not in left:
                        left[cohort.number] = set(cohort.functions)
                    left[cohort.number].discard(function)
        for number, functions in left.items():
            if functions:
                parts[number, self._cohorts[number].identity] = functions
            self._take_out(self._cohorts[number])
        moves = Moves(gone=set(left))
        for (number, identity), functions in sorted(parts.items(), key=_largest_first):
            there = self._settle(number, identity, min(functions), moves) if identity else None
            for function in functions:
                if there:
                    self._of[function] = there
                else:
                    self._of.pop(function, None)
            if there:
                there.functions |= functions
            to = there.number if there else NO_COHORT
            if to != number:
                moves.moved.setdefault((number, to), set()).update(functions)
        return moves

    def _settle(self, number: int, identity: Identity, first: int, moves: Moves) -> Cohort:
        """The cohort of an identity: the one that is there, or `number`, or a new one."""
        there = self._by_identity.get(identity)
        if there:
            there.first = min(there.first, first)
            return there
        if number in moves.gone:
            moves.gone.discard(number)
            there = Cohort(number, identity, first)
        else:
            self._last += 1
            there = Cohort(self._last, identity, first)
            if number != NO_COHORT:
                moves.parents[there.number] = number
        self._cohorts[there.number] = self._by_identity[identity] = there
        for key in identity.instances:
            self._by_instance[key].add(there.number)
        moves.changed.add(there.number)
        return there

    def _take_out(self, cohort: Cohort) -> None:
        del self._cohorts[cohort.number], self._by_identity[cohort.identity]
        for key in cohort.identity.instances:
            self._by_instance[key].discard(cohort.number)
            if not self._by_instance[key]:
                del self._by_instance[key]


def _differences(before: Told, after: Told) -> Iterator[tuple[InstanceKey, Instance | None, Instance | None]]:
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is not new and old != new:
            yield key, old, new


def _other_functions(old: Instance | None, new: Instance | None) -> Set[int]:
    if runs_the_same(old, new):
        return frozenset()
    return (old.functions if old else frozenset()) ^ (new.functions if new else frozenset())


def _where(instance: Instance | None) -> object:
    return instance and (instance.ipv4, instance.ipv6)


def _flipped(identity: Identity, keys: tuple[InstanceKey, ...]) -> Identity:
    return identity._replace(instances=identity.instances ^ frozenset(keys))


def _largest_first(part: tuple[_Part, set[int]]) -> tuple[int, int, int]:
    (number, _), functions = part
    return -len(functions), number, min(functions)
