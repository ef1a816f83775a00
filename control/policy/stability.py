"""How fast shares move to where a policy wants them.

Adverts are late by an interval: acting on them in full sends the whole network to the instance that was idle
a moment ago (herding; Mitzenmacher, "How useful is old information?", IEEE Trans. Par. Distr. Syst. 11(1),
2000). So shares approach their target with a time constant, except that an overloaded instance loses half of
what it has at once, and half again when a time constant later it still tells of overload.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from control.model import InstanceKey
from control.policy.shares import Shares, normalised

TIME_CONSTANT_S = 0.5
_FARTHEST = 0.5
"""Share of the way that is made at once, however long nothing was heard: it may be over by now."""
HYSTERESIS = 0.05
"""Traffic to be moved (share of all) below which a group is left as it is."""
JUST_OVERLOADED = 0.5
"""Part of its share that an instance may keep when it is told to be overloaded."""
JOINING = 0.25
"""Part of its target that an instance without a share is given at once, so that it is tried."""


def step_after(elapsed_s: float) -> float:
    """Share of the way to the target that is made after `elapsed_s` seconds."""
    return min(_FARTHEST, 1 - math.exp(-max(0.0, elapsed_s) / TIME_CONSTANT_S))


def settle(
    before: Mapping[InstanceKey, float],
    target: Mapping[InstanceKey, float],
    caps: Mapping[InstanceKey, float],
    step: float,
) -> Shares[InstanceKey]:
    """Shares to use now.

    Args:
        before: shares in use; keys that are not in `target` are gone.
        target: shares the policy wants, of a sum of 1.
        caps: overloaded ones, and the share each may have at most, as long as there are others.
        step: share of the way to go, 0–1.
    """
    had = {key: before.get(key, 0.0) for key in target}
    if math.fsum(had.values()) <= 0:
        return dict(target)
    had = dict(zip(had, normalised(list(had.values())), strict=True))
    steps = {key: step if had[key] > 0 else max(step, JOINING) for key in target}
    moved = [had[key] + steps[key] * (target[key] - had[key]) for key in target]
    now = dict(zip(target, normalised(moved), strict=True))
    others = [key for key in target if key not in caps]
    if not others:
        return now
    kept = {key: min(now[key], caps[key]) for key in target if key in caps}
    freed = math.fsum(now[key] - kept[key] for key in kept)
    wanted = normalised([target[key] for key in others])
    return {**now, **kept, **{key: now[key] + freed * w for key, w in zip(others, wanted, strict=True)}}
