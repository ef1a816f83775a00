"""A P4Runtime target: a connection that comes back, and what is read from and written to it.

Works on any P4Runtime 1.4 target with the program: it needs no atomicity, no group MODIFY and no registers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple, cast

import finsy as fy
from finsy import p4client
from finsy.grpcutil import GRPCStatusCode

import p4src
from control.catalogue import Router
from control.entries import Entity, Entry, from_proto
from control.events import EventLog
from control.links import LinkReport
from control.measurements import Report
from control.model import Member
from control.reading import Reader
from control.reconcile import Change, Phase
from control.usage import UsageKey
from control.waiting import first_of

_BATCH = 500
"""Updates in one Write: far below gRPC's 4 MB a message."""
_CONNECT_S = 120.0
"""A target may compile the pipeline when it is pushed for the first time."""
_CALL_S = 60.0
_RETRY_S = (0.1, 1.0)
_REPORTS = 1000

if not hasattr(p4client, "_DEFAULT_RPC_TIMEOUT"):
    raise ImportError("this version of finsy bounds calls in another way")
# It is ten seconds and no option: too little for a push that compiles the program on a busy machine.
setattr(p4client, "_DEFAULT_RPC_TIMEOUT", _CALL_S)  # noqa: B010 - it is private


class Failure(NamedTuple):
    """An update that the target refused."""

    change: Change
    reason: str


class Session:
    """An open connection on which this controller is the primary and the program is loaded."""

    def __init__(self, switch: fy.Switch, reader: Reader):
        self._switch = switch
        self._reader = reader
        self._saying = asyncio.Lock()
        self.schema = switch.p4info

    async def read(self) -> dict[bytes, Entry]:
        """Everything that is installed: entries, default actions, configurations, clone sessions."""
        metered = [t.alias for t in self.schema.tables if t.direct_meter]
        keyless = [t.alias for t in self.schema.tables if not t.match_fields and not t.is_const]
        no_rates = fy.P4MeterConfig(cir=0, cburst=0, pir=0, pburst=0)
        wildcards: list[Entity] = [
            # The rates are told only where they are asked for (P4Runtime specification 1.4, §9.1.6).
            *(fy.P4TableEntry(name, meter_config=no_rates) for name in metered),
            *(fy.P4TableEntry(name, is_default_action=True) for name in keyless),
            *(fy.P4MeterEntry(meter.alias) for meter in self.schema.meters),
            fy.P4CloneSessionEntry(session_id=0),
            *(fy.P4DigestEntry(digest.alias) for digest in self.schema.digests),
        ]
        there = self._reader.table_entries(self._switch.address, self._switch.device_id)
        entries = {entry.key: entry async for entry in there}
        for wildcard in wildcards:
            try:
                async for entity in self._read(wildcard):
                    entry = from_proto(entity.encode(self.schema), self.schema)
                    if entry:
                        entries[entry.key] = entry
            except fy.P4ClientError as error:
                # The answer for a digest that is not configured, as a whole or for the one entity asked for.
                if error.code != GRPCStatusCode.NOT_FOUND and not (error.details and error.is_not_found_only):
                    raise
        return entries

    async def write(self, phase: Phase) -> list[Failure]:
        """Make the changes of one phase, all that can be made.

        Returns:
            The updates that were refused.

        Raises:
            fy.P4ClientError: the request as a whole failed; how much of it was done is not known.
        """
        failures: list[Failure] = []
        for start in range(0, len(phase), _BATCH):
            batch = phase[start : start + _BATCH]
            try:
                await self._switch.write([change.entry.update(change.kind) for change in batch])
            except fy.P4ClientError as error:
                if not error.details:
                    raise
                failures += [
                    Failure(batch[index], f"{detail.canonical_code.name} {detail.message}")
                    for index, detail in error.details.items()
                ]
        return failures

    async def outcomes(self) -> dict[str, int]:
        """Packets by what became of them, under the program's names."""
        outcome = self.schema.type_info.serializable_enums["Outcome"]
        names = {value: name for name, value in outcome.members.items()}
        found: dict[str, int] = {}
        async for entry in self._read(fy.P4DirectCounterEntry("outcomes")):
            if entry.table_entry and entry.data:
                found[names[entry.table_entry["outcome"]]] = entry.data.packet_count
        return found

    async def bound(self, slots: Mapping[Member, int]) -> dict[Member, int]:
        """Requests bound to each member by this router since it started."""
        members = {slot: member for member, slot in slots.items()}
        wanted = [fy.P4CounterEntry("bound", index=slot) for slot in members]
        if not wanted:
            return {}
        counts = {entry.index: entry.packet_count async for entry in self._read(wanted)}
        return {members[slot]: count for slot, count in counts.items() if slot in members}

    async def usage(self) -> dict[UsageKey, tuple[int, int]]:
        """Requests and bytes bound by this router since it started."""
        found: dict[UsageKey, tuple[int, int]] = {}
        async for entry in self._read(fy.P4DirectCounterEntry("used")):
            if entry.table_entry and entry.data:
                key = UsageKey(*(entry.table_entry[field] for field in UsageKey._fields))
                found[key] = (entry.data.packet_count, entry.data.byte_count)
        return found

    async def reports(self) -> AsyncIterator[Report]:
        """What the router tells of members, acknowledged as it is taken."""
        async for digest in self._switch.read_digests("member_report", queue_size=_REPORTS):
            for data in digest:
                member = Member(data["site"]) if data["is_remote"] else Member(data["site"], data["instance"])
                yield Report(member, data["load"], data["queue"], data["response_us"])
            await self._say(digest.ack())

    async def link_reports(self) -> AsyncIterator[LinkReport]:
        """What the router tells of its links, acknowledged as it is taken."""
        async for digest in self._switch.read_digests("link_report", queue_size=_REPORTS):
            for data in digest:
                yield LinkReport(*(data[field] for field in LinkReport._fields))
            await self._say(digest.ack())

    async def send(self, port: int, frame: bytes) -> None:
        """Have a frame sent out of a port."""
        await self._say(fy.P4PacketOut(frame, egress_port=port, padding=0))

    async def _say(self, message: object) -> None:
        """Send a message on the stream, one at a time: gRPC breaks the stream where two are sent at once."""
        async with self._saying:
            await cast(Any, self._switch).write([message])

    async def _read(self, entities: object) -> AsyncIterator[Any]:
        # finsy declares `read` in a way that type checkers take for a coroutine.
        async for entity in cast(Any, self._switch).read(entities):
            yield entity


class Target:
    """A router's switch, connected to for as long as `run` runs."""

    def __init__(self, name: str, router: Router, events: EventLog, reader: Reader):
        """`reader` is shared by all routers."""
        options = fy.SwitchOptions(p4info=p4src.P4INFO, p4blob=p4src.JSON, device_id=router.device_id)
        self._options = options
        self._name = name
        self._address = router.address
        self._events = events
        self._reader = reader
        self.session: Session | None = None

    async def run(self, use: Callable[[Session], Awaitable[None]]) -> None:
        """Connect, give the session to `use` until the connection is lost, and begin again."""
        retry = _RETRY_S[0]
        while True:
            if await _reachable(self._address):
                reason = await self._attempt(use)
                if reason:
                    self._events("switch-error", router=self._name, reason=reason)
                else:
                    retry = _RETRY_S[0]
            await asyncio.sleep(retry)
            retry = min(retry * 2, _RETRY_S[1])

    async def _attempt(self, use: Callable[[Session], Awaitable[None]]) -> str | None:
        """Connect once and stay until the connection is lost; why it failed, if it did."""
        # finsy ends a switch that fails by cancelling its tasks, and whoever waits for them with it.
        attempt = asyncio.ensure_future(self._connected(use))
        try:
            await asyncio.wait({attempt})
        finally:
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)
        if attempt.cancelled():
            return "the connection failed while it was opened"
        error = attempt.exception()
        # Whatever one switch makes go wrong, the others are to be served.
        return error and f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"

    async def _connected(self, use: Callable[[Session], Awaitable[None]]) -> None:
        switch = fy.Switch(self._name, self._address, self._options)
        lost = asyncio.Event()
        async with asyncio.timeout(_CONNECT_S) as opening:
            async with switch:
                opening.reschedule(None)
                switch.ee.once(fy.SwitchEvent.CHANNEL_DOWN, _setter(lost))
                primary = asyncio.Event()
                switch.ee.on(fy.SwitchEvent.BECOME_PRIMARY, _setter(primary))
                if not switch.is_primary:
                    self._events("switch-backup", router=self._name)
                    await first_of(primary.wait(), lost.wait())
                if not lost.is_set():
                    await self._use(switch, use, lost)

    async def _use(
        self, switch: fy.Switch, use: Callable[[Session], Awaitable[None]], lost: asyncio.Event
    ) -> None:
        self.session = Session(switch, self._reader)
        self._events("switch-up", router=self._name, address=self._address)
        try:
            await first_of(use(self.session), lost.wait())
        finally:
            self.session = None
            self._events("switch-down", router=self._name)


def _setter(event: asyncio.Event) -> Callable[[object], None]:
    return lambda _switch: event.set()


async def _reachable(address: str) -> bool:
    """Whether something listens there; gRPC would tell too, but backs off for seconds between its tries."""
    try:
        if address.startswith("unix:"):
            _, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
        else:
            host, _, port = address.rpartition(":")
            _, writer = await asyncio.wait_for(
                asyncio.open_connection(host.strip("[]"), int(port)), _RETRY_S[1]
            )
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
