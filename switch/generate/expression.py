"""Expressions to C.

BMv2 evaluates with unbounded precision and truncates on assignment. Here each node's exact range is known
when the code is generated, so the smallest C type that holds it is used; and where only the low bits of a
result matter (`demand`), arithmetic is done modulo a power of two that keeps these bits right.
"""

from __future__ import annotations

from dataclasses import dataclass

from switch.generate.bounds import Bounds, value_range
from switch.generate.layout import Layout
from switch.generate.number import CType, constant, convert, holding, unsigned
from switch.load.errors import LoadError
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
    Truth,
    TruthConst,
    TruthIf,
    TruthToData,
    UnionIsValid,
    UnionStackMember,
)

_C_OPS = {"+": "+", "-": "-", "*": "*", "&": "&", "|": "|", "^": "^"}
_WIDE_OPS = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor"}


@dataclass(frozen=True, slots=True)
class Coded:
    """C code with its type; exact, or right modulo 2^demand."""

    code: str
    type: CType


@dataclass(frozen=True, slots=True)
class ParamWords:
    """Where an action's parameters are: word offset of each in the record's data."""

    offsets: tuple[int, ...]


class Expressions:
    """Generates expressions for one program; `registers` are the widths of its register cells."""

    def __init__(self, layout: Layout, params: ParamWords | None = None) -> None:
        self.layout = layout
        self.program = layout.program
        self.params = params
        self.bounds = Bounds(layout.program)

    # Integers

    def exact(self, node: Data) -> Coded:
        """The value itself."""
        return self._code(node, None)

    def low(self, node: Data, width: int) -> Coded:
        """A value equal modulo 2^width."""
        return self._code(node, width)

    def as_type(self, node: Data, ctype: CType) -> str:
        """The value, which must fit, as this type."""
        coded = self.exact(node)
        return convert(coded.code, coded.type, ctype)

    def index(self, node: Data) -> str:
        """The value as an index: 64 bits, what does not fit becomes a huge one."""
        low, high = self.bounds.of(node)
        coded = self.exact(node)
        if low >= 0 and high < 1 << 64:
            return convert(coded.code, coded.type, CType(64, signed=False))
        return convert(self.low(node, 32).code, self.low(node, 32).type, CType(64, signed=False))

    def _type(self, node: Data, demand: int | None) -> CType:
        if demand is not None and demand <= 32:
            return CType(32, signed=False)
        try:
            exact = holding(*self.bounds.of(node))
        except LoadError:
            if demand is None:
                raise
            return unsigned(demand)
        if demand is None:
            return exact
        small = unsigned(demand)
        return small if small.bits < exact.bits else exact

    def _code(self, node: Data, demand: int | None) -> Coded:  # noqa: PLR0911 (one a kind)
        match node:
            case Const(value):
                ctype = self._type(node, demand)
                return Coded(constant(value, ctype), ctype)
            case FieldOf():
                return self._field(node)
            case Param():
                return self._param(node)
            case RegisterCell(register=register, index=index):
                width = self.program.registers[register].width
                ctype = holding(0, (1 << width) - 1)
                return Coded(self._register(register, width, self.index(index), ctype), ctype)
            case Complement(operand):
                ctype = self._type(node, demand)
                inner = self._operand(operand, demand, ctype)
                return Coded(
                    f"{ctype.name}_not({inner})" if ctype.wide else f"(({ctype.name})~{inner})", ctype
                )
            case Modulo(operand, width):
                return self._modulo(operand, width)
            case Saturate():
                return self._saturate(node)
            case TruthToData(operand):
                return Coded(f"(uint32_t)({self.truth(operand)})", CType(32, signed=False))
            case StackCount(stack, offset):
                ctype = CType(32, signed=offset < 0)
                return Coded(f"(({ctype.name})h->s{stack}_next + {offset})", ctype)
            case DataIf(condition, left, right):
                ctype = self._type(node, demand)
                a, b = (self._operand(side, demand, ctype) for side in (left, right))
                return Coded(f"({self.truth(condition)} ? {a} : {b})", ctype)
            case Binary():
                return self._binary(node, demand)

    def _operand(self, node: Data, demand: int | None, ctype: CType) -> str:
        coded = self._code(node, demand)
        return convert(coded.code, coded.type, ctype)

    def _field(self, node: FieldOf) -> Coded:
        field = self.program.field(node)
        name = self.field(node)
        if field.varbit:
            raise LoadError(202, f"arithmetic with the varbit field {field.name}")
        if not field.width:
            return Coded("0u", CType(32, signed=False))
        ctype = holding(*value_range(field.width, field.signed))
        if field.signed:
            return Coded(_sign_extend(name, _storage(field.width), field.width, ctype), ctype)
        if field.width > 128:
            stored = (field.width + 63) // 64
            return Coded(f"{ctype.name}_extend({name}.w, {stored})", ctype)
        return Coded(f"(({ctype.name}){name})", ctype)

    def field(self, node: FieldOf) -> str:
        """A field as an lvalue."""
        own = self.layout.own(node)
        if own:
            return f"own->{own}"
        type_index = self.program.type_of(node.header)
        return f"{self.place(node.header)}.{self.layout.field_name(type_index, node.field)}"

    def place(self, place: HeaderPlace) -> str:
        """A header as an lvalue."""
        match place:
            case StackElement(index=index):
                return self.layout.header(place, self.index(index))
            case UnionStackMember(index=index) if index is not None:
                return self.layout.header(place, self.index(index))
            case _:
                return self.layout.header(place)

    def _param(self, node: Param) -> Coded:
        if self.params is None:
            raise LoadError(104, "an action parameter outside an action")
        at = self.params.offsets[node.index]
        ctype = holding(0, (1 << node.width) - 1)
        if ctype.wide:
            return Coded(f"{ctype.name}_extend(a + {at}, {(node.width + 63) // 64})", ctype)
        if ctype.bits == 128:
            return Coded(f"((u128)a[{at + 1}] << 64 | a[{at}])", ctype)
        return Coded(f"(({ctype.name})a[{at}])", ctype)

    def _register(self, register: int, width: int, index: str, ctype: CType) -> str:
        size = self.program.registers[register].size
        kept = _storage(width)
        cell = f"(({kept.name if kept.wide else _cell(width)} *)c->state->registers[{register}])[i_]"
        value = f"{ctype.name}_extend({cell}.w, {kept.limbs})" if ctype.wide else f"({ctype.name}){cell}"
        return f"({{ uint64_t i_ = {index}; i_ < {size} ? {value} : {constant(0, ctype)}; }})"

    def _modulo(self, operand: Data, width: int) -> Coded:
        low, high = self.bounds.of_or_none(operand)
        least, most = value_range(width, signed=True)
        if low is not None and high is not None and least <= low and high <= most:
            return self.exact(operand)
        inner = self.low(operand, width)
        ctype = holding(least, most)
        return Coded(_sign_extend(convert(inner.code, inner.type, ctype), ctype, width, ctype), ctype)

    def _saturate(self, node: Saturate) -> Coded:
        least, most = value_range(node.width, node.signed)
        inner = self.exact(node.operand)
        low, high = self.bounds.of(node.operand)
        ctype = holding(min(low, least), max(high, most))
        value = convert(inner.code, inner.type, ctype)
        a, b = constant(least, ctype), constant(most, ctype)
        less = f"{ctype.name}_cmp(v_, {a}) < 0" if ctype.wide else f"v_ < {a}"
        more = f"{ctype.name}_cmp(v_, {b}) > 0" if ctype.wide else f"v_ > {b}"
        if low >= least:
            less = "0"
        return Coded(f"({{ {ctype.name} v_ = {value}; {less} ? {a} : {more} ? {b} : v_; }})", ctype)

    def _binary(self, node: Binary, demand: int | None) -> Coded:
        if node.op in {"<<", ">>"}:
            return self._shift(node, demand)
        if node.op in {"/", "%"}:
            return self._divide(node)
        if node.op == "&":
            demand = self._masked_demand(node, demand)
        ctype = self._type(node, demand)
        a, b = (self._operand(side, demand, ctype) for side in (node.left, node.right))
        if ctype.wide:
            return Coded(f"{ctype.name}_{_WIDE_OPS[node.op]}({a}, {b})", ctype)
        return Coded(f"({a} {_C_OPS[node.op]} {b})", ctype)

    def _masked_demand(self, node: Binary, demand: int | None) -> int | None:
        """Of x & m with m not negative, only the low bits that m can have matter."""
        for side in (node.left, node.right):
            low, high = self.bounds.of_or_none(side)
            if low is not None and high is not None and low >= 0:
                demand = min(high.bit_length(), demand) if demand is not None else high.bit_length()
        return max(demand, 1) if demand is not None else None

    def _divide(self, node: Binary) -> Coded:
        """Of numbers that are not negative (P4_16 §8.5); division by 0, which BMv2 aborts on, gives 0."""
        (a, b), (c, d) = self.bounds.of(node.left), self.bounds.of(node.right)
        ctype = holding(0, max(b, d, 0))
        left, right = self.as_type(node.left, ctype), self.as_type(node.right, ctype)
        if ctype.wide:
            return Coded(f"{ctype.name}_{'div' if node.op == '/' else 'mod'}({left}, {right})", ctype)
        if c > 0 and a >= 0:
            return Coded(f"({left} {node.op} {right})", ctype)
        return Coded(f"({{ {ctype.name} d_ = {right}; d_ ? {left} {node.op} d_ : 0; }})", ctype)

    def _shift(self, node: Binary, demand: int | None) -> Coded:
        if isinstance(node.right, Const):
            return self._shift_by(node.op, node.left, node.right.value, demand)
        by = self.index(node.right)
        if node.op == "<<":
            ctype = self._type(node, demand)
            left = self._operand(node.left, demand, ctype)
            zero = constant(0, ctype)
        else:
            ctype = holding(*self.bounds.of(node.left))
            left = self.as_type(node.left, ctype)
            zero = f"({left} < 0 ? {constant(-1, ctype)} : 0)" if ctype.signed else constant(0, ctype)
        if ctype.wide:
            return Coded(f"{ctype.name}_sh{'l' if node.op == '<<' else 'r'}({left}, {by})", ctype)
        return Coded(f"({{ uint64_t n_ = {by}; n_ < {ctype.bits} ? {left} {node.op} n_ : {zero}; }})", ctype)

    def _shift_by(self, op: str, left: Data, by: int, demand: int | None) -> Coded:
        if op == "<<":
            node = Binary(op, left, Const(by))
            ctype = self._type(node, demand)
            inner = self._operand(left, None if demand is None else max(demand - by, 1), ctype)
            if by >= ctype.bits:
                return Coded(constant(0, ctype), ctype)
        else:
            low, high = self.bounds.of_or_none(left)
            wanted = None if demand is None else demand + by
            if low is None or high is None or low < 0:
                coded = self.exact(left)
            else:
                coded = self._code(
                    left, wanted if wanted is not None and wanted < high.bit_length() else None
                )
            ctype, inner = coded.type, coded.code
            if by >= ctype.bits:
                by = ctype.bits - 1 if ctype.signed else by
            if by >= ctype.bits:
                return Coded(constant(0, ctype), ctype)
        if ctype.wide:
            return Coded(f"{ctype.name}_sh{'l' if op == '<<' else 'r'}({inner}, {by})", ctype)
        return Coded(f"({inner} {op} {by})", ctype)

    # Truth values

    def truth(self, node: Truth) -> str:  # noqa: PLR0911 (one a kind)
        """A C condition."""
        match node:
            case TruthConst(value):
                return "1" if value else "0"
            case Compare():
                return self._compare(node)
            case CompareTruth(equal, left, right):
                return f"(!{self.truth(left)} {'==' if equal else '!='} !{self.truth(right)})"
            case CompareHeaders(equal, left, right):
                return f"({'' if equal else '!'}{self._same_header(left, right)})"
            case Logic(op, left, right):
                return f"({self.truth(left)} {'&&' if op == 'and' else '||'} {self.truth(right)})"
            case Not(operand):
                return f"(!{self.truth(operand)})"
            case DataToTruth(operand):
                return self._compare(Compare("!=", operand, Const(0)))
            case IsValid(header):
                return "1" if self.layout.is_metadata(header) else f"({self.place(header)}.valid)"
            case UnionIsValid(union):
                members = self.program.unions[union].headers
                return "(" + " || ".join(f"{self.place(HeaderRef(m))}.valid" for m in members) + ")"
            case TruthIf(condition, left, right):
                return f"({self.truth(condition)} ? {self.truth(left)} : {self.truth(right)})"

    def _compare(self, node: Compare) -> str:
        match node:
            case Compare("!=", TruthToData(operand), Const(0)):
                return self.truth(operand)
            case Compare("==" | "!=", FieldOf() as left, FieldOf() as right) if self._is_varbit(left):
                same = self._same_varbit(left, right)
                return same if node.op == "==" else f"(!{same})"
            case _:
                pass
        (a, b), (c, d) = self.bounds.of(node.left), self.bounds.of(node.right)
        ctype = holding(min(a, c), max(b, d))
        left, right = self.as_type(node.left, ctype), self.as_type(node.right, ctype)
        if ctype.wide:
            return f"({ctype.name}_cmp({left}, {right}) {node.op} 0)"
        return f"({left} {node.op} {right})"

    def _is_varbit(self, place: FieldOf) -> bool:
        return self.program.field(place).varbit

    def _same_varbit(self, left: FieldOf, right: FieldOf) -> str:
        """BMv2 compares the numbers, whatever the lengths."""
        a, b = self.place(left.header), self.place(right.header)
        return f"same_number({a}.varbit, {a}.varbit_length, {b}.varbit, {b}.varbit_length)"

    def _same_header(self, left: HeaderPlace, right: HeaderPlace) -> str:
        type_index = self.program.type_of(left)
        terms = [f"{self.place(left)}.valid", f"{self.place(right)}.valid"]
        for i, field in enumerate(self.program.types[type_index].fields):
            if field.width or field.varbit:
                terms.append(self._compare(Compare("==", FieldOf(left, i), FieldOf(right, i))))
        return "(" + " && ".join(terms) + ")"


def _storage(width: int) -> CType:
    return CType((width + 63) // 64 * 64, signed=True) if width > 128 else unsigned(width)


def _cell(width: int) -> str:
    for bits in (8, 16, 32, 64):
        if width <= bits:
            return f"uint{bits}_t"
    return "u128"


def _sign_extend(code: str, have: CType, width: int, want: CType) -> str:
    """The low `width` bits of `code` as a signed number."""
    if want.wide:
        resized = f"{want.name}_resize(s_.w, {have.limbs})" if have.bits != want.bits else "s_"
        return f"({{ {have.name} s_ = {code}; {want.name}_sign({resized}, {width}); }})"
    pad = want.bits - width
    return f"(({want.name})(({CType(want.bits, signed=False).name}){code} << {pad}) >> {pad})"
