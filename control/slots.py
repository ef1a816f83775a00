"""Slots: the index under which routers count and learn of an instance, the same one in the whole network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from control.model import InstanceKey


class Slots:
    """Stable assignment of slots to instances.

    A freed slot is used again as late as possible: routers still hold what they learnt of its last owner.
    """

    def __init__(self, size: int, installed: Iterable[tuple[InstanceKey, int]] = ()):
        """Adopt what routers have installed; where they contradict each other the first one is right."""
        self._of: dict[InstanceKey, int] = {}
        for key, slot in installed:
            if slot < size and key not in self._of and slot not in self._of.values():
                self._of[key] = slot
        taken = set(self._of.values())
        self._free = deque(slot for slot in range(size) if slot not in taken)

    @property
    def assigned(self) -> Mapping[InstanceKey, int]:
        """Slot by instance."""
        return self._of

    def keep(self, alive: Iterable[InstanceKey]) -> list[InstanceKey]:
        """Give every instance alive a slot, and take those of all others back.

        Returns:
            Instances for which no slot was left.
        """
        wanted = set(alive)
        for key in [key for key in self._of if key not in wanted]:
            self._free.append(self._of.pop(key))
        missing = sorted(wanted - self._of.keys())
        for key in missing[: len(self._free)]:
            self._of[key] = self._free.popleft()
        return [key for key in missing if key not in self._of]
