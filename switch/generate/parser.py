"""The parser to C: one function, a label per state; `at` is the cursor in the packet.

An error ends parsing and is told in `h->error`; what was extracted stays, as in BMv2.
"""

from __future__ import annotations

from switch.generate.action import Primitives
from switch.generate.header import load_field
from switch.generate.layout import Layout, identifier
from switch.generate.number import CType, constant, convert, unsigned
from switch.generate.verified import changes_headers
from switch.load.expression import FieldOf, HeaderPlace, HeaderRef, StackElement, StackLast, UnionStackMember
from switch.load.program import (
    Advance,
    Extract,
    KeyPart,
    Lookahead,
    ParserOp,
    SetFromLookahead,
    State,
    Transition,
    Verify,
)

_CORE_ERRORS = (
    "PacketTooShort",
    "StackOutOfBounds",
    "HeaderTooShort",
    "ParserTimeout",
    "ParserInvalidArgument",
)
MAX_STATES = 4096  # transitions of one packet in a parser that has a loop


def function(layout: Layout) -> list[str]:
    """parse()."""
    return _Parser(layout).function()


class _Parser:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.program = layout.program
        self.primitives = Primitives(layout)
        self.expressions = self.primitives.expressions
        self.errors = dict(self.program.errors)
        self.loops = _has_loop(self.program.states)
        self.changes = changes_headers(layout.program)

    def function(self) -> list[str]:
        lines = ["INLINE void parse(struct phv *h, struct context *c, const struct packet *p) {"]
        lines += ["    const uint8_t *at = p->data, *const end = p->data + p->length;", "    (void)c;"]
        if self.loops:
            lines.append(f"    uint32_t states = {MAX_STATES};")
        lines.append(f"    {self._goto(self.program.start)}")
        for index, state in enumerate(self.program.states):
            lines += [f"{self._label(index)}:", *(f"    {line}" for line in self._state(index, state))]
        for name in _CORE_ERRORS:
            lines += [
                f"{name}: __attribute__((unused));",
                f"    h->error = {self.errors.get(name, 0)};",
                "    goto done;",
            ]
        lines += [
            "done:",
            "    TRACE_FIELDS(h);",
            "    h->payload = at;",
            "    h->payload_length = (uint32_t)(end - at);",
            "    verify_checksums(h, c);",
            "}",
            "",
        ]
        return lines

    def _label(self, index: int) -> str:
        return f"state_{index}_{identifier(self.program.states[index].name)}"

    def _goto(self, target: int | None) -> str:
        return "goto done;" if target is None else f"goto {self._label(target)};"

    def _state(self, index: int, state: State) -> list[str]:
        lines = ["if (!states--) goto ParserTimeout;"] if self.loops else [";"]
        lines.append(f"TRACE(STATE, {index});")
        for op in state.ops:
            lines += self._op(op)
        lines.append("TRACE_FIELDS(h);")
        if not state.key:
            return [*lines, self._goto(state.default)]
        lines.append("{")
        lines += [f"    {line}" for i, part in enumerate(state.key) for line in self._key(i, part)]
        lines += [f"    TRACE_BYTES(SELECT, {i}, &k{i}, sizeof k{i});" for i in range(len(state.key))]
        if _joins(state):
            lines.append(f"    const uint64_t key = {self._joined(state)};")
        for number, transition in enumerate(state.transitions):
            taken = f"{{ TRACE(TRANSITION, {number}); {self._goto(transition.target)} }}"
            lines.append(f"    if ({self._condition(state, transition)}) {taken}")
        return [*lines, f"    {self._goto(state.default)}", "}"]

    def _key(self, index: int, part: KeyPart) -> list[str]:
        ctype = _key_type(part.width)
        if isinstance(part.source, Lookahead):
            need, value = self._ahead(part.source)
            return [need, f"{ctype.name} k{index} = {convert(value, _stored(part.width), ctype)};"]
        # The stored bits, also of a signed field: that is what the transition's values are.
        stored = self.primitives.statements.field(part.source)
        return [f"{ctype.name} k{index} = {stored};"]

    def _joined(self, state: State) -> str:
        """C code of a key's parts as one word; neighbours in a header just extracted are read at once."""
        shifts = _shifts(state)
        terms: list[str] = []
        at = 0
        while at < len(state.key):
            run, code = self._neighbours(state, at)
            terms.append(f"{code} << {shifts[at + run - 1]}")
            at += run
        return " | ".join(terms)

    def _neighbours(self, state: State, first: int) -> tuple[int, str]:
        """Parts from the first one on that fill bytes of a header: how many, and C code; or that one."""
        source = state.key[first].source
        alone = 1, f"(uint64_t)k{first}"
        if self.changes or not isinstance(source, FieldOf) or not isinstance(source.header, HeaderRef):
            return alone
        header_type = self.program.types[self.program.type_of(source.header)]
        if Extract(source.header, None) not in state.ops or header_type.varbit is not None:
            return alone
        start, width = sum(field.width for field in header_type.fields[: source.field]), 0
        for run, part in enumerate(state.key[first:]):
            if part.source != FieldOf(source.header, source.field + run):
                break
            width += part.width
            if run and start % 8 == 0 and width % 8 == 0:
                name = self.expressions.place(source.header)
                return run + 1, f"load_be({name}.raw + {start // 8}, {width // 8})"
        return alone

    def _ahead(self, ahead: Lookahead) -> tuple[str, str]:
        """A bounds check and the value of a lookahead, as its storage type."""
        need = f"if (end - at < {(ahead.offset + ahead.width + 7) // 8}) goto PacketTooShort;"
        return need, load_field("at", ahead.offset, ahead.width)

    def _condition(self, state: State, transition: Transition) -> str:
        if transition.value_set is not None:
            return self._in_value_set(state, transition)
        terms: list[str] = []
        if _joins(state):
            shifts = _shifts(state)
            value = sum(part << shift for part, shift in zip(transition.values, shifts, strict=True))
            mask = sum(part << shift for part, shift in zip(transition.masks, shifts, strict=True))
            return f"(key & {mask:#x}ull) == {value:#x}ull"
        for i, part in enumerate(state.key):
            full = (1 << part.width) - 1
            value, mask = transition.values[i], transition.masks[i]
            ctype = _key_type(part.width)
            if not mask & full:
                continue
            name = f"k{i}"
            wanted = constant(value, ctype)
            if ctype.wide:
                masked = f"{ctype.name}_and({name}, {constant(mask & full, ctype)})"
                terms.append(f"{ctype.name}_cmp({masked}, {wanted}) == 0")
            elif mask & full == full:
                terms.append(f"{name} == {wanted}")
            else:
                terms.append(f"({name} & {constant(mask, ctype)}) == {wanted}")
        return " && ".join(terms) or "1"

    def _in_value_set(self, state: State, transition: Transition) -> str:
        words: list[str] = []
        for i, part in enumerate(state.key):
            mask = transition.masks[i]
            ctype = _key_type(part.width)
            for limb in range((part.width + 63) // 64):
                code = (
                    f"k{i}.w[{limb}]"
                    if ctype.wide
                    else f"(uint64_t)(k{i} >> {64 * limb})"
                    if limb
                    else f"(uint64_t)k{i}"
                )
                words.append(f"{code} & {mask >> (64 * limb) & (1 << 64) - 1:#x}ull")
        return (
            f"table_ternary(&c->state->value_sets[{transition.value_set}], "
            f"(const uint64_t[]){{{', '.join(words)}}}, {len(words)}, NULL, 0, 0)"
        )

    def _op(self, op: ParserOp) -> list[str]:  # noqa: PLR0911 (one a kind)
        match op:
            case Extract(header, None):
                return self._extract(header)
            case Extract(header, bits) if bits is not None:
                return self._extract_varbit(op)
            case SetFromLookahead(dst, ahead):
                return self._set_ahead(dst, ahead)
            case Verify(condition, error):
                code = self.expressions.low(error, 32).code
                return [f"if (!{self.expressions.truth(condition)}) {{ h->error = {code}; goto done; }}"]
            case Advance(bits):
                # A cursor only moves by whole bytes here, as in BMv2.
                return [
                    "{",
                    f"    uint64_t n = {self.expressions.index(bits)};",
                    "    if (n % 8) goto ParserInvalidArgument;",
                    "    if ((uint64_t)(end - at) < n / 8) goto PacketTooShort;",
                    "    at += n / 8;",
                    "}",
                ]
            case Extract():
                return []
            case _:
                return self.primitives.one(op)

    def _set_ahead(self, dst: FieldOf, ahead: Lookahead) -> list[str]:
        need, value = self._ahead(ahead)
        return [need, self.primitives.statements.store(dst, value, _stored(ahead.width))]

    def _target(self, place: HeaderPlace) -> tuple[list[str], str, list[str]]:
        """Check, C code of the header to extract to, and what to do after."""
        statements = self.primitives.statements
        after = [*statements.seen(place), *statements.only_member(place)]
        match place:
            case StackLast(stack):
                size = len(self.program.stacks[stack].headers)
                check = [f"if (h->s{stack}_next >= {size}) goto StackOutOfBounds;"]
                return check, f"h->s{stack}[h->s{stack}_next]", [f"h->s{stack}_next++;", *after]
            case UnionStackMember(stack=stack, member=member):
                size = len(self.program.union_stacks[stack].unions)
                check = [f"if (h->u{stack}_next >= {size}) goto StackOutOfBounds;"]
                target = f"h->u{stack}_{member}[h->u{stack}_next]"
                return check, target, [f"h->u{stack}_next++;", *after]
            case _:
                return [], self.expressions.place(place), after

    def _told(self, place: HeaderPlace, size: str) -> str:
        """The trace of an extraction: the header (of a stack the first), element, offset and size."""
        match place:
            case HeaderRef(header):
                first, element = header, "0"
            case StackLast(stack) | StackElement(stack=stack):
                first, element = self.program.stacks[stack].headers[0], f"h->s{stack}_next"
            case UnionStackMember(stack=stack, member=member):
                union = self.program.unions[self.program.union_stacks[stack].unions[0]]
                first, element = union.headers[member], f"h->u{stack}_next"
        return f"TRACE(EXTRACT, {first}, {element}, (uint64_t)(at - p->data), {size});"

    def _extract(self, place: HeaderPlace) -> list[str]:
        type_index = self.program.type_of(place)
        header_type = self.program.types[type_index]
        if isinstance(place, HeaderRef) and self.program.headers[place.header].metadata:
            return []
        size = header_type.fixed_bits // 8
        check, target, after = self._target(place)
        extra = ", 0" if header_type.varbit is not None else ""
        return [
            *check,
            f"if (end - at < {size}) goto PacketTooShort;",
            self._told(place, str(size)),
            f"extract_{self.layout.type_name(type_index)}(&{target}, at{extra});",
            f"at += {size};",
            *after,
        ]

    def _extract_varbit(self, op: Extract) -> list[str]:
        assert op.bits is not None  # noqa: S101 (told by the caller's match)
        type_index = self.program.type_of(op.header)
        header_type = self.program.types[type_index]
        size = header_type.fixed_bits // 8
        check, target, after = self._target(op.header)
        return [
            *check,
            "{",
            f"    uint64_t n = {self.expressions.index(op.bits)};",
            "    if (n % 8) goto ParserInvalidArgument;",
            f"    if ((uint64_t)(end - at) < {size} + n / 8) goto PacketTooShort;",
            f"    if ({size} + n / 8 > {header_type.max_bytes}) goto HeaderTooShort;",
            f"    {self._told(op.header, f'{size} + n / 8')}",
            f"    extract_{self.layout.type_name(type_index)}(&{target}, at, (uint32_t)(n / 8));",
            f"    at += {size} + n / 8;",
            "}",
            *after,
        ]


def _key_type(width: int) -> CType:
    return CType((width + 63) // 64 * 64, signed=True) if width > 128 else unsigned(width)


def _stored(width: int) -> CType:
    return _key_type(width)


def _joins(state: State) -> bool:
    """Whether a state's key is compared as one word: neighbours in a header then come from one load."""
    limits = [1 << part.width for part in state.key]
    fits = all(
        value < limit and mask < limit
        for transition in state.transitions
        if transition.value_set is None
        for value, mask, limit in zip(transition.values, transition.masks, limits, strict=True)
    )
    return fits and len(limits) > 1 and sum(part.width for part in state.key) <= 64


def _shifts(state: State) -> list[int]:
    """Where in such a word each part is, the first one highest."""
    return [sum(part.width for part in state.key[i + 1 :]) for i in range(len(state.key))]


def _has_loop(states: tuple[State, ...]) -> bool:
    following = [[t.target for t in state.transitions] + [state.default] for state in states]
    done: set[int] = set()
    for start in range(len(states)):
        path: list[tuple[int, int]] = [(start, 0)]
        active = {start}
        while path:
            node, step = path.pop()
            if node in done:
                active.discard(node)
                continue
            if step == len(following[node]):
                done.add(node)
                active.discard(node)
                continue
            path.append((node, step + 1))
            target = following[node][step]
            if target is None or target in done:
                continue
            if target in active:
                return True
            active.add(target)
            path.append((target, 0))
    return False
