"""Usage: what is counted for bills."""

from __future__ import annotations

from finsy import P4TableAction, P4TableEntry

from control.stages.row import row
from control.usage import UsageKey


def entity(key: UsageKey) -> P4TableEntry:
    """The row that counts a tenant's requests for a service to a site."""
    return row("usage", key._asdict(), P4TableAction("count_use"))
