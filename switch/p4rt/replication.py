"""The packet replication engine: multicast groups and clone sessions (§ 9.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from finsy.proto import p4r

from .. import api
from . import values
from .context import Context
from .errors import already_exists, invalid_argument, not_found, out_of_range, unimplemented
from .undo import UndoLog

MAX_MULTICAST_GROUP = 0xFFFF
"""v1model: `standard_metadata.mcast_grp` is 16 bits wide."""

MAX_CLONE_SESSION = 0x7FFF
"""simple_switch: a session id has 15 bits."""

MAX_INSTANCE = 0xFFFF
"""v1model: `standard_metadata.egress_rid` is 16 bits wide."""

M = TypeVar("M", p4r.MulticastGroupEntry, p4r.CloneSessionEntry)


class Replicas(Generic[M]):
    """Multicast groups or clone sessions by id, as they are read back."""

    def __init__(
        self, what: str, limit: int, identify: Callable[[M], int], apply: Callable[[int, M | None], None]
    ):
        """`apply` gives the pipeline the entry with an id, None to remove it."""
        self.entries: dict[int, M] = {}
        self._what = what
        self._limit = limit
        self._identify = identify
        self._apply = apply

    def insert(self, message: M, undo: UndoLog) -> None:
        """Add an entry."""
        entry_id = self._id(message)
        if entry_id in self.entries:
            raise already_exists(f"{self._what} {entry_id} exists already")
        self._change(entry_id, self._canonical(message), undo)

    def modify(self, message: M, undo: UndoLog) -> None:
        """Replace an entry's replicas at one instant."""
        entry_id = self._existing(message)
        self._change(entry_id, self._canonical(message), undo)

    def delete(self, message: M, undo: UndoLog) -> None:
        """Remove an entry; only its id counts."""
        self._change(self._existing(message), None, undo)

    def read(self, entry_id: int) -> Iterator[M]:
        """The entry with an id, or with 0 all of them."""
        if not entry_id:
            yield from self.entries.values()
        elif entry_id in self.entries:
            yield self.entries[entry_id]
        else:
            raise not_found(f"there is no {self._what} {entry_id}")

    def _id(self, message: M) -> int:
        entry_id = self._identify(message)
        if not entry_id:
            raise invalid_argument(f"0 is not the id of a {self._what}")
        if entry_id > self._limit:
            raise out_of_range(f"{self._what} {entry_id}: ids end at {self._limit}")
        return entry_id

    def _existing(self, message: M) -> int:
        entry_id = self._id(message)
        if entry_id not in self.entries:
            raise not_found(f"there is no {self._what} {entry_id}")
        return entry_id

    def _canonical(self, message: M) -> M:
        entry = type(message)()
        entry.CopyFrom(message)
        place = f"{self._what} {self._identify(message)}"
        seen: set[tuple[int, int]] = set()
        for replica in entry.replicas:
            if replica.backup_replicas:
                raise unimplemented(f"{place}: backup replicas are not supported")
            port = _port(place, replica)
            if replica.instance > MAX_INSTANCE:
                raise invalid_argument(f"{place}: instance {replica.instance} is above {MAX_INSTANCE}")
            if (port, replica.instance) in seen:
                raise invalid_argument(f"{place}: port {port} has instance {replica.instance} twice")
            seen.add((port, replica.instance))
        return entry

    def _change(self, entry_id: int, entry: M | None, undo: UndoLog) -> None:
        undo.add(self._set, entry_id, self.entries.get(entry_id))
        self._set(entry_id, entry)

    def _set(self, entry_id: int, entry: M | None) -> None:
        self._apply(entry_id, entry)
        if entry is None:
            self.entries.pop(entry_id, None)
        else:
            self.entries[entry_id] = entry


def _port(place: str, replica: p4r.Replica) -> int:
    """The port of a replica; makes its byte string canonical in place."""
    # egress_port is deprecated since 1.4 and still to be served.
    kind = replica.WhichOneof("port_kind")
    if kind is None:
        raise invalid_argument(f"{place}: a replica has no port")
    by_number = kind == "egress_port"
    port = replica.egress_port if by_number else int.from_bytes(replica.port)  # pyright: ignore[reportDeprecated]
    if port > api.PORT_MASK or (not by_number and not replica.port):
        raise invalid_argument(f"{place}: 0x{port:x} is not a port")
    if not by_number:
        replica.port = values.encode(port)
    return port


def _replicas(place: str, replicas: Iterable[p4r.Replica]) -> list[api.Replica]:
    return [api.Replica(_port(place, replica), replica.instance) for replica in replicas]


def multicast_groups(context: Context) -> Replicas[p4r.MulticastGroupEntry]:
    """The multicast groups of a pipeline (§ 9.5.1)."""

    def apply(group: int, entry: p4r.MulticastGroupEntry | None) -> None:
        replicas = [] if entry is None else _replicas("multicast group", entry.replicas)
        context.pipeline.multicast_set(group, replicas)

    return Replicas("multicast group", MAX_MULTICAST_GROUP, lambda message: message.multicast_group_id, apply)


def clone_sessions(context: Context) -> Replicas[p4r.CloneSessionEntry]:
    """The clone sessions of a pipeline (§ 9.5.2)."""

    def apply(session: int, entry: p4r.CloneSessionEntry | None) -> None:
        if entry is None:
            context.pipeline.clone_session_set(session, [])
            return
        if entry.packet_length_bytes < 0:
            raise invalid_argument(f"clone session {session}: packet_length_bytes is negative")
        context.pipeline.clone_session_set(
            session, _replicas("clone session", entry.replicas), entry.packet_length_bytes
        )

    return Replicas("clone session", MAX_CLONE_SESSION, lambda message: message.session_id, apply)
