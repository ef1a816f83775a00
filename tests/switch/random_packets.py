"""Random packets for a program: walks through its parse graph, then damage, cuts and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from switch.load.expression import Binary, Const, Data, FieldOf, HeaderPlace, HeaderRef, StackLast
from switch.load.primitive import Assign
from switch.load.program import (
    Advance,
    Extract,
    KeyPart,
    Lookahead,
    Program,
    SetFromLookahead,
    State,
)
from tests.switch.hints import FieldName, Hints
from tests.switch.pools import Pools

MAX_STATES = 40
MAX_PAYLOAD = 60
MAX_PACKET = 1500
_DAMAGED, _CUT, _NOISE = 0.08, 0.08, 0.03  # shares of packets
_HINTED, _SUMMED = 0.97, 0.9  # of the fields with a hint, and of the packets
_TRIES = 12  # at lengths of a varbit field that fit


@dataclass
class _Part:
    """A stretch of the packet: an extracted header's fields, or bytes without a type."""

    widths: list[int]
    values: list[int]

    def bits(self) -> tuple[int, int]:
        number = length = 0
        for width, value in zip(self.widths, self.values, strict=True):
            number, length = number << width | value & ((1 << width) - 1), length + width
        return number, length


@dataclass
class _Walk:
    """One packet under way; `ahead` are bits that a lookahead must find at the start of a part."""

    parts: list[_Part] = field(default_factory=list[_Part])
    at: dict[HeaderPlace, _Part] = field(default_factory=dict[HeaderPlace, _Part])
    counts: dict[int, int] = field(default_factory=dict[int, int])
    sources: dict[FieldOf, FieldOf | tuple[int, Lookahead]] = field(
        default_factory=dict[FieldOf, FieldOf | tuple[int, Lookahead]]
    )
    ahead: list[tuple[int, int, int, int]] = field(default_factory=list[tuple[int, int, int, int]])
    hints: dict[FieldName, int] = field(default_factory=dict[FieldName, int])


class RandomPackets:
    """Draws packets; `value_sets` are the members given to the program's parser value sets, in order."""

    def __init__(
        self, program: Program, pools: Pools, hints: Hints, value_sets: Sequence[Sequence[tuple[int, ...]]]
    ) -> None:
        self.pools = pools
        self.hints = hints
        self.chance = pools.chance
        self.program = program
        self.value_sets = value_sets

    def packet(self) -> bytes:
        """One packet, never empty."""
        kind = self.chance.random()
        if kind < _NOISE:
            return self.chance.randbytes(self.chance.randrange(1, 120))
        packet = bytearray(self._walk())
        if kind < _NOISE + _DAMAGED:
            for _ in range(self.chance.randrange(1, 4)):
                packet[self.chance.randrange(len(packet))] ^= 1 << self.chance.randrange(8)
        elif kind < _NOISE + _DAMAGED + _CUT:
            del packet[self.chance.randrange(1, len(packet) + 1) :]
        return bytes(packet[:MAX_PACKET])

    def _walk(self) -> bytes:
        walk = _Walk(hints=self.hints.draw())
        index: int | None = self.program.start
        for _ in range(MAX_STATES):
            if index is None:
                break
            state = self.program.states[index]
            if not self._ops(walk, state):
                break
            index = self._transition(walk, state)
        if self.chance.random() < _SUMMED:
            self._sum(walk)
        return self._bytes(walk)

    def _ops(self, walk: _Walk, state: State) -> bool:
        for op in state.ops:
            match op:
                case Extract(place, bits):
                    if not self._extract(walk, place, bits):
                        return False
                case SetFromLookahead(dst, ahead):
                    walk.sources[dst] = (len(walk.parts), ahead)
                case Assign(dst, FieldOf() as src):
                    walk.sources[dst] = src
                case Advance(bits):
                    count = self._number(walk, bits)
                    if count is None or not 0 <= count <= 8 * MAX_PAYLOAD:
                        return False
                    walk.parts.append(_Part([count], [self.chance.getrandbits(count) if count else 0]))
                case _:
                    pass
        return True

    def _extract(self, walk: _Walk, place: HeaderPlace, bits: Data | None) -> bool:
        type_index = self.program.type_of(place)
        header_type = self.program.types[type_index]
        widths = [f.width for f in header_type.fields]
        if header_type.varbit is not None:
            length = self._varbit(walk, bits, header_type.max_bytes - header_type.fixed_bits // 8)
            widths[header_type.varbit] = length
        part = _Part(widths, [self._value(walk, (type_index, i), width) for i, width in enumerate(widths)])
        walk.parts.append(part)
        walk.at[place] = part
        if isinstance(place, StackLast):
            count = walk.counts.get(place.stack, 0)
            elements = self.program.stacks[place.stack].headers
            if count >= len(elements):
                return False
            walk.at[HeaderRef(elements[count])] = part
            walk.counts[place.stack] = count + 1
        return True

    def _value(self, walk: _Walk, name: FieldName, width: int) -> int:
        hint = walk.hints.get(name)
        if hint is None or self.chance.random() > _HINTED:
            return self.pools.value(width)
        return hint & ((1 << width) - 1)

    def _sum(self, walk: _Walk) -> None:
        """Make the checksums right that the program verifies, where they are over extracted fields."""
        for checksum in self.program.checksums:
            calculation = self.program.calculations[checksum.calculation]
            target = walk.at.get(checksum.target.header)
            if target is None or not checksum.verify or calculation.algorithm not in {"csum16", "cksum16"}:
                continue
            number = length = 0
            for item in calculation.inputs:
                if isinstance(item, FieldOf) and item.header in walk.at:
                    part = walk.at[item.header]
                    width = part.widths[item.field]
                    number, length = number << width | part.values[item.field], length + width
            number <<= -length % 16
            total = 0
            while number:
                total, number = total + (number & 0xFFFF), number >> 16
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            target.values[checksum.target.field] = ~total & 0xFFFF

    def _varbit(self, walk: _Walk, bits: Data | None, most: int) -> int:
        """Bits of a varbit field; the fields that tell its length are drawn again until it fits."""
        if bits is None:
            return 0
        for attempt in range(_TRIES):
            length = self._number(walk, bits)
            if length is not None and 0 <= length <= 8 * most and length % 8 == 0:
                return length
            for place in _fields(bits):
                part = walk.at.get(place.header)
                if part is not None:
                    part.values[place.field] = self.chance.randrange(
                        1 << min(part.widths[place.field], 4 + attempt % 3)
                    )
        return 0

    def _number(self, walk: _Walk, node: Data) -> int | None:
        match node:
            case Const(value):
                return value
            case FieldOf(place, number):
                part = walk.at.get(place)
                return None if part is None else part.values[number]
            case Binary(op, left, right):
                a, b = self._number(walk, left), self._number(walk, right)
                return None if a is None or b is None else _apply(op, a, b)
            case _:
                return None

    def _transition(self, walk: _Walk, state: State) -> int | None:
        if not state.key or not state.transitions or self.chance.random() < 0.15:
            return state.default
        chosen = self.chance.choice(state.transitions)
        values = chosen.values
        if chosen.value_set is not None:
            members = self.value_sets[chosen.value_set] if self.value_sets else ()
            if not members:
                return state.default
            values = self.chance.choice(members)
        for part, value, mask in zip(state.key, values, chosen.masks, strict=True):
            self._force(walk, part, value, mask & ((1 << part.width) - 1))
        return chosen.target

    def _force(self, walk: _Walk, key: KeyPart, value: int, mask: int) -> None:
        source = key.source
        seen = 0
        while isinstance(source, FieldOf) and source.header not in walk.at and source in walk.sources:
            found = walk.sources[source]
            if isinstance(found, tuple):
                walk.ahead.append((found[0], found[1].offset, key.width, value))
                return
            source = found
            seen += 1
            if seen > MAX_STATES:
                return
        if isinstance(source, Lookahead):
            walk.ahead.append((len(walk.parts), source.offset, key.width, value))
            return
        part = walk.at.get(source.header)
        if part is not None and source.field < len(part.values):
            part.values[source.field] = part.values[source.field] & ~mask | value & mask

    def _bytes(self, walk: _Walk) -> bytes:
        number = length = 0
        starts: list[int] = []
        for part in walk.parts:
            starts.append(length)
            bits, width = part.bits()
            number, length = number << width | bits, length + width
        starts.append(length)
        payload = 8 * self.chance.randrange(MAX_PAYLOAD) if self.chance.random() < 0.8 else 0
        payload += -(length + payload) % 8
        number, length = (
            number << payload | (self.chance.getrandbits(payload) if payload else 0),
            length + payload,
        )
        for part, offset, width, value in walk.ahead:
            start = starts[min(part, len(starts) - 1)] + offset
            if start + width > length:
                extra = (start + width - length + 7) // 8 * 8
                number, length = number << extra | self.chance.getrandbits(extra), length + extra
            shift = length - start - width
            number = number & ~(((1 << width) - 1) << shift) | (value & ((1 << width) - 1)) << shift
        return number.to_bytes(length // 8, "big") or b"\0"


def _fields(node: Data) -> list[FieldOf]:
    match node:
        case FieldOf():
            return [node]
        case Binary(_, left, right):
            return _fields(left) + _fields(right)
        case _:
            return []


def _apply(op: str, a: int, b: int) -> int | None:  # noqa: PLR0911 (one a kind)
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "<<":
            return a << b if b < 64 else None
        case ">>":
            return a >> b
        case "&":
            return a & b
        case _:
            return None
