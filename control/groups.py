"""Which group of members each draw of a router is made from.

Draws that have the same members and weights share a group, so what changes at a site costs writes by groups
and not by services. A group whose draws all change to the same is changed in place, which loses no packet; a
draw that leaves the others goes to another group, and costs a write for each function of its cohort. So a
large cohort has groups of its own, one a demand class and scope, which no other may share. So has a draw
that may go to data at an idle site of this router, where it is made from a group of its own. The id of a
group that nobody names is used again as late as possible: the router may still know it by what it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Set
from typing import NamedTuple

from control.decided import Draw, Group

_IDS = 2**16
"""Group 0 is none."""


class _Content(NamedTuple):
    owner: Hashable
    group: Group


class Groups:
    """Groups of one router by id, and the draws that are made from them."""

    def __init__(
        self,
        owner: Callable[[Draw, Group], Hashable],
        draws: Mapping[Draw, int] | None = None,
        content: Mapping[int, Group] | None = None,
    ):
        """Go on from what the router has installed; every draw's group must be there.

        Draws may share a group where `owner` returns the same for them and what they are drawn from.
        """
        self._owner = owner
        self._of = dict(draws or {})
        self._content: dict[int, _Content] = {}
        self._draws: defaultdict[int, set[Draw]] = defaultdict(set)
        self._by_content: dict[_Content, int] = {}
        for draw, number in self._of.items():
            if number not in self._content:
                group = (content or {})[number]
                self._content[number] = _Content(owner(draw, group), group)
                self._by_content.setdefault(self._content[number], number)
            self._draws[number].add(draw)
        self._last = max(self._content, default=0)

    def __getitem__(self, number: int) -> Group | None:
        """What a group holds; None when it is not in use."""
        content = self._content.get(number)
        return content and content.group

    def __iter__(self) -> Iterator[tuple[int, Group]]:
        return ((number, content.group) for number, content in self._content.items())

    def of(self, draw: Draw) -> int | None:
        """The group that a draw is made from."""
        return self._of.get(draw)

    def draws_of(self, number: int) -> Set[Draw]:
        """The draws that are made from a group."""
        return self._draws.get(number, frozenset())

    @property
    def draws(self) -> frozenset[Draw]:
        """Every draw that is made from a group."""
        return frozenset(self._of)

    def assign(self, changes: Mapping[Draw, Group | None]) -> set[int]:
        """Give these draws groups of the content wanted, None for none; when ids run out, some have none.

        Returns:
            Ids of groups that hold something else now, or nothing any more.
        """
        together: defaultdict[tuple[int | None, _Content | None], set[Draw]] = defaultdict(set)
        for draw, group in changes.items():
            number = self._of.get(draw)
            content = None if group is None else _Content(self._owner(draw, group), group)
            if (None if number is None else self._content[number]) != content:
                together[number, content].add(draw)
        touched: set[int] = set()
        apart: list[tuple[Draw, _Content | None]] = []
        for (number, content), draws in together.items():
            if number is not None and content is not None and draws == self._draws[number]:
                self._forget(number)
                self._remember(number, content)
                touched.add(number)
            else:
                apart += [(draw, content) for draw in draws]
        for draw, content in apart:
            touched |= self._move(draw, content)
        return touched

    def _move(self, draw: Draw, content: _Content | None) -> set[int]:
        touched: set[int] = set()
        old = self._of.pop(draw, None)
        if content is not None:
            number = self._by_content.get(content)
            if number is None and (number := self._unused()) is not None:
                self._remember(number, content)
                touched.add(number)
            if number is not None:
                self._of[draw] = number
                self._draws[number].add(draw)
        if old is not None:
            self._draws[old].discard(draw)
            if not self._draws[old]:
                self._forget(old)
                del self._draws[old], self._content[old]
                touched.add(old)
        return touched

    def _remember(self, number: int, content: _Content) -> None:
        self._content[number] = content
        self._by_content.setdefault(content, number)

    def _forget(self, number: int) -> None:
        if self._by_content.get(self._content[number]) == number:
            del self._by_content[self._content[number]]

    def _unused(self) -> int | None:
        for _ in range(_IDS - 1):
            self._last = self._last % (_IDS - 1) + 1
            if self._last not in self._content:
                return self._last
        return None
