"""A row of a table, and what several stages write alike."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from finsy import P4IndirectAction, P4TableAction, P4TableEntry, P4TableMatch


class DualStack(Protocol):
    """Whatever has an address of each family or None."""

    @property
    def ipv4(self) -> IPv4Address | None:
        """Its IPv4 address."""
        ...

    @property
    def ipv6(self) -> IPv6Address | None:
        """Its IPv6 address."""
        ...


def row(
    table: str, match: Mapping[str, object], action: P4TableAction | P4IndirectAction, priority: int = 0
) -> P4TableEntry:
    """An entry of a table."""
    return P4TableEntry(table, match=P4TableMatch(match), action=action, priority=priority)


def default(table: str, action: P4TableAction) -> P4TableEntry:
    """A table's default action."""
    return P4TableEntry(table, action=action, is_default_action=True)


def numbers(owner: DualStack) -> dict[str, int]:
    """Addresses as action parameters; 0 is none."""
    return {"ipv4": int(owner.ipv4 or 0), "ipv6": int(owner.ipv6 or 0)}
