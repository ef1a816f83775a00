"""What only one control touches: such metadata needs no place in the packet's memory.

p4c keeps all local variables of a program in one metadata header. Those of a control become local
variables of its C function again, which the compiler can hold in registers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from switch.generate.tree import parts
from switch.load.expression import FieldOf, HeaderRef
from switch.load.extern import WholeHeader
from switch.load.primitive import Hash
from switch.load.program import Control, Program

MOST_BITS = 128  # of a field that is one C integer


@dataclass(frozen=True, slots=True)
class Reach:
    """Metadata fields (header, field) that one control alone touches, and what touches them, by its name."""

    actions: dict[int, str]
    calculations: dict[int, str]
    fields: dict[tuple[int, int], str]


@dataclass(slots=True)
class _Found:
    fields: set[tuple[int, int]]
    whole: set[int]


def reach(program: Program) -> Reach:
    """Find what belongs to one control alone."""
    controls = (program.ingress, program.egress)
    actions = _alone({control.name: _actions(program, control) for control in controls})
    calculations = _alone(
        {control.name: _calculations(program, control) for control in controls}
        | {"": _calculations_outside(program)}
    )
    found = {control.name: _Found(set(), set()) for control in controls}
    found[""] = _Found(set(), set())
    for control in controls:
        tables = tuple(program.tables[index] for index in control.tables)
        meters = tuple(program.meters[t.meter] for t in tables if t.meter is not None)
        _note((tables, meters, control.conditionals), found[control.name])
    for index, action in enumerate(program.actions):
        _note(action, found[actions.get(index, "")])
    for index, calculation in enumerate(program.calculations):
        _note(calculation, found[calculations.get(index, "")])
    emptied = dataclasses.replace(
        program,
        tables=(),
        actions=(),
        meters=(),
        calculations=(),
        ingress=dataclasses.replace(program.ingress, conditionals=()),
        egress=dataclasses.replace(program.egress, conditionals=()),
    )
    _note(emptied, found[""])
    fields = _fields(program, found)
    calculations = {i: c for i, c in calculations.items() if _touches(program.calculations[i], fields)}
    actions = {
        i: control
        for i, control in actions.items()
        if _touches(program.actions[i], fields)
        or _hashes(program.actions[i].primitives) & calculations.keys()
    }
    return Reach(actions, calculations, fields)


def _touches(value: Any, fields: Mapping[tuple[int, int], str]) -> bool:
    found = _Found(set(), set())
    _note(value, found)
    return not found.fields.isdisjoint(fields)


def _alone(reached: dict[str, set[int]]) -> dict[int, str]:
    every = set[int]().union(*reached.values())
    by = {index: [name for name, indexes in reached.items() if index in indexes] for index in every}
    return {index: names[0] for index, names in by.items() if len(names) == 1 and names[0]}


def _actions(program: Program, control: Control) -> set[int]:
    found: set[int] = set()
    for index in control.tables:
        table = program.tables[index]
        found |= {*table.actions, *(() if table.profile is None else program.profiles[table.profile].actions)}
    return found


def _calculations(program: Program, control: Control) -> set[int]:
    found: set[int] = set()
    for index in control.tables:
        profile = program.tables[index].profile
        calculation = None if profile is None else program.profiles[profile].calculation
        found |= set() if calculation is None else {calculation}
    for index in _actions(program, control):
        found |= _hashes(program.actions[index].primitives)
    return found


def _calculations_outside(program: Program) -> set[int]:
    found = {checksum.calculation for checksum in program.checksums} | _hashes(program.deparse_ops)
    return found.union(*(_hashes(state.ops) for state in program.states))


def _hashes(primitives: Iterable[Any]) -> set[int]:
    return {node.calculation for node in primitives if isinstance(node, Hash)}


def _note(value: Any, found: _Found) -> None:
    """Note the header fields that a tree names, and the headers that it names as a whole."""
    if isinstance(value, FieldOf) and isinstance(value.header, HeaderRef):
        found.fields.add((value.header.header, value.field))
        return
    if isinstance(value, HeaderRef | WholeHeader):
        found.whole.add(value.header)
    for part in parts(value):
        _note(part, found)


def _fields(program: Program, found: dict[str, _Found]) -> dict[tuple[int, int], str]:
    whole = set[int]().union(*(part.whole for part in found.values()))
    every = set[tuple[int, int]]().union(*(part.fields for part in found.values()))
    own: dict[tuple[int, int], str] = {}
    for header, index in every:
        field = program.types[program.headers[header].type].fields[index]
        names = [name for name, part in found.items() if (header, index) in part.fields]
        alone = len(names) == 1 and names[0]
        fits = not field.varbit and 0 < field.width <= MOST_BITS
        if alone and fits and program.headers[header].metadata and header not in whole:
            own[header, index] = names[0]
    return own
