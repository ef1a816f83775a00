"""Which group of members each row of a router's `service` table names.

Rows that have the same members and weights share a group, so what changes at a site costs writes by groups
and not by services. A group whose rows all change to the same is changed in place, which loses no packet; a
row that leaves the others goes to another group. The id of a group that nobody names is used again as late
as possible, because the router may still know it by what it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set

from control.decided import Group, Steered

_IDS = 2**16
"""Group 0 is none."""


class Groups:
    """Groups of one router by id, and the rows that name them."""

    def __init__(self, rows: Mapping[Steered, int] | None = None, content: Mapping[int, Group] | None = None):
        """Go on from what the router has installed; every row's group must be there."""
        self._of = dict(rows or {})
        self._content: dict[int, Group] = {}
        self._rows: defaultdict[int, set[Steered]] = defaultdict(set)
        self._by_content: dict[Group, int] = {}
        for row, number in self._of.items():
            self._content[number] = (content or {})[number]
            self._by_content.setdefault(self._content[number], number)
            self._rows[number].add(row)
        self._last = max(self._content, default=0)

    def __getitem__(self, number: int) -> Group | None:
        """What a group holds; None when it is not in use."""
        return self._content.get(number)

    def __iter__(self) -> Iterator[tuple[int, Group]]:
        return iter(self._content.items())

    def of(self, row: Steered) -> int | None:
        """The group that a row names."""
        return self._of.get(row)

    def rows_of(self, number: int) -> Set[Steered]:
        """The rows that name a group."""
        return self._rows.get(number, frozenset())

    @property
    def rows(self) -> frozenset[Steered]:
        """Every row that names a group."""
        return frozenset(self._of)

    def assign(self, changes: Mapping[Steered, Group | None]) -> set[int]:
        """Give these rows groups of the content wanted, None for none; when ids run out, some have none.

        Returns:
            Ids of groups that hold something else now, or nothing any more.
        """
        together: defaultdict[tuple[int | None, Group | None], set[Steered]] = defaultdict(set)
        for row, group in changes.items():
            number = self._of.get(row)
            if (None if number is None else self._content[number]) != group:
                together[number, group].add(row)
        touched: set[int] = set()
        apart: list[tuple[Steered, Group | None]] = []
        for (number, group), rows in together.items():
            if number is not None and group is not None and rows == self._rows[number]:
                self._forget(number)
                self._remember(number, group)
                touched.add(number)
            else:
                apart += [(row, group) for row in rows]
        for row, group in apart:
            touched |= self._move(row, group)
        return touched

    def _move(self, row: Steered, group: Group | None) -> set[int]:
        touched: set[int] = set()
        old = self._of.pop(row, None)
        if group is not None:
            number = self._by_content.get(group)
            if number is None and (number := self._unused()) is not None:
                self._remember(number, group)
                touched.add(number)
            if number is not None:
                self._of[row] = number
                self._rows[number].add(row)
        if old is not None:
            self._rows[old].discard(row)
            if not self._rows[old]:
                self._forget(old)
                del self._rows[old], self._content[old]
                touched.add(old)
        return touched

    def _remember(self, number: int, group: Group) -> None:
        self._content[number] = group
        self._by_content.setdefault(group, number)

    def _forget(self, number: int) -> None:
        if self._by_content.get(self._content[number]) == number:
            del self._by_content[self._content[number]]

    def _unused(self) -> int | None:
        for _ in range(_IDS - 1):
            self._last = self._last % (_IDS - 1) + 1
            if self._last not in self._content:
                return self._last
        return None
