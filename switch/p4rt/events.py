"""What the data plane tells of itself (packets, digests, idle entries), on its way to the primary clients."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from finsy.proto import p4r

from .. import api
from .arbitration import Arbitration
from .config import Installed
from .mailbox import Mailbox
from .packetio import ControllerHeader
from .session import Session

_LOG = logging.getLogger(__name__)


class Events:
    """Takes the events of the pipeline that runs and gives them to whom they concern.

    `dropped_packets` counts packet-ins that no client could take: there is none, or it does not keep up.
    """

    def __init__(self, arbitration: Arbitration[Session]):
        """Has to be made in a running event loop."""
        self.dropped_packets = 0
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._arbitration = arbitration
        self._source: Installed | None = None
        self._packet_in = ControllerHeader("packet_in", ())
        self._packets: Mailbox[tuple[Installed, bytes]] = Mailbox(loop, self._packet)
        self._digests: Mailbox[tuple[Installed, api.Digest]] = Mailbox(loop, self._digest)
        self._idle: Mailbox[tuple[Installed, str, int]] = Mailbox(loop, self._idled)
        self._idle_entries: list[p4r.TableEntry] = []
        self._timer: asyncio.TimerHandle | None = None

    def connect(self, installed: Installed) -> None:
        """Listen to a pipeline that is about to run, and to no other any more."""
        self._source = installed
        self._packet_in = ControllerHeader("packet_in", installed.state.schema.packet_in)
        installed.state.digests.on_change = self._schedule
        pipeline = installed.pipeline
        pipeline.on_packet_in(lambda packet: self._packets.put((installed, packet)))
        pipeline.on_digest(lambda digests: self._put_digests(installed, digests))
        pipeline.on_idle(lambda table, handle: self._idle.put((installed, table, handle)))

    def close(self) -> None:
        """Take nothing more."""
        for mailbox in (self._packets, self._digests, self._idle):
            mailbox.close()
        if self._timer is not None:
            self._timer.cancel()
        lost = self.dropped_packets + self._packets.dropped
        if lost:
            _LOG.warning("%d packet-ins were lost, as no client took them in time", lost)

    def _packet(self, item: tuple[Installed, bytes]) -> None:
        source, packet = item
        primaries = self._arbitration.primaries()
        if source is not self._source or all(session.full for _, session in primaries):
            self.dropped_packets += 1
            return
        message = self._packet_in.split(packet)
        if message is None:
            self.dropped_packets += 1
            return
        for role, session in primaries:
            if role.may_hear(message):
                session.offer(p4r.StreamMessageResponse(packet=message))

    def _put_digests(self, installed: Installed, digests: Sequence[api.Digest]) -> None:
        for digest in digests:
            self._digests.put((installed, digest))

    def _digest(self, item: tuple[Installed, api.Digest]) -> None:
        source, digest = item
        if source is self._source:
            self._send_lists(source.state.digests.offer((digest,), time.monotonic_ns()))
            self._schedule()

    def _send_lists(self, lists: Sequence[p4r.DigestList]) -> None:
        for digest_list in lists:
            digest_list.timestamp = time.time_ns()
            for role, session in self._arbitration.primaries():
                if role.may_touch(digest_list.digest_id):
                    session.offer(p4r.StreamMessageResponse(digest=digest_list))

    def _schedule(self) -> None:
        """Wake when the next list of digests has waited long enough."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = None if self._source is None else self._source.state.digests.due_ns()
        if due is not None:
            delay = max(0, due - time.monotonic_ns()) / 1e9
            self._timer = self._loop.call_later(delay, self._due)

    def _due(self) -> None:
        if self._source is not None:
            self._send_lists(self._source.state.digests.take_due(time.monotonic_ns()))
        self._schedule()

    def _idled(self, item: tuple[Installed, str, int]) -> None:
        """Gather the entries that fell idle together in one notification."""
        source, table_name, handle = item
        table = source.state.table_by_name(table_name)
        entry = None if table is None else table.timed(handle)
        if source is not self._source or table is None or entry is None:
            return
        if not self._idle_entries:
            self._loop.call_soon(self._notify_idle)
        message = p4r.TableEntry()
        table.codec.encode_key(entry.row, message)
        table.codec.encode_note(entry.note, message)
        self._idle_entries.append(message)

    def _notify_idle(self) -> None:
        entries, self._idle_entries = self._idle_entries, []
        for role, session in self._arbitration.primaries():
            told = [entry for entry in entries if role.may_touch(entry.table_id)]
            if told:
                notice = p4r.IdleTimeoutNotification(table_entry=told, timestamp=time.time_ns())
                session.offer(p4r.StreamMessageResponse(idle_timeout_notification=notice))
