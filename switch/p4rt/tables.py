"""Tables: the entries in force, and how a client changes them (§ 9.1).

The entries are the pipeline's; kept here is only what it has no place for. A step to undo something names an
entry by key and priority, as its handle may be another by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace

from finsy.proto import p4r

from .. import api
from . import one_shots
from .codec import Key
from .context import Context
from .entries import PLAIN, Entry, EntryCodec, MemberRef, Note, Request, Result, cookie, set_cookie
from .errors import already_exists, denied, exhausted, invalid_argument, not_found, unimplemented
from .one_shots import ActionSet, OneShot
from .p4info import TableSpec
from .profiles import GroupState, MemberState, Profile
from .undo import UndoLog

_Slot = tuple[Key, int]


class Table:
    """One table; every change goes to the pipeline first."""

    def __init__(
        self, spec: TableSpec, default: api.Action | None, profile: Profile | None, context: Context
    ):
        """Start with the default action and the entries that the program declares.

        Raises:
            ValueError: they do not fit the table that P4Info describes.
        """
        self.spec = spec
        self.codec = EntryCodec(spec, context.actions, profile)
        self._notes: dict[int, Note] = {}  # by handle, those that are not plain
        self._initial_default = default or api.Action("NoAction")
        self._default = self._initial_default
        self._default_note = replace(PLAIN, is_const=spec.const_default or profile is not None)
        self._profile = profile
        self._pipeline = context.pipeline
        self._instant = context.instant
        self._has_default = context.actions.knows(self._initial_default)
        self.declared = frozenset(self._adopt(context.pipeline.initial_entries(spec.name)))

    def _adopt(self, declared: Sequence[api.InitialEntry]) -> Iterator[_Slot]:
        """Take the program's entries, with the priorities that § 9.1.4 gives them: N for the first of N."""
        ordered = sorted(declared, key=lambda item: item.priority)
        for rank, item in enumerate(ordered, 1):
            slot = self.codec.keys.canonical(item.key), rank if self.spec.prioritised else 0
            self._pipeline.table_delete(self.spec.name, item.handle)
            note = replace(PLAIN, is_const=self.spec.is_const)
            self._put(slot, item.action, note)
            yield slot

    # What clients ask for

    def insert(self, message: p4r.TableEntry, undo: UndoLog) -> None:
        """Add an entry."""
        self.codec.check_fields(message)
        if message.is_default_action:
            raise invalid_argument(f"{self.codec.name}: the default entry is always there, MODIFY it")
        if self.spec.is_const:
            raise denied(f"{self.codec.name} is const")
        if not self.spec.fields:
            raise invalid_argument(f"{self.codec.name} has no key and takes no entries")
        slot = self.codec.key(message)
        if not message.HasField("action"):
            raise invalid_argument(f"{self.codec.name}: an entry needs an action")
        request, note = self.codec.request(message.action), self.codec.note(message)
        counted = message.HasField("counter_data")
        if note is PLAIN and not counted:
            self._put(slot, self._realise(request, undo), note)
            undo.add(self._drop, slot)
            return
        with self._instant():
            handle = self._put(slot, self._realise(request, undo), note)
            undo.add(self._drop, slot)
            if counted:
                self._set_count(handle, counter_value(self.codec.name, message.counter_data))

    def modify(self, message: p4r.TableEntry, undo: UndoLog) -> None:
        """Change an entry, or the default one."""
        self.codec.check_fields(message)
        if message.is_default_action:
            self._modify_default(message, undo)
            return
        handle = self._find(message)
        before, after = self._notes.get(handle, PLAIN), self.codec.note(message)
        counted = message.HasField("counter_data")
        cleared = message.HasField("meter_counter_data")
        if self._profile is None and not (counted or cleared) and before is after is PLAIN:
            if message.HasField("action"):
                self._modify_plain(handle, message.action, undo)
            return
        row = self._pipeline.table_row(self.spec.name, handle)
        if before.is_const:
            self.codec.refuse_const_changes(message)
            after = replace(before, rates=after.rates)
        with self._instant() if counted or cleared or after != before else nullcontext():
            if message.HasField("action"):
                self._change_result(row, self.codec.request(message.action), undo)
            if after != before:
                self._annotate(row.handle, after)
                undo.add(self._annotate_again, row.key, row.priority, before)
            if counted:
                self.set_counter(row, message.counter_data, undo)
            if cleared:
                self.clear_marked(row, undo)

    def delete(self, message: p4r.TableEntry, undo: UndoLog) -> None:
        """Remove an entry; only its key counts, and `is_const`, which nobody may set (§ 9.1)."""
        if message.is_default_action:
            raise invalid_argument(f"{self.codec.name}: the default entry cannot be deleted")
        self.codec.refuse_is_const(message)
        if self.spec.is_const:
            raise denied(f"{self.codec.name} is const")
        handle = self._find(message)
        note = self._notes.get(handle, PLAIN)
        if undo.each and self._profile is None:
            self._pipeline.table_delete(self.spec.name, handle)
            self._notes.pop(handle, None)
            return
        row = self._pipeline.table_row(self.spec.name, handle)
        result = self._result(row.target)
        marked = None if self.spec.meter is None else self.marked(row)
        with nullcontext() if isinstance(result, api.Action) else self._instant():
            self._pipeline.table_delete(self.spec.name, row.handle)
            self._notes.pop(row.handle, None)
            undo.add(self._restore, row, result, note, marked)
            self._release(result, undo)

    def find(self, message: p4r.TableEntry) -> api.Row:
        """The entry with the key of a message.

        Raises:
            P4RuntimeError: NOT_FOUND, or INVALID_ARGUMENT for a key that cannot be.
        """
        return self._pipeline.table_row(self.spec.name, self._find(message))

    def _find(self, message: p4r.TableEntry) -> int:
        handle = self._pipeline.table_find(self.spec.name, *self.codec.key(message))
        if not handle:
            raise not_found(f"{self.codec.name} has no such entry")
        return handle

    def locate(self, message: p4r.TableEntry) -> api.Row:
        """The entry whose direct resource a message means; misses have none.

        Raises:
            P4RuntimeError: UNIMPLEMENTED for the default entry, else as `find`.
        """
        if not message.is_default_action:
            return self.find(message)
        if message.match or message.priority:
            raise invalid_argument(f"{self.codec.name}: the default entry has no match or priority")
        raise unimplemented(f"{self.codec.name}: misses are neither counted nor metered")

    # What there is

    def get(self, slot: _Slot) -> Entry | None:
        """The entry with a key and a priority."""
        handle = self._pipeline.table_find(self.spec.name, *slot)
        return self.entry(self._pipeline.table_row(self.spec.name, handle)) if handle else None

    def entries(self) -> Iterator[Entry]:
        """All entries."""
        return map(self.entry, self._pipeline.table_rows(self.spec.name))

    def timed(self, handle: int) -> Entry | None:
        """The entry with an idle timeout that the pipeline knows by a handle."""
        if not self._notes.get(handle, PLAIN).idle_timeout_ns:
            return None
        return self.entry(self._pipeline.table_row(self.spec.name, handle))

    def entry(self, row: api.Row) -> Entry:
        """What there is of an entry."""
        return Entry(row, self._result(row.target), self._notes.get(row.handle, PLAIN))

    # Direct resources (§ 9.1.7)

    def set_counter(self, row: api.Row, data: p4r.CounterData, undo: UndoLog) -> None:
        """Write an entry's direct counter."""
        self._set_count(row.handle, counter_value(self.codec.name, data))
        undo.add(self._set_count_again, row.key, row.priority, row.counter)

    def set_rates(self, row: api.Row, rates: api.MeterRates | None, undo: UndoLog) -> None:
        """Configure an entry's direct meter."""
        before = self._notes.get(row.handle, PLAIN)
        self._annotate(row.handle, replace(before, rates=rates))
        undo.add(self._annotate_again, row.key, row.priority, before)

    def marked(self, row: api.Row) -> api.Marked:
        """What an entry's direct meter has marked."""
        return self._pipeline.direct_meter_marked(self.spec.name, row.handle)

    def clear_marked(self, row: api.Row, undo: UndoLog) -> None:
        """Set an entry's counts per colour to 0."""
        before = self.marked(row)
        self._pipeline.direct_meter_marked_set(self.spec.name, row.handle, api.Marked())
        undo.add(self._set_marked_again, row.key, row.priority, before)

    def _set_count(self, handle: int, value: api.CounterValue) -> None:
        self._pipeline.direct_counter_set(self.spec.name, handle, value)

    # Entries

    def _put(self, slot: _Slot, result: Result, note: Note) -> int:
        try:
            handle = self._pipeline.table_insert(self.spec.name, *slot, _target(result))
        except api.ExistsError:
            raise already_exists(f"{self.codec.name} has this entry already") from None
        except OverflowError:
            raise exhausted(f"{self.codec.name} is full ({self.spec.size} entries)") from None
        if note is not PLAIN:
            self._annotate(handle, note)
        return handle

    def _annotate(self, handle: int, note: Note) -> None:
        before = self._notes.get(handle, PLAIN)
        if note.rates != before.rates:
            self._pipeline.direct_meter_set(self.spec.name, handle, note.rates)
        if note.idle_timeout_ns != before.idle_timeout_ns:
            self._pipeline.table_idle(self.spec.name, handle, note.idle_timeout_ns)
        if note == PLAIN:
            self._notes.pop(handle, None)
        else:
            self._notes[handle] = note

    # Steps back

    def _again(self, key: Key, priority: int) -> int:
        """The handle of an entry that is known to be there."""
        handle = self._pipeline.table_find(self.spec.name, key, priority)
        if not handle:
            raise KeyError(f"{self.codec.name} lost an entry")
        return handle

    def _drop(self, slot: _Slot) -> None:
        handle = self._again(*slot)
        self._pipeline.table_delete(self.spec.name, handle)
        self._notes.pop(handle, None)

    def _restore(self, row: api.Row, result: Result, note: Note, marked: api.Marked | None) -> None:
        handle = self._put((row.key, row.priority), result, note)
        if marked is not None:
            self._pipeline.direct_meter_marked_set(self.spec.name, handle, marked)
        if self.spec.counter_id is not None:
            self._set_count(handle, row.counter)

    def _annotate_again(self, key: Key, priority: int, note: Note) -> None:
        self._annotate(self._again(key, priority), note)

    def _set_count_again(self, key: Key, priority: int, value: api.CounterValue) -> None:
        self._set_count(self._again(key, priority), value)

    def _set_marked_again(self, key: Key, priority: int, marked: api.Marked) -> None:
        self._pipeline.direct_meter_marked_set(self.spec.name, self._again(key, priority), marked)

    def _set_result_again(self, key: Key, priority: int, result: Result) -> None:
        self._pipeline.table_modify(self.spec.name, self._again(key, priority), _target(result))

    # Results

    def _modify_plain(self, handle: int, message: p4r.TableAction, undo: UndoLog) -> None:
        request = self.codec.request(message)
        if not isinstance(request, api.Action):
            return
        row = None if undo.each else self._pipeline.table_row(self.spec.name, handle)
        self._pipeline.table_modify(self.spec.name, handle, request)
        if row is not None:
            undo.add(self._set_result_again, row.key, row.priority, self._result(row.target))

    def _change_result(self, row: api.Row, request: Request, undo: UndoLog) -> None:
        before = self._result(row.target)
        if isinstance(before, OneShot) and isinstance(request, ActionSet):
            one_shots.swap(before, request, undo)
            return
        with nullcontext() if isinstance(request, api.Action) else self._instant():
            after = self._realise(request, undo)
            self._pipeline.table_modify(self.spec.name, row.handle, _target(after))
            undo.add(self._set_result_again, row.key, row.priority, before)
            self._release(before, undo)

    def _realise(self, request: Request, undo: UndoLog) -> Result:
        """Put in place what an entry is about to refer to."""
        if isinstance(request, api.Action):
            return request
        profile = self._indirect()
        if isinstance(request, ActionSet):
            return one_shots.add(profile, request, undo)
        state: MemberState | GroupState
        if isinstance(request, MemberRef):
            state = profile.members.find(request.member_id)
        else:
            state = profile.groups.find(request.group_id)
        _use(state, 1)
        undo.add(_use, state, -1)
        return state

    def _release(self, result: Result, undo: UndoLog) -> None:
        """Take away what an entry no longer refers to."""
        if isinstance(result, OneShot):
            one_shots.delete(result, undo)
        elif not isinstance(result, api.Action):
            _use(result, -1)
            undo.add(_use, result, 1)

    def _result(self, target: api.Target) -> Result:
        if isinstance(target, api.Action):
            return target
        profile = self._indirect()
        if isinstance(target, api.Member):
            return profile.members.by_handle[target.handle]
        return profile.shots.get(target.handle) or profile.groups.by_handle[target.handle]

    def _indirect(self) -> Profile:
        if self._profile is None:
            raise TypeError(f"{self.codec.name} has no action profile")
        return self._profile

    # The default entry (§ 9.1.3)

    def _modify_default(self, message: p4r.TableEntry, undo: UndoLog) -> None:
        if message.match or message.priority or message.idle_timeout_ns:
            raise invalid_argument(
                f"{self.codec.name}: the default entry has no match, priority or idle timeout"
            )
        if self._profile is not None:
            raise invalid_argument(f"{self.codec.name} has an action profile and no default entry to set")
        if self.spec.const_default:
            raise denied(f"{self.codec.name}: the default action is const")
        if any(map(message.HasField, ("meter_config", "counter_data", "meter_counter_data"))):
            self.locate(message)
        before = self._default, self._default_note
        if message.HasField("action"):
            action = self.codec.default_action(message.action)
            self._set_default(action, Note(cookie(message), message.metadata))
        else:
            self._set_default(self._initial_default, PLAIN)
        undo.add(self._set_default, *before)

    def _set_default(self, action: api.Action, note: Note) -> None:
        reset = action is self._initial_default
        self._pipeline.table_default(self.spec.name, None if reset else action)
        self._default, self._default_note = action, note

    @property
    def default_changed(self) -> bool:
        """Whether a client gave the table another default entry than the program's."""
        return self._default is not self._initial_default

    def read_default(self) -> Iterator[p4r.TableEntry]:
        """The default entry as a message, if the table has one."""
        if self._has_default:
            note = self._default_note
            message = p4r.TableEntry(
                table_id=self.spec.id,
                is_default_action=True,
                metadata=note.metadata,
                is_const=note.is_const,
            )
            set_cookie(message, note.controller_metadata)
            self.codec.encode_action(self._default, message.action)
            yield message


def counter_value(place: str, data: p4r.CounterData) -> api.CounterValue:
    """A counter's value from the wire."""
    if data.packet_count < 0 or data.byte_count < 0:
        raise invalid_argument(f"{place}: counts are not negative")
    return api.CounterValue(data.packet_count, data.byte_count)


def _target(result: Result) -> api.Target:
    if isinstance(result, api.Action):
        return result
    return api.Member(result.handle) if isinstance(result, MemberState) else api.Group(result.handle)


def _use(state: MemberState | GroupState, step: int) -> None:
    state.uses += step
