"""Counters, meters, registers, calculations, checksums, digests and field lists."""

from __future__ import annotations

from switch.load.expression import FieldOf
from switch.load.extern import (
    Calculation,
    Checksum,
    Counter,
    DigestType,
    FieldList,
    Literal,
    Meter,
    Payload,
    Register,
    WholeHeader,
)
from switch.load.node import Node
from switch.load.read_expression import ExpressionReader
from switch.load.symbols import Symbols, add_name, lookup

ALGORITHMS = frozenset(
    {
        "crc16", "crc32", "crcCCITT", "csum16", "cksum16", "xor16", "xor32", "identity",
        "crc16_custom", "crc32_custom", "crc64_custom", "crc8_custom",
    }
)  # fmt: skip
"""Hash algorithms of the runtime, by BMv2's names (src/bm_sim/calculations.cpp)."""


def read_counters(root: Node, symbols: Symbols) -> tuple[Counter, ...]:
    """Indirect counters; direct ones are an attribute of their table."""
    found: list[Counter] = []
    for node in root.list_of("counter_arrays"):
        if not node.flag("is_direct"):
            name = add_name(symbols.counters, node, len(found), "counter")
            found.append(Counter(name, node.get("size").size()))
    return tuple(found)


def read_meters(root: Node, symbols: Symbols) -> tuple[Meter, ...]:
    """Meters, direct and indirect."""
    found: list[Meter] = []
    for node in root.list_of("meter_arrays"):
        name = add_name(symbols.meters, node, len(found), "meter")
        unit = node.get("type").str()
        if unit not in {"bytes", "packets"} or node.get("rate_count").int() != 2:
            raise node.fail(206, f"meter {name} is no two-rate meter of packets or bytes")
        direct = node.flag("is_direct")
        target = symbols.field(node.get("result_target")) if direct else None
        found.append(Meter(name, 0 if direct else node.get("size").size(), unit == "bytes", direct, target))
    return tuple(found)


def read_registers(root: Node, symbols: Symbols) -> tuple[Register, ...]:
    """Register arrays."""
    found: list[Register] = []
    for node in root.list_of("register_arrays"):
        name = add_name(symbols.registers, node, len(found), "register")
        width = node.get("bitwidth").size()
        if not 0 < width <= 2048:
            raise node.fail(105, f"register {name} cannot be {width} bits wide")
        found.append(Register(name, node.get("size").size(), width))
    return tuple(found)


def read_calculations(root: Node, symbols: Symbols) -> tuple[Calculation, ...]:
    """Named calculations."""
    found: list[Calculation] = []
    for node in root.list_of("calculations"):
        name = add_name(symbols.calculations, node, len(found), "calculation")
        found.append(calculation(node, name, symbols))
    return tuple(found)


def calculation(node: Node, name: str, symbols: Symbols) -> Calculation:
    """A hash algorithm with its inputs: a calculation, or a selector's."""
    algorithm = node.get("algo").str()
    if algorithm not in ALGORITHMS:
        raise node.fail(205, f"hash algorithm {algorithm!r}")
    return Calculation(name, algorithm, tuple(_input(item, symbols) for item in node.list_of("input")))


def _input(node: Node, symbols: Symbols) -> FieldOf | Literal | WholeHeader | Payload:
    match node.get("type").str():
        case "field":
            return symbols.field(node.get("value"))
        case "hexstr":
            width = node.get("bitwidth").size()
            return Literal(node.get("value").hex() & ((1 << width) - 1), width)
        case "header":
            return WholeHeader(symbols.header(node.get("value")))
        case "payload":
            return Payload()
        case other:
            raise node.fail(205, f"calculation input {other!r}")


def read_checksums(root: Node, symbols: Symbols) -> tuple[Checksum, ...]:
    """Checksums to verify and to update."""
    expressions = ExpressionReader(symbols)
    found: list[Checksum] = []
    for node in root.list_of("checksums"):
        if node.get("type").str() != "generic":
            raise node.fail(206, f"checksum of type {node.get('type').str()!r}")
        condition = expressions.truth(node.get("if_cond")) if node.has("if_cond") else None
        found.append(
            Checksum(
                node.get("name").str(),
                symbols.field(node.get("target")),
                lookup(symbols.calculations, node.get("calculation"), "calculation"),
                condition,
                node.flag("verify", True),
                node.flag("update", True),
            )
        )
    return tuple(found)


def read_field_lists(root: Node, symbols: Symbols) -> tuple[FieldList, ...]:
    """Lists of fields that copies of a packet keep."""
    return tuple(
        FieldList(node.get("id").int(), _fields(node, symbols)) for node in root.list_of("field_lists")
    )


def read_digests(root: Node, symbols: Symbols) -> tuple[DigestType, ...]:
    """Digests."""
    return tuple(
        DigestType(node.get("id").int(), node.get("name").str(), _fields(node, symbols))
        for node in root.list_of("learn_lists")
    )


def _fields(node: Node, symbols: Symbols) -> tuple[FieldOf, ...]:
    found: list[FieldOf] = []
    for element in node.list_of("elements"):
        if element.get("type").str() != "field":
            raise element.fail(206, f"list element of type {element.get('type').str()!r}")
        found.append(symbols.field(element.get("value")))
    return tuple(found)
