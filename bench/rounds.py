"""The order in which contenders are measured, so that what drifts on the machine drifts for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def interleaved(contenders: Sequence[T], rounds: int) -> list[list[T]]:
    """Return `rounds` orders of all contenders, each begun by the next one in turn.

    So every contender follows every phase of the run, and none always runs first.

    Raises:
        ValueError: fewer than one round.
    """
    if rounds < 1:
        raise ValueError(f"{rounds} rounds: at least one is needed")
    if not contenders:
        return [[] for _ in range(rounds)]
    turns = (number % len(contenders) for number in range(rounds))
    return [[*contenders[turn:], *contenders[:turn]] for turn in turns]
