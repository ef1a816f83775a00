"""Header types, header instances, stacks and unions."""

from __future__ import annotations

from switch.load.node import Node
from switch.load.program import Field, Header, HeaderType, Stack, Union, UnionStack
from switch.load.symbols import Symbols, add_name, lookup

MAX_WIDTH = 1 << 14  # of a field, in bits: p4c's own limit is 2,048


def read_headers(root: Node, symbols: Symbols) -> None:
    """Read all declarations that give packets their shape."""
    for node in root.list_of("header_types"):
        index = len(symbols.types)
        name = add_name(symbols.type_index, node, index, "header type")
        symbols.types.append(_header_type(node, name))
    for node in root.list_of("headers"):
        _header(node, symbols)
    for node in root.list_of("header_stacks"):
        name = add_name(symbols.stack_index, node, len(symbols.stacks), "header stack")
        members = _ids(node.get("header_ids"), symbols.header_by_id, "header")
        type_index = lookup(symbols.type_index, node.get("header_type"), "header type")
        if any(symbols.headers[m].type != type_index for m in members) or not members:
            raise node.fail(105, f"header stack {name} holds headers of another type, or none")
        symbols.stacks.append(Stack(name, type_index, members))
    _unions(root, symbols)
    for node in root.list_of("field_aliases"):
        alias, target = node.at(0).str(), node.at(1)
        left, _, right = alias.rpartition(".")
        symbols.aliases[(left, right)] = (target.at(0).str(), target.at(1).str())


def _header_type(node: Node, name: str) -> HeaderType:
    fields = tuple(_field(pair) for pair in node.list_of("fields"))
    varbits = sum(field.varbit for field in fields)
    if node.has("length_exp"):
        raise node.fail(
            207, f"header type {name} has its length in the type (P4_14); use extract with a length"
        )
    if varbits > 1:
        raise node.fail(207, f"header type {name} has {varbits} varbit fields")
    before = 0
    for field in fields:
        if field.varbit and before % 8:
            raise node.fail(207, f"varbit field {name}.{field.name} does not start on a byte")
        before += field.width
    max_bytes = node.get("max_length").size() if node.has("max_length") else (before + 7) // 8
    return HeaderType(name, fields, max_bytes)


def _field(pair: Node) -> Field:
    name = pair.at(0).str()
    extra = len(pair.value)
    signed = extra > 2 and bool(pair.at(2).value)  # p4c writes false or 0
    saturating = extra > 3 and bool(pair.at(3).value)
    if pair.at(1).value == "*":
        return Field(name, 0, signed, saturating, varbit=True)
    width = pair.at(1).int()
    if not 0 <= width <= MAX_WIDTH or (signed and width < 2):
        raise pair.fail(105, f"field {name} cannot be {width} bits wide")
    return Field(name, width, signed, saturating)


def _header(node: Node, symbols: Symbols) -> None:
    index = len(symbols.headers)
    name = add_name(symbols.header_index, node, index, "header")
    type_index = lookup(symbols.type_index, node.get("header_type"), "header type")
    metadata = node.flag("metadata")
    header_type = symbols.types[type_index]
    if not metadata and header_type.fixed_bits % 8:
        raise node.fail(105, f"header {name} is {header_type.fixed_bits} bits, not whole bytes")
    symbols.headers.append(Header(name, type_index, metadata))
    symbols.header_by_id[node.get("id").int()] = index


def _unions(root: Node, symbols: Symbols) -> None:
    for node in root.list_of("header_union_types"):
        members = tuple(pair.at(0).str() for pair in node.list_of("headers"))
        symbols.union_members[node.get("name").str()] = members
    by_id: dict[int, int] = {}
    for node in root.list_of("header_unions"):
        index = len(symbols.unions)
        name = add_name(symbols.union_index, node, index, "header union")
        by_id[node.get("id").int()] = index
        symbols.unions.append(Union(name, _ids(node.get("header_ids"), symbols.header_by_id, "header")))
    for node in root.list_of("header_union_stacks"):
        name = add_name(symbols.union_stack_index, node, len(symbols.union_stacks), "header union stack")
        symbols.union_stack_type[name] = node.get("union_type").str()
        symbols.union_stacks.append(UnionStack(name, _ids(node.get("header_union_ids"), by_id, "union")))


def _ids(nodes: Node, table: dict[int, int], what: str) -> tuple[int, ...]:
    found: list[int] = []
    for node in nodes.each():
        if node.int() not in table:
            raise node.fail(104, f"there is no {what} with id {node.int()}")
        found.append(table[node.int()])
    return tuple(found)
