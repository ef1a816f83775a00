"""Digests: which are wanted, how they are gathered into lists, and which the client still works on (§ 9.8).

Pure state: times are monotonic nanoseconds that the caller passes in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from finsy.proto import p4r

from .. import api
from .context import Context
from .errors import already_exists, invalid_argument, not_found
from .p4info import DigestSpec
from .undo import UndoLog

MAX_LIST = 4096
"""A list holds at most this many messages where the client sets no limit."""

MAX_UNACKED = 4096
"""As many lists wait for their acknowledgement; the oldest makes room."""

_Values = tuple[int, ...]


@dataclass(slots=True)
class _Sent:
    at_ns: int
    messages: tuple[_Values, ...]


@dataclass(slots=True)
class Learning:
    """One digest that a client wants: its configuration, the list being filled and the lists sent."""

    spec: DigestSpec
    config: p4r.DigestEntry.Config
    pending: dict[_Values, None] = field(default_factory=dict[_Values, None])
    pending_since_ns: int = 0
    sent: OrderedDict[int, _Sent] = field(default_factory=OrderedDict[int, _Sent])
    unacked: set[_Values] = field(default_factory=set[_Values])
    next_list_id: int = 1

    def offer(self, message: _Values, now_ns: int) -> p4r.DigestList | None:
        """Take a message unless it is known already; the list that it completes, if any."""
        self.expire(now_ns)
        if message in self.pending or message in self.unacked:
            return None
        if not self.pending:
            self.pending_since_ns = now_ns
        self.pending[message] = None
        return self.flush(now_ns) if self._full or not self.config.max_timeout_ns else None

    @property
    def _full(self) -> bool:
        return len(self.pending) >= (self.config.max_list_size or MAX_LIST)

    def due_ns(self) -> int | None:
        """When the list being filled has to go, None if it is empty."""
        if not self.pending:
            return None
        return self.pending_since_ns + (0 if self._full else self.config.max_timeout_ns)

    def flush(self, now_ns: int) -> p4r.DigestList:
        """Send what is there; `timestamp` is the caller's to set."""
        messages = tuple(self.pending)
        self.pending.clear()
        list_id, self.next_list_id = self.next_list_id, self.next_list_id + 1
        if self.config.ack_timeout_ns:
            self.sent[list_id] = _Sent(now_ns, messages)
            self.unacked.update(messages)
            if len(self.sent) > MAX_UNACKED:
                self.ack(next(iter(self.sent)))
        data = [self.spec.type.encode(iter(message)) for message in messages]
        return p4r.DigestList(digest_id=self.spec.id, list_id=list_id, data=data)

    def ack(self, list_id: int) -> None:
        """The client is done with a list: its messages may be sent again."""
        sent = self.sent.pop(list_id, None)
        if sent is not None:
            self.unacked.difference_update(sent.messages)

    def expire(self, now_ns: int) -> None:
        """Forget lists that were never acknowledged in time."""
        while self.sent:
            list_id, sent = next(iter(self.sent.items()))
            if now_ns - sent.at_ns < self.config.ack_timeout_ns:
                return
            self.ack(list_id)


class Digests:
    """The digests of a pipeline a client wants; `on_change` hears that lists may be due at another time."""

    def __init__(self, context: Context):
        self.on_change: Callable[[], None] = lambda: None
        self.wanted: dict[int, Learning] = {}
        self._schema = context.schema
        self._ids = {spec.name: spec.id for spec in context.schema.digests.values()}

    def insert(self, message: p4r.DigestEntry, undo: UndoLog) -> None:
        """Start sending a digest."""
        spec = self._spec(message)
        if spec.id in self.wanted:
            raise already_exists(f"digest {spec.name} is configured already")
        self._set(spec.id, Learning(spec, _config(spec, message)))
        undo.add(self._set, spec.id, None)

    def modify(self, message: p4r.DigestEntry, undo: UndoLog) -> None:
        """Change how a digest is sent."""
        learning = self._learning(message)
        config = _config(learning.spec, message)
        undo.add(self._configure, learning, learning.config)
        self._configure(learning, config)

    def delete(self, message: p4r.DigestEntry, undo: UndoLog) -> None:
        """Stop sending a digest."""
        learning = self._learning(message)
        self._set(learning.spec.id, None)
        undo.add(self._set, learning.spec.id, learning)

    def read(self, digest_id: int) -> Iterator[p4r.DigestEntry]:
        """The configuration of a digest, or with 0 of all that have one."""
        if digest_id:
            self._schema.find(self._schema.digests, "digest", digest_id)
            if digest_id not in self.wanted:
                raise not_found(f"digest 0x{digest_id:08x} is not configured")
        for learning in [self.wanted[digest_id]] if digest_id else self.wanted.values():
            yield p4r.DigestEntry(digest_id=learning.spec.id, config=learning.config)

    def offer(self, digests: Sequence[api.Digest], now_ns: int) -> list[p4r.DigestList]:
        """Take messages of the data plane; the lists that are complete."""
        lists: list[p4r.DigestList] = []
        for digest in digests:
            learning = self.wanted.get(self._ids.get(digest.name, 0))
            if learning is not None:
                complete = learning.offer(digest.values, now_ns)
                if complete is not None:
                    lists.append(complete)
        return lists

    def due_ns(self) -> int | None:
        """When the next list has to go."""
        times = [due for learning in self.wanted.values() if (due := learning.due_ns()) is not None]
        return min(times, default=None)

    def take_due(self, now_ns: int) -> list[p4r.DigestList]:
        """The lists whose time has come."""
        return [
            learning.flush(now_ns)
            for learning in self.wanted.values()
            if (due := learning.due_ns()) is not None and due <= now_ns
        ]

    def ack(self, message: p4r.DigestListAck) -> None:
        """Take an acknowledgement; one for a list that is not waiting changes nothing.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT where P4Info has no such digest (§ 16.6).
        """
        self._schema.find(self._schema.digests, "digest", message.digest_id)
        if message.digest_id in self.wanted:
            self.wanted[message.digest_id].ack(message.list_id)

    def _spec(self, message: p4r.DigestEntry) -> DigestSpec:
        return self._schema.find(self._schema.digests, "digest", message.digest_id)

    def _learning(self, message: p4r.DigestEntry) -> Learning:
        spec = self._spec(message)
        if spec.id not in self.wanted:
            raise not_found(f"digest {spec.name} is not configured")
        return self.wanted[spec.id]

    def _configure(self, learning: Learning, config: p4r.DigestEntry.Config) -> None:
        learning.config = config
        self.on_change()

    def _set(self, digest_id: int, learning: Learning | None) -> None:
        if learning is None:
            self.wanted.pop(digest_id, None)
        else:
            self.wanted[digest_id] = learning
        self.on_change()


def _config(spec: DigestSpec, message: p4r.DigestEntry) -> p4r.DigestEntry.Config:
    config = p4r.DigestEntry.Config()
    config.CopyFrom(message.config)
    if min(config.max_timeout_ns, config.max_list_size, config.ack_timeout_ns) < 0:
        raise invalid_argument(f"digest {spec.name}: timeouts and list size are not negative")
    return config
