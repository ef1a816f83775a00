"""The parser: states, their operations and transitions, and value sets."""

from __future__ import annotations

from dataclasses import dataclass

from switch.load.expression import Const, FieldOf, HeaderPlace, HeaderRef, StackLast, UnionStackMember
from switch.load.node import Node
from switch.load.primitive import Assign, AssignVarbit
from switch.load.program import (
    Advance,
    Extract,
    KeyPart,
    Lookahead,
    ParserOp,
    SetFromLookahead,
    State,
    Transition,
    ValueSet,
    Verify,
)
from switch.load.read_primitive import PrimitiveReader
from switch.load.symbols import Symbols, add_name, lookup


@dataclass(frozen=True, slots=True)
class Parser:
    """What `read_parser` found."""

    states: tuple[State, ...]
    start: int | None
    value_sets: tuple[ValueSet, ...]


def read_parser(root: Node, symbols: Symbols) -> Parser:
    """Read the one parser of a v1model program."""
    set_names = [
        add_name(symbols.value_sets, node, i, "value set")
        for i, node in enumerate(root.list_of("parse_vsets"))
    ]
    parsers = root.list_of("parsers")
    if len(parsers) != 1:
        raise root.fail(208, f"{len(parsers)} parsers where v1model has one")
    nodes = parsers[0].list_of("parse_states")
    names: dict[str, int] = {}
    for index, node in enumerate(nodes):
        add_name(names, node, index, "parser state")
    reader = _StateReader(symbols, names)
    states = tuple(reader.state(node) for node in nodes)
    start = parsers[0].get("init_state").opt_str()
    if start is not None and start not in names:
        raise parsers[0].fail(104, f"there is no parser state {start!r}")
    value_sets = tuple(ValueSet(name, reader.set_widths.get(i, ())) for i, name in enumerate(set_names))
    return Parser(states, names[start] if start is not None else None, value_sets)


class _StateReader:
    def __init__(self, symbols: Symbols, names: dict[str, int]) -> None:
        self.symbols = symbols
        self.names = names
        self.primitives = PrimitiveReader(symbols)
        self.expressions = self.primitives.expressions
        self.set_widths: dict[int, tuple[int, ...]] = {}

    def state(self, node: Node) -> State:
        ops: list[ParserOp] = []
        for op in node.list_of("parser_ops"):
            ops.extend(self._op(op))
        key = tuple(self._key_part(part) for part in node.list_of("transition_key"))
        transitions: list[Transition] = []
        default: int | None = None
        for transition in node.list_of("transitions"):
            kind = transition.get("type").str() if transition.has("type") else "hexstr"
            target = self._target(transition.get("next_state"))
            if kind == "default" or transition.get("value").value == "default":
                default = target
            else:
                transitions.append(self._transition(transition, kind, key, target))
        return State(node.get("name").str(), tuple(ops), key, tuple(transitions), default)

    def _target(self, node: Node) -> int | None:
        return None if node.value is None else lookup(self.names, node, "parser state")

    def _transition(self, node: Node, kind: str, key: tuple[KeyPart, ...], target: int | None) -> Transition:
        widths = tuple(part.width for part in key)
        full = tuple((1 << width) - 1 for width in widths)
        masks = _split(node.get("mask"), widths) if node.has("mask") else full
        if kind == "parse_vset":
            index = lookup(self.symbols.value_sets, node.get("value"), "value set")
            if self.set_widths.setdefault(index, widths) != widths:
                raise node.fail(105, "a value set is used in selects of different widths")
            return Transition((), masks, index, target)
        if kind != "hexstr":
            raise node.fail(203, f"transition of type {kind!r}")
        values = _split(node.get("value"), widths)
        masked = tuple(value & mask for value, mask in zip(values, masks, strict=True))
        return Transition(masked, masks, None, target)

    def _key_part(self, node: Node) -> KeyPart:
        value = node.get("value")
        kind = node.get("type").str()
        if kind == "lookahead":
            ahead = Lookahead(value.at(0).size(), value.at(1).size())
            return KeyPart(ahead, ahead.width)
        if kind == "union_stack_field":
            place = self._union_stack_member(value)
            field = self.symbols.field_in(self.expressions.type_of(place), value.at(2))
            source = FieldOf(place, field)
        else:
            data = self.expressions.data(node)
            if not isinstance(data, FieldOf):
                raise node.fail(203, f"select on {kind!r}")
            source = data
        fields = self.symbols.types[self.expressions.type_of(source.header)].fields
        if fields[source.field].varbit:
            raise node.fail(203, "select on a varbit field")
        return KeyPart(source, fields[source.field].width)

    def _union_stack_member(self, value: Node) -> HeaderPlace:
        stack = lookup(self.symbols.union_stack_index, value.at(0), "header union stack")
        members = self.symbols.union_members[self.symbols.union_stack_type[value.at(0).str()]]
        if value.at(1).str() not in members:
            raise value.fail(104, f"the union has no member {value.at(1).str()!r}")
        return UnionStackMember(stack, None, members.index(value.at(1).str()))

    def _op(self, node: Node) -> tuple[ParserOp, ...]:  # noqa: PLR0911 (one a kind)
        args = node.get("parameters")
        match node.get("op").str():
            case "extract":
                return (Extract(self._extract_place(args.at(0))),)
            case "extract_VL":
                place = self._extract_place(args.at(0))
                return (Extract(place, self.expressions.data(args.at(1))),)
            case "set":
                return (self._set(args),)
            case "verify":
                error = args.at(1)
                code = Const(error.int()) if isinstance(error.value, int) else self.expressions.data(error)
                return (Verify(self.expressions.truth(args.at(0)), code),)
            case "shift":
                return (Advance(Const(8 * args.at(0).size())),)
            case "advance":
                return (Advance(self.expressions.data(args.at(0))),)
            case "primitive":
                return self.primitives.read(args.at(0))
            case other:
                raise node.fail(203, f"parser operation {other!r}")

    def _extract_place(self, node: Node) -> HeaderPlace:
        value = node.get("value")
        match node.get("type").str():
            case "regular":
                return HeaderRef(self.symbols.header(value))
            case "stack":
                return StackLast(lookup(self.symbols.stack_index, value, "header stack"))
            case "union_stack":
                return self._union_stack_member(value)
            case other:
                raise node.fail(203, f"extract to {other!r}")

    def _set(self, args: Node) -> ParserOp:
        dst = self.symbols.field(args.at(0).get("value"))
        src = args.at(1)
        if src.get("type").str() == "lookahead":
            value = src.get("value")
            return SetFromLookahead(dst, Lookahead(value.at(0).size(), value.at(1).size()))
        fields = self.symbols.types[self.expressions.type_of(dst.header)].fields
        data = self.expressions.data(src)
        if fields[dst.field].varbit:
            if not isinstance(data, FieldOf):
                raise args.fail(202, "assignment between a varbit field and another kind")
            return AssignVarbit(dst, data)
        return Assign(dst, data)


def _split(node: Node, widths: tuple[int, ...]) -> tuple[int, ...]:
    """A transition's hexadecimal string into its byte-padded parts."""
    value = node.hex()
    parts: list[int] = []
    for width in reversed(widths):
        padded = (width + 7) // 8 * 8
        parts.append(value & ((1 << padded) - 1))
        value >>= padded
    if value:
        raise node.fail(105, "a transition value is wider than its key")
    return tuple(reversed(parts))
