"""The smallest set of writes that brings a target from what it holds to what it should hold.

A change is made before what it replaces is broken: entries come by rising rank and go by falling rank. Each
phase is one batch; as a target may process a batch in any order (P4Runtime specification §12), the next phase
waits for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from finsy.p4schema import P4UpdateType

from control.entries import Entry


class Change(NamedTuple):
    """One update; `entry` is the new state, or for DELETE the old one."""

    kind: P4UpdateType
    entry: Entry


Phase = list[Change]


def plan(
    wanted: Mapping[bytes, Entry], installed: Mapping[bytes, Entry], keys: Iterable[bytes]
) -> list[Phase]:
    """Changes in the order to make them; only entries with one of `keys` are looked at."""
    insert, modify, delete = P4UpdateType.INSERT, P4UpdateType.MODIFY, P4UpdateType.DELETE
    rising: defaultdict[int, Phase] = defaultdict(list)
    falling: defaultdict[int, Phase] = defaultdict(list)
    for key in keys:
        new, old = wanted.get(key), installed.get(key)
        if new is None:
            if old is not None:
                falling[-old.rank].append(Change(delete, old))
        elif old is None:
            rising[new.rank].append(Change(insert, new))
        elif new is not old and new.body != old.body:
            rising[new.rank].append(Change(modify, new))
    return [phases[rank] for phases in (rising, falling) for rank in sorted(phases)]
