"""Affinity and bind: the keys that cookies are checked and sealed with."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4TableAction, P4TableEntry

from control.keys import KeyRing
from control.stages.row import default, row


def entities(ring: KeyRing) -> Iterator[P4TableEntry]:
    """Rows of cookie_key, and the key that seals."""
    for epoch, key in sorted(ring.keys.items()):
        yield row("cookie_key", {"epoch": epoch}, P4TableAction("use_key", k0=key.k0, k1=key.k1))
    seal = ring.keys[ring.sealing]
    yield default("seal_key", P4TableAction("seal_with", key_epoch=ring.sealing, k0=seal.k0, k1=seal.k1))
