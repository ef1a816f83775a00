"""Keeps one router's tables as they are wanted, over one session after another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from control.decided import Draw, Verdict
from control.events import EventLog
from control.order import Order
from control.reconcile import Phase
from control.router_tables import RouterTables
from control.tables import BEYOND
from control.target import Session

_AFTER_REFUSAL_S = 1.0
_AUDIT_SPACING = 20
"""How many times as long as it takes tables are not read back: those of a large network take seconds."""
_FIRST_AUDIT_S = 1.0
"""After a session began: what an earlier one had sent may have come in after the tables were read."""


@dataclass(slots=True)
class Progress:
    """What has been written; times in seconds since the Unix epoch.

    Attributes:
        updates: entries written since the controller started.
        refused: updates the target refused.
        last_write: when the last write was done.
        written: when each decision was last written.
    """

    updates: int = 0
    refused: int = 0
    last_write: float | None = None
    written: dict[Draw, float] = field(default_factory=dict[Draw, float])


class Installer:
    """Writes what is wanted, reads back from time to time, and repairs."""

    def __init__(
        self,
        router: str,
        tables: RouterTables,
        audit_s: float,
        events: EventLog,
        reacted: Callable[[float], None],
        *,
        order: Order,
    ):
        """`reacted` is told the seconds from each advert to the weights that follow it being installed.

        `order` is shared by all routers.
        """
        self.tables = tables
        self.progress = Progress()
        self._router = router
        self._audit_s = audit_s
        self._events = events
        self._reacted = reacted
        self._order = order
        self._connected = False
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._since: float | None = None
        self._unwritten: dict[Draw, Verdict | None] = {}

    def changed(self, decisions: Mapping[Draw, Verdict | None], since: float | None) -> None:
        """What is wanted has changed: these decisions, by an advert that came at `since` (monotonic)."""
        if self.tables.pending:
            self._unwritten.update(decisions)
            if since is not None:
                self._since = min(since, self._since or since)
            self._settled.clear()
            self._wake.set()
            if self._connected and self.tables.opens:
                self._order.opens(self._router)

    async def settled(self) -> None:
        """Wait until everything wanted is installed."""
        await self._settled.wait()

    async def run(self, session: Session, adopted: Callable[[], Awaitable[None]]) -> None:
        """Serve one session; `adopted` returns once it is known what is wanted of this router."""
        self._settled.clear()
        self._since = None
        self.tables.found(await session.read())
        self._connected = True
        self._order.opens(self._router)
        try:
            await self._keep(session, adopted)
        finally:
            self._connected = False
            self._order.ready(self._router)

    async def _keep(self, session: Session, adopted: Callable[[], Awaitable[None]]) -> None:
        await adopted()
        self._events("switch-read", router=self._router, entries=len(self.tables))
        have_read = True
        audit_at = time.monotonic() + min(self._audit_s, _FIRST_AUDIT_S)
        while True:
            self._wake.clear()
            phases = self.tables.changes()
            if have_read and phases:
                self._events("switch-repaired", router=self._router, changes=sum(map(len, phases)))
            refused = await self._write(session, phases)
            have_read = False
            if refused:
                await asyncio.sleep(_AFTER_REFUSAL_S)
            elif self.tables.pending:
                continue
            else:
                self._done()
                if await self._woken(audit_at):
                    continue
            since = time.monotonic()
            self.tables.found(await session.read())
            have_read = True
            now = time.monotonic()
            audit_at = now + max(self._audit_s, _AUDIT_SPACING * (now - since))

    async def _write(self, session: Session, phases: list[Phase]) -> int:
        refusals = 0
        waited = False
        for phase in phases:
            if not waited and phase[0].entry.rank >= BEYOND:
                self._tell_ready()
                await self._order.others(self._router)
                waited = True
            failures = await session.write(phase)
            failed = {id(failure.change) for failure in failures}
            self.tables.done(change for change in phase if id(change) not in failed)
            self.tables.refused(failure.change for failure in failures)
            self.progress.updates += len(phase) - len(failures)
            refusals += len(failures)
            if failures:
                first = failures[0]
                self._events(
                    "write-refused",
                    router=self._router,
                    refused=len(failures),
                    kind=first.change.kind.name,
                    entry=first.change.entry.describe(session.schema),
                    reason=first.reason,
                )
        self._tell_ready()
        self.progress.refused += refusals
        if phases:
            self.progress.last_write = time.time()
        return refusals

    def _tell_ready(self) -> None:
        if not self.tables.opens:
            self._order.ready(self._router)

    def _done(self) -> None:
        now = time.time()
        for draw, verdict in self._unwritten.items():
            if verdict is None:
                self.progress.written.pop(draw, None)
            else:
                self.progress.written[draw] = now
        self._unwritten.clear()
        if self._since is not None:
            self._reacted(time.monotonic() - self._since)
            self._since = None
        self._settled.set()

    async def _woken(self, audit_at: float) -> bool:
        """Wait for a change until it is time to read back; whether there was one."""
        try:
            await asyncio.wait_for(self._wake.wait(), audit_at - time.monotonic())
        except TimeoutError:
            return False
        return True
