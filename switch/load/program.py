"""A v1model program with every reference resolved: what the generator reads.

Indices point into the tuples of `Program`; names are the P4 names that P4Info has too.
"""

from __future__ import annotations

from dataclasses import dataclass

from switch.load.errors import Source
from switch.load.expression import Data, FieldOf, HeaderPlace, HeaderRef, StackElement, StackLast, Truth
from switch.load.extern import Calculation, Checksum, Counter, DigestType, FieldList, Meter, Register
from switch.load.primitive import Primitive


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a header type; a varbit field has width 0 and is as long as the packet says."""

    name: str
    width: int
    signed: bool = False
    saturating: bool = False
    varbit: bool = False


@dataclass(frozen=True, slots=True)
class HeaderType:
    """A header type; `max_bytes` bounds one with a varbit field."""

    name: str
    fields: tuple[Field, ...]
    max_bytes: int

    @property
    def fixed_bits(self) -> int:
        """Width without the varbit field."""
        return sum(field.width for field in self.fields)

    @property
    def varbit(self) -> int | None:
        """Index of the varbit field."""
        return next((i for i, field in enumerate(self.fields) if field.varbit), None)


@dataclass(frozen=True, slots=True)
class Header:
    """A header or metadata instance."""

    name: str
    type: int
    metadata: bool


@dataclass(frozen=True, slots=True)
class Stack:
    """A header stack: its element headers in order."""

    name: str
    type: int
    headers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """A header union: of its member headers at most one is valid."""

    name: str
    headers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnionStack:
    """A stack of header unions."""

    name: str
    unions: tuple[int, ...]


# Parser


@dataclass(frozen=True, slots=True)
class Extract:
    """Extract to a header (`StackLast`: the stack's next element). `bits`: length of the varbit field."""

    header: HeaderPlace
    bits: Data | None = None


@dataclass(frozen=True, slots=True)
class Lookahead:
    """`width` bits at `offset` bits past the cursor."""

    offset: int
    width: int


@dataclass(frozen=True, slots=True)
class SetFromLookahead:
    """dst = bits ahead of the cursor."""

    dst: FieldOf
    src: Lookahead


@dataclass(frozen=True, slots=True)
class Verify:
    """End with `error` unless the condition holds."""

    condition: Truth
    error: Data


@dataclass(frozen=True, slots=True)
class Advance:
    """Skip bits."""

    bits: Data


ParserOp = Extract | SetFromLookahead | Verify | Advance | Primitive


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One element of a state's select: a field or bits ahead; `width` in bits."""

    source: FieldOf | Lookahead
    width: int


@dataclass(frozen=True, slots=True)
class Transition:
    """Taken when all key parts match: values under masks, or a value set's member; `target` None accepts."""

    values: tuple[int, ...]
    masks: tuple[int, ...]
    value_set: int | None
    target: int | None


@dataclass(frozen=True, slots=True)
class State:
    """A parser state; transitions are tried in order, then `default`."""

    name: str
    ops: tuple[ParserOp, ...]
    key: tuple[KeyPart, ...]
    transitions: tuple[Transition, ...]
    default: int | None


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A parser value set; `widths` are those of the selects that use it."""

    name: str
    widths: tuple[int, ...]


# Match-action


@dataclass(frozen=True, slots=True)
class Parameter:
    """An action's parameter, `width` in bits."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Action:
    """An action: primitives run in order."""

    name: str
    params: tuple[Parameter, ...]
    primitives: tuple[Primitive, ...]
    source: Source | None


@dataclass(frozen=True, slots=True)
class Key:
    """One key field of a table, exact, lpm, ternary or range by `kind`; only bits in `mask` take part."""

    name: str
    kind: str
    value: Data
    width: int
    mask: int


@dataclass(frozen=True, slots=True)
class EntryKey:
    """An entry's match of one field: `value & mask`, or [value, high] for a range."""

    value: int
    mask: int
    high: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that the program itself declares; a higher priority wins."""

    key: tuple[EntryKey, ...]
    priority: int
    action: int
    params: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Default:
    """A default action."""

    action: int
    params: tuple[int, ...]
    const: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    `kind` is how it is looked up: exact, lpm, ternary (with ranges too). `next_by_action` maps
    each action to the next node; where `next_hit`/`next_miss` are used it is empty.
    """

    name: str
    keys: tuple[Key, ...]
    kind: str
    size: int
    actions: tuple[int, ...]
    profile: int | None
    default: Default | None
    entries: tuple[Entry, ...]
    immutable: bool
    counters: bool
    timeout: bool
    meter: int | None
    hit_miss: bool
    next_hit: str | None
    next_miss: str | None
    next_by_action: tuple[tuple[int, str | None], ...]
    next_default: str | None
    source: Source | None


@dataclass(frozen=True, slots=True)
class Conditional:
    """An if; next nodes by name, None ends the control."""

    name: str
    condition: Truth
    next_true: str | None
    next_false: str | None
    source: Source | None


@dataclass(frozen=True, slots=True)
class Profile:
    """An action profile, or with a calculation an action selector; `actions` are one per name."""

    name: str
    size: int
    actions: tuple[int, ...]
    calculation: int | None


@dataclass(frozen=True, slots=True)
class Control:
    """Ingress or egress: nodes by name, run from `start`."""

    name: str
    start: str | None
    tables: tuple[int, ...]
    conditionals: tuple[Conditional, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """All of it."""

    name: str
    types: tuple[HeaderType, ...]
    headers: tuple[Header, ...]
    stacks: tuple[Stack, ...]
    unions: tuple[Union, ...]
    union_stacks: tuple[UnionStack, ...]
    errors: tuple[tuple[str, int], ...]
    value_sets: tuple[ValueSet, ...]
    states: tuple[State, ...]
    start: int | None
    actions: tuple[Action, ...]
    profiles: tuple[Profile, ...]
    tables: tuple[Table, ...]
    ingress: Control
    egress: Control
    counters: tuple[Counter, ...]
    meters: tuple[Meter, ...]
    registers: tuple[Register, ...]
    calculations: tuple[Calculation, ...]
    checksums: tuple[Checksum, ...]
    field_lists: tuple[FieldList, ...]
    digests: tuple[DigestType, ...]
    deparse: tuple[int, ...]
    deparse_ops: tuple[Primitive, ...]
    standard: tuple[tuple[str, FieldOf], ...]

    def field(self, place: FieldOf) -> Field:
        """The declaration of a field."""
        return self.types[self.type_of(place.header)].fields[place.field]

    def type_of(self, place: HeaderPlace) -> int:
        """The header type of a place."""
        match place:
            case HeaderRef(header):
                return self.headers[header].type
            case StackElement(stack=stack) | StackLast(stack=stack):
                return self.stacks[stack].type
            case _:
                union = self.unions[self.union_stacks[place.stack].unions[0]]
                return self.headers[union.headers[place.member]].type

    def standard_field(self, name: str) -> FieldOf | None:
        """The field that plays the architecture's part `name`, for example `egress_spec`."""
        return dict(self.standard).get(name)
