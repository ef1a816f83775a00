"""What routers tell the controller of: members' responses, and links."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4DigestEntry

_LIST = 64
_TIMEOUT_NS = 50_000_000
_ACK_NS = 1_000_000_000


def entities() -> Iterator[P4DigestEntry]:
    """How reports come."""
    for name in ("member_report", "link_report"):
        yield P4DigestEntry(name, max_list_size=_LIST, max_timeout_ns=_TIMEOUT_NS, ack_timeout_ns=_ACK_NS)
