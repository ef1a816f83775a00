"""Random P4-16 programs for v1model, one a seed, for the differential test.

A program parses headers of random shapes (odd widths, a varbit field, a stack, a union), computes on them and
on metadata, looks tables of all match kinds up, uses the externs, and sends all metadata in front of the
packet. A field is read only where its header is valid. One statement a line, so that `sources.smaller` can
leave some out. Longest prefixes are of whole bytes: BMv2 counts a prefix of other widths from the padding in
front of the value, and cannot tell the last bits. Registers, which order the packets, are not in programs
that send packets round, which have no order.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.switch.random_expressions import Expressions, Field

_ALGORITHMS = ("crc32", "crc32_custom", "crc16", "crc16_custom", "csum16", "xor16", "identity")
_KINDS = ("exact", "lpm", "ternary", "range", "optional")
_WIDTHS = (1, 3, 7, 8, 9, 13, 16, 24, 31, 32, 33, 48, 63, 64, 65, 100, 128, 129, 200)
_SET = "        "


class RandomProgram:
    """Draws the parts of one program."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)
        chance = self.chance
        self.loops = chance.random() < 0.3
        self.meta = [Field(f"meta.m{n}", chance.choice(_WIDTHS)) for n in range(chance.randrange(4, 9))]
        self.headers = {"h0": [16, 8, 8, *self._odd()]}
        self.headers |= {f"h{n}": self._odd() for n in range(1, chance.randrange(2, 5))}
        fields = [
            Field(f"hdr.{header}.f{n}", width, f"hdr.{header}")
            for header, widths in self.headers.items()
            for n, width in enumerate(widths)
        ]
        self.stack = [Field(f"hdr.s[{n}].v", 15, f"hdr.s[{n}]") for n in range(3)]
        self.union = [Field("hdr.u.a.v", 24, "hdr.u.a"), Field("hdr.u.b.v", 8, "hdr.u.b")]
        self.fields = [*self.meta, *fields, *self.stack, *self.union]
        self.expressions = Expressions(self.fields, chance)
        self.first = [field for field in self.fields if field.header in {"", "hdr.h0"}]
        self.declared: list[str] = []

    def text(self) -> str:
        """The program."""
        ingress, egress = self._control("I", ingress=True), self._control("E", ingress=False)
        sums = "\n".join((self._sums("V", "verify_checksum"), self._sums("U", "update_checksum")))
        return "\n".join(
            (
                "#include <core.p4>\n#include <v1model.p4>\n",
                self._types(),
                self._parser(),
                sums,
                ingress,
                egress,
                "control D(packet_out packet, in headers_t hdr) { apply { packet.emit(hdr); } }",
                "V1Switch(P(), V(), I(), E(), U(), D()) main;\n",
            )
        )

    def _odd(self) -> list[int]:
        """Widths of fields that fill whole bytes together."""
        widths = [self.chance.choice(_WIDTHS) for _ in range(self.chance.randrange(1, 5))]
        return [*widths, -sum(widths) % 8] if sum(widths) % 8 else widths

    def _types(self) -> str:
        lines: list[str] = []
        for name, widths in self.headers.items():
            listed = " ".join(f"bit<{width}> f{n};" for n, width in enumerate(widths))
            lines.append(f"header {name}_t {{ {listed} }}")
        lists = ("", "@field_list(1) ", "@field_list(2) ", "@field_list(1, 2) ")
        kept = {field.text: self.chance.choice(lists) for field in self.meta}
        told = " ".join(f"bit<{field.width}> d{n};" for n, field in enumerate(self.meta))
        shown = sum(field.width for field in self.meta)
        listed = " ".join(f"bit<{field.width}> {field.text[5:]};" for field in self.meta)
        lines += [
            f"header shown_t {{ {listed} bit<{8 + -shown % 8}> pad; }}",
            "header v_t { varbit<248> v; }",
            "header s_t { bit<1> more; bit<15> v; }",
            "header a_t { bit<24> v; }",
            "header b_t { bit<8> v; }",
            "header_union u_t { a_t a; b_t b; }",
            f"struct digest_t {{ {told} }}",
            "struct headers_t {",
            "    shown_t shown;",
            *(f"    {name}_t {name};" for name in self.headers),
            "    s_t[3] s;\n    u_t u;\n    v_t v;\n}",
            "struct meta_t {",
            "    @field_list(1, 2) bit<2> round;",
            *(f"    {kept[field.text]}bit<{field.width}> {field.text[5:]};" for field in self.meta),
            "}",
        ]
        return "\n".join(lines)

    # ---- parser

    def _parser(self) -> str:
        """States that go forward only, but for the stack's."""
        steps = [*list(self.headers)[1:], "s", "ua", "ub", "v"]
        self.chance.shuffle(steps)
        lines = [
            "parser P(packet_in packet, out headers_t hdr, inout meta_t meta,",
            "         inout standard_metadata_t std) {",
        ]
        seen = [field for field in self.fields if field.header == "hdr.h0"]
        for at, step in enumerate(("start", *steps)):
            lines.append(f"    state {'start' if step == 'start' else f'p_{step}'} {{")
            targets = [f"p_{other}" for other in steps[at:]] + ["accept"]
            known = [*self.meta, *seen]
            if step == "s":
                more = f"0: {self.chance.choice(targets)};"
                lines += [
                    f"{_SET}packet.extract(hdr.s.next);",
                    f"        transition select(hdr.s.last.more) {{ 1: p_s; {more} }}\n    }}",
                ]
                continue
            lines.append(f"{_SET}{self._extract(step)}")
            if step in self.headers:
                known += [field for field in self.fields if field.header == f"hdr.{step}"]
            if self.chance.random() < 0.4:
                target = self.chance.choice(self.meta)
                value = Expressions(known, self.chance).bits(target.width, 2)
                lines.append(f"{_SET}{target.text} = {value};")
            if self.chance.random() < 0.15:
                lines.append(
                    f"{_SET}verify({Expressions(known, self.chance).truth(1)}, error.HeaderTooShort);"
                )
            lines += [f"        {self._select(known, targets)}", "    }"]
        return "\n".join([*lines, "}"])

    def _extract(self, step: str) -> str:
        if step == "v":
            unit = self.chance.choice((8, 16))
            return f"packet.extract(hdr.v, (bit<32>)(hdr.h0.f1 & 15) * {unit});"
        place = {"start": "h0", "ua": "u.a", "ub": "u.b"}.get(step, step)
        return f"packet.extract(hdr.{place});"

    def _select(self, known: Sequence[Field], targets: Sequence[str]) -> str:
        keys = [
            (field.text, field.width)
            for field in self.chance.sample(known, self.chance.randrange(1, min(3, len(known) + 1)))
        ]
        if self.chance.random() < 0.25:
            width = self.chance.choice((4, 8, 20))
            keys.append((f"packet.lookahead<bit<{width}>>()", width))
        rows: list[str] = []
        for _ in range(self.chance.randrange(1, 5)):
            sets = ", ".join(self._set(width, at == 0) for at, (_, width) in enumerate(keys))
            rows.append(f"{f'({sets})' if len(keys) > 1 else sets}: {self.chance.choice(targets)};")
        rows.append(f"default: {self.chance.choice(targets)};" if self.chance.random() < 0.9 else "")
        return f"transition select({', '.join(key for key, _ in keys)}) {{ {' '.join(rows)} }}"

    def _set(self, width: int, ranges: bool) -> str:
        """A constant, a mask or a range; of ranges one a row, as p4c makes masks of them, and few."""
        constant = self.expressions.constant
        kind = self.chance.randrange(4)
        if kind == 0:
            return f"{constant(width)} &&& {constant(width)}"
        if kind == 1 and ranges and width <= 24:
            low, high = sorted(self.chance.getrandbits(width) for _ in range(2))
            return f"{width}w{low}..{width}w{high}"
        return constant(width)

    # ---- checksums

    def _sums(self, name: str, function: str) -> str:
        lines = [f"control {name}(inout headers_t hdr, inout meta_t meta) {{", "    apply {"]
        for header, widths in self.headers.items():
            fields = [f"hdr.{header}.f{n}" for n in range(len(widths))]
            if header == "h0" and self.chance.random() < 0.7:
                lines.append(
                    f"{_SET}{function}(hdr.h0.isValid(), {{ {', '.join(fields[1:])} }}, hdr.h0.f0,"
                    " HashAlgorithm.csum16);"
                )
            elif header != "h0" and function == "update_checksum" and self.chance.random() < 0.4:
                algorithm = self.chance.choice(("csum16", "crc16", "crc32", "xor16"))
                lines.append(
                    f"{_SET}{function}(hdr.{header}.isValid(), {{ {', '.join(fields)} }}, meta.m0,"
                    f" HashAlgorithm.{algorithm});"
                )
        return "\n".join([*lines, "    }", "}"])

    # ---- controls

    def _control(self, name: str, *, ingress: bool) -> str:
        self.declared = []
        actions = [self._action(f"{name.lower()}{n}", ingress) for n in range(self.chance.randrange(2, 6))]
        body = ["        if (!hdr.h0.isValid()) { mark_to_drop(std); exit; }"]
        if ingress:
            body.append(f"{_SET}std.egress_spec = {self._port()};")
        tables = self.chance.randrange(1, 5)
        steps = ["table"] * tables + ["set"] * self.chance.randrange(2, 7) + ["extern"] * 3
        self.chance.shuffle(steps)
        for number, step in enumerate(steps):
            match step:
                case "table":
                    body += self._table(f"{name.lower()}t{number}", actions)
                case "set":
                    body.append(f"{_SET}{self._assign(self.fields)}")
                case _:
                    body.append(f"{_SET}{self._extern(f'{name.lower()}x{number}', ingress)}")
        if not ingress:
            body += self._shown()
        return "\n".join(
            [
                f"control {name}(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t std) {{",
                *self.declared,
                "    apply {",
                *body,
                "    }",
                "}",
            ]
        )

    def _port(self) -> str:
        field = self.expressions.read(self.chance.choice(self.first))
        return f"(bit<9>){field} & 7 | {self.chance.randrange(8)}"

    def _shown(self) -> list[str]:
        """All metadata in front of the packet; a header may go away then."""
        lines = ["        hdr.shown.setValid();"]
        lines += [f"{_SET}hdr.shown.{field.text[5:]} = {field.text};" for field in self.meta]
        lines.append(
            f"{_SET}hdr.shown.pad = (bit<{8 + -sum(f.width for f in self.meta) % 8}>)std.instance_type;"
        )
        if self.chance.random() < 0.4:
            lines.append(f"{_SET}hdr.{self.chance.choice(list(self.headers))}.setInvalid();")
        return lines

    def _guarded(self, statement: str) -> str:
        """A statement where the headers that were read are valid."""
        valid = sorted(header for header in self.expressions.used if header != "hdr.h0")
        self.expressions.clear()
        return (
            f"if ({' && '.join(f'{h}.isValid()' for h in valid)}) {{ {statement} }}" if valid else statement
        )

    def _assign(self, fields: Sequence[Field], expressions: Expressions | None = None) -> str:
        expressions = expressions or self.expressions
        target = self.chance.choice(fields)
        text, width = expressions.read(target), target.width
        if width > 2 and self.chance.random() < 0.15:
            high = self.chance.randrange(1, width)
            low = self.chance.randrange(high + 1)
            text, width = f"{text}[{high}:{low}]", high - low + 1
        statement = f"{text} = {expressions.bits(width)};"
        if self.chance.random() < 0.3:
            other = f"{target.text} = {expressions.bits(target.width, 2)};"
            statement = f"if ({expressions.truth()}) {{ {statement} }} else {{ {other} }}"
        self.expressions.used |= expressions.used
        return self._guarded(statement)

    def _action(self, name: str, ingress: bool) -> str:
        """An action on fields that are always valid; its parameters are fields of no header."""
        widths = [self.chance.choice(_WIDTHS) for _ in range(self.chance.randrange(4))]
        expressions = Expressions(
            [*self.first, *(Field(f"p{n}", w) for n, w in enumerate(widths))], self.chance
        )
        lines = [f"    action {name}({', '.join(f'bit<{w}> p{n}' for n, w in enumerate(widths))}) {{"]
        lines += [
            f"{_SET}{self._assign(self.first, expressions)}" for _ in range(self.chance.randrange(1, 4))
        ]
        if ingress and self.chance.random() < 0.4:
            lines.append(f"{_SET}std.egress_spec = {self._port()};")
        self.expressions.clear()
        self.declared += [*lines, "    }"]
        return name

    def _table(self, name: str, actions: Sequence[str]) -> list[str]:
        chance, expressions = self.chance, self.expressions
        expressions.clear()
        kinds = [chance.choice(_KINDS) for _ in range(chance.choice((1, 1, 2, 3)))]
        while kinds.count("lpm") > 1:
            kinds.remove("lpm")
        keys: list[str] = []
        for kind in kinds:
            fields = [f for f in self.fields if kind != "range" or f.width <= 64]
            if kind == "lpm":
                fields = [f for f in fields if f.width % 8 == 0]
            field = chance.choice(fields)
            text = (
                expressions.bits(chance.choice(_WIDTHS[:10]), 1)
                if kind != "lpm" and chance.random() < 0.1
                else expressions.read(field)
            )
            keys.append(f'            {text}: {kind} @name("k{len(keys)}");')
        profile = chance.random()
        extra = ""
        if profile < 0.15 and "range" not in kinds:
            first = [f"            {chance.choice(self.first).text}: selector;" for _ in range(2)]
            keys += first
            extra = "implementation = action_selector(HashAlgorithm.crc32, 64, 16);"
        elif profile < 0.25:
            extra = "implementation = action_profile(64);"
        elif profile < 0.5:
            self.declared.append(f"    direct_counter(CounterType.packets_and_bytes) {name}_count;")
            extra = f"counters = {name}_count;"
        self.declared += [
            f"    table {name} {{",
            "        key = {",
            *keys,
            "        }",
            f"        actions = {{ {' '.join(f'{action};' for action in actions)} NoAction; }}",
            "        default_action = NoAction();",
            f"        size = 64;\n        {extra}",
            "    }",
        ]
        used = set(expressions.used)
        statement = self._applied(name, actions)
        expressions.used = used
        return [f"{_SET}{self._guarded(statement)}"]

    def _applied(self, name: str, actions: Sequence[str]) -> str:
        assign = [self._assign(self.first, Expressions(self.first, self.chance)) for _ in range(2)]
        match self.chance.randrange(4):
            case 0:
                return f"if ({name}.apply().hit) {{ {assign[0]} }} else {{ {assign[1]} }}"
            case 1:
                return f"if ({name}.apply().miss) {{ {assign[0]} }}"
            case 2:
                cases = f"{actions[0]}: {{ {assign[0]} }} default: {{ {assign[1]} }}"
                return f"switch ({name}.apply().action_run) {{ {cases} }}"
            case _:
                return f"{name}.apply();"

    def _extern(self, name: str, ingress: bool) -> str:
        """A statement of one extern."""
        chance, expressions = self.chance, self.expressions
        expressions.clear()
        field = chance.choice(self.meta)
        index = f"(bit<32>){expressions.bits(5, 1)}"
        kinds = ["counter", "hash", "hash", "stack", "truncate"]
        kinds += ["digest", "clone", "multicast"] if ingress else ["clone"] if self.loops else []
        kinds += (["resubmit"] if ingress else ["recirculate"]) if self.loops else []
        kinds += ["register", "register"] if ingress and not self.loops else []
        condition = expressions.truth(1)
        match chance.choice(kinds):
            case "counter":
                self.declared.append(f"    counter(16, CounterType.packets_and_bytes) {name};")
                statement = f"{name}.count({index});"
            case "register":
                self.declared.append(f"    register<bit<{field.width}>>(20) {name};")
                other = chance.choice([f for f in self.meta if f.width == field.width])
                value = expressions.bits(field.width, 2)
                statement = f"{name}.read({other.text}, {index}); {name}.write({index}, {value});"
            case "hash":
                statement = self._hash(field)
            case "truncate":
                statement = f"truncate((bit<32>){expressions.bits(7, 1)} + 40);"
            case "digest":
                statement = f"digest<digest_t>(1, {{ {', '.join(f.text for f in self.meta)} }});"
            case "clone":
                way = "I2E" if ingress else "E2E"
                session = chance.randrange(1, 6)
                statement = (
                    f"clone_preserving_field_list(CloneType.{way}, {session}, {chance.choice((1, 2))});"
                )
                condition = f"std.instance_type == 0 && {condition}"
            case "multicast":
                statement = f"std.mcast_grp = (bit<16>){expressions.bits(2, 1)};"
            case "stack":
                statement = self._stack()
            case way:
                statement = (
                    f"meta.round = meta.round + 1; {way}_preserving_field_list({chance.choice((1, 2))});"
                )
                types = "std.instance_type == 0 || std.instance_type == 4 || std.instance_type == 6"
                condition = f"meta.round < 2 && ({types}) && {condition}"
        return self._guarded(f"if ({condition}) {{ {statement} }}")

    def _hash(self, field: Field) -> str:
        chance, expressions = self.chance, self.expressions
        fields = [expressions.read(f) for f in chance.sample(self.fields, chance.randrange(1, 4))]
        base, most = expressions.bits(field.width, 0), chance.getrandbits(chance.randrange(1, 33)) + 1
        algorithm = chance.choice(_ALGORITHMS)
        return f"hash({field.text}, HashAlgorithm.{algorithm}, {base}, {{ {', '.join(fields)} }}, 64w{most});"

    def _stack(self) -> str:
        match self.chance.randrange(3):
            case 0:
                value = self.expressions.bits(15, 1)
                return f"hdr.s.push_front(1); hdr.s[0].setValid(); hdr.s[0].more = 1; hdr.s[0].v = {value};"
            case 1:
                return "hdr.s.pop_front(1);"
            case _:
                return "if (hdr.s[1].isValid()) { hdr.s[0] = hdr.s[1]; }"


def source(seed: str) -> str:
    """The program of a seed."""
    return RandomProgram(seed).text()
