"""The keys that routers seal affinity cookies with: one an epoch, shared by all routers, two epochs alive."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cfn.cookie import CookieKey
from control.domain import Cookies

EPOCHS = 4


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by epoch, and the epoch that new cookies are sealed with."""

    keys: Mapping[int, CookieKey]
    sealing: int

    def announced(self, random: Callable[[int], bytes] = secrets.token_bytes) -> KeyRing:
        """First half of a rotation: every router is to know the next key before any of them seals with it."""
        following = (self.sealing + 1) % EPOCHS
        keys = {self.sealing: self.keys[self.sealing], following: CookieKey.from_bytes(random(8))}
        return KeyRing(keys, self.sealing)

    def rotated(self) -> KeyRing:
        """Second half: seal with the next key; the cookies before stay valid until the next rotation."""
        return KeyRing(self.keys, (self.sealing + 1) % EPOCHS)


def declared(cookies: Cookies) -> KeyRing:
    """The ring that a catalogue says."""
    keys = {
        epoch: CookieKey.from_bytes(bytes.fromhex(key.get_secret_value()))
        for epoch, key in cookies.keys.items()
    }
    return KeyRing(keys, cookies.seal)


def adopt(installed: Sequence[KeyRing], random: Callable[[int], bytes] = secrets.token_bytes) -> KeyRing:
    """The ring to go on with: what routers have, so that no session is torn, or a new one when none has any.

    Routers differ when a rotation was cut short: the newest epoch that any of them seals with wins, because
    all of them were given its key before.
    """
    if not installed:
        return KeyRing({0: CookieKey.from_bytes(random(8))}, 0)
    keys: dict[int, CookieKey] = {}
    for ring in installed:
        keys = {**ring.keys, **keys}
    sealing = {ring.sealing for ring in installed}
    newest = next((epoch for epoch in sealing if (epoch + 1) % EPOCHS not in sealing), min(sealing))
    return KeyRing({epoch: keys[epoch] for epoch in ((newest - 1) % EPOCHS, newest) if epoch in keys}, newest)
