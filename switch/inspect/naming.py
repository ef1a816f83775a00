"""Names and values of a program's objects as people read them (switch/proto/inspect.proto says how)."""

from __future__ import annotations

from switch.generate.shape import ActionShape, KeyShape
from switch.load.errors import Source
from switch.load.expression import FieldOf, HeaderRef
from switch.load.program import KeyPart, Program, State, Transition
from switch.proto import inspect_pb2 as pb

SCALARS = "scalars"
"""The header instance in which p4c keeps local variables and the fields of metadata structs."""


def hexadecimal(value: int, width: int) -> str:
    """A value with as many digits as its width has."""
    return f"0x{value:0{(width + 3) // 4}x}"


def field_name(program: Program, header: int, field: int) -> str:
    """A field with its header; local variables and user metadata stand for themselves."""
    instance = program.headers[header]
    name = program.types[instance.type].fields[field].name
    return name if instance.name == SCALARS else f"{instance.name}.{name}"


def place_name(program: Program, place: FieldOf) -> str:
    """A field as an expression names it."""
    if isinstance(place.header, HeaderRef):
        return field_name(program, place.header.header, place.field)
    return program.field(place).name


def key_part_name(program: Program, part: KeyPart) -> str:
    """What a parser state selects on."""
    return place_name(program, part.source) if isinstance(part.source, FieldOf) else "lookahead"


def state_name(program: Program, target: int | None) -> str:
    """Where a transition goes."""
    return "accept" if target is None else program.states[target].name


def transition_text(program: Program, state: State, transition: Transition) -> str:
    """What a transition wants."""
    if transition.value_set is not None:
        return program.value_sets[transition.value_set].name
    parts = zip(state.key, transition.values, transition.masks, strict=True)
    return ", ".join(masked(value, mask, part.width) for part, value, mask in parts)


def masked(value: int, mask: int, width: int) -> str:
    """A value under a mask; `_` for any."""
    full = (1 << width) - 1
    if not mask & full:
        return "_"
    text = hexadecimal(value, width)
    return text if mask & full == full else f"{text} &&& {hexadecimal(mask & full, width)}"


def match_text(key: KeyShape, value: int, mask: int) -> str:
    """An entry's match of one key field that is no range."""
    if key.kind == "exact":
        return hexadecimal(value, key.width)
    if key.kind == "lpm" and mask:
        return f"{hexadecimal(value, key.width)}/{mask.bit_count()}"
    return masked(value, mask, key.width)


def range_text(key: KeyShape, low: int, high: int) -> str:
    """An entry's match of a range."""
    if low == 0 and high == (1 << key.width) - 1:
        return "_"
    return f"{hexadecimal(low, key.width)}..{hexadecimal(high, key.width)}"


def source_of(source: Source | None) -> pb.Source | None:
    """A place in the P4 source as the wire has it."""
    if source is None:
        return None
    return pb.Source(file=source.file, line=source.line, column=source.column, fragment=source.fragment)


def value_field(name: str, value: int, width: int) -> pb.Field:
    """A value as the wire has it."""
    return pb.Field(name=name, width=width, value=hexadecimal(value, width))


def parameters(program: Program, action: int, shape: ActionShape, words: int) -> list[pb.Field]:
    """An action's parameters from a record's data, given as one number."""
    found: list[pb.Field] = []
    for param, width, offset in zip(program.actions[action].params, shape.widths, shape.offsets, strict=True):
        found.append(value_field(param.name, words >> (64 * offset) & ((1 << width) - 1), width))
    return found
