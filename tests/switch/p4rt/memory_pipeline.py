"""A pipeline that keeps everything in dictionaries and forwards nothing: the far end of the server's tests.

It is strict where native code would crash or leak: unknown names and handles, members and groups deleted
while in use, and changes to what does not exist all raise.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from switch.api import (
    Action,
    Bucket,
    CounterValue,
    Digest,
    ExistsError,
    Group,
    InitialEntry,
    Marked,
    Match,
    Member,
    MeterRates,
    Replica,
    Row,
    Target,
)


@dataclass
class MemoryEntry:
    key: tuple[Match, ...]
    priority: int
    target: Target
    counter: CounterValue = field(default_factory=CounterValue)
    rates: MeterRates | None = None
    marked: Marked = field(default_factory=Marked)
    timeout_ns: int = 0


@dataclass
class MemoryTable:
    size: int
    entries: dict[int, MemoryEntry] = field(default_factory=dict)
    default: Target | None = None


class MemoryPipeline:
    """One program. `log` holds the changes as packets would see them: one item a change, or a batch."""

    def __init__(self, program: bytes):
        root = json.loads(program)
        tables = [table for pipeline in root["pipelines"] for table in pipeline["tables"]]
        self.tables = {table["name"]: MemoryTable(table["max_size"]) for table in tables}
        profiles = [item for pipeline in root["pipelines"] for item in pipeline["action_profiles"]]
        self.members: dict[str, dict[int, Action]] = {item["name"]: {} for item in profiles}
        self.groups: dict[str, dict[int, list[Bucket]]] = {item["name"]: {} for item in profiles}
        self.profile_of = {table["name"]: table.get("action_profile") for table in tables}
        self.counters = {
            item["name"]: [CounterValue()] * item.get("size", 0) for item in root["counter_arrays"]
        }
        self.meters: dict[str, dict[int, MeterRates]] = {item["name"]: {} for item in root["meter_arrays"]}
        self.marked: dict[str, dict[int, Marked]] = {name: defaultdict(Marked) for name in self.meters}
        self.registers = {item["name"]: [0] * item["size"] for item in root["register_arrays"]}
        self.value_sets: dict[str, list[tuple[Match, ...]]] = {
            item["name"]: [] for item in root["parse_vsets"]
        }
        self.multicast_groups: dict[int, list[Replica]] = {}
        self.clone_sessions: dict[int, tuple[list[Replica], int]] = {}
        self.sent: list[bytes] = []
        self.log: list[list[str]] = []
        self.running = False
        self.discarded = False
        self.packet_in: Callable[[bytes], None] = lambda _: None
        self.digest: Callable[[Sequence[Digest]], None] = lambda _: None
        self.idle: Callable[[str, int], None] = lambda *_: None
        self._batch: list[str] | None = None
        self._handles = count(1000)
        self._initial = {table["name"]: list(self._declared(table, root)) for table in tables}

    def _declared(self, table: dict[str, Any], root: dict[str, Any]) -> Iterator[InitialEntry]:
        names = {action["id"]: action["name"] for action in root["actions"]}
        for entry in table.get("entries", ()):
            key = tuple(
                Match(int(part["key"], 16), int(part.get("mask", "0xffff"), 16))
                for part in entry["match_key"]
            )
            call = entry["action_entry"]
            action = Action(names[call["action_id"]], tuple(int(value, 16) for value in call["action_data"]))
            handle = self.table_insert(table["name"], key, -entry["priority"], action)
            yield InitialEntry(handle, key, -entry["priority"], action)

    def initial_entries(self, table: str) -> Sequence[InitialEntry]:
        return self._initial[table]

    @contextmanager
    def batch(self) -> Generator[None]:
        assert self._batch is None, "batches do not nest"
        self._batch = []
        try:
            yield
        finally:
            self.log.append(self._batch)
            self._batch = None

    def _changed(self, what: str) -> None:
        if self._batch is None:
            self.log.append([what])
        else:
            self._batch.append(what)

    def _check(self, table: str, target: Target) -> None:
        match target:
            case Member(handle):
                assert handle in self.members[self.profile_of[table]]
            case Group(handle):
                assert handle in self.groups[self.profile_of[table]]
            case Action():
                pass

    def table_find(self, table: str, key: Sequence[Match], priority: int) -> int:
        for handle, entry in self.tables[table].entries.items():
            if (entry.key, entry.priority) == (tuple(key), priority):
                return handle
        return 0

    def table_row(self, table: str, handle: int) -> Row:
        entry = self.tables[table].entries[handle]
        return Row(handle, entry.key, entry.priority, entry.target, entry.counter)

    def table_rows(self, table: str) -> Iterator[Row]:
        for handle in sorted(self.tables[table].entries):
            yield self.table_row(table, handle)

    def table_insert(self, table: str, key: Sequence[Match], priority: int, target: Target) -> int:
        state = self.tables[table]
        if self.table_find(table, key, priority):
            raise ExistsError(table)
        if len(state.entries) >= state.size:
            raise OverflowError(table)
        self._check(table, target)
        handle = next(self._handles)
        state.entries[handle] = MemoryEntry(tuple(key), priority, target)
        self._changed(f"insert {table}")
        return handle

    def table_modify(self, table: str, handle: int, target: Target) -> None:
        self._check(table, target)
        self.tables[table].entries[handle].target = target
        self._changed(f"modify {table}")

    def table_delete(self, table: str, handle: int) -> None:
        del self.tables[table].entries[handle]
        self._changed(f"delete {table}")

    def table_default(self, table: str, target: Target | None) -> None:
        self.tables[table].default = target

    def table_idle(self, table: str, handle: int, timeout_ns: int) -> None:
        self.tables[table].entries[handle].timeout_ns = timeout_ns

    def table_last_hit_ns(self, table: str, handle: int) -> int:
        assert handle in self.tables[table].entries
        return 42

    def member_add(self, profile: str, action: Action) -> int:
        handle = next(self._handles)
        self.members[profile][handle] = action
        return handle

    def member_modify(self, profile: str, handle: int, action: Action) -> None:
        assert handle in self.members[profile]
        self.members[profile][handle] = action
        self._changed(f"member {profile}")

    def member_delete(self, profile: str, handle: int) -> None:
        assert not any(
            bucket.member == handle for buckets in self.groups[profile].values() for bucket in buckets
        )
        assert Member(handle) not in self._targets(profile)
        del self.members[profile][handle]

    def group_add(self, profile: str, buckets: Sequence[Bucket]) -> int:
        assert all(bucket.member in self.members[profile] for bucket in buckets)
        handle = next(self._handles)
        self.groups[profile][handle] = list(buckets)
        return handle

    def group_modify(self, profile: str, handle: int, buckets: Sequence[Bucket]) -> None:
        assert handle in self.groups[profile]
        assert all(bucket.member in self.members[profile] for bucket in buckets)
        self.groups[profile][handle] = list(buckets)
        self._changed(f"group {profile}")

    def group_delete(self, profile: str, handle: int) -> None:
        assert Group(handle) not in self._targets(profile)
        del self.groups[profile][handle]

    def _targets(self, profile: str) -> list[Target]:
        return [
            entry.target
            for name, table in self.tables.items()
            if self.profile_of[name] == profile
            for entry in table.entries.values()
        ]

    def direct_counter(self, table: str, handle: int) -> CounterValue:
        return self.tables[table].entries[handle].counter

    def direct_counter_set(self, table: str, handle: int, value: CounterValue) -> None:
        self.tables[table].entries[handle].counter = value

    def counter(self, name: str, index: int) -> CounterValue:
        return self.counters[name][index]

    def counter_set(self, name: str, index: int, value: CounterValue) -> None:
        self.counters[name][index] = value

    def meter_set(self, name: str, index: int, rates: MeterRates | None) -> None:
        if rates is None:
            self.meters[name].pop(index, None)
        else:
            self.meters[name][index] = rates

    def direct_meter_set(self, table: str, handle: int, rates: MeterRates | None) -> None:
        self.tables[table].entries[handle].rates = rates

    def meter_marked(self, name: str, index: int) -> Marked:
        return self.marked[name][index]

    def meter_marked_set(self, name: str, index: int, marked: Marked) -> None:
        self.marked[name][index] = marked

    def direct_meter_marked(self, table: str, handle: int) -> Marked:
        return self.tables[table].entries[handle].marked

    def direct_meter_marked_set(self, table: str, handle: int, marked: Marked) -> None:
        self.tables[table].entries[handle].marked = marked

    def register(self, name: str, index: int) -> int:
        return self.registers[name][index]

    def register_set(self, name: str, index: int, value: int) -> None:
        self.registers[name][index] = value

    def value_set(self, name: str, members: Sequence[tuple[Match, ...]]) -> None:
        assert name in self.value_sets
        self.value_sets[name] = list(members)

    def multicast_set(self, group: int, replicas: Sequence[Replica]) -> None:
        self.multicast_groups[group] = list(replicas)

    def clone_session_set(self, session: int, replicas: Sequence[Replica], truncate: int = 0) -> None:
        self.clone_sessions[session] = (list(replicas), truncate)

    def packet_out(self, packet: bytes) -> None:
        self.sent.append(packet)

    def on_packet_in(self, callback: Callable[[bytes], None]) -> None:
        self.packet_in = callback

    def on_digest(self, callback: Callable[[Sequence[Digest]], None]) -> None:
        self.digest = callback

    def on_idle(self, callback: Callable[[str, int], None]) -> None:
        self.idle = callback

    def summary(self) -> dict[str, object]:
        """Everything written, with handles replaced by what they stand for."""

        def shown(profile: str | None, target: Target) -> object:
            match target:
                case Member(handle):
                    return ("member", self.members[profile or ""][handle])
                case Group(handle):
                    buckets = self.groups[profile or ""][handle]
                    return [(self.members[profile or ""][b.member], b.weight, b.watch_port) for b in buckets]
                case Action():
                    return target

        contents: dict[str, object] = defaultdict(list)
        for name, table in self.tables.items():
            contents[name] = (
                sorted(
                    (
                        repr((entry.key, entry.priority, entry.counter, entry.rates, entry.timeout_ns)),
                        repr(shown(self.profile_of[name], entry.target)),
                    )
                    for entry in table.entries.values()
                ),
                table.default,
            )
        for name, members in self.members.items():
            contents[name] = sorted(map(repr, members.values())), len(self.groups[name])
        contents["counters"] = {name: list(cells) for name, cells in self.counters.items()}
        contents["registers"] = {name: list(cells) for name, cells in self.registers.items()}
        contents["meters"] = {name: dict(cells) for name, cells in self.meters.items()}
        contents["value_sets"] = {name: list(members) for name, members in self.value_sets.items()}
        contents["multicast"] = {key: value for key, value in self.multicast_groups.items() if value}
        contents["clone"] = {key: value for key, value in self.clone_sessions.items() if value[0]}
        return contents


class MemoryDevice:
    """A device whose pipelines are in memory; `pipelines` are all that were ever built.

    Building waits for `gate`, as compiling would, and is told by `building`; `broken` ports refuse every
    pipeline.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.building = False
        self.broken = False
        self.pipelines: list[MemoryPipeline] = []
        self.running: MemoryPipeline | None = None

    def build(self, program: bytes) -> MemoryPipeline:
        self.building = True
        assert self.gate.wait(20)
        self.building = False
        pipeline = MemoryPipeline(program)
        self.pipelines.append(pipeline)
        return pipeline

    def run(self, pipeline: MemoryPipeline) -> None:
        assert not pipeline.discarded
        if self.broken:
            raise OSError("no such interface")
        if self.running is not None:
            self.running.running = False
        pipeline.running = True
        self.running = pipeline

    def discard(self, pipeline: MemoryPipeline) -> None:
        assert not pipeline.running
        pipeline.discarded = True
