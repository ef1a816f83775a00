"""How fast shares move to where a policy wants them.

Adverts are late: acting on them in full sends the whole network to the instance that was idle a moment ago
(herding; Mitzenmacher, "How useful is old information?", IEEE Trans. Par. Distr. Syst. 11(1), 2000). What a
change of an instance's share does to it is told only after its requests have gone there, its load was
measured, and the next advert is due. A share approaches its target with a time constant in proportion to this
lag, so that what is told quickly is acted upon quickly, and what is old moves little at a time.

Two go faster: an instance that is to lose most of its share goes twice as far, and an overloaded one loses
half of what it has at once, and half again when a time constant later it still tells of overload. One goes
slower: the share of an instance that has just come up grows with the time that it has been known. And one
that was never measured gets a small share to be measured by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from cfn.load import WINDOW_S
from control.model import InstanceKey
from control.policy.candidate import Candidate
from control.policy.shares import Shares, normalised

_LAGS = 0.5
"""Time constant, in lags."""
_FARTHEST = 0.5
"""Share of the way that is made at once, however long nothing was heard: it may be over by now."""
HYSTERESIS = 0.05
"""Traffic to be moved (share of all) below which a group is left as it is."""
LEAVING = 0.5
"""An instance that is wanted for less than this part of its share loses it twice as fast."""
LEAST_SHARE = 0.008
"""Two of 256 weights; a smaller one may stay as it is."""
JUST_OVERLOADED = 0.5
"""Part of its share that an instance may keep when it is told to be overloaded."""
JOINING = 0.25
"""Part of its target that an instance without a share is given at once, so that it is tried."""
PROBE = 0.01
"""Share of an instance that was never measured, whatever the policy thinks of it; more than one of the
group's weights (`max_group_size` in P4Info)."""
PROBED = 5
"""Instances that are tried so at once."""

Cuts = Mapping[InstanceKey, float]
"""When instances lost part of their share for being overloaded, in seconds of the clock."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where shares stand.

    Attributes:
        shares: on their way to a target.
        installed: those that routers have, which don't follow every little step.
        at: since when, in seconds of the clock.
        cut: as last time.
    """

    shares: Mapping[InstanceKey, float]
    installed: Mapping[InstanceKey, float]
    at: float
    cut: Cuts


def time_constant_s(c: Candidate) -> float:
    """Time in which a share makes most of its way, in seconds."""
    return _LAGS * (c.interval_s + WINDOW_S + c.unloaded_ms / 1000)


def step_after(elapsed_s: float, time_constant_s: float) -> float:
    """Share of the way to the target that is made after `elapsed_s` seconds."""
    return min(_FARTHEST, 1 - math.exp(-max(0.0, elapsed_s) / time_constant_s))


def warmed(known_s: float, warm_up_s: float) -> float:
    """Part of its target that an instance which is known for so long may have, `JOINING` to 1."""
    return min(1.0, JOINING + (1 - JOINING) * known_s / warm_up_s) if warm_up_s > 0 else 1.0


def moved(
    candidates: Sequence[Candidate],
    target: Mapping[InstanceKey, float],
    standing: Standing,
    *,
    news: Set[int],
    now: float,
    warm_up_s: float,
    pace: float = 1.0,
) -> tuple[Shares[InstanceKey], Cuts]:
    """Shares to use now, and when overloaded ones were cut last.

    Args:
        candidates: those in `target`.
        target: shares the policy wants, of a sum of 1.
        standing: what they were.
        news: ids of the sites whose last advert was not acted upon yet.
        now: seconds of the clock.
        warm_up_s: until when a new instance gets its whole share, seconds.
        pace: how many times as fast as usual they move.
    """
    slow_s = {c.key: time_constant_s(c) / pace for c in candidates}
    overloaded = [c.key for c in candidates if c.overloaded]
    last = {key: standing.cut.get(key, -math.inf) for key in overloaded}
    again = {key for key in overloaded if key.site in news and now - last[key] >= slow_s[key]}
    caps = {
        key: JUST_OVERLOADED * standing.installed.get(key, 0.0)
        if key in again
        else standing.shares.get(key, 0.0)
        for key in overloaded
    }
    steps = {key: step_after(now - standing.at, slow) for key, slow in slow_s.items()}
    warm = {c.key: part for c in candidates if (part := warmed(c.known_s, warm_up_s)) < 1}
    cut = {key: now if key in again else last[key] for key in overloaded}
    return settle(standing.shares, target, caps, steps, warm), cut


def settle(
    before: Mapping[InstanceKey, float],
    target: Mapping[InstanceKey, float],
    caps: Mapping[InstanceKey, float],
    steps: Mapping[InstanceKey, float],
    warm: Mapping[InstanceKey, float],
) -> Shares[InstanceKey]:
    """Shares to use now.

    Args:
        before: shares in use; keys that are not in `target` are gone.
        target: shares the policy wants, of a sum of 1.
        caps: overloaded ones, and the share each may have at most, as long as there are others.
        steps: share of the way to go, 0–1.
        warm: new ones, and the part of its target that each may grow to, as long as there are others.
    """
    had = {key: before.get(key, 0.0) for key in target}
    if math.fsum(had.values()) <= 0:
        return dict(target)
    had = dict(zip(had, normalised(list(had.values())), strict=True))
    way = {key: _way(had[key], target[key], steps[key]) for key in target}
    moved = [had[key] + way[key] * (target[key] - had[key]) for key in target]
    now = dict(zip(target, normalised(moved), strict=True))
    limits = {key: max(had[key], part * target[key]) for key, part in warm.items()} | dict(caps)
    others = [key for key in target if key not in limits]
    if not others:
        limits, others = caps, [key for key in target if key not in caps]
    if not others:
        return now
    kept = {key: min(now[key], limits[key]) for key in target if key in limits}
    freed = math.fsum(now[key] - kept[key] for key in kept)
    wanted = normalised([target[key] for key in others])
    return {**now, **kept, **{key: now[key] + freed * w for key, w in zip(others, wanted, strict=True)}}


def _way(had: float, target: float, step: float) -> float:
    """The share of the way that one goes: farther if it joins, or has to lose most of what it has."""
    if had <= 0:
        return max(step, JOINING)
    return max(step, min(_FARTHEST, 2 * step)) if target < LEAVING * had else step


def probed(
    shares: Mapping[InstanceKey, float], candidates: Sequence[Candidate]
) -> tuple[Shares[InstanceKey], frozenset[InstanceKey]]:
    """Shares with a small one for some of those that were never measured, and which these are.

    A few at a time, so that what is tried is bounded; whoever was measured makes way for the next.
    """
    unknown = sorted(c.key for c in candidates if not c.measured)
    tried = frozenset([key for key in unknown if shares[key] < PROBE][:PROBED])
    if not tried or len(tried) == len(shares):
        return dict(shares), frozenset()
    left = 1 - math.fsum(shares[key] for key in tried)
    scale = (1 - PROBE * len(tried)) / left if left > 0 else 0.0
    return {key: PROBE if key in tried else share * scale for key, share in shares.items()}, tried
