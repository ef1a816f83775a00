"""Slots: the index under which a router keeps what it counts and learns of a member, or of a tenant."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from control.model import Member

T = TypeVar("T", Member, int)


class Slots(Generic[T]):
    """Stable assignment of one router's slots to its members, or to tenants by number.

    A freed slot is used again as late as possible: the router still holds what it learnt of its last owner.
    """

    def __init__(self, size: int, installed: Iterable[tuple[T, int]] = ()):
        """Adopt what the router has installed; where it contradicts itself the first one is right."""
        self._of: dict[T, int] = {}
        taken: set[int] = set()
        for member, slot in installed:
            if slot < size and member not in self._of and slot not in taken:
                self._of[member] = slot
                taken.add(slot)
        self._free = deque(slot for slot in range(size) if slot not in taken)

    @property
    def assigned(self) -> Mapping[T, int]:
        """Slot by member."""
        return self._of

    def keep(self, alive: Iterable[T]) -> list[T]:
        """Give every member alive a slot, and take those of all others back.

        Returns:
            Members for which no slot was left.
        """
        wanted = set(alive)
        for member in [member for member in self._of if member not in wanted]:
            self._free.append(self._of.pop(member))
        missing = sorted(wanted - self._of.keys())
        for member in missing[: len(self._free)]:
            self._of[member] = self._free.popleft()
        return [member for member in missing if member not in self._of]
