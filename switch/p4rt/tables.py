"""Tables: the entries in force, and how a client changes them (§ 9.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from finsy.proto import p4r

from .. import api
from . import one_shots
from .codec import Key
from .context import Context
from .entries import Entry, EntryCodec, GroupRef, MemberRef, Request, Result, cookie
from .errors import already_exists, denied, exhausted, invalid_argument, not_found, unimplemented
from .one_shots import ActionSet, OneShot
from .p4info import TableSpec
from .profiles import GroupState, MemberState, Profile
from .undo import UndoLog

T = TypeVar("T")
_Slot = tuple[Key, int]


class Table:
    """The state of one table; every change goes to the pipeline first."""

    def __init__(
        self, spec: TableSpec, default: api.Action | None, profile: Profile | None, context: Context
    ):
        """Start with the default action and the entries that the program declares.

        Raises:
            ValueError: they do not fit the table that P4Info describes.
        """
        self.spec = spec
        self.codec = EntryCodec(spec, context.actions, profile)
        self.entries: dict[_Slot, Entry] = {}
        self._initial_default = default or api.Action("NoAction")
        self.default = Entry((), 0, self._initial_default, is_const=spec.const_default or profile is not None)
        self._profile = profile
        self._pipeline = context.pipeline
        self._instant = context.instant
        self._has_default = context.actions.knows(self._initial_default)
        self._timed: dict[int, Entry] = {}
        self._adopt(context.pipeline.initial_entries(spec.name))
        self.declared = frozenset(self.entries)

    def _adopt(self, declared: Sequence[api.InitialEntry]) -> None:
        """Take the program's entries, with the priorities that § 9.1.4 gives them: N for the first of N.

        Where clients may add entries beside them, those priorities have to hold in the pipeline too.
        """
        ordered = sorted(declared, key=lambda item: item.priority)
        for rank, item in enumerate(ordered, 1):
            priority = rank if self.spec.prioritised else 0
            key = self.codec.keys.from_program(item.key)
            entry = Entry(key, priority, item.action, item.handle, is_const=self.spec.is_const)
            if priority and not entry.is_const:
                self._pipeline.table_delete(self.spec.name, item.handle)
                self._put(entry)
            self.entries[key, priority] = entry

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
        if slot in self.entries:
            raise already_exists(f"{self.codec.name} has this entry already")
        if not message.HasField("action"):
            raise invalid_argument(f"{self.codec.name}: an entry needs an action")
        request, rates = self.codec.request(message.action), self.codec.rates(message)
        entry = Entry(
            *slot,
            self._realise(request, undo),
            0,
            cookie(message),
            message.metadata,
            message.idle_timeout_ns,
            rates,
        )
        counted = message.HasField("counter_data")
        if counted or rates is not None:
            with self._instant():
                self._add(entry, undo)
                if counted:
                    self.set_counter(entry, message.counter_data, undo)
        else:
            self._add(entry, undo)

    def modify(self, message: p4r.TableEntry, undo: UndoLog) -> None:
        """Change an entry, or the default one."""
        self.codec.check_fields(message)
        if message.is_default_action:
            self._modify_default(message, undo)
            return
        entry = self.find(message)
        rates = self.codec.rates(message)
        if entry.is_const:
            self.codec.refuse_const_action(message)
        with self._instant():
            if message.HasField("action"):
                self._change_result(entry, self.codec.request(message.action), undo)
            if rates != entry.rates:
                self.set_rates(entry, rates, undo)
            if message.HasField("counter_data"):
                self.set_counter(entry, message.counter_data, undo)
            if not entry.is_const:
                self._annotate(entry, cookie(message), message.metadata, undo)
                self._change(self._set_idle, entry, entry.idle_timeout_ns, message.idle_timeout_ns, undo)

    def delete(self, message: p4r.TableEntry, undo: UndoLog) -> None:
        """Remove an entry; only its key counts (§ 9.1)."""
        if message.is_default_action:
            raise invalid_argument(f"{self.codec.name}: the default entry cannot be deleted")
        entry = self.find(message)
        if entry.is_const:
            raise denied(f"{self.codec.name}: the entry is const")
        with self._instant():
            self._remove(entry, undo)

    def find(self, message: p4r.TableEntry) -> Entry:
        """The entry with the key of a message.

        Raises:
            P4RuntimeError: NOT_FOUND, or INVALID_ARGUMENT for a key that cannot be.
        """
        entry = self.entries.get(self.codec.key(message))
        if entry is None:
            raise not_found(f"{self.codec.name} has no such entry")
        return entry

    def locate(self, message: p4r.TableEntry) -> Entry:
        """The entry whose direct resource a message means, which may be the default one."""
        if not message.is_default_action:
            return self.find(message)
        if message.match or message.priority:
            raise invalid_argument(f"{self.codec.name}: the default entry has no match or priority")
        return self.default

    def timed(self, handle: int) -> Entry | None:
        """The entry with an idle timeout that the pipeline knows by a handle."""
        return self._timed.get(handle)

    # Direct resources (§ 9.1.7)

    def counter(self, entry: Entry) -> p4r.CounterData:
        """Read an entry's direct counter."""
        self._require_entry(entry)
        value = self._pipeline.direct_counter(self.spec.name, entry.handle)
        return p4r.CounterData(byte_count=value.bytes, packet_count=value.packets)

    def set_counter(self, entry: Entry, data: p4r.CounterData, undo: UndoLog) -> None:
        """Write an entry's direct counter."""
        self._require_entry(entry)
        before = self._pipeline.direct_counter(self.spec.name, entry.handle)
        self._set_counter(entry, counter_value(self.codec.name, data))
        undo.add(partial(self._set_counter, entry, before))

    def set_rates(self, entry: Entry, rates: api.MeterRates | None, undo: UndoLog) -> None:
        """Configure an entry's direct meter."""
        self._require_entry(entry)
        self._change(self._set_rates, entry, entry.rates, rates, undo)

    def _require_entry(self, entry: Entry) -> None:
        if entry is self.default:
            raise unimplemented(f"{self.codec.name}: misses are neither counted nor metered")

    def _set_counter(self, entry: Entry, value: api.CounterValue) -> None:
        self._pipeline.direct_counter_set(self.spec.name, entry.handle, value)

    def _set_rates(self, entry: Entry, rates: api.MeterRates | None) -> None:
        self._pipeline.direct_meter_set(self.spec.name, entry.handle, rates)
        entry.rates = rates

    def _set_idle(self, entry: Entry, timeout_ns: int) -> None:
        if timeout_ns == entry.idle_timeout_ns:
            return
        self._pipeline.table_idle(self.spec.name, entry.handle, timeout_ns)
        entry.idle_timeout_ns = timeout_ns
        if timeout_ns:
            self._timed[entry.handle] = entry
        else:
            self._timed.pop(entry.handle, None)

    # Entries

    def _add(self, entry: Entry, undo: UndoLog) -> None:
        self._put(entry)
        undo.add(partial(self._drop, entry))

    def _remove(self, entry: Entry, undo: UndoLog) -> None:
        if self.spec.counter_id is not None:
            before = self._pipeline.direct_counter(self.spec.name, entry.handle)
            undo.add(partial(self._set_counter, entry, before))
        self._drop(entry)
        undo.add(partial(self._put, entry))
        self._release(entry.result, undo)

    def _put(self, entry: Entry) -> None:
        try:
            entry.handle = self._pipeline.table_insert(
                self.spec.name,
                self.codec.keys.to_program(entry.key),
                entry.priority,
                self._target(entry.result),
            )
        except OverflowError:
            raise exhausted(f"{self.codec.name} is full ({self.spec.size} entries)") from None
        self.entries[entry.key, entry.priority] = entry
        if entry.rates is not None:
            self._pipeline.direct_meter_set(self.spec.name, entry.handle, entry.rates)
        if entry.idle_timeout_ns:
            self._pipeline.table_idle(self.spec.name, entry.handle, entry.idle_timeout_ns)
            self._timed[entry.handle] = entry

    def _drop(self, entry: Entry) -> None:
        self._pipeline.table_delete(self.spec.name, entry.handle)
        del self.entries[entry.key, entry.priority]
        self._timed.pop(entry.handle, None)

    def _annotate(self, entry: Entry, cookie_: int, metadata: bytes, undo: UndoLog) -> None:
        undo.add(partial(_set_opaque, entry, entry.controller_metadata, entry.metadata))
        _set_opaque(entry, cookie_, metadata)

    def _change(
        self, apply: Callable[[Entry, T], None], entry: Entry, before: T, after: T, undo: UndoLog
    ) -> None:
        apply(entry, after)
        undo.add(partial(apply, entry, before))

    # Results

    def _change_result(self, entry: Entry, request: Request, undo: UndoLog) -> None:
        before = entry.result
        if isinstance(before, OneShot) and isinstance(request, ActionSet):
            one_shots.swap(before, request, undo)
            return
        self._change(self._set_result, entry, before, self._realise(request, undo), undo)
        self._release(before, undo)

    def _set_result(self, entry: Entry, result: Result) -> None:
        self._pipeline.table_modify(self.spec.name, entry.handle, self._target(result))
        entry.result = result

    def _realise(self, request: Request, undo: UndoLog) -> Result:
        """Put in place what an entry is about to refer to."""
        if isinstance(request, api.Action):
            return request
        profile = self._indirect()
        if isinstance(request, ActionSet):
            return one_shots.add(profile, request, undo)
        state = self._referred(profile, request)
        _use(state, 1)
        undo.add(partial(_use, state, -1))
        return request

    def _release(self, result: Result, undo: UndoLog) -> None:
        """Take away what an entry no longer refers to."""
        if isinstance(result, OneShot):
            one_shots.delete(result, undo)
        elif not isinstance(result, api.Action):
            state = self._referred(self._indirect(), result)
            _use(state, -1)
            undo.add(partial(_use, state, 1))

    def _target(self, result: Result) -> api.Target:
        match result:
            case api.Action():
                return result
            case OneShot():
                return api.Group(result.group)
            case MemberRef():
                return api.Member(self._referred(self._indirect(), result).handle)
            case GroupRef():
                return api.Group(self._referred(self._indirect(), result).handle)

    def _indirect(self) -> Profile:
        if self._profile is None:
            raise TypeError(f"{self.codec.name} has no action profile")
        return self._profile

    @staticmethod
    def _referred(profile: Profile, result: MemberRef | GroupRef) -> MemberState | GroupState:
        if isinstance(result, MemberRef):
            return profile.members.find(result.member_id)
        return profile.groups.find(result.group_id)

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
        if message.HasField("meter_config") or message.HasField("counter_data"):
            self._require_entry(self.default)
        before = self.default.result
        if message.HasField("action"):
            action = self.codec.default_action(message.action)
            self._set_default(action)
            self._annotate(self.default, cookie(message), message.metadata, undo)
        else:
            self._set_default(self._initial_default)
            self._annotate(self.default, 0, b"", undo)
        undo.add(partial(self._set_default, before))

    def _set_default(self, result: Result) -> None:
        reset = result is self._initial_default
        self._pipeline.table_default(self.spec.name, None if reset else self._target(result))
        self.default.result = result

    @property
    def default_changed(self) -> bool:
        """Whether a client gave the table another default entry than the program's."""
        return self.default.result is not self._initial_default or bool(self.default.metadata)

    def read_default(self) -> Iterator[p4r.TableEntry]:
        """The default entry as a message, if the table has one."""
        if self._has_default and isinstance(self.default.result, api.Action):
            message = p4r.TableEntry(
                table_id=self.spec.id,
                action=self.codec.encode_action(self.default.result),
                is_default_action=True,
                metadata=self.default.metadata,
                is_const=self.default.is_const,
            )
            yield message


def counter_value(place: str, data: p4r.CounterData) -> api.CounterValue:
    """A counter's value from the wire."""
    if data.packet_count < 0 or data.byte_count < 0:
        raise invalid_argument(f"{place}: counts are not negative")
    return api.CounterValue(data.packet_count, data.byte_count)


def _set_opaque(entry: Entry, cookie_: int, metadata: bytes) -> None:
    entry.controller_metadata, entry.metadata = cookie_, metadata


def _use(state: MemberState | GroupState, step: int) -> None:
    state.uses += step
