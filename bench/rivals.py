"""What the router is told of a member and of its rivals, for benchmarks without a controller."""

from __future__ import annotations

from collections.abc import Mapping

NO_RIVALS = 255
"""The lead that asks for no rivals (choose.p4)."""
_RIVALS = 3
"""That a member can have (choose.p4)."""
_BASE_US = 1000
"""Of an answer of any member."""


def race(units_us: Mapping[int, int]) -> dict[str, int]:
    """Return the parameters of an action that binds to a member, all but who and where it is.

    Args:
        units_us: what each request that a member has adds to the time of its answer, by slot; the first is of
            the member itself, the others, up to three, are of its rivals.
    """
    member = next(iter(units_us.items()))
    places = [*units_us.items(), *[member] * (1 + _RIVALS - len(units_us))]
    params: dict[str, int] = {}
    for number, (slot, unit_us) in enumerate(places, 1):
        if number > 1:
            params[f"slot_{number}"] = slot
        params |= {f"base_{number}": _BASE_US, f"unit_{number}": unit_us, f"free_{number}": 0}
    return params
