"""Batches of updates, each whole or not at all, under the three kinds of atomicity (§ 12)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol, TypeVar

from finsy.proto import p4r, rpc_code

from . import meters
from .errors import BatchError, P4RuntimeError, denied, exhausted, internal, invalid_argument, unimplemented
from .roles import Role, subject
from .state import State
from .undo import UndoLog

PAUSE_EVERY = 128
"""Updates between two points where the server looks at its other clients."""

M_contra = TypeVar("M_contra", contravariant=True)


class _Container(Protocol[M_contra]):
    def insert(self, message: M_contra, undo: UndoLog) -> None: ...
    def modify(self, message: M_contra, undo: UndoLog) -> None: ...
    def delete(self, message: M_contra, undo: UndoLog) -> None: ...


class _Array(Protocol[M_contra]):
    def modify(self, message: M_contra, undo: UndoLog) -> None: ...


M = TypeVar("M")


class Writer:
    """Applies updates to a state for one role."""

    def __init__(self, state: State, role: Role, atomicity: int):
        """Take the batch's `p4.v1.WriteRequest.Atomicity`.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT where there is no such kind of atomicity.
        """
        if atomicity not in p4r.WriteRequest.Atomicity.values():
            raise invalid_argument(f"the atomicity {atomicity} is not one of P4Runtime's")
        self._state = state
        self._find = state.schema.find
        self._role = role
        self._atomicity = atomicity
        self._undo = UndoLog(each=atomicity == p4r.WriteRequest.CONTINUE_ON_ERROR)
        self._handlers: Mapping[str, Callable[[int, p4r.Entity], None]] = {
            "table_entry": self._table_entry,
            "action_profile_member": self._member,
            "action_profile_group": self._group,
            "counter_entry": self._counter,
            "direct_counter_entry": self._direct_counter,
            "meter_entry": self._meter,
            "direct_meter_entry": self._direct_meter,
            "register_entry": self._register,
            "value_set_entry": self._value_set,
            "digest_entry": self._digest,
            "packet_replication_engine_entry": self._replication,
            "extern_entry": self._extern,
        }

    def run(self, updates: Sequence[p4r.Update]) -> Generator[None]:
        """Apply a batch, pausing now and then (the caller keeps others off the state meanwhile).

        Raises:
            BatchError: updates failed; with atomicity other than CONTINUE_ON_ERROR nothing was changed then.
        """
        with ExitStack() as stack:
            if self._undo.each:
                yield from self._each(updates)
                return
            atomic = self._atomicity == p4r.WriteRequest.DATAPLANE_ATOMIC
            if atomic:
                stack.enter_context(self._state.instant())
            stack.enter_context(self._undo.all_or_nothing())
            # Packets may have to wait for the end of an atomic batch: nobody else gets a turn before.
            yield from self._all(updates, pausing=not atomic)

    def _each(self, updates: Sequence[p4r.Update]) -> Generator[None]:
        results: list[P4RuntimeError | None] = []
        for count, update in enumerate(updates, 1):
            results.append(self._apply(update))
            self._undo.forget()
            if not count % PAUSE_EVERY:
                yield
        if any(results):
            raise BatchError("update", results)

    def _all(self, updates: Sequence[p4r.Update], *, pausing: bool) -> Generator[None]:
        for index, update in enumerate(updates):
            failed = self._apply(update)
            if failed is not None:
                aborted = P4RuntimeError(rpc_code.ABORTED, f"not done, as update {index} failed")
                raise BatchError("update", [failed if at == index else aborted for at in range(len(updates))])
            if pausing and not (index + 1) % PAUSE_EVERY:
                yield

    def _apply(self, update: p4r.Update) -> P4RuntimeError | None:
        """Apply one update; one that fails leaves nothing behind."""
        mark = self._undo.mark()
        try:
            self._update(update)
        except P4RuntimeError as error:
            self._undo.rewind(mark)
            return error
        except OverflowError as error:
            self._undo.rewind(mark)
            return exhausted(str(error))
        except (LookupError, ValueError, OSError) as error:
            self._undo.rewind(mark)
            return internal(f"the pipeline refused the update: {error!r}")
        return None

    def _update(self, update: p4r.Update) -> None:
        entity = update.entity
        if self._role.objects is not None and not self._role.may_touch(subject(entity)):
            raise denied(f"role {self._role.name} has no such object")
        handle = self._handlers.get(entity.WhichOneof("entity") or "")
        if handle is None:
            raise invalid_argument("the update has no entity of a known kind")
        handle(update.type, entity)

    def _table_entry(self, verb: int, entity: p4r.Entity) -> None:
        message = entity.table_entry
        self._change(verb, self._state.table(message.table_id), message)

    def _member(self, verb: int, entity: p4r.Entity) -> None:
        message = entity.action_profile_member
        self._change(verb, self._state.profile(message.action_profile_id).members, message)

    def _group(self, verb: int, entity: p4r.Entity) -> None:
        message = entity.action_profile_group
        self._change(verb, self._state.profile(message.action_profile_id).groups, message)

    def _counter(self, verb: int, entity: p4r.Entity) -> None:
        message = entity.counter_entry
        self._modify(verb, self._find(self._state.counters, "counter", message.counter_id), message)

    def _meter(self, verb: int, entity: p4r.Entity) -> None:
        message = entity.meter_entry
        self._modify(verb, self._find(self._state.meters, "meter", message.meter_id), message)

    def _register(self, verb: int, entity: p4r.Entity) -> None:
        message = entity.register_entry
        self._modify(verb, self._find(self._state.registers, "register", message.register_id), message)

    def _value_set(self, verb: int, entity: p4r.Entity) -> None:
        message = entity.value_set_entry
        self._modify(verb, self._find(self._state.value_sets, "value set", message.value_set_id), message)

    def _digest(self, verb: int, entity: p4r.Entity) -> None:
        self._change(verb, self._state.digests, entity.digest_entry)

    def _replication(self, verb: int, entity: p4r.Entity) -> None:
        message = entity.packet_replication_engine_entry
        match message.WhichOneof("type"):
            case "multicast_group_entry":
                self._change(verb, self._state.multicast_groups, message.multicast_group_entry)
            case "clone_session_entry":
                self._change(verb, self._state.clone_sessions, message.clone_session_entry)
            case _:
                raise invalid_argument("the packet replication entry is neither group nor session")

    def _direct_counter(self, verb: int, entity: p4r.Entity) -> None:
        _require_modify(verb)
        message = entity.direct_counter_entry
        table = self._state.table(message.table_entry.table_id)
        if table.spec.counter_id is None:
            raise invalid_argument(f"table {table.spec.name} has no direct counter")
        row = table.locate(message.table_entry)
        if message.HasField("data"):
            table.set_counter(row, message.data, self._undo)

    def _direct_meter(self, verb: int, entity: p4r.Entity) -> None:
        _require_modify(verb)
        message = entity.direct_meter_entry
        table = self._state.table(message.table_entry.table_id)
        if table.spec.meter is None:
            raise invalid_argument(f"table {table.spec.name} has no direct meter")
        rates = meters.decode(table.spec.meter, message.config) if message.HasField("config") else None
        if message.HasField("counter_data"):
            meters.require_zero(table.spec.name, message.counter_data)
        row = table.locate(message.table_entry)
        table.set_rates(row, rates, self._undo)
        if message.HasField("counter_data"):
            table.clear_marked(row, self._undo)

    def _extern(self, _verb: int, _entity: p4r.Entity) -> None:
        raise unimplemented("v1model has no externs beyond those with entities of their own")

    def _change(self, verb: int, container: _Container[M], message: M) -> None:
        match verb:
            case p4r.Update.INSERT:
                container.insert(message, self._undo)
            case p4r.Update.MODIFY:
                container.modify(message, self._undo)
            case p4r.Update.DELETE:
                container.delete(message, self._undo)
            case _:
                raise invalid_argument("the update has no type")

    def _modify(self, verb: int, array: _Array[M], message: M) -> None:
        _require_modify(verb)
        array.modify(message, self._undo)


def _require_modify(verb: int) -> None:
    if verb != p4r.Update.MODIFY:
        raise invalid_argument("entities of this kind can only be modified")
