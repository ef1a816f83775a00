"""What is decided upon, and what can be decided."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from cfn.names import FUNC_ID_BITS
from control.model import Member

ANY_SITE = 0
"""Scope of a request for the anycast address."""

DemandPart = Literal["TYPE", "GRADE", "LATENCY", "COST"]
"""Part of a demand, under the program's names."""


class Steered(NamedTuple):
    """Requests of a family and demand class for a function, or FuncID prefix.

    `scope` is the id of the site they were sent to, or `ANY_SITE`.
    """

    func_id: int
    class_id: int
    family: int
    prefix_len: int = FUNC_ID_BITS
    scope: int = ANY_SITE


class Place(NamedTuple):
    """What is steered, and the router that does it."""

    router: str
    steered: Steered


class Draw(NamedTuple):
    """What one decision of a router is about: requests of a family and demand class for a cohort's functions.

    `cohort` is a number of `control.cohorts`; `scope` is the id of the site they were sent to, or `ANY_SITE`.
    """

    cohort: int
    class_id: int
    family: int
    scope: int = ANY_SITE

    def steered(self, func_id: int) -> Steered:
        """The part of it that is about one function."""
        return Steered(func_id, self.class_id, self.family, scope=self.scope)


class Spot(NamedTuple):
    """A draw, and the router that does it: there is a decision for each."""

    router: str
    draw: Draw

    def place(self, func_id: int) -> Place:
        """The part of it that is about one function."""
        return Place(self.router, self.draw.steered(func_id))


class Expected(NamedTuple):
    """What an answer of a member takes, in µs: base + max(0, unit·n − free).

    Attributes:
        base: with nothing else to do.
        unit: more for each of the n requests that it has.
        free: what those take that it does at once.
    """

    base: int
    unit: int
    free: int


class Racer(NamedTuple):
    """A member that others may take requests from, or that may take them from others (`control.race`)."""

    member: Member
    expected: Expected
    rivals: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Bind to these members by weight; nobody there means no capacity.

    Attributes:
        weights: by member.
        idle: ids of sites that have no weight and could serve: what is about their data may go there.
        races: members among which a request goes to the one that is expected to answer first.
    """

    weights: tuple[tuple[Member, int], ...] = ()
    idle: frozenset[int] = frozenset()
    races: tuple[Racer, ...] = ()

    def among(self, members: Set[Member]) -> Group:
        """What is left of it where others are gone."""
        weights = tuple((member, weight) for member, weight in self.weights if member in members)
        races = tuple(
            racer._replace(rivals=tuple(rival for rival in racer.rivals if rival in members))
            for racer in self.races
            if racer.member in members
        )
        return replace(self, weights=weights, races=races)


@dataclass(frozen=True, slots=True)
class Unmet:
    """Refuse: nobody can ever meet this part of the demand."""

    part: DemandPart


Verdict = Group | Unmet
