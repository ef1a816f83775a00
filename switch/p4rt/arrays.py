"""Indexed counters, meters and registers, and parser value sets (§ 9.3.2, 9.4.2, 9.6, 9.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from finsy.proto import p4r

from .. import api
from . import meters
from .codec import Key, KeyCodec
from .context import Context
from .errors import already_exists, exhausted, invalid_argument, out_of_range
from .p4info import CounterSpec, MeterSpec, RegisterSpec, ValueSetSpec
from .tables import counter_value
from .undo import UndoLog
from .values import OutOfRangeError


class _Array(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...


def cells(spec: _Array, indexed: bool, index: int) -> Sequence[int]:
    """The indices that a request means: one, or without an index all of them.

    Raises:
        P4RuntimeError: INVALID_ARGUMENT or OUT_OF_RANGE.
    """
    if not indexed:
        return range(spec.size)
    if index < 0:
        raise invalid_argument(f"{spec.name}: index {index} is negative")
    if index >= spec.size:
        raise out_of_range(f"{spec.name}: index {index} is past the end ({spec.size} cells)")
    return (index,)


class Counter:
    """An indexed counter; its values live in the pipeline."""

    def __init__(self, spec: CounterSpec, context: Context):
        self.spec = spec
        self._pipeline = context.pipeline

    def modify(self, message: p4r.CounterEntry, undo: UndoLog) -> None:
        """Write one cell or all; without data nothing changes."""
        selected = cells(self.spec, message.HasField("index"), message.index.index)
        if not message.HasField("data"):
            return
        value = counter_value(self.spec.name, message.data)
        for index in selected:
            before = self._pipeline.counter(self.spec.name, index)
            self._pipeline.counter_set(self.spec.name, index, value)
            undo.add(self._pipeline.counter_set, self.spec.name, index, before)

    def read(self, index: int) -> p4r.CounterEntry:
        """One cell as a message."""
        value = self._pipeline.counter(self.spec.name, index)
        return p4r.CounterEntry(
            counter_id=self.spec.id,
            index=p4r.Index(index=index),
            data=p4r.CounterData(byte_count=value.bytes, packet_count=value.packets),
        )


class Meter:
    """An indexed meter and the configurations its cells were given."""

    def __init__(self, spec: MeterSpec, context: Context):
        self.spec = spec
        self.rates: dict[int, api.MeterRates] = {}
        self._pipeline = context.pipeline

    def modify(self, message: p4r.MeterEntry, undo: UndoLog) -> None:
        """Configure one cell or all; without a configuration everything passes green."""
        selected = cells(self.spec, message.HasField("index"), message.index.index)
        cleared = message.HasField("counter_data")
        if cleared:
            meters.require_zero(self.spec.name, message.counter_data)
        rates = meters.decode(self.spec, message.config) if message.HasField("config") else None
        for index in selected:
            undo.add(self._set, index, self.rates.get(index))
            self._set(index, rates)
            if cleared:
                before = self._pipeline.meter_marked(self.spec.name, index)
                self._pipeline.meter_marked_set(self.spec.name, index, api.Marked())
                undo.add(self._pipeline.meter_marked_set, self.spec.name, index, before)

    def _set(self, index: int, rates: api.MeterRates | None) -> None:
        self._pipeline.meter_set(self.spec.name, index, rates)
        if rates is None:
            self.rates.pop(index, None)
        else:
            self.rates[index] = rates

    def read(self, index: int) -> p4r.MeterEntry:
        """One cell as a message, without the counts per colour; a default configuration is left out."""
        rates = self.rates.get(index)
        return p4r.MeterEntry(
            meter_id=self.spec.id,
            index=p4r.Index(index=index),
            config=None if rates is None else meters.encode(rates),
        )

    def marked(self, index: int) -> api.Marked:
        """The counts per colour of one cell."""
        return self._pipeline.meter_marked(self.spec.name, index)


class Register:
    """A register array; its values live in the pipeline."""

    def __init__(self, spec: RegisterSpec, context: Context):
        self.spec = spec
        self._pipeline = context.pipeline

    def modify(self, message: p4r.RegisterEntry, undo: UndoLog) -> None:
        """Write one cell or all."""
        selected = cells(self.spec, message.HasField("index"), message.index.index)
        try:
            (value,) = self.spec.type.decode(message.data)
        except OutOfRangeError as error:
            raise out_of_range(f"register {self.spec.name}: {error}") from None
        except ValueError as error:
            raise invalid_argument(f"register {self.spec.name}: {error}") from None
        for index in selected:
            before = self._pipeline.register(self.spec.name, index)
            self._pipeline.register_set(self.spec.name, index, value)
            undo.add(self._pipeline.register_set, self.spec.name, index, before)

    def read(self, index: int) -> p4r.RegisterEntry:
        """One cell as a message."""
        value = self._pipeline.register(self.spec.name, index)
        return p4r.RegisterEntry(
            register_id=self.spec.id,
            index=p4r.Index(index=index),
            data=self.spec.type.encode(iter((value,))),
        )


class ValueSet:
    """A parser value set and its members in the order they were given."""

    def __init__(self, spec: ValueSetSpec, context: Context):
        self.spec = spec
        self.members: list[Key] = []
        self._keys = KeyCodec(f"value set {spec.name}", spec.fields)
        self._pipeline = context.pipeline

    def modify(self, message: p4r.ValueSetEntry, undo: UndoLog) -> None:
        """Replace the members."""
        place = f"value set {self.spec.name}"
        if len(message.members) > self.spec.size:
            raise exhausted(f"{place} holds {self.spec.size} members, not {len(message.members)}")
        members: list[Key] = []
        for member in message.members:
            key = self._keys.decode(member.match)
            if key in members:
                raise already_exists(f"{place}: a member is given twice")
            members.append(key)
        undo.add(self._set, self.members)
        self._set(members)

    def _set(self, members: list[Key]) -> None:
        self._pipeline.value_set(self.spec.name, members)
        self.members = members

    def read(self) -> p4r.ValueSetEntry:
        """The value set as a message."""
        message = p4r.ValueSetEntry(value_set_id=self.spec.id)
        for key in self.members:
            self._keys.encode(key, message.members.add())
        return message
