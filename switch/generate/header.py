"""Headers to C: taking one from the packet, writing it to the packet, copying, and assignment to fields."""

from __future__ import annotations

from dataclasses import dataclass

from switch.generate.expression import Coded, Expressions
from switch.generate.layout import Layout
from switch.generate.number import CType, constant, convert, storage, unsigned
from switch.load.expression import Data, FieldOf, HeaderPlace, HeaderRef, Saturate, UnionStackMember
from switch.load.program import HeaderType, Program


def prefix_bits(header_type: HeaderType) -> int:
    """Bits before the varbit field (all of a header that has none)."""
    end = header_type.varbit if header_type.varbit is not None else len(header_type.fields)
    return sum(field.width for field in header_type.fields[:end])


def most_varbit(program: Program) -> int:
    """The longest varbit field of any header, in bytes: one may be assigned to another."""
    return max((t.max_bytes - t.fixed_bits // 8 for t in program.types if t.varbit is not None), default=0)


def most_bytes(program: Program, type_index: int) -> int:
    """Bytes that a header of this type takes at most."""
    header_type = program.types[type_index]
    varbit = most_varbit(program) if header_type.varbit is not None else 0
    return (header_type.fixed_bits + 7) // 8 + varbit


def functions(layout: Layout) -> list[str]:
    """extract_T() and emit_T() for each header type, and `clear_metadata()`."""
    lines: list[str] = []
    used = {header.type for header in layout.program.headers if not header.metadata}
    for t in sorted(used):
        lines += _extract(layout, t) + _emit(layout, t)
    lines += ["static inline void clear_metadata(struct phv *h) {"]
    for i, header in enumerate(layout.program.headers):
        if header.metadata:
            lines.append(f"    memset(&h->{layout.homes[i]}, 0, sizeof h->{layout.homes[i]});")
    lines += ["    (void)h;", "}", ""]
    return lines


def _positions(header_type: HeaderType) -> list[tuple[str, int]]:
    """For each field the pointer it is relative to, and its bit offset from there."""
    found: list[tuple[str, int]] = []
    base, offset = "p", 0
    for field in header_type.fields:
        found.append((base, offset))
        if field.varbit:
            base, offset = "tail", 0
        offset += field.width
    return found


def _extract(layout: Layout, t: int) -> list[str]:
    header_type = layout.program.types[t]
    name = layout.type_name(t)
    varbit = header_type.varbit is not None
    extra = ", uint32_t varbit_length" if varbit else ""
    lines = [f"INLINE void extract_{name}(struct {name} *x, const uint8_t *p{extra}) {{"]
    lines += ["    x->raw = p;", "    x->valid = 1;", "    x->assigned = 0;"]
    if varbit:
        prefix = prefix_bits(header_type) // 8
        lines += [
            f"    const uint8_t *tail = p + {prefix} + varbit_length;",
            f"    x->varbit = p + {prefix};",
            "    x->varbit_length = varbit_length;",
            "    x->tail = tail;",
        ]
    positions = _positions(header_type)
    size = prefix_bits(header_type) // 8
    for i, field in layout.fields(t):
        if field.width:
            base, offset = positions[i]
            value = load_field(base, offset, field.width, size if base == "p" else 0)
            lines.append(f"    x->{layout.field_name(t, i)} = {value};")
    return [*lines, "}", ""]


def load_field(base: str, offset: int, width: int, size: int = 0) -> str:
    """C code for a field of `width` bits, `offset` bits from `base`, as its storage type.

    All of the `size` bytes from `base` may be read.
    """
    first, last = offset // 8, (offset + width - 1) // 8
    count = last - first + 1
    shift = 7 - (offset + width - 1) % 8
    if width > 128:
        return f"w{(width + 63) // 64}_load({base}, {offset}, {width})"
    if count <= 8:
        first, count, shift = _at_once(first, count, shift, size)
        value = f"load_be({base} + {first}, {count})"
        whole = 8 * count
    elif count <= 16:
        value = f"load_be_wide({base} + {first}, {count})"
        whole = 8 * count
    else:
        split = 64
        high = load_field(base, offset, width - split, size)
        low = load_field(base, offset + width - split, split, size)
        return f"((u128){high} << {split} | {low})"
    if shift:
        value = f"({value} >> {shift})"
    if whole - shift > width:
        ctype = unsigned(width)
        value = f"({value} & {constant((1 << width) - 1, CType(max(ctype.bits, 64), signed=False))})"
    return f"({storage(width)}){value}"


def _at_once(first: int, count: int, shift: int, size: int) -> tuple[int, int, int]:
    """First byte and number of bytes to read, and bits behind the value: one load's, where there is room."""
    whole = 1 << (count - 1).bit_length()
    if first + whole <= size:
        return first, whole, shift + 8 * (whole - count)
    if count < whole <= first + count <= size:
        return first + count - whole, whole, shift
    return first, count, shift


def store_field(base: str, offset: int, width: int, value: str) -> str:
    """A C statement that writes a field's bits and leaves its neighbours alone."""
    aligned = offset % 8 == 0 and width % 8 == 0
    if width > 128:
        return f"limbs_store({base}, {offset}, {width}, {value}.w, {(width + 63) // 64});"
    if aligned and width <= 64:
        return f"store_be({base} + {offset // 8}, {width // 8}, {value});"
    if aligned:
        return f"store_be_wide({base} + {offset // 8}, {width // 8}, {value});"
    return f"store_bits128({base}, {offset}, {width}, {value});"


def _emit(layout: Layout, t: int) -> list[str]:
    header_type = layout.program.types[t]
    name = layout.type_name(t)
    prefix = prefix_bits(header_type) // 8
    lines = [f"INLINE uint8_t *emit_{name}(const struct {name} *x, uint8_t *p) {{"]
    lines.append(f"    memcpy(p, x->raw, {prefix});")
    if header_type.varbit is not None:
        rest = header_type.fixed_bits // 8 - prefix
        lines += [
            f"    uint8_t *tail = p + {prefix} + x->varbit_length;",
            f"    memcpy(p + {prefix}, x->varbit, x->varbit_length);",
            f"    memcpy(tail, x->tail, {rest});",
        ]
        end = f"tail + {rest}"
    else:
        end = f"p + {prefix}"
    positions = _positions(header_type)
    for bit, group in enumerate(layout.written.groups[t]):
        lines.append(f"    if (x->assigned & {1 << bit}u) {{")
        for piece in group:
            placed = [_Placed(i, *positions[i], header_type.fields[i].width) for i in piece]
            lines += [f"        {line}" for line in _store_piece(layout, t, placed)]
        lines.append("    }")
    return [*lines, f"    return {end};", "}", ""]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A field with the pointer it is relative to and its bit offset from there."""

    index: int
    base: str
    offset: int
    width: int


def _store_piece(layout: Layout, t: int, piece: list[_Placed]) -> list[str]:
    """Statements that write a piece's fields over the bytes as they came."""
    live = [field for field in piece if (t, field.index) in layout.live]
    names = {field.index: f"x->{layout.field_name(t, field.index)}" for field in live}
    first, width = piece[0], sum(field.width for field in piece)
    if len(piece) == 1 or width > 64:
        return [store_field(f.base, f.offset, f.width, names[f.index]) for f in live]
    end = first.offset + width
    terms = [f"(uint64_t){names[f.index]} << {end - f.offset - f.width}" for f in live]
    if len(live) < len(piece):
        changed = sum((1 << f.width) - 1 << (end - f.offset - f.width) for f in live)
        kept = (1 << width) - 1 & ~changed
        terms.append(f"(load_be({first.base} + {first.offset // 8}, {width // 8}) & {kept:#x}ull)")
    return [f"store_be({first.base} + {first.offset // 8}, {width // 8}, {' | '.join(terms)});"]


def length(layout: Layout, place: HeaderPlace, name: str) -> str:
    """C code for the bytes a header takes in the packet."""
    header_type = layout.program.types[layout.program.type_of(place)]
    fixed = header_type.fixed_bits // 8
    return f"({fixed} + {name}.varbit_length)" if header_type.varbit is not None else str(fixed)


class Statements:
    """Generates the statements that change headers."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.layout: Layout = expressions.layout
        self.program: Program = expressions.program

    def field(self, dst: FieldOf) -> str:
        """A field as an lvalue."""
        return self.expressions.field(dst)

    def assign(self, dst: FieldOf, src: Data) -> list[str]:
        """Dst = src, by the rules of docs/JSON_format.md."""
        field = self.program.field(dst)
        if not field.width:
            return []
        if field.saturating:
            src = Saturate(src, field.width, field.signed)
        low, high = self.expressions.bounds.of_or_none(src)
        if low is not None and high is not None and low >= 0 and high < 1 << field.width:
            return [self._store(dst, field.width, self.expressions.exact(src), fits=True)]
        return [self._store(dst, field.width, self.expressions.low(src, field.width), fits=False)]

    def store(self, dst: FieldOf, code: str, ctype: CType) -> str:
        """Write a value of any size to a field, truncated."""
        return self._store(dst, self.program.field(dst).width, Coded(code, ctype), fits=False)

    def _store(self, dst: FieldOf, width: int, value: Coded, fits: bool) -> str:
        assignment = f"{self.field(dst)} = {truncated(value, width, fits)};"
        mask = self.layout.written.mask(self.program.type_of(dst.header), dst.field)
        if not mask:
            return assignment
        # First, as an index that says which header it is may be read from the field.
        return f"{{ {self.expressions.place(dst.header)}.assigned |= {mask}u; {assignment} }}"

    def set_valid(self, place: HeaderPlace, count: bool) -> list[str]:
        """Make a header valid, all 0 if it was not; the length register grows, as simple_switch's does."""
        name = self.expressions.place(place)
        lines = ["{", f"    __auto_type x = &{name};", *self.seen(place), "    if (!x->valid) {"]
        header_type = self.program.types[self.program.type_of(place)]
        lines.append("        memset(x, 0, sizeof *x);")
        lines.append("        x->raw = zeros;")
        if header_type.varbit is not None:
            lines.append("        x->varbit = x->tail = zeros;")
        lines.append("        x->valid = 1;")
        if count:
            lines.append(f"        h->length += {header_type.fixed_bits // 8};")
        lines += ["    }", *(f"    {line}" for line in self.only_member(place)), "}"]
        return lines

    def seen(self, place: HeaderPlace) -> list[str]:
        """Statements that note that a header may be valid from now on."""
        return _noted(self.layout.seen(place))

    def stack_seen(self, stack: int) -> list[str]:
        """The same for all elements of a stack."""
        return _noted(self.layout.bits(*self.program.stacks[stack].headers))

    def union_stack_seen(self, stack: int) -> list[str]:
        """The same for all headers of a stack of unions."""
        unions = self.program.union_stacks[stack].unions
        return _noted(self.layout.bits(*(h for union in unions for h in self.program.unions[union].headers)))

    def set_invalid(self, place: HeaderPlace) -> list[str]:
        """Make a header invalid and take it off the length register."""
        name = self.expressions.place(place)
        grown = length(self.layout, place, "(*x)")
        return [
            "{",
            f"    __auto_type x = &{name};",
            f"    if (x->valid) h->length -= {grown};",
            "    x->valid = 0;",
            "}",
        ]

    def only_member(self, place: HeaderPlace) -> list[str]:
        """Statements that make the other members of a header's union invalid."""
        if isinstance(place, HeaderRef):
            union = self.layout.union_of.get(place.header)
            others = self.program.unions[union].headers if union is not None else ()
            return [f"h->{self.layout.homes[o]}.valid = 0;" for o in others if o != place.header]
        if isinstance(place, UnionStackMember):
            members = self.program.unions[self.program.union_stacks[place.stack].unions[0]].headers
            lines: list[str] = []
            for other in range(len(members)):
                if other != place.member:
                    sibling = UnionStackMember(place.stack, place.index, other)
                    lines.append(f"{self.expressions.place(sibling)}.valid = 0;")
            return lines
        return []

    def assign_header(self, dst: HeaderPlace, src: HeaderPlace) -> list[str]:
        """Copy validity and, if valid, contents."""
        a, b = self.expressions.place(dst), self.expressions.place(src)
        valid = "1" if self.layout.is_metadata(src) else f"{b}.valid"
        lines = [f"if ({valid}) {{", f"    {a} = {b};", *self.seen(dst)]
        if self.layout.is_metadata(src):
            lines.append(f"    {a}.valid = 1;")
        lines += [f"    {line}" for line in self.only_member(dst)]
        return [*lines, "} else {", f"    {a}.valid = 0;", "}"]


def _noted(bits: int) -> list[str]:
    return [f"h->seen |= {bits:#x}ull;"] if bits else []


def truncated(value: Coded, width: int, fits: bool) -> str:
    """A value as the storage type of a field of `width` bits."""
    if width > 128:
        kept = CType((width + 63) // 64 * 64, signed=True)
        code = convert(value.code, value.type, kept)
        return code if fits or width % 64 == 0 else f"{kept.name}_mask({code}, {width})"
    code, ctype = value.code, value.type
    if ctype.wide:
        code, ctype = convert(code, ctype, CType(128, signed=False)), CType(128, signed=False)
    if not fits and width not in {8, 16, 32, 64, 128}:
        kept = unsigned(width)
        code = f"({convert(code, ctype, kept)} & {constant((1 << width) - 1, kept)})"
    return f"({storage(width)}){code}"
