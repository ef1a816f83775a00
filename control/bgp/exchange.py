"""A domain's part in BGP: tells of its own sites, hears of others', and hands on what is believed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from control.bgp import messages
from control.bgp.attribute import encode
from control.bgp.messages import Address, State, Update
from control.bgp.rib import Rib
from control.bgp.routes import Announce, Routes, Withdraw
from control.bgp.speaker import Child
from control.catalogue import Catalogue
from control.domain import Peer, Speaker
from control.events import EventLog
from control.model import SiteAdvert

Heard = Callable[[str, SiteAdvert | None], None]
_FLAGS = 0xC0
"""Optional and transitive."""


class Exchange:
    """Adverts over BGP, of one domain's controller."""

    def __init__(
        self,
        catalogue: Catalogue,
        domain: str,
        speaker: Speaker,
        events: EventLog,
        *,
        hold_s: float,
        heard: Heard,
    ):
        """`heard` gets the name of a site of which something else is known now, and what (None: nothing)."""
        self._catalogue = catalogue
        self._speaker = speaker
        self._events = events
        self._heard = heard
        self._own = frozenset(catalogue.sites_of(domain))
        self._peers: Mapping[Address, Peer] = {peer.address: peer for peer in speaker.peers}
        self._up: dict[Address, float] = {}
        self._routes = Routes(catalogue.domains[domain], speaker)
        self._rib = Rib(catalogue, domain, time.monotonic, hold_s)
        self._child = Child(catalogue.domains[domain], speaker, events, self._take, self._greet)
        self._left_out: dict[str, int] = {}
        self._refused: dict[tuple[Address, Address], str] = {}
        self._news = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Process of the speaker that runs now."""
        return self._child.pid

    async def run(self) -> None:
        """Speak and listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._child.run(self._all_lost))
            tasks.create_task(self._keep_time())

    def tell(self, name: str, advert: SiteAdvert | None) -> None:
        """What is known of one of the domain's sites now; None when nothing is."""
        if name not in self._own:
            return
        site = self._catalogue.sites[name]
        address = getattr(site, f"ipv{self._speaker.address.version}")
        left_out = self._routes.tell(name, site.id, address, advert)
        if left_out != self._left_out.get(name, 0):
            self._left_out[name] = left_out
            self._events("bgp-left-out", site=name, functions=left_out)
        self._news.set()

    def status(self) -> list[dict[str, Any]]:
        """Peers and their sessions; times are seconds since the Unix epoch."""
        now, mono = time.time(), time.monotonic()
        return [
            {
                "address": str(peer.address),
                "asn": peer.asn,
                "up": peer.address in self._up,
                "since": now - (mono - self._up[peer.address]) if peer.address in self._up else None,
                "routes": self._rib.count(peer),
            }
            for peer in self._peers.values()
        ]

    async def _keep_time(self) -> None:
        while True:
            self._news.clear()
            now = time.monotonic()
            for message in self._routes.due(now):
                self._say(message)
            for name in self._rib.expire():
                self._events("bgp-expired", site=name)
                self._heard(name, self._rib.site(name))
            times = [at for at in (self._routes.next_due, self._rib.next_expiry) if at is not None]
            # Not wait_for, which swallows a cancellation that comes with the event (python/cpython#86296).
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(times) - time.monotonic()) if times else None):
                    await self._news.wait()

    def _say(self, message: Announce | Withdraw) -> None:
        self._child.send(self._command(message))
        if isinstance(message, Announce):
            route = message.route
            self._events(
                "bgp-announced",
                prefix=str(message.prefix),
                site=route.site,
                sequence=route.sequence,
                functions=sum(len(pool.functions) for pool in route.pools),
            )
        else:
            self._events("bgp-withdrawn", prefix=str(message.prefix))

    def _command(self, message: Announce | Withdraw) -> str:
        prefix = f"{message.prefix}/{message.prefix.max_prefixlen}"
        if isinstance(message, Withdraw):
            return f"withdraw route {prefix} next-hop self"
        value = encode(message.route).hex()
        return (
            f"announce route {prefix} next-hop self "
            f"attribute [ 0x{self._speaker.attribute:02X} 0x{_FLAGS:02X} 0x{value} ]"
        )

    def _greet(self) -> Iterator[str]:
        return map(self._command, self._routes.announced())

    def _take(self, line: bytes) -> None:
        try:
            message = messages.parse(line, self._speaker.attribute)
        except ValueError as error:
            self._events("bgp-speaker", message=f"can't be understood: {error}")
            return
        peer = self._peers.get(message.peer) if message else None
        if isinstance(message, State) and peer:
            self._session(peer, message)
        elif isinstance(message, Update) and peer:
            self._update(peer, message)
        self._news.set()

    def _session(self, peer: Peer, state: State) -> None:
        if state.up:
            self._up[peer.address] = time.monotonic()
            self._events("bgp-up", peer=str(peer.address), asn=peer.asn)
        elif self._up.pop(peer.address, None) is not None:
            self._rib.lost(peer)
            self._events("bgp-down", peer=str(peer.address), asn=peer.asn, reason=state.reason)

    def _all_lost(self) -> None:
        for peer in self._peers.values():
            self._session(peer, State(peer.address, up=False, reason="the speaker has ended"))
        self._news.set()

    def _update(self, peer: Peer, update: Update) -> None:
        changed: set[str] = set()
        for prefix in update.withdrawn:
            self._refused.pop((peer.address, prefix), None)
            changed |= self._rib.withdraw(peer, prefix)
        for prefix in update.announced:
            changed |= self._announced(peer, prefix, update)
        for name in sorted(changed):
            self._heard(name, self._rib.site(name))

    def _announced(self, peer: Peer, prefix: Address, update: Update) -> set[str]:
        if update.fault or update.value is None:
            changed, refused = self._rib.withdraw(peer, prefix), update.fault
        else:
            changed, refused = self._rib.announce(peer, prefix, update.as_path, update.value)
        # Told once, not each time that it is repeated.
        if refused and self._refused.get((peer.address, prefix)) != refused:
            self._events("bgp-refused", peer=str(peer.address), prefix=str(prefix), reason=refused)
        if refused:
            self._refused[peer.address, prefix] = refused
        else:
            self._refused.pop((peer.address, prefix), None)
        return changed
