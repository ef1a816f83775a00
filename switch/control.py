"""Control calls on a running program, in its own names: tables, profiles, counters, registers and so on."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from switch.api import (
    Action,
    Bucket,
    CounterValue,
    InitialEntry,
    Marked,
    Match,
    MeterRates,
    Replica,
    Row,
    Target,
)
from switch.encode import entry_key, find_action
from switch.events import Events
from switch.generate.shape import Shape, TableShape
from switch.native import NO_PORT, check, ffi, words
from switch.rows import Rows

ROWS_AT_ONCE = 1024


class Control:
    """The part of `switch.api.Pipeline` that reads and writes state."""

    def __init__(self, library: Any, device: Any, shape: Shape, events: Events) -> None:
        self.shape = shape
        self._lib = library
        self._open_device = device
        self._events = events
        self._rows = [Rows(table) for table in shape.tables]
        self._tables = {table.name: i for i, table in enumerate(shape.tables)}
        self._profiles = {profile.name: i for i, profile in enumerate(shape.profiles)}
        self._counters = {name: i for i, (name, _) in enumerate(shape.counters)}
        self._meters = {name: i for i, (name, _, _) in enumerate(shape.meters)}
        self._registers = {name: i for i, (name, _, _) in enumerate(shape.registers)}
        self._value_sets = {value_set.name: i for i, value_set in enumerate(shape.value_sets)}
        self._initial = {table.name: self._install_initial(table) for table in shape.tables}

    # Tables

    @property
    def _device(self) -> Any:
        if self._open_device == ffi.NULL:
            raise ValueError("the dataplane is closed")
        return self._open_device

    @contextmanager
    def batch(self) -> Generator[None]:
        """Make all calls of this thread inside the block visible to packets at one instant."""
        self._lib.control_begin(self._device)
        try:
            yield
        finally:
            self._lib.control_end(self._device)

    def _table(self, table: str) -> tuple[int, TableShape]:
        index = self._tables[table]
        return index, self.shape.tables[index]

    def table_insert(self, table: str, key: Sequence[Match], priority: int, target: Target) -> int:
        """See `Pipeline.table_insert`."""
        index = self._tables[table]
        rows = self._rows[index]
        number, prefix = rows.key(key)
        action, data = rows.target(target)
        handle = self._lib.device_table_add(
            self._device, index, rows.rank(prefix, priority), action, rows.pack(number, data)
        )
        return handle if handle > 0 else check(handle, f"table {table}")

    def table_find(self, table: str, key: Sequence[Match], priority: int) -> int:
        """See `Pipeline.table_find`."""
        index = self._tables[table]
        rows = self._rows[index]
        number, prefix = rows.key(key)
        rank = rows.rank(prefix, priority)
        return self._lib.device_table_find(self._device, index, rank, rows.pack(number))

    def table_row(self, table: str, handle: int) -> Row:
        """See `Pipeline.table_row`."""
        found = self._read_rows(self._tables[table], handle, 1)
        if not found or found[0].handle != handle:
            raise KeyError(f"{table} entry {handle}")
        return found[0]

    def table_rows(self, table: str) -> Iterator[Row]:
        """See `Pipeline.table_rows`."""
        index, start = self._tables[table], 1
        while rows := self._read_rows(index, start, ROWS_AT_ONCE):
            yield from rows
            start = rows[-1].handle + 1

    def _read_rows(self, index: int, start: int, count: int) -> list[Row]:
        rows = self._rows[index]
        room = ffi.new("uint64_t[]", count * rows.words)
        found = self._lib.device_table_rows(self._device, index, start, count, room)
        return rows.unpack(ffi.buffer(room), found)

    def table_modify(self, table: str, handle: int, target: Target) -> None:
        """See `Pipeline.table_modify`."""
        index = self._tables[table]
        rows = self._rows[index]
        action, data = rows.target(target)
        result = self._lib.device_table_change(self._device, index, handle, action, rows.parameters(data))
        if result:
            check(result, f"{table} entry {handle}")

    def table_delete(self, table: str, handle: int) -> None:
        """See `Pipeline.table_delete`."""
        index, _ = self._table(table)
        check(self._lib.device_table_remove(self._device, index, handle), f"{table} entry {handle}")

    def table_default(self, table: str, target: Target | None) -> None:
        """See `Pipeline.table_default`."""
        index, shape = self._table(table)
        if target is None:
            check(self._lib.device_table_default_reset(self._device, index), table)
            return
        if shape.const_default:
            raise ValueError(f"table {table} has a constant default action")
        action, data = self._rows[index].target(target)
        parameters = self._rows[index].parameters(data)
        check(self._lib.device_table_default(self._device, index, action, parameters), table)

    def initial_entries(self, table: str) -> Sequence[InitialEntry]:
        """See `Pipeline.initial_entries`."""
        return self._initial[self._table(table)[1].name]

    def _install_initial(self, table: TableShape) -> tuple[InitialEntry, ...]:
        found: list[InitialEntry] = []
        for entry, number in zip(table.entries, table.entry_actions, strict=True):
            key = entry_key(table, entry)
            action = Action(table.actions[number].name, entry.params)
            handle = self.table_insert(table.name, key, entry.priority, action)
            found.append(InitialEntry(handle, key, entry.priority, action))
        return tuple(found)

    def table_idle(self, table: str, handle: int, timeout_ns: int) -> None:
        """See `Pipeline.table_idle`."""
        index, _ = self._table(table)
        timeout_us = (timeout_ns + 999) // 1000
        check(
            self._lib.device_table_watch(self._device, index, handle, timeout_us), f"{table} entry {handle}"
        )
        self._events.watch(index)

    def table_last_hit_ns(self, table: str, handle: int) -> int:
        """See `Pipeline.table_last_hit_ns`."""
        index, _ = self._table(table)
        ago = ffi.new("uint64_t *")
        check(self._lib.device_table_last_hit(self._device, index, handle, ago), f"{table} entry {handle}")
        return ago[0] * 1000

    # Action profiles

    def _member(self, profile: str, action: Action) -> tuple[int, int, Any]:
        index = self._profiles[profile]
        shape = self.shape.profiles[index]
        number, data = find_action(shape.actions, action, f"action profile {profile}")
        return index, number, words(data, shape.data_words)

    def member_add(self, profile: str, action: Action) -> int:
        """See `Pipeline.member_add`."""
        index, number, data = self._member(profile, action)
        return check(self._lib.device_member_add(self._device, index, number, data), f"{profile} member")

    def member_modify(self, profile: str, handle: int, action: Action) -> None:
        """See `Pipeline.member_modify`."""
        index, number, data = self._member(profile, action)
        result = self._lib.device_member_change(self._device, index, handle, number, data)
        check(result, f"{profile} member {handle}")

    def member_delete(self, profile: str, handle: int) -> None:
        """See `Pipeline.member_delete`."""
        index = self._profiles[profile]
        check(self._lib.device_member_remove(self._device, index, handle), f"{profile} member {handle}")

    def group_add(self, profile: str, buckets: Sequence[Bucket]) -> int:
        """See `Pipeline.group_add`."""
        index = self._profiles[profile]
        with self.batch():
            handle = check(self._lib.device_group_add(self._device, index), f"{profile} group")
            try:
                self.group_modify(profile, handle, buckets)
            except BaseException:
                self._lib.device_group_remove(self._device, index, handle)
                raise
        return handle

    def group_modify(self, profile: str, handle: int, buckets: Sequence[Bucket]) -> None:
        """See `Pipeline.group_modify`."""
        index = self._profiles[profile]
        members = [bucket.member for bucket in buckets]
        weights = [bucket.weight for bucket in buckets]
        watch = [NO_PORT if b.watch_port is None else b.watch_port for b in buckets]
        result = self._lib.device_group_set(
            self._device, index, handle, members, weights, watch, len(buckets)
        )
        check(result, f"{profile} group {handle}")

    def group_delete(self, profile: str, handle: int) -> None:
        """See `Pipeline.group_delete`."""
        index = self._profiles[profile]
        check(self._lib.device_group_remove(self._device, index, handle), f"{profile} group {handle}")

    # Counters, meters, registers

    def direct_counter(self, table: str, handle: int) -> CounterValue:
        """See `Pipeline.direct_counter`."""
        value = ffi.new("uint64_t[2]")
        index, _ = self._table(table)
        check(self._lib.device_direct_counter(self._device, index, handle, value), f"{table} entry {handle}")
        return CounterValue(value[0], value[1])

    def direct_counter_set(self, table: str, handle: int, value: CounterValue) -> None:
        """See `Pipeline.direct_counter_set`."""
        index, _ = self._table(table)
        pair = (value.packets, value.bytes)
        check(
            self._lib.device_direct_counter_set(self._device, index, handle, pair), f"{table} entry {handle}"
        )

    def counter(self, name: str, index: int) -> CounterValue:
        """See `Pipeline.counter`."""
        value = ffi.new("uint64_t[2]")
        check(self._lib.device_counter(self._device, self._counters[name], index, value), name)
        return CounterValue(value[0], value[1])

    def counter_set(self, name: str, index: int, value: CounterValue) -> None:
        """See `Pipeline.counter_set`."""
        pair = (value.packets, value.bytes)
        check(self._lib.device_counter_set(self._device, self._counters[name], index, pair), name)

    def meter_set(self, name: str, index: int, rates: MeterRates | None) -> None:
        """See `Pipeline.meter_set`."""
        check(self._lib.device_meter_set(self._device, self._meters[name], index, _rates(rates)), name)

    def direct_meter_set(self, table: str, handle: int, rates: MeterRates | None) -> None:
        """See `Pipeline.direct_meter_set`."""
        index, _ = self._table(table)
        result = self._lib.device_direct_meter_set(self._device, index, handle, _rates(rates))
        check(result, f"{table} entry {handle}")

    def meter_marked(self, name: str, index: int) -> Marked:
        """See `Pipeline.meter_marked`."""
        values = ffi.new("uint64_t[6]")
        check(self._lib.device_meter_marked(self._device, self._meters[name], index, 0, values), name)
        return _marked(values)

    def meter_marked_set(self, name: str, index: int, marked: Marked) -> None:
        """See `Pipeline.meter_marked_set`."""
        values = [number for count in marked for number in count]
        check(self._lib.device_meter_marked(self._device, self._meters[name], index, 1, values), name)

    def direct_meter_marked(self, table: str, handle: int) -> Marked:
        """See `Pipeline.direct_meter_marked`."""
        values = ffi.new("uint64_t[6]")
        index = self._tables[table]
        result = self._lib.device_direct_meter_marked(self._device, index, handle, 0, values)
        check(result, f"{table} entry {handle}")
        return _marked(values)

    def direct_meter_marked_set(self, table: str, handle: int, marked: Marked) -> None:
        """See `Pipeline.direct_meter_marked_set`."""
        values = [number for count in marked for number in count]
        index = self._tables[table]
        result = self._lib.device_direct_meter_marked(self._device, index, handle, 1, values)
        check(result, f"{table} entry {handle}")

    def register(self, name: str, index: int) -> int:
        """See `Pipeline.register`."""
        number = self._registers[name]
        room = ffi.new("uint8_t[]", _cell_bytes(self.shape.registers[number][2]))
        check(self._lib.device_register(self._device, number, index, room), name)
        return int.from_bytes(ffi.buffer(room), "little")

    def register_set(self, name: str, index: int, value: int) -> None:
        """See `Pipeline.register_set`."""
        number = self._registers[name]
        width = self.shape.registers[number][2]
        if not 0 <= value < 1 << width:
            raise ValueError(f"{name}: {value} does not fit {width} bits")
        data = value.to_bytes(_cell_bytes(width), "little")
        check(self._lib.device_register_set(self._device, number, index, data), name)

    def value_set(self, name: str, members: Sequence[tuple[Match, ...]]) -> None:
        """See `Pipeline.value_set`."""
        index = self._value_sets[name]
        rows = Rows(self.shape.value_sets[index])
        keys = masks = b""
        for member in members:
            number, _ = rows.key(member)
            key, mask = rows.key_words(number)
            keys += key
            masks += mask
        arrays = [ffi.from_buffer("uint64_t[]", data or bytes(8)) for data in (keys, masks)]
        check(self._lib.device_value_set(self._device, index, *arrays, len(members)), name)

    # Replication

    def multicast_set(self, group: int, replicas: Sequence[Replica]) -> None:
        """See `Pipeline.multicast_set`."""
        self._replicas(1, group, replicas, 0, f"multicast group {group}")

    def clone_session_set(self, session: int, replicas: Sequence[Replica], truncate: int = 0) -> None:
        """See `Pipeline.clone_session_set`."""
        self._replicas(0, session, replicas, truncate, f"clone session {session}")

    def _replicas(
        self, multicast: int, number: int, replicas: Sequence[Replica], truncate: int, what: str
    ) -> None:
        ports = [replica.port for replica in replicas]
        instances = [replica.instance for replica in replicas]
        result = self._lib.device_replicas(
            self._device, multicast, number, ports, instances, len(replicas), truncate
        )
        check(result, what)


def _rates(rates: MeterRates | None) -> Any:
    if rates is None:
        return ffi.NULL
    return ffi.new("struct rates *", (rates.cir, rates.cburst, rates.pir, rates.pburst, rates.eburst))


def _marked(values: Any) -> Marked:
    return Marked(*(CounterValue(values[at], values[at + 1]) for at in (0, 2, 4)))


def _cell_bytes(width: int) -> int:
    for size in (1, 2, 4, 8, 16):
        if width <= 8 * size:
            return size
    return (width + 63) // 64 * 8
