"""What the outcomes in TRACE records are called.

The numbers are the router program's. A package that has the program brings the names, by an entry point of
the group `cfn.outcomes` whose value is a function without arguments that returns them.
"""

from __future__ import annotations

import logging
from importlib.metadata import entry_points

GROUP = "cfn.outcomes"

log = logging.getLogger(__name__)


def outcome_names() -> dict[int, str]:
    """The names by number, of all packages that bring some; a package that can't is left out."""
    names: dict[int, str] = {}
    for source in entry_points(group=GROUP):
        try:
            names |= source.load()()
        except Exception as error:  # other people's code; numbers do without it
            log.warning("no names of outcomes from %s: %s", source.value, error)
    return names
