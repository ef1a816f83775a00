"""A router's fast loop, as `p4src/choose.p4` and `p4src/respond.p4` have it.

Draw a member by weight, then a second one; the less loaded of the two wins, by the loads that responses told
and the requests since then.
Draws are at random here, and by a hash of the request there.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from cfn.load import MAX_LOAD
from control.model import Member

LOAD_EXPIRY_S = (1 << 20) / 1e6
"""LOAD_EXPIRY_US of `p4src/loads.p4`."""
UNDER_WAY = 32
"""Of `p4src/choose.p4`."""
REPORT_INTERVAL_S = 0.1
"""REPORT_INTERVAL_US of `p4src/respond.p4`."""

Report = Callable[[str, Member, int, int, int], None]


class Group:
    """A group: members with weights."""

    __slots__ = ("_sums", "members")

    def __init__(self, weights: Sequence[tuple[Member, int]]) -> None:
        self.members = [member for member, _ in weights]
        self._sums = list(accumulate(weight for _, weight in weights))

    def one(self, chance: random.Random) -> Member:
        """Draw; there must be one."""
        if len(self.members) == 1:
            return self.members[0]
        return self.members[bisect_right(self._sums, chance.random() * self._sums[-1])]


@dataclass(slots=True)
class _Told:
    at: float = float("-inf")
    load: int = 0
    reported: float = float("-inf")
    smoothed_us: int = 0


class Router:
    """Groups and what responses told."""

    def __init__(self, name: str, chance: random.Random, report: Report) -> None:
        """`report` takes digests to the controller."""
        self.name = name
        self._chance = chance
        self._report = report
        self._groups: dict[tuple[int, int], Group] = {}
        self._told: dict[Member, _Told] = {}

    def install(self, functions: int, scope: int, group: Group) -> None:
        """From now on draw from this group."""
        self._groups[functions, scope] = group

    def bind(self, functions: int, scope: int, lead: int | None, now: float) -> Member | None:
        """Choose a member for a request; None where nobody takes any.

        Args:
            functions: those that are steered alike, and among them what is asked for.
            scope: the site's id that the request was sent to, or `ANY_SITE`.
            lead: load by which the second draw must be lower; None for no second draw.
            now: the time, seconds.
        """
        group = self._groups.get((functions, scope))
        if group is None or not group.members:
            return None
        first = group.one(self._chance)
        if lead is None:
            return first
        told = self._of(first)
        if now - told.at > LOAD_EXPIRY_S:
            told.at = now
            told.load = min(MAX_LOAD, told.load + UNDER_WAY)
            return first
        second = group.one(self._chance)
        other = self._of(second)
        fresh = now - other.at <= LOAD_EXPIRY_S
        member, won = (
            (second, other) if fresh and min(MAX_LOAD, other.load + lead) < told.load else (first, told)
        )
        won.load = min(MAX_LOAD, won.load + UNDER_WAY)
        return member

    def learn(self, member: Member, load: int, queue: int, response_s: float | None, now: float) -> None:
        """A response passes; `response_s` since the request, at the client's router alone."""
        told = self._of(member)
        told.at = now
        told.load = load
        if response_s is None:
            return
        sample = round(response_s * 1e6)
        smoothed = told.smoothed_us
        told.smoothed_us = smoothed - (smoothed >> 3) + (sample >> 3) if smoothed else sample
        if now - told.reported >= REPORT_INTERVAL_S:
            told.reported = now
            self._report(self.name, member, load, queue, told.smoothed_us)

    def _of(self, member: Member) -> _Told:
        told = self._told.get(member)
        if told is None:
            told = self._told[member] = _Told()
        return told
