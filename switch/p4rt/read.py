"""Queries: every entity, one at a time or by wildcard (§ 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from finsy.proto import p4r, rpc_code

from ..api import CounterValue
from . import meters
from .arrays import cells
from .entries import Entry, cookie
from .errors import BatchError, P4RuntimeError, internal, invalid_argument, unimplemented
from .roles import Role, subject
from .state import State
from .tables import Table

T = TypeVar("T")
M_co = TypeVar("M_co", covariant=True)


class _Spec(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...


class _Array(Protocol[M_co]):
    @property
    def spec(self) -> _Spec: ...
    def read(self, index: int) -> M_co: ...


class Reader:
    """Answers the requests of one `ReadRequest`."""

    def __init__(self, state: State, role: Role | None):
        """A role sees its own entities; None sees all."""
        self._state = state
        self._role = role
        self._answers: Mapping[str, Callable[[p4r.Entity], Iterator[p4r.Entity]]] = {
            "table_entry": self._table_entries,
            "action_profile_member": self._members,
            "action_profile_group": self._groups,
            "counter_entry": self._counters,
            "direct_counter_entry": self._direct_counters,
            "meter_entry": self._meters,
            "direct_meter_entry": self._direct_meters,
            "register_entry": self._registers,
            "value_set_entry": self._value_sets,
            "digest_entry": self._digests,
            "packet_replication_engine_entry": self._replication,
            "extern_entry": self._extern,
        }

    def run(self, requests: Iterable[p4r.Entity]) -> Iterator[p4r.Entity]:
        """The entities that all requests select.

        Raises:
            BatchError: requests failed; it comes after the entities of those that did not (§ 13.3).
        """
        results: list[P4RuntimeError | None] = []
        for request in requests:
            failed = None
            try:
                yield from self._visible(self._select(request))
            except P4RuntimeError as error:
                failed = error
            except (LookupError, ValueError, OSError) as error:
                failed = internal(f"the pipeline refused the read: {error!r}")
            results.append(failed)
        if any(results):
            raise BatchError("request", results)

    def _visible(self, entities: Iterable[p4r.Entity]) -> Iterable[p4r.Entity]:
        role = self._role
        if role is None or role.objects is None:
            return entities
        return (entity for entity in entities if role.may_touch(subject(entity)))

    def _select(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        answer = self._answers.get(request.WhichOneof("entity") or "")
        if answer is None:
            raise invalid_argument("the request has no entity of a known kind")
        return answer(request)

    def _members(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        wanted = request.action_profile_member
        for profile in self._all(self._state.profiles, "action profile", wanted.action_profile_id):
            for found in profile.members.read(wanted.member_id):
                yield p4r.Entity(action_profile_member=found)

    def _groups(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        wanted = request.action_profile_group
        for profile in self._all(self._state.profiles, "action profile", wanted.action_profile_id):
            for found in profile.groups.read(wanted.group_id):
                yield p4r.Entity(action_profile_group=found)

    def _counters(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        wanted = request.counter_entry
        arrays = self._all(self._state.counters, "counter", wanted.counter_id)
        for found in _cells(arrays, wanted.HasField("index"), wanted.index.index):
            yield p4r.Entity(counter_entry=found)

    def _meters(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        wanted = request.meter_entry
        for meter in self._all(self._state.meters, "meter", wanted.meter_id):
            for index in cells(meter.spec, wanted.HasField("index"), wanted.index.index):
                found = p4r.Entity(meter_entry=meter.read(index))
                if wanted.HasField("counter_data"):
                    meters.encode_marked(meter.marked(index), found.meter_entry.counter_data)
                yield found

    def _registers(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        wanted = request.register_entry
        arrays = self._all(self._state.registers, "register", wanted.register_id)
        for found in _cells(arrays, wanted.HasField("index"), wanted.index.index):
            yield p4r.Entity(register_entry=found)

    def _value_sets(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        wanted = request.value_set_entry.value_set_id
        for value_set in self._all(self._state.value_sets, "value set", wanted):
            yield p4r.Entity(value_set_entry=value_set.read())

    def _digests(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        for found in self._state.digests.read(request.digest_entry.digest_id):
            yield p4r.Entity(digest_entry=found)

    def _extern(self, request: p4r.Entity) -> Iterator[p4r.Entity]:
        wanted = request.extern_entry
        if not wanted.extern_type_id and not wanted.extern_id:
            return iter(())  # § 13.2: part of reading everything
        raise unimplemented("v1model has no externs beyond those with entities of their own")

    def _all(self, objects: Mapping[int, T], what: str, object_id: int) -> Iterable[T]:
        """The object with an id, or with 0 all of them."""
        return [self._state.schema.find(objects, what, object_id)] if object_id else objects.values()

    # Tables (§ 9.1.6)

    def _table_entries(self, entity: p4r.Entity) -> Iterator[p4r.Entity]:
        request = entity.table_entry
        _check(request)
        timed = request.HasField("time_since_last_hit") or request.idle_timeout_ns
        for table in self._all(self._state.tables, "table", request.table_id):
            if request.is_default_action:
                yield from _filtered_default(table, request)
                continue
            if request.table_id and timed and not table.spec.idle_timeout:
                raise invalid_argument(f"{table.codec.name} does not support idle timeouts")
            yield from self._found_entries(table, request)

    def _found_entries(self, table: Table, request: p4r.TableEntry) -> Iterator[p4r.Entity]:
        counted = request.HasField("counter_data") and table.spec.counter_id is not None
        metered = request.HasField("meter_config")
        marked = request.HasField("meter_counter_data") and table.spec.meter is not None
        timed = request.HasField("time_since_last_hit") and table.spec.idle_timeout
        for entry in self._filtered(table, request):
            entity = p4r.Entity()
            message = entity.table_entry
            table.codec.encode(entry, message)
            if counted:
                _encode_count(entry.row.counter, message.counter_data)
            if metered and entry.note.rates is not None:
                message.meter_config.CopyFrom(meters.encode(entry.note.rates))
            if marked:
                meters.encode_marked(table.marked(entry.row), message.meter_counter_data)
            if timed:
                elapsed = self._state.pipeline.table_last_hit_ns(table.spec.name, entry.row.handle)
                message.time_since_last_hit.elapsed_ns = elapsed
            yield entity

    def _filtered(self, table: Table, request: p4r.TableEntry) -> Iterator[Entry]:
        """The entries that a request selects; with key and priority at most one (§ 9.1.6)."""
        if not request.table_id:
            yield from table.entries()
            return
        action = request.action.action.action_id
        for entry in self._matched(table, request):
            if request.priority and entry.row.priority != request.priority:
                continue
            if cookie(request) and entry.note.controller_metadata != cookie(request):
                continue
            if request.metadata and entry.note.metadata != request.metadata:
                continue
            if action and not table.codec.calls(entry, action):
                continue
            yield entry

    def _matched(self, table: Table, request: p4r.TableEntry) -> Iterable[Entry]:
        if not request.match:
            return table.entries()
        try:
            with self._state.schema.translations.asking():
                if request.priority or not table.spec.prioritised:
                    found = table.get(table.codec.key(request))
                    return () if found is None else (found,)
                key = table.codec.keys.decode(request.match)
        except P4RuntimeError as error:
            if error.code == rpc_code.NOT_FOUND:
                return ()
            raise
        return (entry for entry in table.entries() if entry.row.key == key)

    def _direct_counters(self, entity: p4r.Entity) -> Iterator[p4r.Entity]:
        wanted = entity.direct_counter_entry.table_entry
        for table, entry in self._direct(wanted, lambda table: table.spec.counter_id is not None):
            entity = p4r.Entity()
            table.codec.encode_key(entry.row, entity.direct_counter_entry.table_entry)
            _encode_count(entry.row.counter, entity.direct_counter_entry.data)
            yield entity

    def _direct_meters(self, entity: p4r.Entity) -> Iterator[p4r.Entity]:
        request = entity.direct_meter_entry
        marked = request.HasField("counter_data")
        for table, entry in self._direct(request.table_entry, lambda table: table.spec.meter is not None):
            entity = p4r.Entity()
            table.codec.encode_key(entry.row, entity.direct_meter_entry.table_entry)
            if entry.note.rates is not None:
                entity.direct_meter_entry.config.CopyFrom(meters.encode(entry.note.rates))
            if marked:
                meters.encode_marked(table.marked(entry.row), entity.direct_meter_entry.counter_data)
            yield entity

    def _direct(self, request: p4r.TableEntry, has: Callable[[Table], bool]) -> Iterator[tuple[Table, Entry]]:
        """The entries whose direct resource is wanted: one, those of a table, or all."""
        if not request.table_id:
            for table in self._state.tables.values():
                if has(table):
                    yield from ((table, entry) for entry in table.entries())
            return
        table = self._state.table(request.table_id)
        if not has(table):
            raise invalid_argument(f"{table.codec.name} has no such direct resource")
        if request.match or request.is_default_action:
            with self._state.schema.translations.asking():
                row = table.locate(request)
            yield table, table.entry(row)
        else:
            yield from ((table, entry) for entry in table.entries())

    # Replication (§ 9.5)

    def _replication(self, entity: p4r.Entity) -> Iterator[p4r.Entity]:
        request = entity.packet_replication_engine_entry
        match request.WhichOneof("type"):
            case "multicast_group_entry":
                groups = self._state.multicast_groups.read(request.multicast_group_entry.multicast_group_id)
                found = (p4r.PacketReplicationEngineEntry(multicast_group_entry=group) for group in groups)
            case "clone_session_entry":
                sessions = self._state.clone_sessions.read(request.clone_session_entry.session_id)
                found = (p4r.PacketReplicationEngineEntry(clone_session_entry=item) for item in sessions)
            case _:
                raise invalid_argument("the packet replication entry is neither group nor session")
        yield from (p4r.Entity(packet_replication_engine_entry=entry) for entry in found)


def _check(request: p4r.TableEntry) -> None:
    """Refuse what no read of table entries may ask (§ 9.1.3, 9.1.6, 9.1.8)."""
    by_result = request.action.WhichOneof("type")
    by_note = cookie(request) or request.metadata
    if not request.table_id and (request.match or request.priority or by_result or by_note):
        raise invalid_argument("a read of all tables takes no other filter")
    if by_result and by_result != "action":
        raise invalid_argument(f"entries are not found by their {by_result}")
    if request.is_default_action and (
        request.match
        or request.priority
        or request.idle_timeout_ns
        or request.HasField("time_since_last_hit")
    ):
        raise invalid_argument("a default entry has no match, priority or idle timeout")


def _filtered_default(table: Table, request: p4r.TableEntry) -> Iterator[p4r.Entity]:
    action = request.action.action.action_id
    for entry in table.read_default():
        if (
            cookie(request) in (0, cookie(entry))
            and request.metadata in (b"", entry.metadata)
            and action in (0, entry.action.action.action_id)
        ):
            yield p4r.Entity(table_entry=entry)


def _encode_count(value: CounterValue, message: p4r.CounterData) -> None:
    message.SetInParent()
    message.byte_count, message.packet_count = value.bytes, value.packets


def _cells(arrays: Iterable[_Array[T]], indexed: bool, index: int) -> Iterator[T]:
    for array in arrays:
        for cell in cells(array.spec, indexed, index):
            yield array.read(cell)
