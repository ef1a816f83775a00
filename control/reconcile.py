"""The smallest set of writes that brings a target from what it holds to what it should hold.

A change is made before what it replaces is broken: entries come by rising rank and go by falling rank. Each
phase is one batch; as a target may process a batch in any order (P4Runtime specification §12), the next phase
waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from finsy.p4schema import P4UpdateType

from control.entries import Entry


@dataclass(frozen=True, slots=True)
class Change:
    """One update; `entry` is the new state, or for DELETE the old one."""

    kind: P4UpdateType
    entry: Entry


Phase = list[Change]


def plan(
    wanted: Mapping[bytes, Entry], installed: Mapping[bytes, Entry], keys: Iterable[bytes]
) -> list[Phase]:
    """Changes in the order to make them; only entries with one of `keys` are looked at."""
    rising: dict[int, Phase] = {}
    falling: dict[int, Phase] = {}
    for key in keys:
        new, old = wanted.get(key), installed.get(key)
        if new is None and old is not None:
            falling.setdefault(-old.rank, []).append(Change(P4UpdateType.DELETE, old))
        elif new is not None and old is None:
            rising.setdefault(new.rank, []).append(Change(P4UpdateType.INSERT, new))
        elif new is not None and old is not None and new.body != old.body:
            rising.setdefault(new.rank, []).append(Change(P4UpdateType.MODIFY, new))
    return [phases[rank] for phases in (rising, falling) for rank in sorted(phases)]
