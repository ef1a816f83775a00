"""Run: a BMv2 JSON program as native code on network interfaces, or in memory.

    dataplane = Dataplane(json_bytes, {1: "veth1", 2: "veth3"}, cpu_port=510)
    dataplane.table_insert("ingress.route", [Match(0x0A000000, mask=0xFF000000)], 0, Action("ingress.forward", (2,)))
    dataplane.start()          # one C thread runs packets; it sleeps when there are none
    dataplane.inject(1, frame) # [(port, bytes), …] without any interface, at any time
    dataplane.port_stats(); dataplane.ended()
    dataplane.stop(); dataplane.close()

Names, in full: `Dataplane(program_json, ports, cpu_port, pcap_dir)`, `.start()`, `.stop()`, `.close()`, `.add_port()`,
`.remove_port()`, `.inject()`, `.port_stats()`, `.ended()`, `.poll_events()`, `.bench()`, and all of `switch.api.Pipeline`.
Handles are positive integers. Errors: see `switch.native.check`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switch.api import (
    Action,
    Bucket,
    CounterValue,
    Digest,
    Group,
    InitialEntry,
    Match,
    Member,
    MeterRates,
    Replica,
    Target,
)
from switch.build import build
from switch.encode import encode_key, entry_key, find_action
from switch.events import Events
from switch.generate import generate
from switch.generate.shape import Shape, TableShape
from switch.load import load
from switch.native import ACTION_GROUP, ACTION_MEMBER, NO_PORT, check, ffi, open_library, words

MAX_PACKET = 1 << 16
COLLECT_ROOM = 1 << 22  # bytes of output that one injected packet may give
ENDED = ("dropped_by_program", "lost_to_loop", "lost_to_check", "lost_without_port", "lost_messages")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PortStats:
    """Counts of one port since it was added.

    `rx_dropped`: the ring was full; `rx_unsupported`: frames that are many in one (GSO) or too long; `tx_dropped`: the interface was
    down or its queue full.
    """

    interface: str
    up: bool
    rx_packets: int
    rx_bytes: int
    rx_dropped: int
    rx_unsupported: int
    tx_packets: int
    tx_bytes: int
    tx_dropped: int


class Dataplane:
    """A running program; implements `switch.api.Pipeline`. All methods may be called from any thread."""

    def __init__(
        self,
        program_json: bytes,
        ports: Mapping[int, str] | None = None,
        cpu_port: int | None = None,
        pcap_dir: Path | None = None,
    ) -> None:
        """Load, generate, compile (or take from the cache) and set up; packets run from `start()` on.

        Raises:
            LoadError: the program cannot be run.
            BuildError: the C compiler failed.
            OSError: an interface is missing or may not be opened.
        """
        generated = generate(load(program_json))
        self.shape: Shape = generated.shape
        self.cpu_port = cpu_port
        self._tables = {table.name: i for i, table in enumerate(self.shape.tables)}
        self._profiles = {profile.name: i for i, profile in enumerate(self.shape.profiles)}
        self._counters = {name: i for i, (name, _) in enumerate(self.shape.counters)}
        self._meters = {name: i for i, (name, _, _) in enumerate(self.shape.meters)}
        self._registers = {name: i for i, (name, _, _) in enumerate(self.shape.registers)}
        self._value_sets = {value_set.name: i for i, value_set in enumerate(self.shape.value_sets)}
        self._lib: Any = open_library(build(generated.source))
        self._device: Any = self._lib.device_new(NO_PORT if cpu_port is None else cpu_port)
        if self._device == ffi.NULL:
            raise MemoryError("no memory for the program's tables")
        self._interfaces: dict[int, str] = {}
        self._pcap_dir = pcap_dir
        self._initial: dict[str, tuple[InitialEntry, ...]] = {}
        self._events = Events(self._lib, self._device, self.shape)
        self._lock = threading.Lock()
        try:
            self._install_initial()
            for port, interface in (ports or {}).items():
                self.add_port(port, interface)
        except BaseException:
            self.close()
            raise

    # Life

    def start(self) -> None:
        """Run packets of the interfaces and deliver what they tell; does nothing when running."""
        if self._lib.device_start(self._device) == 0:
            self._events.start()

    def stop(self) -> None:
        """Stop running packets; tables and counters stay."""
        self._lib.device_stop(self._device)
        self._events.stop()

    def close(self) -> None:
        """Stop and release everything; the object cannot be used after."""
        with self._lock:
            device, self._device = self._device, ffi.NULL
        if device != ffi.NULL:
            self._lib.device_stop(device)
            self._events.stop()
            self._lib.device_free(device)

    def add_port(self, port: int, interface: str) -> None:
        """Make a network interface a port.

        Raises:
            OSError: the interface is missing, the port is taken, or packet sockets are not allowed.
        """
        paths = [ffi.NULL, ffi.NULL]
        if self._pcap_dir:
            self._pcap_dir.mkdir(parents=True, exist_ok=True)
            names = (f"{interface}_in.pcap", f"{interface}_out.pcap")
            paths = [ffi.new("char[]", str(self._pcap_dir / name).encode()) for name in names]
        result = self._lib.device_port_add(self._device, port, interface.encode(), *paths)
        if result < 0:
            try:
                check(result, f"port {port} on {interface}")
            except (KeyError, ValueError) as error:
                raise OSError(-result, str(error)) from error
        self._interfaces[port] = interface

    def remove_port(self, port: int) -> None:
        """Take a port away; packets sent to it are then lost and counted."""
        check(self._lib.device_port_remove(self._device, port), f"port {port}")
        self._interfaces.pop(port, None)

    def port_stats(self) -> dict[int, PortStats]:
        """Counts of all ports."""
        found: dict[int, PortStats] = {}
        raw = ffi.new("struct port_stats *")
        for port, interface in sorted(self._interfaces.items()):
            check(self._lib.device_port_stats(self._device, port, raw), f"port {port}")
            found[port] = PortStats(
                interface, bool(raw.up), raw.rx_packets, raw.rx_bytes, raw.rx_dropped, raw.rx_unsupported,
                raw.tx_packets, raw.tx_bytes, raw.tx_dropped,
            )  # fmt: skip
        return found

    def ended(self) -> dict[str, int]:
        """How many packets ended unsent, by reason; `lost_messages`: packet-ins and digests nobody took in time."""
        raw = ffi.new("uint64_t[]", len(ENDED))
        self._lib.device_ended(self._device, raw)
        return dict(zip(ENDED, raw, strict=True))

    def inject(self, port: int, packet: bytes) -> list[tuple[int, bytes]]:
        """Run one packet as if it came in on `port` and return what would be sent, in order, with its port.

        Counters, registers, meters and digests see it like any other; nothing goes to an interface.
        """
        room = ffi.new("uint8_t[]", COLLECT_ROOM)
        length = self._lib.device_inject(self._device, port, packet, len(packet), room, COLLECT_ROOM)
        check(length, "inject")
        data = bytes(ffi.buffer(room, length))
        found: list[tuple[int, bytes]] = []
        at = 0
        while at < length:
            out, size = (int.from_bytes(data[at + i : at + i + 4], "little") for i in (0, 4))
            found.append((out, data[at + 8 : at + 8 + size]))
            at += 8 + size
        return found

    def bench(self, port: int, packets: Sequence[bytes], rounds: int) -> float:
        """Nanoseconds a packet costs in the pipeline alone; all packets must have the same length."""
        data = b"".join(packets)
        length = len(packets[0])
        return self._lib.device_bench(self._device, port, data, length, length, len(packets), rounds)

    # Tables

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

    def _target(self, table: TableShape, target: Target) -> tuple[int, Any]:
        count = table.data_words - 2 * table.range_words
        match target:
            case Action():
                if table.profile is not None:
                    raise ValueError(f"table {table.name} takes members and groups, not actions")
                number, data = find_action(table.actions, target, f"table {table.name}")
                return number, words(data, count)
            case Member(handle) | Group(handle):
                if table.profile is None:
                    raise ValueError(f"table {table.name} has no action profile")
                return (ACTION_MEMBER if isinstance(target, Member) else ACTION_GROUP), words(handle, count)

    def table_insert(self, table: str, key: Sequence[Match], priority: int, target: Target) -> int:
        """See `Pipeline.table_insert`."""
        index, shape = self._table(table)
        encoded = encode_key(shape, key)
        action, data = self._target(shape, target)
        handle = self._lib.device_table_add(
            self._device,
            index,
            words(encoded.value, shape.key_words),
            words(encoded.mask, shape.key_words),
            words(encoded.ranges, 2 * shape.range_words),
            encoded.prefix if shape.kind == "lpm" else priority,
            action,
            data,
        )
        return check(handle, f"table {table}")

    def table_modify(self, table: str, handle: int, target: Target) -> None:
        """See `Pipeline.table_modify`."""
        index, shape = self._table(table)
        action, data = self._target(shape, target)
        check(
            self._lib.device_table_change(self._device, index, handle, action, data),
            f"{table} entry {handle}",
        )

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
        action, data = self._target(shape, target)
        check(self._lib.device_table_default(self._device, index, action, data), table)

    def initial_entries(self, table: str) -> Sequence[InitialEntry]:
        """See `Pipeline.initial_entries`."""
        return self._initial[self._table(table)[1].name]

    def _install_initial(self) -> None:
        for table in self.shape.tables:
            found: list[InitialEntry] = []
            for entry, number in zip(table.entries, table.entry_actions, strict=True):
                key = entry_key(table, entry)
                action = Action(table.actions[number].name, entry.params)
                handle = self.table_insert(table.name, key, entry.priority, action)
                found.append(InitialEntry(handle, key, entry.priority, action))
            self._initial[table.name] = tuple(found)

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
        shape = self.shape.value_sets[index]
        size = 8 * shape.key_words
        keys = masks = b""
        for member in members:
            full = [
                Match(m.value, m.mask or (1 << k.width) - 1) for m, k in zip(member, shape.keys, strict=True)
            ]
            encoded = encode_key(shape, full)
            keys += encoded.value.to_bytes(size, "little")
            masks += encoded.mask.to_bytes(size, "little")
        arrays = [ffi.from_buffer("uint64_t[]", data or bytes(8)) for data in (keys, masks)]
        check(self._lib.device_value_set(self._device, index, *arrays, len(members)), name)

    # Replication and the CPU port

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

    def packet_out(self, packet: bytes) -> None:
        """See `Pipeline.packet_out`."""
        check(self._lib.device_packet_out(self._device, packet, len(packet)), "packet out")

    def on_packet_in(self, callback: Callable[[bytes], None]) -> None:
        """See `Pipeline.on_packet_in`."""
        self._events.packet_in = callback

    def on_digest(self, callback: Callable[[Sequence[Digest]], None]) -> None:
        """See `Pipeline.on_digest`."""
        self._events.digest = callback

    def on_idle(self, callback: Callable[[str, int], None]) -> None:
        """See `Pipeline.on_idle`."""
        self._events.idle = callback

    def poll_events(self, timeout_ms: int = 0) -> int:
        """Deliver what packets told so far, in this thread; for use without `start()`. Returns how many messages."""
        return self._events.deliver(timeout_ms)


def _rates(rates: MeterRates | None) -> Any:
    if rates is None:
        return ffi.NULL
    return ffi.new("struct rates *", (rates.cir, rates.cburst, rates.pir, rates.pburst))


def _cell_bytes(width: int) -> int:
    for size in (1, 2, 4, 8, 16):
        if width <= 8 * size:
            return size
    return (width + 63) // 64 * 8
