"""Cohorts that are to be decided upon, and why: decisions take time, and while they are made more comes in.

What comes in about a cohort that waits already is decided together with the rest, so that a controller with
more news than time makes as many decisions as it can, each by the newest of what it was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from control.cohorts import Moves


class Why(NamedTuple):
    """What is new for a cohort.

    Attributes:
        since: when the first of it came, in seconds of the clock.
        news: ids of the sites whose last advert was not acted upon yet.
        scopes: ids of the sites to decide upon what was sent to them.
    """

    since: float
    news: frozenset[int]
    scopes: frozenset[int]

    def and_also(self, other: Why) -> Why:
        """Both of it."""
        return Why(min(self.since, other.since), self.news | other.news, self.scopes | other.scopes)


class Due:
    """Cohorts to decide upon by number, the one that has waited for longest first."""

    def __init__(self) -> None:
        self._why: dict[int, Why] = {}

    def __len__(self) -> int:
        return len(self._why)

    def keys(self) -> Set[int]:
        """Their numbers."""
        return self._why.keys()

    @property
    def since(self) -> float:
        """When the first of what is new for the one whose turn it is came; there must be one."""
        return next(iter(self._why.values())).since

    def add(self, cohorts: Iterable[int], why: Why) -> None:
        """Decide upon these, too; one that waits already keeps its turn."""
        for number in cohorts:
            before = self._why.get(number)
            self._why[number] = before.and_also(why) if before else why

    def follow(self, moves: Moves) -> None:
        """What was new for a cohort is for those that it fell into; those that are gone wait no longer."""
        for number, parent in moves.parents.items():
            if parent in self._why:
                self.add([number], self._why[parent])
        self.drop(moves.gone)

    def drop(self, cohorts: Set[int]) -> None:
        """Decide upon none of these."""
        for number in self._why.keys() & cohorts:
            del self._why[number]

    def turns(self, cohorts: Iterable[int] | None = None) -> Iterator[tuple[int, Why]]:
        """One after the other, all or these of them; whose turn it is waits no longer."""
        for number in list(self._why if cohorts is None else cohorts):
            yield number, self._why.pop(number)
