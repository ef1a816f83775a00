"""Who a member's rivals are when a router binds a request, and what it expects of each (`p4src/choose.p4`).

Weights say which member a request is drawn for. The race says where it goes instead, if another is expected
to answer sooner by what responses have told since: base + max(0, unit·n − free) with n requests there. It is
the wait of a queue whose workers do `free`/`unit` + 1 requests at once.

A member that is new, or was never measured, keeps to its weight: it neither loses requests nor takes any.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import mul
from statistics import fmean

from control.decided import Expected, Racer
from control.model import InstanceKey, Member
from control.policy.candidate import Candidate
from control.policy.latency import unexplained_ms
from control.policy.shares import normalised
from control.policy.stability import warmed

RIVALS = 3
"""That a member has at most: slot_2 to slot_4 of the program."""
_MOST_US = 2**32 - 1
_NEAR = 0.1
_NEAR_US = 100
"""Expectations are told anew when they differ by more than a tenth, and by more than so many µs."""
_KEPT = 16_384


def racers(
    candidates: Sequence[Candidate],
    members: Mapping[InstanceKey, Member],
    before: Iterable[Racer],
    warm_up_s: float,
) -> dict[Member, list[Candidate]]:
    """Members that race, and those of their instances that were measured; `before` are those that did.

    Whoever is new or was never measured waits until it is not, unless all are.
    """
    measured = [c for c in candidates if c.measured]
    settled = {members[c.key] for c in measured if warmed(c.known_s, warm_up_s) >= 1}
    settled |= {racer.member for racer in before}
    racing: defaultdict[Member, list[Candidate]] = defaultdict(list)
    for c in [c for c in measured if members[c.key] in settled] or candidates:
        racing[members[c.key]].append(c)
    return racing


def expected(instances: Sequence[Candidate]) -> Expected:
    """What to expect of a member that stands for these instances, each counted by its capacity."""
    if len(instances) == 1:
        return Expected(*map(_us, _expected_ms(instances[0])))
    parts = normalised([c.capacity_rps for c in instances])
    values = zip(*map(_expected_ms, instances), strict=True)
    return Expected(*(_us(sum(map(mul, parts, one))) for one in values))


def race(
    weights: Mapping[Member, int],
    racing: Mapping[Member, Sequence[Candidate]],
    before: Iterable[Racer],
    *,
    thrifty: bool,
) -> tuple[Racer, ...]:
    """What members of a group race with each other.

    Args:
        weights: of all members.
        racing: those that race, and the instances that each stands for.
        before: what was told of them so far, which is left as it is where it is near enough.
        thrifty: whether a rival must not be dearer.
    """
    there = sorted(member for member in racing if member in weights)
    if len(there) < 2:
        return ()
    told = {racer.member: racer.expected for racer in before}
    weighted = tuple((member, weights[member]) for member in there)
    rivals = _rivals(weighted)
    if thrifty:
        prices = {member: fmean(c.cost for c in racing[member]) for member in there}
        for price in {*prices.values()}:
            found = _rivals(tuple(one for one in weighted if prices[one[0]] <= price))
            rivals = {member: (found if prices[member] == price else rivals)[member] for member in there}
    racers: list[Racer] = []
    for member in there:
        now = expected(racing[member])
        had = told.get(member)
        racers.append(Racer(member, had if had and _near(had, now) else now, rivals[member]))
    return tuple(racers)


def _expected_ms(c: Candidate) -> tuple[float, float, float]:
    unit = 1000 / c.capacity_rps
    return c.unloaded_ms + unexplained_ms(c), unit, max(0.0, c.service_ms - unit)


def _us(ms: float) -> int:
    return min(_MOST_US, round(1000 * ms))


def _near(one: Expected, other: Expected) -> bool:
    return one == other or all(
        abs(a - b) <= max(_NEAR_US, _NEAR * max(a, b)) for a, b in zip(one, other, strict=True)
    )


@lru_cache(_KEPT)
def _rivals(weighted: tuple[tuple[Member, int], ...]) -> Mapping[Member, tuple[Member, ...]]:
    """Rivals of each member: all others, or of many the next one and those that lie farthest from it.

    Members lie round a circle, each with an arc by its weight. The next one is a rival, so that all hang
    together; the others are those at even parts of a turn from the middle of its own arc, and where that is
    one already, whoever comes next. So who has a large weight is many a member's rival.
    """
    ring = [member for member, _ in weighted]
    count = len(ring)
    if count <= RIVALS + 1:
        return {member: tuple(one for one in ring if one != member) for member in ring}
    ends = list(accumulate(weight for _, weight in weighted))
    whole = ends[-1]
    found: dict[Member, tuple[Member, ...]] = {}
    for at, (member, weight) in enumerate(weighted):
        middle = ends[at] - weight / 2
        taken = {at, (at + 1) % count}
        for part in range(1, RIVALS):
            other = bisect_right(ends, (middle + part * whole / RIVALS) % whole)
            while other in taken:
                other = (other + 1) % count
            taken.add(other)
        found[member] = tuple(ring[other] for other in sorted(taken) if other != at)
    return found
