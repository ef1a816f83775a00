"""Calculations (hashes over fields) and checksums to C.

An input of an invalid header is left out (BufBuilder in behavioral-model's calculations.cpp), so where an
input lies depends on the packet. The usual case, all headers valid, has constant positions and gets its own
code; for csum16 that needs no buffer at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from switch.generate import crc32, verified
from switch.generate.header import Statements, most_bytes, most_varbit, store_field
from switch.generate.layout import Layout
from switch.generate.number import CType
from switch.load.expression import FieldOf, HeaderRef
from switch.load.extern import Calculation, Literal, Payload, WholeHeader

_CSUM = {"csum16", "cksum16"}
_CRC32 = {"crc32", "crc32_custom"}
MAX_PAYLOAD = 1 << 16


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of input: C code of a value of `width` bits; also of its address if it is as it came."""

    code: str
    width: int
    place: str = ""


def call(layout: Layout, index: int) -> str:
    """The value of a calculation."""
    return f"calculation_{index}({layout.arguments(layout.reach.calculations.get(index))})"


def function(statements: Statements, index: int) -> list[str]:
    """The C function of a calculation."""
    calculation = statements.program.calculations[index]
    control = statements.layout.reach.calculations.get(index)
    parameters = statements.layout.parameters(control)
    head = [f"INLINE uint64_t calculation_{index}({parameters}) {{", "    (void)h, (void)c;"]
    came = _as_it_came(statements, index)
    fast = _fast(calculation, came or _pieces(statements, calculation))
    # Without its one header there is no input.
    last = [f"return hash_{calculation.algorithm}(zeros, 0);"] if came else _slow(statements, calculation)
    slow = [f"    {line}" for line in last]
    if fast is None:
        return [*head, *slow, "}", ""]
    condition = _all_valid(statements, calculation)
    body = [f"        {line}" for line in fast]
    if condition == "1":
        return [*head, *body, "}", ""]
    return [*head, f"    if (__builtin_expect({condition}, 1)) {{", *body, "    }", *slow, "}", ""]


def _all_valid(statements: Statements, calculation: Calculation) -> str:
    headers: dict[str, None] = {}
    for item in calculation.inputs:
        if isinstance(item, FieldOf) and not statements.layout.is_metadata(item.header):
            headers[f"{statements.expressions.place(item.header)}.valid"] = None
    return " && ".join(headers) or "1"


def _with_payload(calculation: Calculation) -> bool:
    return any(isinstance(item, Payload) for item in calculation.inputs)


def _pieces(statements: Statements, calculation: Calculation) -> list[Piece] | None:
    """All inputs as values; None where one has no constant width."""
    found: list[Piece] = []
    for item in calculation.inputs:
        match item:
            case Literal(value, width):
                for shift in range((width - 1) // 64 * 64, -1, -64):
                    take = min(width - shift, 64)
                    found.append(Piece(f"{value >> shift & ((1 << take) - 1):#x}ull", take))
            case FieldOf():
                field = statements.program.field(item)
                if field.varbit:
                    return None
                found += _field_pieces(statements.field(item), field.width, _where(statements, item))
            case WholeHeader():
                return None
            case Payload():
                pass
    return found


def _where(statements: Statements, item: FieldOf) -> str:
    """C code of the address of a field that nothing ever assigns; empty if it has no whole bytes."""
    layout, program = statements.layout, statements.program
    type_index = program.type_of(item.header)
    if layout.is_metadata(item.header) or layout.written.mask(type_index, item.field):
        return ""
    declared = program.types[type_index].fields
    start = sum(field.width for field in declared[: item.field])
    before_varbit = not any(field.varbit for field in declared[: item.field])
    if start % 8 or program.field(item).width % 8 or not before_varbit:
        return ""
    return f"{statements.expressions.place(item.header)}.raw + {start // 8}"


def _field_pieces(name: str, width: int, where: str = "") -> list[Piece]:
    """A stored field as values of at most 64 bits, first the high ones."""
    pieces: list[Piece] = []
    for limb in range((width + 63) // 64 - 1, -1, -1):
        take = min(width - 64 * limb, 64)
        code = f"(uint64_t){name}"
        if width > 128:
            code = f"{name}.w[{limb}]"
        elif width > 64:
            code = f"(uint64_t)({name} >> {64 * limb})"
        at = width // 8 - 8 * limb - take // 8
        pieces.append(Piece(code, take, f"{where} + {at}" if where else ""))
    return pieces


def _bytes(pieces: list[Piece]) -> list[Piece]:
    """Neighbours joined to whole bytes, at most 64 bits each; [] if that cannot be. The last is filled up."""
    joined: list[Piece] = []
    pending: list[Piece] = []
    for piece in pieces:
        pending.append(piece)
        width = sum(p.width for p in pending)
        if width > 64:
            return []
        if width % 8 == 0:
            joined.append(_join(pending) if len(pending) > 1 else piece)
            pending = []
    if pending:
        pad = -sum(p.width for p in pending) % 8
        if sum(p.width for p in pending) + pad > 64:
            return []
        joined.append(_join([*pending, Piece("0ull", pad)]))
    return joined


def _join(pieces: list[Piece]) -> Piece:
    terms: list[str] = []
    shift = sum(p.width for p in pieces)
    total = shift
    for piece in pieces:
        shift -= piece.width
        terms.append(f"(uint64_t)({piece.code}) << {shift}" if shift else f"(uint64_t)({piece.code})")
    return Piece(" | ".join(terms), total)


def _as_it_came(statements: Statements, index: int) -> list[Piece] | None:
    """The inputs of a checksum that is verified over the bytes of a header."""
    found = verified.as_it_came(statements.program, index)
    if found is None:
        return None
    name = statements.expressions.place(found.header)
    pieces: list[Piece] = []
    for start, end in found.stretches:
        for at in range(start, end, 8):
            size = min(end - at, 8)
            pieces.append(Piece(f"load_be({name}.raw + {at}, {size})", 8 * size))
    return pieces


def _fast(calculation: Calculation, pieces: list[Piece] | None) -> list[str] | None:
    if pieces is None:
        return None
    joined = _bytes(pieces)
    if not joined and pieces:
        return None
    payload = _with_payload(calculation)
    if calculation.algorithm in _CSUM:
        return _sum(joined, payload)
    if payload:
        return None
    size = sum(p.width for p in joined) // 8
    if calculation.algorithm in _CRC32 and size >= 4:
        return _crc32(joined)
    lines = [f"uint8_t b_[{max(size, 1)}];"]
    at = 0
    for piece in joined:
        lines.append(store_field("b_", at, piece.width, piece.code))
        at += piece.width
    return [*lines, f"return hash_{calculation.algorithm}(b_, {size});"]


def _words(pieces: list[Piece]) -> list[str]:
    """The same bits as 64-bit words, first bit highest; the first word begins with 0s if it is not full."""
    words: list[list[str]] = []
    at = -sum(piece.width for piece in pieces) % 64
    for piece in pieces:
        room = 64 - at % 64
        if room == 64 or not words:
            words.append([])
        if piece.width <= room:
            words[-1].append(f"(uint64_t)({piece.code}) << {room - piece.width}")
        else:
            beyond = piece.width - room
            words[-1].append(f"(uint64_t)({piece.code}) >> {beyond}")
            words.append([f"(uint64_t)({piece.code}) << {64 - beyond}"])
        at += piece.width
    return [" | ".join(terms) for terms in words]


def _words_as_they_came(pieces: list[Piece]) -> list[str]:
    """Those words with the first bit lowest, read from the packet; empty where one is not all there."""
    words: list[list[str]] = []
    at = -sum(piece.width for piece in pieces) % 64
    came: list[bool] = []
    for piece in pieces:
        done = 0
        while done < piece.width:
            if at % 64 == 0 or not words:
                words.append([])
                came.append(True)
            take = min(64 - at % 64, piece.width - done)
            words[-1].append(f"load_le({piece.place} + {done // 8}, {take // 8}) << {at % 64}")
            came[-1] = came[-1] and bool(piece.place)
            at += take
            done += take
    return [" | ".join(terms) if all_there else "" for terms, all_there in zip(words, came, strict=True)]


def _crc32(joined: list[Piece]) -> list[str]:
    """Words that end with the last byte: 0s before the first change nothing once the initial 1s are in it."""
    size = sum(p.width for p in joined) // 8
    start = (1 << 32) - 1 << 8 * (size - 4)
    words: list[str] = []
    for value, bytes_of in zip(reversed(_words(joined)), reversed(_words_as_they_came(joined)), strict=True):
        ones = (start >> 64 * len(words) & (1 << 64) - 1).to_bytes(8, "big")
        if bytes_of:
            words.append(f"({bytes_of}) ^ {int.from_bytes(ones, 'little'):#x}ull")
        else:
            words.append(f"__builtin_bswap64(({value}) ^ {int.from_bytes(ones, 'big'):#x}ull)")
    swapped = ", ".join(reversed(words))
    factors = ", ".join(f"{factor:#x}ull" for factor in crc32.carries(len(words)))
    return [
        f"const uint64_t w_[] = {{{swapped}}};",
        f"static const uint64_t by_[] = {{{factors}}};",
        f"return crc32_words(w_, by_, {len(words)}) ^ 0xffffffff;",
    ]


def _sum(joined: list[Piece], payload: bool) -> list[str]:
    """RFC 1071: one's complement addition may be done in any width and order.

    `s_` takes up what may carry out of 64 bits, `n_` all else: even 65,536 terms of 48 bits fit.
    """
    lines = ["uint64_t s_ = 0, n_ = 0;"]
    at = 0
    for piece in joined:
        at += piece.width
        code, width = piece.code, piece.width
        if at % 16:
            # A value that ends in the middle of a 16-bit word is worth 256 times as much: a rotation.
            code, width = f"({code}) << 8", width + 8
            if width > 64:
                code = f"{code} | ({piece.code}) >> 56"
        lines.append(f"n_ += {code};" if width <= 48 else f"s_ = csum_add(s_, {code});")
    if payload:
        odd = "1" if at % 16 else "0"
        lines.append(f"n_ += csum_bytes(h->payload, h->payload_length, {odd});")
    return [*lines, "return (uint16_t)~csum_fold(csum_add(s_, n_));"]


def _slow(statements: Statements, calculation: Calculation) -> list[str]:
    """Inputs written one after the other, bit by bit, those of invalid headers left out."""
    room = _room(statements, calculation)
    payload = _with_payload(calculation)
    size = room + (MAX_PAYLOAD if payload else 0)
    lines = [f"uint8_t b_[{max(size, 1)}];", f"memset(b_, 0, {max(room, 1)});", "uint32_t n_ = 0;"]
    for item in calculation.inputs:
        match item:
            case Literal(value, width):
                for piece in _pieces(statements, Calculation("", "", (Literal(value, width),))) or []:
                    lines += _append(piece)
            case FieldOf():
                lines += _append_field(statements, item)
            case WholeHeader(header):
                name = statements.expressions.place(HeaderRef(header))
                emit = f"emit_{statements.layout.type_name(statements.program.headers[header].type)}"
                lines.append(
                    f"if ({name}.valid) n_ += 8 * (uint32_t)({emit}(&{name}, b_ + n_ / 8) - (b_ + n_ / 8));"
                )
            case Payload():
                pass
    lines.append("n_ = (n_ + 7) / 8;")
    if payload:
        lines += ["memcpy(b_ + n_, h->payload, h->payload_length);", "n_ += h->payload_length;"]
    return [*lines, f"return hash_{calculation.algorithm}(b_, n_);"]


def _append(piece: Piece) -> list[str]:
    return [f"store_bits(b_, n_, {piece.width}, {piece.code}); n_ += {piece.width};"]


def _append_field(statements: Statements, item: FieldOf) -> list[str]:
    field = statements.program.field(item)
    place = statements.expressions.place(item.header)
    if field.varbit:
        body = [
            f"memcpy(b_ + n_ / 8, {place}.varbit, {place}.varbit_length); n_ += 8 * {place}.varbit_length;"
        ]
    else:
        body = [
            line for piece in _field_pieces(statements.field(item), field.width) for line in _append(piece)
        ]
    if statements.layout.is_metadata(item.header):
        return body
    return [f"if ({place}.valid) {{", *(f"    {line}" for line in body), "}"]


def _room(statements: Statements, calculation: Calculation) -> int:
    """Bytes that all inputs together can take, without the payload."""
    bits = 0
    for item in calculation.inputs:
        match item:
            case Literal(_, width):
                bits += width
            case FieldOf():
                field = statements.program.field(item)
                bits += 8 * most_varbit(statements.program) if field.varbit else field.width
            case WholeHeader(header):
                bits += 8 * most_bytes(statements.program, statements.program.headers[header].type)
            case Payload():
                pass
    return (bits + 7) // 8 + 1


def checksum_functions(statements: Statements) -> list[str]:
    """verify_checksums() and update_checksums()."""
    verify = [
        "INLINE void verify_checksums(struct phv *h, struct context *c) {",
        "    (void)h, (void)c;",
    ]
    update = [
        "INLINE void update_checksums(struct phv *h, struct context *c) {",
        "    (void)h, (void)c;",
    ]
    for checksum in statements.program.checksums:
        condition = statements.expressions.truth(checksum.condition) if checksum.condition else "1"
        if checksum.verify:
            there = f"{statements.expressions.place(checksum.target.header)}.valid"
            if statements.layout.is_metadata(checksum.target.header):
                there = "1"
            actual = f"(uint64_t){statements.field(checksum.target)}"
            wrong = f"{call(statements.layout, checksum.calculation)} != {actual}"
            verify.append(f"    if ({there} && {condition} && {wrong}) h->checksum_error = 1;")
        if checksum.update:
            value = call(statements.layout, checksum.calculation)
            store = statements.store(checksum.target, value, CType(64, signed=False))
            update.append(f"    if ({condition}) {store}")
    return [*verify, "}", "", *update, "}", ""]
