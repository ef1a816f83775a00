"""What is decided upon, and what can be decided."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Group:
    """Bind to these members by weight; nobody there means no capacity.

    `idle` are the ids of sites that have no weight and could serve: what is about their data may go there.
    """

    weights: tuple[tuple[Member, int], ...] = ()
    idle: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Unmet:
    """Refuse: nobody can ever meet this part of the demand."""

    part: DemandPart


Verdict = Group | Unmet
