"""What the router is told, as rows of data, and how the rows reach the switch through p4runtime-shell.

Names are those of P4Info; values are numbers, or addresses as text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from google.protobuf import text_format
from p4.v1 import p4runtime_pb2 as p4rt
from p4runtime_sh import shell
from p4runtime_sh.context import P4Type

from p4src import JSON, P4INFO

Value = int | str
INSERT, MODIFY, DELETE = p4rt.Update.INSERT, p4rt.Update.MODIFY, p4rt.Update.DELETE


@dataclass(frozen=True)
class Call:
    """An action with its parameters."""

    action: str
    params: Mapping[str, Value] = field(default_factory=dict)

    def shell_action(self) -> shell.Action:
        action = shell.Action(self.action)
        action.set(**{name: str(value) for name, value in self.params.items()})
        return action


@dataclass(frozen=True)
class Entry:
    """A table entry of one action or of a weighted one-shot set; the default where there is no match."""

    table: str
    match: Mapping[str, Value]
    action: Call | None = None
    weighted: tuple[tuple[Call, int], ...] = ()
    priority: int = 0

    def shell_entry(self) -> shell.TableEntry:
        entry = shell.TableEntry(self.table)
        entry.match.set(**{name: str(value) for name, value in self.match.items()})
        entry.priority = self.priority
        entry.is_default = not self.match
        if self.action:
            entry.action = self.action.shell_action()
        for call, weight in self.weighted:
            entry.oneshot.add(call.shell_action(), weight)
        return entry


def entry(table: str, match: Mapping[str, Value], action: str, priority: int = 0, **params: Value) -> Entry:
    """An entry of one action."""
    return Entry(table, match, Call(action, params), priority=priority)


def default(table: str, action: str, **params: Value) -> Entry:
    """The default action of a table without keys."""
    return Entry(table, {}, Call(action, params))


def one_shot(table: str, match: Mapping[str, Value], *weighted: tuple[Call, int]) -> Entry:
    """An entry that draws from weighted actions."""
    return Entry(table, match, weighted=weighted)


def write(kind: int, rows: Iterable[Entry]) -> None:
    """Send all rows in one WriteRequest; default actions are modified whatever the kind.

    Raises:
        P4RuntimeWriteException: the switch refused one.
    """
    request = p4rt.WriteRequest()
    for row in rows:
        update = request.updates.add(type=kind if row.match else MODIFY)
        update.entity.table_entry.CopyFrom(row.shell_entry().msg())
    shell.client.write(request)


def connect(address: str, device_id: int, push: bool) -> None:
    """Open the shell's session as primary; `push` the compiled program first."""
    config = shell.FwdPipeConfig(str(P4INFO), str(JSON)) if push else None
    shell.setup(device_id, address, election_id=(0, 1), config=config, verbose=False)


def state() -> list[str]:
    """What can be changed in the tables, as sorted lines: entries, and defaults of tables without keys."""
    found = [*_entries(), *(found for table in _keyless() for found in _read(_default_of(table)))]
    return sorted(text_format.MessageToString(entity, as_one_line=True) for entity in found)


def clear() -> None:
    """Delete all entries and put the default actions back that the program gives."""
    request = p4rt.WriteRequest()
    for entity in _entries():
        deleted = request.updates.add(type=DELETE).entity.table_entry
        deleted.table_id, deleted.priority = entity.table_entry.table_id, entity.table_entry.priority
        deleted.match.extend(entity.table_entry.match)
    for table in _keyless():
        request.updates.add(type=MODIFY).entity.CopyFrom(_default_of(table))
    shell.client.write(request)


def outcomes() -> Counter[str]:
    """Packets counted by each `Outcome` since the push, without those that never happened."""
    names = {
        int.from_bytes(member.value, "big"): member.name
        for member in shell.context.p4info.type_info.serializable_enums["Outcome"].members
    }
    entity = p4rt.Entity()
    entity.direct_counter_entry.table_entry.table_id = shell.TableEntry("outcome").id
    cells = [found.direct_counter_entry for found in _read(entity)]
    counted = {
        names[int.from_bytes(cell.table_entry.match[0].exact.value, "big")]: cell.data.packet_count
        for cell in cells
    }
    return Counter({name: packets for name, packets in counted.items() if packets})


def bound_count(slot: int) -> tuple[int, int]:
    """Packets and bytes of the requests that were bound to the member with this slot."""
    cell = shell.CounterEntry("bound")
    cell.index = slot
    found = next(iter(cell.read()))
    return found.packet_count, found.byte_count


def _read(entity: p4rt.Entity) -> list[p4rt.Entity]:
    return [found for response in shell.client.read_one(entity) for found in response.entities]


def _entries() -> list[p4rt.Entity]:
    everything = p4rt.Entity()
    everything.table_entry.table_id = 0
    tables = shell.P4Objects(P4Type.table)
    constant = {table.id for table in tables if table.msg().is_const_table}
    return [
        found
        for found in _read(everything)
        if found.table_entry.table_id not in constant and not found.table_entry.is_default_action
    ]


def _keyless() -> list[int]:
    return [table.id for table in shell.P4Objects(P4Type.table) if not table.msg().match_fields]


def _default_of(table: int) -> p4rt.Entity:
    entity = p4rt.Entity()
    entity.table_entry.table_id, entity.table_entry.is_default_action = table, True
    return entity
