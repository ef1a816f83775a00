"""When members are expected to answer, and who may get a request in their place, as `draw` is told."""

from __future__ import annotations

from dataclasses import dataclass

from ptf_tests.entries import Value


@dataclass(frozen=True)
class Expected:
    """What a member's answer takes in µs.

    It is `base`, and `unit` more for each request that the member has beyond those that take `free` together.
    """

    base: int = 0
    unit: int = 1
    free: int = 0

    def answer_us(self, requests: int) -> int:
        """When a member with so many requests answers."""
        return self.base + max(0, self.unit * requests - self.free)


EACH_1_US = Expected()


@dataclass(frozen=True)
class Rival:
    """Who may get a request instead of the member that was drawn."""

    slot: int
    expected: Expected = EACH_1_US


RIVALS = 3
"""That a member can have."""


def race(slot: int, expected: Expected, rivals: tuple[Rival, ...]) -> dict[str, Value]:
    """What is known of a member and its rivals; the member itself in the place of one is none."""
    nobody = Rival(slot)
    places = [Rival(slot, expected), *rivals, *[nobody] * (RIVALS - len(rivals))]
    params: dict[str, Value] = {}
    for number, rival in enumerate(places, 1):
        if number > 1:
            params[f"slot_{number}"] = rival.slot
        params |= {f"{name}_{number}": value for name, value in vars(rival.expected).items()}
    return params
