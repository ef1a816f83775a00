"""What two switches are given before packets come: entries and everything else, in the terms of both.

An item knows how the embedded switch is told (`apply`) and by which commands of simple_switch_CLI BMv2 is
(`commands`). Members and groups are numbered from 0 in the order given, as BMv2 numbers them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from switch.api import Action, Bucket, CounterValue, Group, Match, Member, MeterRates, Replica, Target
from switch.dataplane import Dataplane
from switch.generate.shape import KeyShape, Shape
from tests.switch.bmv2 import Bmv2

LOWEST_PRIORITY = 1 << 20  # BMv2's lowest number is the highest priority
STANDSTILL = "0.000000000001"  # units per µs: a meter that is not filled again while a run lasts


@dataclass(frozen=True)
class Entry:
    """A table entry; `bursts` are the committed and peak burst of its direct meter."""

    table: str
    key: tuple[Match, ...]
    priority: int
    target: Target
    bursts: tuple[int, int] | None = None


@dataclass(frozen=True)
class DefaultAction:
    """A default action."""

    table: str
    target: Target


@dataclass(frozen=True)
class CounterCell:
    """What a counter's cell holds at the start."""

    name: str
    index: int
    packets: int
    bytes: int


@dataclass(frozen=True)
class RegisterCell:
    """What a register's cell holds at the start."""

    name: str
    index: int
    value: int


@dataclass(frozen=True)
class MeterCell:
    """A meter's cell with its committed and peak burst."""

    name: str
    index: int
    bursts: tuple[int, int]


@dataclass(frozen=True)
class CloneSession:
    """A clone session to one port."""

    session: int
    port: int


@dataclass(frozen=True)
class MulticastGroup:
    """A multicast group: a node for each replica."""

    group: int
    replicas: tuple[Replica, ...]


@dataclass(frozen=True)
class ValueSet:
    """The members of a parser value set, each a tuple of its parts."""

    name: str
    members: tuple[tuple[int, ...], ...]


Item = (
    Entry | DefaultAction | CounterCell | RegisterCell | MeterCell | CloneSession | MulticastGroup | ValueSet
)


@dataclass(frozen=True)
class Profile:
    """Members and groups of an action profile."""

    name: str
    members: tuple[Action, ...]
    groups: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class State:
    """All that is given to a program."""

    profiles: tuple[Profile, ...] = ()
    items: tuple[Item, ...] = ()


@dataclass
class Handles:
    """Handles by the embedded switch: of members and groups by profile, and of entries in order by table."""

    members: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    groups: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    entries: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def install(state: State, switch: Dataplane) -> Handles:
    """Give the state to the embedded switch."""
    handles = Handles()
    for profile in state.profiles:
        for action in profile.members:
            handles.members[profile.name].append(switch.member_add(profile.name, action))
        for group in profile.groups:
            buckets = [Bucket(handles.members[profile.name][member]) for member in group]
            handles.groups[profile.name].append(switch.group_add(profile.name, buckets))
    for table in switch.shape.tables:
        handles.entries[table.name] += [entry.handle for entry in switch.initial_entries(table.name)]
    with switch.batch():
        for item in state.items:
            _apply(item, switch, handles)
    return handles


def _target(switch: Dataplane, handles: Handles, table: str, target: Target) -> Target:
    if isinstance(target, Action):
        return target
    shape = next(t for t in switch.shape.tables if t.name == table)
    assert shape.profile is not None
    profile = switch.shape.profiles[shape.profile].name
    if isinstance(target, Member):
        return Member(handles.members[profile][target.handle])
    return Group(handles.groups[profile][target.handle])


def _apply(item: Item, switch: Dataplane, handles: Handles) -> None:
    match item:
        case Entry(table, key, priority, target, bursts):
            handle = switch.table_insert(table, key, priority, _target(switch, handles, table, target))
            handles.entries[table].append(handle)
            if bursts:
                switch.direct_meter_set(table, handle, _rates(bursts))
        case DefaultAction(table, target):
            switch.table_default(table, _target(switch, handles, table, target))
        case CounterCell(name, index, packets, size):
            switch.counter_set(name, index, CounterValue(packets, size))
        case RegisterCell(name, index, value):
            switch.register_set(name, index, value)
        case MeterCell(name, index, bursts):
            switch.meter_set(name, index, _rates(bursts))
        case CloneSession(session, port):
            switch.clone_session_set(session, [Replica(port)])
        case MulticastGroup(group, replicas):
            switch.multicast_set(group, replicas)
        case ValueSet(name, members):
            switch.value_set(name, [tuple(Match(v, -1) for v in member) for member in members])


def _rates(bursts: tuple[int, int]) -> MeterRates:
    return MeterRates(cir=0, cburst=bursts[0], pir=0, pburst=bursts[1])


class Commands:
    """The same for BMv2; needs the shape of the program and its JSON."""

    def __init__(self, shape: Shape, program_json: bytes) -> None:
        self._tables = {table.name: table for table in shape.tables}
        self._value_sets = {table.name: table for table in shape.value_sets}
        root = json.loads(program_json)
        tables = [t for pipeline in root["pipelines"] for t in pipeline["tables"]]
        self._prioritised = {t["name"] for t in tables if t["match_type"] in {"ternary", "range"}}
        self._direct_meters = {t["name"]: t.get("direct_meters") for t in tables}
        self.direct_counters = {
            c["binding"]: c["name"] for c in root.get("counter_arrays", []) if c.get("is_direct")
        }

    def install(self, state: State, bmv2: Bmv2) -> None:
        """Give the state to BMv2."""
        bmv2.cli(self.lines(state))
        for item in state.items:
            if isinstance(item, ValueSet):
                for member in item.members:
                    bmv2.add_to_value_set(item.name, self._packed(item.name, member))

    def _packed(self, name: str, member: tuple[int, ...]) -> bytes:
        number = length = 0
        for key, value in zip(self._value_sets[name].keys, member, strict=True):
            number, length = number << key.width | value, length + key.width
        return number.to_bytes((length + 7) // 8, "big")

    def lines(self, state: State) -> list[str]:
        """The state as commands, without value sets."""
        lines: list[str] = []
        for profile in state.profiles:
            for action in profile.members:
                lines.append(f"act_prof_create_member {profile.name} {action.name}{_params(action)}")
            for number, group in enumerate(profile.groups):
                lines.append(f"act_prof_create_group {profile.name}")
                lines += [
                    f"act_prof_add_member_to_group {profile.name} {member} {number}" for member in group
                ]
        handles = {name: len(table.entries) for name, table in self._tables.items()}
        nodes = 0
        for item in state.items:
            lines += self._item(item, handles, nodes)
            if isinstance(item, Entry):
                handles[item.table] += 1
            elif isinstance(item, MulticastGroup):
                nodes += len(item.replicas)
        return lines

    def _item(self, item: Item, handles: dict[str, int], nodes: int) -> list[str]:  # noqa: PLR0911 (one a kind)
        match item:
            case Entry():
                return self._entry(item, handles[item.table])
            case DefaultAction(table, Action() as action):
                return [f"table_set_default {table} {action.name}{_params(action)}"]
            case DefaultAction(table, target):
                with_group = "_with_group" if isinstance(target, Group) else ""
                return [f"table_indirect_set_default{with_group} {table} {target.handle}"]
            case CounterCell(name, index, packets, size):
                return [f"counter_write {name} {index} {packets} {size}"]
            case RegisterCell(name, index, value):
                return [f"register_write {name} {index} {value}"]
            case MeterCell(name, index, bursts):
                return [_meter(name, index, bursts)]
            case CloneSession(session, port):
                return [f"mirroring_add {session} {port}"]
            case MulticastGroup(group, replicas):
                lines = [f"mc_mgrp_create {group}"]
                for number, replica in enumerate(replicas, nodes):
                    lines.append(f"mc_node_create {replica.instance} {replica.port}")
                    lines.append(f"mc_node_associate {group} {number}")
                return lines
            case ValueSet():
                return []

    def _entry(self, entry: Entry, handle: int) -> list[str]:
        keys = self._tables[entry.table].keys
        key = " ".join(_match(shape, match) for shape, match in zip(keys, entry.key, strict=True))
        match entry.target:
            case Action(name):
                line = f"table_add {entry.table} {name} {key} =>{_params(entry.target)}"
            case Member(number):
                line = f"table_indirect_add {entry.table} {key} => {number}"
            case Group(number):
                line = f"table_indirect_add_with_group {entry.table} {key} => {number}"
        if entry.table in self._prioritised:
            line += f" {LOWEST_PRIORITY - entry.priority}"
        meter = self._direct_meters[entry.table]
        return [line, _meter(meter, handle, entry.bursts)] if entry.bursts else [line]


def _meter(name: str | None, index: int, bursts: tuple[int, int]) -> str:
    return f"meter_set_rates {name} {index} {STANDSTILL}:{bursts[0]} {STANDSTILL}:{bursts[1]}"


def _params(action: Action) -> str:
    return "".join(f" {param:#x}" for param in action.params)


def _match(shape: KeyShape, match: Match) -> str:
    match shape.kind:
        case "lpm":
            return f"{match.value:#x}/{match.mask.bit_count()}"
        case "ternary":
            return f"{match.value:#x}&&&{match.mask:#x}"
        case "range":
            return f"{match.value:#x}->{match.high:#x}"
        case _:
            return f"{match.value:#x}"


def cells(switch: Dataplane, handles: Handles, direct: Sequence[str]) -> dict[tuple[str, int], Any]:
    """What counters and registers hold: cells that count, some others, and every direct counter."""
    found: dict[tuple[str, int], Any] = {}
    for name, size, _ in switch.shape.registers:
        for index in range(min(size, MAX_CELLS)):
            found[name, index] = switch.register(name, index)
    for name, size in switch.shape.counters:
        for index in range(min(size, MAX_CELLS)):
            value = switch.counter(name, index)
            if value.packets or index < FEW:
                found[name, index] = value
    for table in direct:
        for number, handle in enumerate(handles.entries[table]):
            found[table, number] = switch.direct_counter(table, handle)
    return found


MAX_CELLS, FEW = 4096, 8
