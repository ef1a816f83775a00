"""What one router's tables should hold, and what they are known to hold."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from finsy.p4schema import P4UpdateType

from control.entries import Entry
from control.reconcile import Change, Phase, plan
from control.tables import BEYOND


class RouterTables:
    """Wanted and installed entries of a router, and which of them may differ.

    What is wanted is made of parts that are replaced one by one, and of rows by the many, in no part.
    No two have the same keys.
    """

    def __init__(self) -> None:
        self._parts: dict[Hashable, dict[bytes, Entry]] = {}
        self._wanted: dict[bytes, Entry] = {}
        self._installed: dict[bytes, Entry] = {}
        self._differ: set[bytes] = set()
        self._opens = False

    def __len__(self) -> int:
        """How many entries are known to be installed."""
        return len(self._installed)

    @property
    def installed(self) -> list[Entry]:
        """Entries known to be installed."""
        return list(self._installed.values())

    @property
    def pending(self) -> int:
        """How many entries may differ from what is wanted."""
        return len(self._differ)

    @property
    def opens(self) -> bool:
        """Whether something is wanted anew that entries of other routers may lean on."""
        return self._opens

    def want(self, part: Hashable, entries: Iterable[Entry]) -> None:
        """Replace a part of what is wanted."""
        new = {entry.key: entry for entry in entries}
        old = self._parts.get(part, {})
        for key in old.keys() - new.keys():
            del self._wanted[key]
            self._differ.add(key)
        for key, entry in new.items():
            if old.get(key) != entry:
                self._wanted[key] = entry
                self._differ.add(key)
                self._opens |= entry.rank < BEYOND and key not in self._installed
        if new:
            self._parts[part] = new
        else:
            self._parts.pop(part, None)

    def put(self, rows: Mapping[bytes, Entry]) -> None:
        """Want these rows, by key, which are no part's."""
        self._wanted.update(rows)
        self._differ.update(rows)
        self._opens = self._opens or any(
            entry.rank < BEYOND and key not in self._installed for key, entry in rows.items()
        )

    def drop(self, keys: Iterable[bytes]) -> None:
        """Want none of these rows any more, which are no part's."""
        for key in keys:
            if self._wanted.pop(key, None):
                self._differ.add(key)

    def found(self, installed: Mapping[bytes, Entry]) -> None:
        """Take what was read back for what is installed."""
        self._installed = dict(installed)
        self._differ = self._wanted.keys() | self._installed.keys()

    def changes(self) -> list[Phase]:
        """What to write now; what is wanted from here on is for the next call."""
        phases = plan(self._wanted, self._installed, self._differ)
        self._differ = set()
        self._opens = False
        return phases

    def refused(self, changes: Iterable[Change]) -> None:
        """These changes were not made, and are still to be."""
        self._differ |= {change.entry.key for change in changes}

    def done(self, changes: Iterable[Change]) -> None:
        """These changes were made."""
        delete = P4UpdateType.DELETE
        for kind, entry in changes:
            if kind is delete:
                self._installed.pop(entry.key, None)
            else:
                self._installed[entry.key] = entry
