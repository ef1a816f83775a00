"""Names of a program, resolved while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from switch.load.errors import LoadError
from switch.load.expression import FieldOf, HeaderRef
from switch.load.node import Node
from switch.load.program import Header, HeaderType, Stack, Union, UnionStack

HIDDEN_VALID = "$valid$"


@dataclass(slots=True)
class Symbols:
    """Indices by name (and by JSON id where the format refers by id)."""

    types: list[HeaderType] = field(default_factory=list[HeaderType])
    type_index: dict[str, int] = field(default_factory=dict[str, int])
    field_index: dict[int, dict[str, int]] = field(default_factory=dict[int, dict[str, int]])
    headers: list[Header] = field(default_factory=list[Header])
    header_index: dict[str, int] = field(default_factory=dict[str, int])
    header_by_id: dict[int, int] = field(default_factory=dict[int, int])
    stacks: list[Stack] = field(default_factory=list[Stack])
    stack_index: dict[str, int] = field(default_factory=dict[str, int])
    unions: list[Union] = field(default_factory=list[Union])
    union_index: dict[str, int] = field(default_factory=dict[str, int])
    union_stacks: list[UnionStack] = field(default_factory=list[UnionStack])
    union_stack_index: dict[str, int] = field(default_factory=dict[str, int])
    union_members: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    union_stack_type: dict[str, str] = field(default_factory=dict[str, str])
    aliases: dict[tuple[str, str], tuple[str, str]] = field(
        default_factory=dict[tuple[str, str], tuple[str, str]]
    )
    registers: dict[str, int] = field(default_factory=dict[str, int])
    counters: dict[str, int] = field(default_factory=dict[str, int])
    meters: dict[str, int] = field(default_factory=dict[str, int])
    calculations: dict[str, int] = field(default_factory=dict[str, int])
    value_sets: dict[str, int] = field(default_factory=dict[str, int])

    def header(self, node: Node) -> int:
        """The header instance a string names."""
        return lookup(self.header_index, node, "header")

    def field_in(self, type_index: int, name: Node) -> int:
        """Index of a field in a header type."""
        known = self.field_index.get(type_index)
        if known is None:
            # The first of a name counts.
            fields = reversed(list(enumerate(self.types[type_index].fields)))
            known = self.field_index[type_index] = {candidate.name: index for index, candidate in fields}
        found = known.get(name.str())
        if found is None:
            raise name.fail(104, f"header type {self.types[type_index].name} has no field {name.str()!r}")
        return found

    def field(self, node: Node) -> FieldOf:
        """The field a [header, field] pair names, aliases followed."""
        alias = self.aliases.get((node.at(0).str(), node.at(1).str()))
        if alias:
            node = Node(list(alias), node.path, node.source)
        header = self.header(node.at(0))
        return FieldOf(HeaderRef(header), self.field_in(self.headers[header].type, node.at(1)))


def lookup(table: dict[str, int], node: Node, what: str) -> int:
    """The index of the object a string names.

    Raises:
        LoadError: there is none.
    """
    name = node.str()
    if name not in table:
        raise node.fail(104, f"there is no {what} {name!r}")
    return table[name]


def add_name(table: dict[str, int], node: Node, index: int, what: str) -> str:
    """Enter an object's `name`, which must be new."""
    name = node.get("name").str()
    if name in table:
        raise LoadError(104, f"two objects of kind {what} are named {name!r}", node.path, node.source)
    table[name] = index
    return name
