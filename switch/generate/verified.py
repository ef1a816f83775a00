"""Checksums that can be verified over a header's bytes as they came, without any of its fields."""

from __future__ import annotations

from dataclasses import dataclass

from switch.generate.tree import walk
from switch.generate.written import assigned
from switch.load.expression import FieldOf, HeaderRef
from switch.load.primitive import AssignHeader, AssignStack, AssignUnionStack, AssignVarbit, Hash
from switch.load.program import Program


@dataclass(frozen=True, slots=True)
class Stretches:
    """Bytes of a header: first and end of each stretch."""

    header: HeaderRef
    stretches: tuple[tuple[int, int], ...]


def as_it_came(program: Program, index: int) -> Stretches | None:
    """The inputs of a calculation that only verifies, if they are whole stretches of one header."""
    inputs = program.calculations[index].inputs
    fields = [item for item in inputs if isinstance(item, FieldOf)]
    places = {field.header for field in fields}
    if len(fields) < len(inputs) or len(places) != 1 or not _only_verifies(program, index):
        return None
    place = places.pop()
    declared = program.types[program.type_of(place)].fields
    if not isinstance(place, HeaderRef) or _is_metadata(program, place):
        return None
    if changes_headers(program) or any(field.varbit for field in declared):
        return None
    bits = _stretches([field.field for field in fields], [field.width for field in declared])
    if any(start % 8 or end % 8 for start, end in bits):
        return None
    return Stretches(place, tuple((start // 8, end // 8) for start, end in bits))


def _is_metadata(program: Program, place: HeaderRef) -> bool:
    return program.headers[place.header].metadata


def changes_headers(program: Program) -> bool:
    """Whether the parser does more to headers than to extract them."""
    copies = (AssignHeader, AssignStack, AssignUnionStack, AssignVarbit)
    if any(isinstance(op, copies) for state in program.states for op in state.ops):
        return True
    places = [field.header for field in assigned(program.states)]
    return any(not isinstance(place, HeaderRef) or not _is_metadata(program, place) for place in places)


def _only_verifies(program: Program, index: int) -> bool:
    """Whether a calculation is of a checksum that is verified, and nothing else."""
    users = [checksum for checksum in program.checksums if checksum.calculation == index]
    if not users or any(user.update for user in users):
        return False
    if any(profile.calculation == index for profile in program.profiles):
        return False
    hashes = walk((program.actions, program.states, program.deparse_ops))
    return not any(isinstance(part, Hash) and part.calculation == index for part in hashes)


def _stretches(fields: list[int], widths: list[int]) -> list[tuple[int, int]]:
    """First bit and end of each run of neighbouring fields."""
    found: list[tuple[int, int]] = []
    for field in fields:
        start = sum(widths[:field])
        if found and found[-1][1] == start:
            start, _ = found.pop()
        found.append((start, sum(widths[: field + 1])))
    return found
