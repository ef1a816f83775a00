"""P4Info as an index: every object by its id, with what is needed to check a request against it.

Objects that the compiler optimised out of the program are told apart from ids that never were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from finsy.proto import p4i, p4t

from . import fields, p4info_ids, p4types
from .errors import invalid_argument, unimplemented
from .fields import Field, Param
from .program import Program
from .translation import Translations

_PRIORITISED = {"ternary", "range", "optional"}


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action with its parameters in the program's order."""

    id: int
    name: str
    params: tuple[Param, ...]


@dataclass(frozen=True, slots=True)
class ProfileSpec:
    """An action profile, or with `selector` an action selector.

    `max_group_size` bounds the sum of a group's weights, or with `count_members` the number of its members
    (0: unbounded); `max_member_weight` bounds one weight (0: unbounded). `default_only` are `actions`
    that no entry may call.
    """

    id: int
    name: str
    table_ids: tuple[int, ...]
    selector: bool
    size: int
    max_group_size: int
    count_members: bool
    max_member_weight: int
    actions: frozenset[int]
    default_only: frozenset[int]


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """A meter, direct (`size` 0) or indexed; `type` is `p4.config.v1.MeterSpec.Type`."""

    id: int
    name: str
    size: int
    type: int


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table. `actions` maps the ids of its actions to their `p4.config.v1.ActionRef.Scope`."""

    id: int
    name: str
    fields: tuple[Field, ...]
    actions: Mapping[int, int]
    const_default: bool
    profile: ProfileSpec | None
    size: int
    idle_timeout: bool
    is_const: bool
    counter_id: int | None
    meter: MeterSpec | None

    @property
    def prioritised(self) -> bool:
        """Whether entries carry a priority (§ 9.1)."""
        return any(item.kind in _PRIORITISED for item in self.fields)


@dataclass(frozen=True, slots=True)
class CounterSpec:
    """An indexed counter."""

    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class RegisterSpec:
    """A register array and the type of its cells."""

    id: int
    name: str
    size: int
    type: p4types.DataType


@dataclass(frozen=True, slots=True)
class ValueSetSpec:
    """A parser value set."""

    id: int
    name: str
    fields: tuple[Field, ...]
    size: int


@dataclass(frozen=True, slots=True)
class DigestSpec:
    """A digest and the type of one message."""

    id: int
    name: str
    type: p4types.DataType


class _Object(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


T = TypeVar("T")
S = TypeVar("S", bound=_Object)


@dataclass(frozen=True, slots=True)
class Schema:
    """All objects of a P4Info that the program has, by id."""

    tables: Mapping[int, TableSpec]
    actions: Mapping[int, ActionSpec]
    profiles: Mapping[int, ProfileSpec]
    counters: Mapping[int, CounterSpec]
    meters: Mapping[int, MeterSpec]
    registers: Mapping[int, RegisterSpec]
    value_sets: Mapping[int, ValueSetSpec]
    digests: Mapping[int, DigestSpec]
    packet_in: tuple[Param, ...]
    packet_out: tuple[Param, ...]
    translations: Translations
    removed: Mapping[int, str] = field(default_factory=dict[int, str])

    def find(self, objects: Mapping[int, T], what: str, object_id: int) -> T:
        """The object with an id, or what is kept for it.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT, or UNIMPLEMENTED where the compiler removed it.
        """
        found = objects.get(object_id)
        if found is not None:
            return found
        if object_id in self.removed:
            raise unimplemented(f"the compiler left {what} {self.removed[object_id]} out of the program")
        raise invalid_argument(f"P4Info has no {what} with id 0x{object_id:08x}")


def build(info: p4i.P4Info, program: Program) -> Schema:
    """Index a P4Info.

    Raises:
        ValueError: it contradicts itself, uses what this target lacks, or belongs to another program.
    """
    p4info_ids.check(info)
    translations = Translations(info.type_info)
    types = p4types.Types(info.type_info, program.enums, translations)
    actions = {item.preamble.id: _action(item, program, translations) for item in info.actions}
    profiles = {item.preamble.id: _profile(item, info) for item in info.action_profiles}
    meters = {
        item.preamble.id: MeterSpec(item.preamble.id, item.preamble.name, item.size, item.spec.type)
        for item in info.meters
    }
    tables: dict[int, TableSpec] = {}
    for item in info.tables:
        widths = program.keys.get(item.preamble.name, ())
        match = fields.match_fields(f"table {item.preamble.name}", item.match_fields, widths, translations)
        tables[item.preamble.id] = _table(item, match, info, actions, profiles)
    counters = {
        item.preamble.id: CounterSpec(item.preamble.id, item.preamble.name, item.size)
        for item in info.counters
    }
    registers = {
        item.preamble.id: RegisterSpec(
            item.preamble.id, item.preamble.name, item.size, _type(item, program, types)
        )
        for item in info.registers
    }
    value_sets = {
        item.preamble.id: ValueSetSpec(
            item.preamble.id,
            item.preamble.name,
            fields.match_fields(item.preamble.name, item.match, (), translations),
            item.size,
        )
        for item in info.value_sets
    }
    digests = {
        item.preamble.id: DigestSpec(item.preamble.id, item.preamble.name, _type(item, program, types))
        for item in info.digests
    }
    removed: dict[int, str] = {}

    def kept(objects: Mapping[int, S]) -> dict[int, S]:
        removed.update({key: item.name for key, item in objects.items() if item.name not in program.names})
        return {key: item for key, item in objects.items() if item.name in program.names}

    schema = Schema(
        tables=kept(tables),
        actions=actions,
        profiles=kept(profiles),
        counters=kept(counters),
        meters=kept(meters),
        registers=kept(registers),
        value_sets=kept(value_sets),
        digests=kept(digests),
        packet_in=fields.controller_header(info, "packet_in", program, translations),
        packet_out=fields.controller_header(info, "packet_out", program, translations),
        translations=translations,
        removed=removed,
    )
    if tables and not schema.tables and not any(item.name in program.params for item in actions.values()):
        raise ValueError("P4Info and device config are of different programs: they share no table or action")
    return schema


def _action(item: p4i.Action, program: Program, translations: Translations) -> ActionSpec:
    name = item.preamble.name
    widths: Sequence[int | None] = program.params.get(name, ())
    if len(widths) != len(item.params):
        widths = (None,) * len(item.params)  # no table of the program has it
    return ActionSpec(
        item.preamble.id, name, fields.params(f"action {name}", item.params, widths, translations)
    )


class _TypeSpec(Protocol):
    @property
    def preamble(self) -> p4i.Preamble: ...
    @property
    def type_spec(self) -> p4t.P4DataTypeSpec: ...


def _type(item: _TypeSpec, program: Program, types: p4types.Types) -> p4types.DataType:
    try:
        return types.make(item.type_spec, iter(program.cells.get(item.preamble.name, ())))
    except ValueError as error:
        raise ValueError(f"{item.preamble.name}: {error}") from None


def _profile(item: p4i.ActionProfile, info: p4i.P4Info) -> ProfileSpec:
    name = item.preamble.name
    tables = [table for table in info.tables if table.preamble.id in item.table_ids]
    allowed = [frozenset(ref.id for ref in table.action_refs) for table in tables]
    if any(other != allowed[0] for other in allowed):
        raise ValueError(f"the tables that share action profile {name} have different actions")
    return ProfileSpec(
        id=item.preamble.id,
        name=name,
        table_ids=tuple(item.table_ids),
        selector=item.with_selector,
        size=item.size,
        max_group_size=item.max_group_size,
        count_members=item.WhichOneof("selector_size_semantics") == "sum_of_members",
        max_member_weight=item.sum_of_members.max_member_weight,
        actions=allowed[0] if allowed else frozenset(),
        default_only=frozenset.intersection(*map(_default_only, tables)) if tables else frozenset(),
    )


def _default_only(table: p4i.Table) -> frozenset[int]:
    return frozenset(ref.id for ref in table.action_refs if ref.scope == p4i.ActionRef.DEFAULT_ONLY)


def _table(
    item: p4i.Table,
    match: tuple[Field, ...],
    info: p4i.P4Info,
    actions: Mapping[int, ActionSpec],
    profiles: Mapping[int, ProfileSpec],
) -> TableSpec:
    name = item.preamble.name
    for ref in item.action_refs:
        if ref.id not in actions:
            raise ValueError(f"table {name} refers to action 0x{ref.id:08x}, which P4Info does not have")
    if item.implementation_id and item.implementation_id not in profiles:
        raise ValueError(f"table {name} refers to an action profile that P4Info does not have")
    direct = set(item.direct_resource_ids)
    counters = [counter.preamble.id for counter in info.direct_counters if counter.preamble.id in direct]
    meters = [
        MeterSpec(meter.preamble.id, meter.preamble.name, 0, meter.spec.type)
        for meter in info.direct_meters
        if meter.preamble.id in direct
    ]
    return TableSpec(
        id=item.preamble.id,
        name=name,
        fields=match,
        actions={ref.id: ref.scope for ref in item.action_refs},
        const_default=item.const_default_action_id != 0,
        profile=profiles.get(item.implementation_id),
        size=item.size,
        idle_timeout=item.idle_timeout_behavior != p4i.Table.NO_TIMEOUT,
        is_const=item.is_const_table,
        counter_id=counters[0] if counters else None,
        meter=meters[0] if meters else None,
    )
