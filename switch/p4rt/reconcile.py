"""Carries the state of one pipeline over to another, for RECONCILE_AND_COMMIT (§ 14)."""

from __future__ import annotations

from collections.abc import Iterator

from finsy.proto import p4r

from .. import api
from .entries import Entry
from .errors import BatchError, P4RuntimeError, invalid_argument
from .read import Reader
from .roles import Role
from .state import State
from .tables import Table
from .write import Writer

_INSERT, _MODIFY = p4r.Update.INSERT, p4r.Update.MODIFY
_UNMARKED = api.Marked()


def carry_over(old: State, new: State) -> None:
    """Write to `new` what clients wrote to `old`, and what the data plane counted and stored there.

    Cells of counters, meters, registers and value sets that the new program lacks are given up; everything
    else has to fit.

    Raises:
        P4RuntimeError: INVALID_ARGUMENT where it does not.
    """
    new.schema.translations.adopt(old.schema.translations)
    updates = [
        *_structure(old),
        *_deletions(old, new),
        *_entries(old, new),
        *_defaults(old),
        *_cells(old, new),
    ]
    try:
        for _ in Writer(new, Role(), p4r.WriteRequest.ROLLBACK_ON_ERROR).run(updates):
            pass
    except BatchError as error:
        raise invalid_argument(f"the forwarding state does not fit the new config: {error.message}") from None
    _marked(old, new)


def _marked(old: State, new: State) -> None:
    """Counts per colour, which no write can set but to 0 (§ 9.4.3)."""
    for meter_id in old.meters.keys() & new.meters.keys():
        before, after = old.meters[meter_id], new.meters[meter_id]
        for index in range(min(before.spec.size, after.spec.size)):
            marked = before.marked(index)
            if marked != _UNMARKED:
                new.pipeline.meter_marked_set(after.spec.name, index, marked)
    for table_id in old.tables.keys() & new.tables.keys():
        before, after = old.tables[table_id], new.tables[table_id]
        if before.spec.meter is None or after.spec.meter is None:
            continue
        for entry in before.entries():
            marked = before.marked(entry.row)
            row = None if marked == _UNMARKED else _counterpart(before, entry, after)
            if row is not None:
                new.pipeline.direct_meter_marked_set(after.spec.name, row.handle, marked)


def _counterpart(before: Table, entry: Entry, after: Table) -> api.Row | None:
    message = p4r.TableEntry()
    before.codec.encode_key(entry.row, message)
    try:
        return after.find(message)
    except P4RuntimeError:
        return None  # an entry that the old program declared and the new one does not


def _read(old: State, *wildcards: p4r.Entity) -> Iterator[p4r.Entity]:
    return Reader(old, None).run(wildcards)


def _structure(old: State) -> Iterator[p4r.Update]:
    """What entries refer to, and what stands beside them."""
    replication = p4r.PacketReplicationEngineEntry
    groups = replication(multicast_group_entry=p4r.MulticastGroupEntry())
    sessions = replication(clone_session_entry=p4r.CloneSessionEntry())
    for found in _read(
        old,
        p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
        p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
        p4r.Entity(packet_replication_engine_entry=groups),
        p4r.Entity(packet_replication_engine_entry=sessions),
        p4r.Entity(digest_entry=p4r.DigestEntry()),
    ):
        yield p4r.Update(type=_INSERT, entity=found)


def _deletions(old: State, new: State) -> Iterator[p4r.Update]:
    """Entries that both programs declare and a client deleted."""
    for table_id in old.tables.keys() & new.tables.keys():
        before, after = old.tables[table_id], new.tables[table_id]
        for slot in before.declared:
            entry = after.get(slot) if slot in after.declared and before.get(slot) is None else None
            if entry is not None and not entry.note.is_const:
                gone = p4r.Update(type=p4r.Update.DELETE)
                after.codec.encode_key(entry.row, gone.entity.table_entry)
                yield gone


def _entries(old: State, new: State) -> Iterator[p4r.Update]:
    """Table entries with their direct resources; those that the new program declares too are modified."""
    everything = p4r.TableEntry(counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig())
    for found in _read(old, p4r.Entity(table_entry=everything)):
        entry = found.table_entry
        declared = _declared(new, entry)
        if not entry.is_const:
            yield p4r.Update(type=_MODIFY if declared else _INSERT, entity=found)
        elif declared:
            entry.is_const = False
            entry.ClearField("action")
            yield p4r.Update(type=_MODIFY, entity=found)


def _declared(new: State, entry: p4r.TableEntry) -> bool:
    try:
        new.table(entry.table_id).find(entry)
    except P4RuntimeError:
        return False
    return True


def _defaults(old: State) -> Iterator[p4r.Update]:
    for table in old.tables.values():
        if table.default_changed:
            for entry in table.read_default():
                yield p4r.Update(type=_MODIFY, entity=p4r.Entity(table_entry=entry))


def _cells(old: State, new: State) -> Iterator[p4r.Update]:
    sizes = {
        array.spec.id: array.spec.size
        for array in (*new.counters.values(), *new.meters.values(), *new.registers.values())
    }
    for found in _read(
        old,
        p4r.Entity(counter_entry=p4r.CounterEntry()),
        p4r.Entity(meter_entry=p4r.MeterEntry()),
        p4r.Entity(register_entry=p4r.RegisterEntry()),
    ):
        counter, meter, register = found.counter_entry, found.meter_entry, found.register_entry
        array = counter.counter_id or meter.meter_id or register.register_id
        index = counter.index.index or meter.index.index or register.index.index
        if index < sizes.get(array, 0):
            yield p4r.Update(type=_MODIFY, entity=found)
    for found in _read(old, p4r.Entity(value_set_entry=p4r.ValueSetEntry())):
        if found.value_set_entry.value_set_id in new.value_sets:
            yield p4r.Update(type=_MODIFY, entity=found)
