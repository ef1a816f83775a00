"""A router's fast loop, as `p4src/choose.p4` and `p4src/respond.p4` have it.

Draw a member by weight; the one of it and its rivals that is expected to answer first wins, by the requests
that responses told of and those since then.
Draws are at random here, and by a hash of the request there.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from control import decided
from control.decided import Expected, Racer
from control.model import Member

LOAD_EXPIRY_S = (1 << 20) / 1e6
"""LOAD_EXPIRY_US of `p4src/loads.p4`."""
REPORT_INTERVAL_S = 0.1
"""REPORT_INTERVAL_US of `p4src/respond.p4`."""

Report = Callable[[str, Member, int, int, int], None]
_NOTHING = Expected(0, 0, 0)


class Group:
    """A group: members with weights, and who races whom."""

    __slots__ = ("_races", "_sums", "members")

    def __init__(self, group: decided.Group) -> None:
        self.members = [member for member, _ in group.weights]
        self._sums = list(accumulate(weight for _, weight in group.weights))
        self._races = {racer.member: racer for racer in group.races}

    def one(self, chance: random.Random) -> Member:
        """Draw; there must be one."""
        if len(self.members) == 1:
            return self.members[0]
        return self.members[bisect_right(self._sums, chance.random() * self._sums[-1])]

    def racer(self, member: Member) -> Racer:
        """What is told of a member's race; one that has none is alone."""
        return self._races.get(member) or Racer(member, _NOTHING, ())


@dataclass(slots=True)
class _Told:
    at: float = float("-inf")
    requests: int = 0
    reported: float = float("-inf")
    median_us: int = 0


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
            lead: 256ths of the time by which a rival must answer sooner; None for no rivals.
            now: the time, seconds.
        """
        group = self._groups.get((functions, scope))
        if group is None or not group.members:
            return None
        first = group.one(self._chance)
        if lead is None:
            return first
        told = self._of(first)
        drawn = group.racer(first)
        soonest = _answer_us(told, drawn.expected, now)
        if soonest is None:
            told.at = now
            told.requests += 1
            return first
        soonest -= soonest * lead >> 8
        winner, won = first, told
        for rival in drawn.rivals:
            other = self._of(rival)
            answer = _answer_us(other, group.racer(rival).expected, now)
            if answer is not None and answer < soonest:
                winner, won, soonest = rival, other, answer
        won.requests += 1
        return winner

    def learn(self, member: Member, load: int, queue: int, response_s: float | None, now: float) -> None:
        """A response passes; `response_s` since the request, at the client's router alone."""
        told = self._of(member)
        told.at = now
        told.requests = queue
        if response_s is None:
            return
        sample = round(response_s * 1e6)
        median = told.median_us
        if median == 0 or now - told.reported >= LOAD_EXPIRY_S:
            told.median_us = sample
        else:
            told.median_us += (median >> 4) + 1 if sample > median else -(median >> 4)
        if now - told.reported >= REPORT_INTERVAL_S:
            told.reported = now
            self._report(self.name, member, load, queue, told.median_us)

    def _of(self, member: Member) -> _Told:
        told = self._told.get(member)
        if told is None:
            told = self._told[member] = _Told()
        return told


def _answer_us(told: _Told, expected: Expected, now: float) -> int | None:
    """When a member would answer; None where what was told is stale."""
    if now - told.at > LOAD_EXPIRY_S:
        return None
    return expected.base + max(0, expected.unit * told.requests - expected.free)
