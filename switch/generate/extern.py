"""Externs to C: counters, meters, registers, hashes, random, digests, clones and messages."""

from __future__ import annotations

from switch.generate import checksum
from switch.generate.bounds import Bounds
from switch.generate.header import Statements, truncated
from switch.generate.layout import Layout
from switch.generate.number import CType, convert
from switch.generate.tree import walk
from switch.load.errors import LoadError
from switch.load.expression import Data, FieldOf
from switch.load.primitive import (
    Check,
    Clone,
    Count,
    ExecuteMeter,
    Hash,
    Log,
    Primitive,
    Random,
    Recirculate,
    RegisterRead,
    RegisterWrite,
    Resubmit,
    SendDigest,
    Truncate,
)
from switch.load.program import Program

_WORD = CType(64, signed=False)
_HALF = CType(32, signed=False)


def messages(program: Program) -> list[tuple[str, tuple[int, ...]]]:
    """Texts that packets can make the switch say, each with the words of its values; numbered by position."""
    bounds = Bounds(program)
    found: dict[tuple[str, tuple[int, ...]], None] = {}
    for part in walk((program.actions, program.states, program.deparse_ops)):
        if isinstance(part, Log):
            found[part.format, _message_words(bounds, part.values)] = None
        elif isinstance(part, Check):
            found[check_text(part), ()] = None
    return list(found)


def _message_words(bounds: Bounds, values: tuple[Data, ...]) -> tuple[int, ...]:
    """How many 64-bit words, two's complement, have room for all that each of these values can be."""
    ranges = [bounds.of(value) for value in values]
    return tuple(max((~low).bit_length(), high.bit_length()) // 64 + 1 for low, high in ranges)


def check_text(node: Check) -> str:
    """What is said when an assertion does not hold."""
    return f"does not hold, packet dropped: {node.what}"


def statement(statements: Statements, node: Primitive) -> list[str]:  # noqa: PLR0911, PLR0912 (one a kind)
    """Statements of a primitive that goes to an extern."""
    match node:
        case Count(counter, index):
            size = statements.program.counters[counter].size
            counted = f"count_packet(&c->state->counters[{counter}][i_], h->arrived);"
            return _bounded(statements, index, size, [f"TRACE(COUNT, {counter}, i_);", counted])
        case RegisterRead(dst, register, index):
            return _register_read(statements, dst, register, index)
        case RegisterWrite(register, index, value):
            return _register_write(statements, register, index, value)
        case ExecuteMeter(meter, index, dst):
            declared = statements.program.meters[meter]
            units = "h->arrived" if declared.bytes else "1"
            colour = f"meter_colour(&c->state->meters[{meter}][i_], c->now, {units}, h->arrived)"
            stored = statements.store(dst, colour, _HALF)
            return _bounded(statements, index, declared.size, [f"TRACE(METER, {meter}, i_);", stored])
        case Hash():
            return _hash(statements, node)
        case Random(dst, low, high):
            a, b = (_as_word(statements, value) for value in (low, high))
            value = statements.store(dst, "random_between(c, a_, b_)", _WORD)
            return [f"{{ uint64_t a_ = {a}, b_ = {b}; if (a_ <= b_) {value} }}"]
        case SendDigest(digest):
            return [f"h->digest = {_as_half(statements, digest)};"]
        case Clone(_, session, fields):
            return [
                f"h->clone_session = ({_as_half(statements, session)} & 0x7fff) | SESSION_VALID;",
                f"h->clone_list = {_as_half(statements, fields)};",
            ]
        case Resubmit(fields):
            return [f"h->resubmit = {_as_half(statements, fields)};"]
        case Recirculate(fields):
            return [f"h->recirculate = {_as_half(statements, fields)};"]
        case Truncate(cut):
            return [f"h->cut = shorter(h->cut, {_as_half(statements, cut)});"]
        case Log(text, values):
            return _log(statements, text, values)
        case Check(condition):
            number = messages(statements.program).index((check_text(node), ()))
            return [
                f"if (!{statements.expressions.truth(condition)}) "
                f"{{ h->failed = 1; platform_log(c, {number}, NULL, 0); }}"
            ]
        case _:
            raise LoadError(201, f"primitive {type(node).__name__}")


def _as_word(statements: Statements, value: Data) -> str:
    coded = statements.expressions.low(value, 64)
    return convert(coded.code, coded.type, _WORD)


def _as_half(statements: Statements, value: Data) -> str:
    coded = statements.expressions.low(value, 32)
    return convert(coded.code, coded.type, _HALF)


def _bounded(statements: Statements, index: Data, size: int, body: list[str]) -> list[str]:
    """Statements that use `i_`, left out when it is out of bounds."""
    return [
        f"{{ uint64_t i_ = {statements.expressions.index(index)};",
        f"  if (i_ < {size}) {{",
        *body,
        "} }",
    ]


def cell_type(width: int) -> str:
    """The C type of a register's cell."""
    for bits in (8, 16, 32, 64):
        if width <= bits:
            return f"uint{bits}_t"
    return "u128" if width <= 128 else f"w{(width + 63) // 64}"


def cell_bytes(width: int) -> int:
    """The size of a register's cell."""
    for bits in (8, 16, 32, 64):
        if width <= bits:
            return bits // 8
    return 16 if width <= 128 else (width + 63) // 64 * 8


def _register_read(statements: Statements, dst: FieldOf, register: int, index: Data) -> list[str]:
    declared = statements.program.registers[register]
    cell = f"(({cell_type(declared.width)} *)c->state->registers[{register}])[i_]"
    ctype = _cell_ctype(declared.width)
    told = f"TRACE_CELL(READ, {register}, i_, &{cell}, sizeof {cell});"
    return _bounded(statements, index, declared.size, [told, statements.store(dst, cell, ctype)])


def _cell_ctype(width: int) -> CType:
    if width > 128:
        return CType((width + 63) // 64 * 64, signed=True)
    return CType(32 if width <= 32 else 64 if width <= 64 else 128, signed=False)


def _register_write(statements: Statements, register: int, index: Data, value: Data) -> list[str]:
    declared = statements.program.registers[register]
    coded = truncated(statements.expressions.low(value, declared.width), declared.width, fits=False)
    cell = f"(({cell_type(declared.width)} *)c->state->registers[{register}])[i_]"
    write = [
        f"TRACE_KEEP(&{cell}, sizeof {cell});",
        f"{cell} = {coded};",
        f"TRACE_CELL(WRITE, {register}, i_, &{cell}, sizeof {cell});",
    ]
    return _bounded(statements, index, declared.size, write)


def _hash(statements: Statements, node: Hash) -> list[str]:
    base, most = _as_word(statements, node.base), _as_word(statements, node.maximum)
    result = checksum.call(statements.layout, node.calculation)
    value = f"({result} % (m_ ? m_ : 1) + {base})"
    return ["{", f"uint64_t m_ = {most};", statements.store(node.dst, value, _WORD), "}"]


def _log(statements: Statements, text: str, values: tuple[Data, ...]) -> list[str]:
    counts = _message_words(statements.expressions.bounds, values)
    number = messages(statements.program).index((text, counts))
    lines: list[str] = []
    words: list[str] = []
    for position, (value, count) in enumerate(zip(values, counts, strict=True)):
        kept, name = CType(64 * count, signed=True), f"v{position}_"
        lines.append(f"{kept.name} {name} = {statements.expressions.as_type(value, kept)};")
        words += field_words(name, kept.bits)
    listed = ", ".join(words) or "0"
    return [
        "{",
        *lines,
        f"uint64_t words_[] = {{{listed}}};",
        f"platform_log(c, {number}, words_, {len(words)});",
        "}",
    ]


def digest_function(layout: Layout, statements: Statements) -> list[str]:
    """send_digest(): the fields of the digest that `h->digest` names, one or more words each."""
    lines = [
        "static __attribute__((noinline, cold)) void send_digest(struct context *c, struct phv copy) {",
        "    const struct phv *h = &copy;",
        "    switch (h->digest) {",
    ]
    for number, digest in enumerate(layout.program.digests):
        words: list[str] = []
        for field in digest.fields:
            width = layout.program.field(field).width
            words += field_words(statements.field(field), width)
        lines.append(f"    case {digest.id}: {{")
        lines.append(f"        uint64_t v_[] = {{{', '.join(words) or '0'}}};")
        lines.append(f"        platform_digest(c, {number}, v_, {len(words)});")
        lines.append("        break;")
        lines.append("    }")
    return [*lines, "    default: break;", "    }", "    (void)c;", "}", ""]


def field_words(name: str, width: int) -> list[str]:
    """A stored field, or a value kept alike, as 64-bit words, low word first."""
    if width <= 64:
        return [f"(uint64_t){name}"]
    if width <= 128:
        return [f"(uint64_t){name}", f"(uint64_t)({name} >> 64)"]
    return [f"{name}.w[{i}]" for i in range((width + 63) // 64)]
