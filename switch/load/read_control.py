"""Actions, tables, conditionals and action profiles of ingress and egress."""

from __future__ import annotations

from dataclasses import dataclass

from switch.load.expression import Data, FieldOf, HeaderRef, IsValid, TruthToData
from switch.load.extern import Calculation
from switch.load.node import Node
from switch.load.primitive import Jump, Primitive
from switch.load.program import (
    Action,
    Conditional,
    Control,
    Default,
    Entry,
    EntryKey,
    Key,
    Parameter,
    Profile,
    Table,
)
from switch.load.read_expression import ExpressionReader
from switch.load.read_extern import calculation
from switch.load.read_primitive import PrimitiveReader
from switch.load.symbols import Symbols, add_name, lookup

FIRST_PRIORITY = 1 << 30
"""Priorities of entries that the program declares count down from here."""
_KINDS = ("exact", "lpm", "ternary", "range")


@dataclass(slots=True)
class Controls:
    """What `read_controls` found; `calculations` are those of selectors, after the named ones."""

    actions: tuple[Action, ...]
    profiles: list[Profile]
    tables: list[Table]
    controls: dict[str, Control]
    calculations: list[Calculation]


def read_controls(root: Node, symbols: Symbols, calculations: tuple[Calculation, ...]) -> Controls:
    """Read all actions and both controls.

    Raises:
        LoadError: ingress or egress is missing (SW208), or something in them cannot be run.
    """
    action_ids: dict[int, int] = {}
    actions: list[Action] = []
    for node in root.list_of("actions"):
        action_ids[node.get("id").int()] = len(actions)
        actions.append(_action(node, symbols))
    found = Controls(tuple(actions), [], [], {}, list(calculations))
    reader = _ControlReader(symbols, found, action_ids)
    for node in root.list_of("pipelines"):
        control = reader.control(node)
        found.controls[control.name] = control
    for name in ("ingress", "egress"):
        if name not in found.controls:
            raise root.fail(208, f"there is no pipeline {name!r}")
    return found


def _action(node: Node, symbols: Symbols) -> Action:
    name = node.get("name").str()
    params = tuple(
        Parameter(param.get("name").str(), param.get("bitwidth").size())
        for param in node.list_of("runtime_data")
    )
    reader = PrimitiveReader(symbols, tuple(param.width for param in params))
    primitives: list[Primitive] = []
    starts: list[int] = []
    for call in node.list_of("primitives"):
        starts.append(len(primitives))
        primitives.extend(reader.read(call))
    starts.append(len(primitives))
    for index, primitive in enumerate(primitives):
        if isinstance(primitive, Jump):
            if not 0 <= primitive.target < len(starts):
                raise node.fail(105, f"action {name} jumps to primitive {primitive.target}")
            primitives[index] = Jump(starts[primitive.target], primitive.unless)
    # p4c notes where an action's statements are, not where the action is.
    source = next((call.source for call in node.list_of("primitives") if call.source), node.source)
    return Action(name, params, tuple(primitives), source)


class _ControlReader:
    def __init__(self, symbols: Symbols, found: Controls, action_ids: dict[int, int]) -> None:
        self.symbols = symbols
        self.found = found
        self.action_ids = action_ids
        self.profile_index: dict[str, int] = {}
        self.table_index: dict[str, int] = {}

    def control(self, node: Node) -> Control:
        if node.list_of("action_calls"):
            raise node.fail(201, "action calls outside tables")
        for profile in node.list_of("action_profiles"):
            self._profile(profile)
        nodes = {t.get("name").str() for t in (*node.list_of("tables"), *node.list_of("conditionals"))}
        first = len(self.found.tables)
        for table in node.list_of("tables"):
            self.found.tables.append(self._table(table, nodes))
        expressions = ExpressionReader(self.symbols)
        conditionals = tuple(
            Conditional(
                c.get("name").str(),
                expressions.truth(c.get("expression")),
                _next(c.get("true_next"), nodes),
                _next(c.get("false_next"), nodes),
                c.source,
            )
            for c in node.list_of("conditionals")
        )
        start = _next(node.get("init_table"), nodes)
        tables = tuple(range(first, len(self.found.tables)))
        return Control(node.get("name").str(), start, tables, conditionals)

    def _profile(self, node: Node) -> None:
        name = add_name(self.profile_index, node, len(self.found.profiles), "action profile")
        selector = None
        if node.has("selector"):
            selector = len(self.found.calculations)
            self.found.calculations.append(calculation(node.get("selector"), name, self.symbols))
        self.found.profiles.append(Profile(name, node.get("max_size").size(), (), selector))

    def _action_of(self, node: Node) -> int:
        if node.int() not in self.action_ids:
            raise node.fail(104, f"there is no action with id {node.int()}")
        return self.action_ids[node.int()]

    def _table(self, node: Node, nodes: set[str]) -> Table:
        name = add_name(self.table_index, node, len(self.found.tables), "table")
        keys = tuple(self._key(key) for key in node.list_of("key"))
        actions = tuple(self._action_of(action) for action in node.list_of("action_ids"))
        profile = self._table_profile(node, actions)
        hits, by_action = self._next_tables(node, nodes, actions)
        entries = tuple(self._entry(entry, keys, actions) for entry in node.list_of("entries"))
        default = self._default(node, actions) if node.has("default_entry") else None
        kind = _lookup_kind(node, keys)
        meter = None
        if node.has("direct_meters"):
            meter = lookup(self.symbols.meters, node.get("direct_meters"), "meter")
        return Table(
            name=name,
            keys=keys,
            kind=kind,
            size=max(node.get("max_size").size() if node.has("max_size") else 0, len(entries)),
            actions=actions,
            profile=profile,
            default=default,
            entries=entries,
            immutable=node.has("entries"),
            counters=node.flag("with_counters"),
            timeout=node.flag("support_timeout"),
            meter=meter,
            hit_miss=hits is not None,
            next_hit=hits[0] if hits else None,
            next_miss=hits[1] if hits else None,
            next_by_action=by_action,
            next_default=_next(node.get("base_default_next"), nodes)
            if node.has("base_default_next")
            else None,
            source=node.source,
        )

    def _table_profile(self, node: Node, actions: tuple[int, ...]) -> int | None:
        kind = node.get("type").str()
        if kind == "simple":
            return None
        if kind not in {"indirect", "indirect_ws"}:
            raise node.fail(204, f"table of type {kind!r}")
        index = lookup(self.profile_index, node.get("action_profile"), "action profile")
        profile = self.found.profiles[index]
        names = {self.found.actions[a].name for a in profile.actions}
        new = tuple(a for a in actions if self.found.actions[a].name not in names)
        self.found.profiles[index] = Profile(
            profile.name, profile.size, profile.actions + new, profile.calculation
        )
        return index

    def _next_tables(
        self, node: Node, nodes: set[str], actions: tuple[int, ...]
    ) -> tuple[tuple[str | None, str | None] | None, tuple[tuple[int, str | None], ...]]:
        table = node.get("next_tables")
        by_name = {name: _next(value, nodes) for name, value in table.items()}
        if "__HIT__" in by_name:
            return (by_name["__HIT__"], by_name.get("__MISS__")), ()
        by_action: list[tuple[int, str | None]] = []
        for action in actions:
            name = self.found.actions[action].name
            if name not in by_name:
                raise node.fail(104, f"table has no next node for action {name}")
            by_action.append((action, by_name[name]))
        return None, tuple(by_action)

    def _key(self, node: Node) -> Key:
        kind, target = node.get("match_type").str(), node.get("target")
        if kind == "valid":
            valid: Data = TruthToData(IsValid(HeaderRef(self.symbols.header(target))))
            return Key(target.str(), "exact", valid, 1, 1)
        if kind not in _KINDS:
            raise node.fail(204, f"match kind {kind!r}")
        name = node.get("name").str() if node.has("name") else f"{target.value}"
        expressions = ExpressionReader(self.symbols)
        value = expressions.data(target) if isinstance(target.value, dict) else expressions.field(target)
        if isinstance(value, TruthToData):
            return Key(name, kind, value, 1, 1)
        if not isinstance(value, FieldOf):
            raise node.fail(204, f"key {name} is neither a field nor a validity")
        field = self.symbols.types[expressions.type_of(value.header)].fields[value.field]
        if field.varbit:
            raise node.fail(204, "a varbit field as key")
        mask = node.get("mask").hex() if node.has("mask") else (1 << field.width) - 1
        return Key(name, kind, value, field.width, mask)

    def _params(self, action: int, nodes: tuple[Node, ...], at: Node) -> tuple[int, ...]:
        params = self.found.actions[action].params
        if len(params) != len(nodes):
            raise at.fail(105, f"action {self.found.actions[action].name} takes {len(params)} parameters")
        return tuple(n.hex() & ((1 << p.width) - 1) for n, p in zip(nodes, params, strict=True))

    def _own_action(self, node: Node, actions: tuple[int, ...]) -> int:
        action = self._action_of(node)
        if action not in actions:
            raise node.fail(104, f"action {self.found.actions[action].name} is not one of the table's")
        return action

    def _default(self, node: Node, actions: tuple[int, ...]) -> Default:
        entry = node.get("default_entry")
        action = self._own_action(entry.get("action_id"), actions)
        return Default(
            action,
            self._params(action, entry.list_of("action_data"), entry),
            entry.flag("action_entry_const"),
        )

    def _entry(self, node: Node, keys: tuple[Key, ...], actions: tuple[int, ...]) -> Entry:
        parts = node.list_of("match_key")
        if len(parts) != len(keys):
            raise node.fail(105, f"an entry matches {len(parts)} of {len(keys)} key fields")
        key = tuple(_entry_key(part, k) for part, k in zip(parts, keys, strict=True))
        call = node.get("action_entry")
        action = self._own_action(call.get("action_id"), actions)
        params = self._params(action, call.list_of("action_data"), call)
        # BMv2's lowest number is its highest priority.
        priority = FIRST_PRIORITY - node.get("priority").int() if node.has("priority") else 0
        return Entry(key, priority, action, params)


def _entry_key(node: Node, key: Key) -> EntryKey:
    full = key.mask
    kind = node.get("match_type").str()
    if kind != key.kind and not (kind == "valid" and key.kind == "exact"):
        raise node.fail(105, f"an entry matches {key.name} as {kind}, the table as {key.kind}")
    match kind:
        case "valid":
            return EntryKey(int(node.get("key").bool()), full, 0)
        case "lpm":
            length = node.get("prefix_length").size()
            if length > key.width:
                raise node.fail(105, f"a prefix of {length} bits in a key of {key.width}")
            mask = full & ~((1 << (key.width - length)) - 1)
            return EntryKey(node.get("key").hex() & mask, mask, 0)
        case "ternary":
            mask = node.get("mask").hex() & full
            return EntryKey(node.get("key").hex() & mask, mask, 0)
        case "range":
            return EntryKey(node.get("start").hex(), full, node.get("end").hex())
        case _:
            return EntryKey(node.get("key").hex() & full, full, 0)


def _lookup_kind(node: Node, keys: tuple[Key, ...]) -> str:
    """How the table is looked up: the least general way that its keys allow."""
    kinds = {key.kind for key in keys}
    if sum(key.kind == "lpm" for key in keys) > 1:
        raise node.fail(204, "two lpm keys in one table")
    declared = node.get("match_type").str()
    if declared not in _KINDS:
        raise node.fail(204, f"match type {declared!r}")
    if "range" in kinds or "ternary" in kinds or declared in {"ternary", "range"}:
        return "ternary"
    return "lpm" if "lpm" in kinds else "exact"


def _next(node: Node, nodes: set[str]) -> str | None:
    name = node.opt_str()
    if name is not None and name not in nodes:
        raise node.fail(104, f"there is no node {name!r} in this control")
    return name
