"""Alive: what a session may still be bound to: sites elsewhere, and instances of the sites here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from finsy import P4TableAction, P4TableEntry

from control.model import Member, Placement
from control.stages.row import row


def entities(placements: Mapping[Member, Placement], here: Set[int]) -> Iterator[P4TableEntry]:
    """Rows of site and instance; `here` are the ids of the sites at this router."""
    for member, place in sorted(placements.items()):
        if member.is_site:
            action = "here" if member.site in here else "remote"
            yield row("site", {"site": member.site}, P4TableAction(action, **place._asdict()))
        else:
            yield row("instance", member._asdict(), P4TableAction("live", **place._asdict()))
