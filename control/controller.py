"""The controller: connects to routers, listens to sites, and keeps the routers' tables as they should be.

One asyncio loop does it all. Killing the controller at any time loses nothing and disturbs no packet.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import finsy as fy

import p4src
from cfn.proto import advert_pb2 as pb
from control.adoption import Adopted, adopt
from control.advert_check import check
from control.bgp.exchange import Exchange
from control.catalogue import Catalogue
from control.events import EventLog
from control.installer import Installer
from control.keys import KeyRing
from control.model import SiteAdvert
from control.order import Order
from control.pace import Pace
from control.prober import Prober
from control.program import Changes, Program
from control.reading import Reader
from control.refused import Refused
from control.target import Session, Target
from control.waiting import first_of, let_others

_GATHER_S = 2.0
"""How long the first router waits for the others to tell what they hold, when a controller starts."""
_REACTIONS = 1000
_PIECE_S = 0.02
"""How long decisions are made before others get their turn."""
_SETTLE_S = 0.5
_MEASURE_S = 1.0


Dissemination = Literal["grpc", "bgp", "hybrid"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a controller behaves.

    Attributes:
        hold_s: how long instances found installed are kept while their site stays silent, seconds.
        audit_s: how often tables are read back and compared, seconds.
        probe_s: time between two probes of a link, seconds; 0 for none.
        domain: the domain of the catalogue whose routers to drive; None for all routers.
        adverts: how to hear of the sites of other domains: from themselves, over BGP, or both.
    """

    hold_s: float = 10.0
    audit_s: float = 10.0
    probe_s: float = 0.2
    domain: str | None = None
    adverts: Dissemination = "grpc"


class Controller:
    """A controller of one catalogue's routers."""

    def __init__(self, catalogue: Catalogue, events: EventLog, options: Options | None = None):
        self._options = options = options or Options()
        self.catalogue = catalogue
        self.events = events
        self.reactions_ms: deque[float] = deque(maxlen=_REACTIONS)
        self._schema = fy.P4Schema(p4src.P4INFO)
        routers = catalogue.domains[options.domain].routers if options.domain else tuple(catalogue.routers)
        self.program = Program(
            catalogue, self._schema, time.monotonic, options.hold_s, events, routers=routers, in_pieces=True
        )
        reader = Reader(self._schema)
        self.targets = {name: Target(name, catalogue.routers[name], events, reader) for name in routers}
        order = Order()
        self.installers = {
            name: Installer(name, tables, options.audit_s, events, self._reacted, order=order)
            for name, tables in self.program.tables.items()
        }
        self._probers = {name: Prober(catalogue, name, options.probe_s) for name in routers}
        self.exchange = self._exchange()
        self._ignored: dict[str, tuple[str, ...]] = {}
        self._found: dict[str, Adopted] = {}
        self._first_found = asyncio.Event()
        self._all_found = asyncio.Event()
        self._has_begun = False
        self._started = asyncio.Event()
        self._new_deadline = asyncio.Event()
        self._is_due = asyncio.Event()
        self._nothing_due = asyncio.Event()
        self._nothing_due.set()
        self._since: float | None = None
        self._pace = Pace(time.monotonic)

    async def run(self) -> None:
        """Control until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name, target in self.targets.items():
                tasks.create_task(target.run(self._server(name)))
            tasks.create_task(self._start())
            tasks.create_task(self._decide())
            tasks.create_task(self._expire())
            tasks.create_task(self._settle_links())
            if self.exchange:
                tasks.create_task(self.exchange.run())

    def take(self, message: pb.Advert, token: str, waited_s: float = 0.0) -> int:
        """Act on an advert that has waited to be taken for so long.

        Returns:
            How many ms the site is to leave before its next one.

        Raises:
            Refused: it is not believed.
        """
        since = time.monotonic()
        try:
            held = self.program.store.get(message.site)
            before = held and held.advert
            advert = check(message, token, self.catalogue, before)
            self._check_way(advert.site)
            new = advert.functions_beyond(before)
            if self._has_begun:
                self._changed(self.program.take(advert), since)
            else:
                self.program.accept(advert)
            self._tell_others(advert.site)
        except Refused as refused:
            self.events("advert-refused", site=message.site, reason=str(refused))
            raise
        self._new_deadline.set()
        if advert.ignored and advert.ignored != self._ignored.get(advert.site):
            # Once, not with each advert.
            self.events("metrics-ignored", site=advert.site, unknown=advert.ignored)
        self._ignored[advert.site] = advert.ignored
        told: dict[str, object] = {"sequence": advert.sequence, "instances": len(advert.instances)}
        unknown = self.program.steering.services.unknown(new)
        self.events("advert", site=advert.site, **told, **({"unknown_functions": unknown} if unknown else {}))
        return self._pace.interval_ms(message.ttl_ms, waited_s)

    def _exchange(self) -> Exchange | None:
        domain = self._options.domain
        if domain is None or self._options.adverts == "grpc":
            return None
        speaker = self.catalogue.domains[domain].bgp
        if speaker is None:
            raise ValueError(f"domains.{domain}: says nothing of bgp")
        return Exchange(
            self.catalogue, domain, speaker, self.events, hold_s=self._options.hold_s, heard=self._heard
        )

    def _check_way(self, site: str) -> None:
        own = self.program.sites.is_own(self.catalogue.sites[site].id)
        if not own and self._options.adverts == "bgp":
            raise Refused("the site is of another domain, which tells of it over BGP")

    def _tell_others(self, site: str) -> None:
        if self.exchange:
            held = self.program.store.get(site)
            self.exchange.tell(site, held and held.advert)

    def _heard(self, site: str, advert: SiteAdvert | None) -> None:
        """Other domains tell this of a site of theirs."""
        since = time.monotonic()
        if self._has_begun:
            changed = self.program.take(advert) if advert else self.program.withdraw(site, "bgp")
            self._changed(changed, since)
        elif advert:
            self.program.accept(advert)
        else:
            self.program.store.withdraw(site, "bgp")
        self._new_deadline.set()
        told = {"sequence": advert.sequence, "functions": len(advert.functions)} if advert else {}
        self.events("advert-over-bgp", site=site, **told)

    async def rotate_keys(self) -> None:
        """Seal cookies with a new key; those sealed with the last one stay valid until the next rotation.

        Raises:
            RuntimeError: not all routers are connected; one that misses the change would refuse new cookies.
        """
        if self.catalogue.cookies:
            raise RuntimeError("the catalogue declares the keys (cookies): change them there")
        down = [name for name, target in self.targets.items() if target.session is None]
        if down or not self._started.is_set() or self.program.ring is None:
            raise RuntimeError(f"not connected to {', '.join(down) or 'all routers yet'}")
        for step in (KeyRing.announced, KeyRing.rotated):
            self.program.use_keys(step(self.program.ring))
            self._changed({})
            await asyncio.gather(*(installer.settled() for installer in self.installers.values()))
        self.events("keys-rotated", sealing=self.program.ring.sealing)

    def _server(self, name: str) -> Callable[[Session], asyncio.Future[None]]:
        return lambda session: asyncio.ensure_future(self._serve(name, session))

    async def _serve(self, name: str, session: Session) -> None:
        await first_of(
            self.installers[name].run(session, lambda: self._adopted(name)),
            self._listen(name, session),
            self._measure_links(name, session),
            self._probe(name, session),
        )

    async def _adopted(self, name: str) -> None:
        """Tell what a router holds, and wait until it is known what it should hold."""
        if name not in self._found:
            # Of 50,000 entries it takes seconds, and concerns nothing else.
            found = await asyncio.to_thread(adopt, self.program.tables[name].installed, self._schema)
            self._found[name] = found
            if self._has_begun:
                self.program.join(name, self._found[name])
        self._first_found.set()
        if self._found.keys() == self.targets.keys():
            self._all_found.set()
        await self._started.wait()

    async def _start(self) -> None:
        await self._first_found.wait()
        try:
            await asyncio.wait_for(self._all_found.wait(), _GATHER_S)
        except TimeoutError:
            silent = self.targets.keys() - self._found.keys()
            self.events("started-without", routers=sorted(silent))
        if any(found.ring for found in self._found.values()):
            await self._measured()
        self._changed(self.program.start(self._found))
        self._has_begun = True
        self._look_whether_started()

    def _look_whether_started(self) -> None:
        """Routers are written from when there is something to write for all functions."""
        is_ready = self._has_begun and self.program.due.keys() <= self.program.steering.decided
        if is_ready and not self._started.is_set():
            # What there is now stays; the garbage collector takes 0.3 s to look through 10,000 services.
            gc.freeze()
            self._started.set()

    async def _decide(self) -> None:
        """Decide upon what is due, a piece after the other, so that nobody else has to wait for long."""
        while True:
            await self._is_due.wait()
            while self.program.has_work:
                now = time.monotonic()
                self._pace.decided(now - self.program.due.since if self.program.due else 0.0)
                since, end = self._since, now + _PIECE_S
                changes = self.program.decide(lambda end=end: time.monotonic() >= end)
                if not self.program.has_work:
                    self._since = None
                for name, installer in self.installers.items():
                    installer.changed(changes.get(name, {}), since)
                self._look_whether_started()
                await let_others(_PIECE_S)
            self._is_due.clear()
            self._nothing_due.set()

    async def settled(self) -> None:
        """Wait until everything that is known is decided upon and installed."""
        await self._nothing_due.wait()
        for installer in self.installers.values():
            await installer.settled()

    async def _measured(self) -> None:
        """Wait for what routers tell of links that they measured before, but not for long."""
        end = time.monotonic() + _MEASURE_S
        while self._options.probe_s and not self.program.links.are_measured and time.monotonic() < end:
            await asyncio.sleep(_MEASURE_S / 20)

    async def _listen(self, name: str, session: Session) -> None:
        async for report in session.reports():
            self.program.report(name, report)

    async def _measure_links(self, name: str, session: Session) -> None:
        async for report in session.link_reports():
            self.program.links.report(name, report)

    async def _probe(self, name: str, session: Session) -> None:
        await self._probers[name].run(session)

    async def _settle_links(self) -> None:
        await self._started.wait()
        while True:
            await asyncio.sleep(_SETTLE_S)
            self._changed(self.program.settle_links())
            self._changed(self.program.tune())

    async def _expire(self) -> None:
        await self._started.wait()
        while True:
            self._new_deadline.clear()
            deadline = self.program.next_deadline
            try:
                async with asyncio.timeout(
                    None if deadline is None else max(0.0, deadline - time.monotonic())
                ):
                    await self._new_deadline.wait()
            except TimeoutError:
                self._changed(self.program.expire())
                for site in self.catalogue.sites:
                    self._tell_others(site)

    def _changed(self, changes: Changes, since: float | None = None) -> None:
        """These are decided, and more may be due by what came at `since` (monotonic)."""
        for name, installer in self.installers.items():
            installer.changed(changes.get(name, {}), None)
        if self.program.has_work:
            if since is not None:
                self._since = min(since, self._since or since)
            self._nothing_due.clear()
            self._is_due.set()
        else:
            self._pace.decided(0.0)

    def _reacted(self, seconds: float) -> None:
        self.reactions_ms.append(seconds * 1000)
