"""Respond: what the controller is told of responses."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4DigestEntry

_DIGEST_LIST = 64
_DIGEST_TIMEOUT_NS = 50_000_000
_DIGEST_ACK_NS = 1_000_000_000


def entities() -> Iterator[P4DigestEntry]:
    """How member reports come."""
    yield P4DigestEntry(
        "member_report",
        max_list_size=_DIGEST_LIST,
        max_timeout_ns=_DIGEST_TIMEOUT_NS,
        ack_timeout_ns=_DIGEST_ACK_NS,
    )
