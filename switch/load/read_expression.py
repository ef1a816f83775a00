"""JSON type-value objects to expression trees (docs/JSON_format.md, "The type value object")."""

from __future__ import annotations

from switch.load.expression import (
    Binary,
    Compare,
    CompareHeaders,
    CompareTruth,
    Complement,
    Const,
    Data,
    DataIf,
    DataToTruth,
    FieldOf,
    HeaderPlace,
    HeaderRef,
    IsValid,
    Logic,
    Modulo,
    Not,
    Param,
    RegisterCell,
    Saturate,
    StackCount,
    StackElement,
    StackLast,
    Truth,
    TruthConst,
    TruthIf,
    TruthToData,
    UnionIsValid,
    UnionStackMember,
)
from switch.load.node import Node
from switch.load.symbols import HIDDEN_VALID, Symbols, lookup

_ARITHMETIC = {"+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^"}
_COMPARE = {"==", "!=", "<", "<=", ">", ">="}
_MAX_DEPTH = 500  # nesting of one expression; p4c flattens long before


class ExpressionReader:
    """Reads expressions in the scope of an action's parameters (none outside actions)."""

    def __init__(self, symbols: Symbols, params: tuple[int, ...] = ()) -> None:
        self.symbols = symbols
        self.params = params
        self._depth = 0

    def data(self, node: Node) -> Data:
        """An integer expression."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise node.fail(202, "the expression is nested too deeply")
        try:
            return self._data(node)
        finally:
            self._depth -= 1

    def _data(self, node: Node) -> Data:  # noqa: PLR0911 (one a kind)
        value = node.get("value")
        match node.get("type").str():
            case "expression":
                return self._data_expression(value)
            case "field":
                return self.field(value)
            case "hexstr":
                return Const(value.hex())
            case "local" | "runtime_data":
                return self.param(value)
            case "register":
                register = lookup(self.symbols.registers, value.at(0), "register")
                return RegisterCell(register, self.data(value.at(1)))
            case "stack_field":
                stack = lookup(self.symbols.stack_index, value.at(0), "header stack")
                field = self.symbols.field_in(self.symbols.stacks[stack].type, value.at(1))
                return FieldOf(StackLast(stack), field)
            case "bool":
                return Const(int(value.bool()))
            case other:
                raise node.fail(202, f"operand of type {other!r}")

    def param(self, value: Node) -> Param:
        """An action's parameter by index."""
        index = value.int()
        if not 0 <= index < len(self.params):
            raise value.fail(104, f"the action has no parameter {index}")
        return Param(index, self.params[index])

    def field(self, value: Node) -> Data:
        """A field, or the hidden one that tells validity; the header may be an element of a stack."""
        first = value.at(0)
        indexed = isinstance(first.value, dict)
        place = None
        if indexed:
            place = self.header(Node({"type": "expression", "value": first.value}, first.path, first.source))
        if value.at(1).str() == HIDDEN_VALID:
            return TruthToData(IsValid(place or HeaderRef(self.symbols.header(first))))
        if place is None:
            return self.symbols.field(value)
        return FieldOf(place, self.symbols.field_in(self.type_of(place), value.at(1)))

    def _data_expression(self, node: Node) -> Data:  # noqa: PLR0911 (one a kind)
        if not node.has("op"):
            return self.data(node)
        op = node.get("op").str()
        if op in _ARITHMETIC:
            left = self.data(node.get("left")) if node.has("left") else Const(0)
            return Binary(op, left, self.data(node.get("right")))
        match op:
            case "~":
                return Complement(self.data(node.get("right")))
            case "two_comp_mod":
                return Modulo(self.data(node.get("left")), self._width(node))
            case "sat_cast" | "usat_cast":
                return Saturate(self.data(node.get("left")), self._width(node), op == "sat_cast")
            case "b2d":
                return TruthToData(self.truth(node.get("right")))
            case "?":
                condition = self.truth(node.get("cond"))
                return DataIf(condition, self.data(node.get("left")), self.data(node.get("right")))
            case "access_field":
                place = self.header(node.get("left"))
                return FieldOf(place, self._field_offset(place, node.get("right")))
            case "last_stack_index" | "size_stack":
                stack = lookup(self.symbols.stack_index, node.get("right").get("value"), "header stack")
                return StackCount(stack, -1 if op == "last_stack_index" else 0)
            case _:
                if op in _COMPARE or op in {"and", "or", "not", "valid", "valid_union", "d2b"}:
                    return TruthToData(self._truth_expression(node))
                raise node.fail(202, f"operation {op!r}")

    def _width(self, node: Node) -> int:
        width = self.data(node.get("right"))
        if not isinstance(width, Const) or not 0 < width.value <= 1 << 14:
            raise node.fail(202, "a cast whose width is no constant")
        return width.value

    def _field_offset(self, place: HeaderPlace, node: Node) -> int:
        offset = node.int()
        fields = self.symbols.types[self.type_of(place)].fields
        if not 0 <= offset < len(fields):
            raise node.fail(104, f"the header has no field number {offset}")
        return offset

    def type_of(self, place: HeaderPlace) -> int:
        """The header type of a place."""
        match place:
            case HeaderRef(header):
                return self.symbols.headers[header].type
            case StackElement(stack=stack) | StackLast(stack=stack):
                return self.symbols.stacks[stack].type
            case UnionStackMember(stack=stack, member=member):
                union = self.symbols.unions[self.symbols.union_stacks[stack].unions[0]]
                return self.symbols.headers[union.headers[member]].type

    def header(self, node: Node) -> HeaderPlace:
        """An expression that designates a header."""
        value = node.get("value")
        kind = node.get("type").str()
        if kind == "header":
            return HeaderRef(self.symbols.header(value))
        if kind == "stack_field" and value.at(1).str() == "last":
            return StackLast(lookup(self.symbols.stack_index, value.at(0), "header stack"))
        if kind != "expression":
            raise node.fail(202, f"a header of type {kind!r}")
        if not value.has("op"):
            return self.header(value)
        op = value.get("op").str()
        if op == "dereference_header_stack":
            stack = lookup(self.symbols.stack_index, value.get("left").get("value"), "header stack")
            return self._element(stack, self.data(value.get("right")))
        if op == "access_union_header":
            return self._union_member(value)
        raise value.fail(202, f"operation {op!r} where a header is needed")

    def _element(self, stack: int, index: Data) -> HeaderPlace:
        elements = self.symbols.stacks[stack].headers
        if isinstance(index, Const) and 0 <= index.value < len(elements):
            return HeaderRef(elements[index.value])
        return StackElement(stack, index)

    def _union_member(self, value: Node) -> HeaderPlace:
        union, member = value.get("left"), value.get("right").int()
        while union.get("type").str() == "expression" and not union.get("value").has("op"):
            union = union.get("value")
        if union.get("type").str() == "header_union":
            index = lookup(self.symbols.union_index, union.get("value"), "header union")
            members = self.symbols.unions[index].headers
            if not 0 <= member < len(members):
                raise value.fail(104, f"the union has no member number {member}")
            return HeaderRef(members[member])
        inner = union.get("value")
        if union.get("type").str() == "expression" and inner.get("op").str() == "dereference_union_stack":
            stack = lookup(
                self.symbols.union_stack_index, inner.get("left").get("value"), "header union stack"
            )
            return UnionStackMember(stack, self.data(inner.get("right")), member)
        raise value.fail(202, "a union that is neither named nor an element of a stack")

    def truth(self, node: Node) -> Truth:
        """A boolean expression."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise node.fail(202, "the expression is nested too deeply")
        try:
            value = node.get("value")
            match node.get("type").str():
                case "bool":
                    return TruthConst(value.bool())
                case "expression":
                    return self._truth_expression(value) if value.has("op") else self.truth(value)
                case _:
                    return DataToTruth(self.data(node))
        finally:
            self._depth -= 1

    def _truth_expression(self, node: Node) -> Truth:  # noqa: PLR0911 (one a kind)
        op = node.get("op").str()
        match op:
            case "and" | "or":
                return Logic(op, self.truth(node.get("left")), self.truth(node.get("right")))
            case "not":
                return Not(self.truth(node.get("right")))
            case "d2b":
                return DataToTruth(self.data(node.get("right")))
            case "valid":
                return IsValid(self.header(node.get("right")))
            case "valid_union":
                name = node.get("right").get("value")
                return UnionIsValid(lookup(self.symbols.union_index, name, "header union"))
            case "?":
                condition = self.truth(node.get("cond"))
                return TruthIf(condition, self.truth(node.get("left")), self.truth(node.get("right")))
            case _ if op in _COMPARE:
                return self._compare(op, node)
            case _:
                return DataToTruth(self._data_expression(node))

    def _compare(self, op: str, node: Node) -> Truth:
        left, right = node.get("left"), node.get("right")
        if op in {"==", "!="}:
            kinds = {kind_of(left), kind_of(right)}
            if kinds == {"truth"}:
                return CompareTruth(op == "==", self.truth(left), self.truth(right))
            if "header" in kinds:
                return CompareHeaders(op == "==", self.header(left), self.header(right))
            if "other" in kinds:
                raise node.fail(202, "comparison of header stacks or unions")
        return Compare(op, self.data(left), self.data(right))


def kind_of(node: Node) -> str:  # noqa: PLR0911 (one a kind)
    """What an expression yields: data, truth, header or other."""
    kind = node.get("type").str()
    if kind in {"bool", "header"}:
        return {"bool": "truth"}.get(kind, kind)
    if kind in {"header_stack", "header_union", "header_union_stack"}:
        return "other"
    if kind != "expression":
        return "data"
    value = node.get("value")
    if not value.has("op"):
        return kind_of(value)
    op = value.get("op").str()
    if op in _COMPARE or op in {"and", "or", "not", "d2b", "valid", "valid_union"}:
        return "truth"
    if op == "?":
        return kind_of(value.get("left"))
    return "header" if op in {"dereference_header_stack", "access_union_header"} else "data"
