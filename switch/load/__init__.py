"""Load: BMv2 JSON (docs/JSON_format.md of behavioral-model, version 2.x) to a typed program."""

from __future__ import annotations

import json

from switch.load.errors import LoadError
from switch.load.expression import FieldOf, HeaderRef
from switch.load.node import Node
from switch.load.primitive import Primitive
from switch.load.program import Program
from switch.load.read_control import read_controls
from switch.load.read_extern import (
    read_calculations,
    read_checksums,
    read_counters,
    read_digests,
    read_field_lists,
    read_meters,
    read_registers,
)
from switch.load.read_headers import read_headers
from switch.load.read_parser import read_parser
from switch.load.read_primitive import PrimitiveReader
from switch.load.symbols import Symbols

__all__ = ["LoadError", "load"]

MAJOR, MINOR = 2, 24  # docs/JSON_format.md, "Current bmv2 JSON format version"

_STANDARD = {
    "ingress_port": ("standard_metadata", "ingress_port"),
    "egress_spec": ("standard_metadata", "egress_spec"),
    "egress_port": ("standard_metadata", "egress_port"),
    "instance_type": ("standard_metadata", "instance_type"),
    "packet_length": ("standard_metadata", "packet_length"),
    "parser_error": ("standard_metadata", "parser_error"),
    "checksum_error": ("standard_metadata", "checksum_error"),
    "mcast_grp": ("intrinsic_metadata", "mcast_grp"),
    "egress_rid": ("intrinsic_metadata", "egress_rid"),
    "priority": ("intrinsic_metadata", "priority"),
    "ingress_global_timestamp": ("intrinsic_metadata", "ingress_global_timestamp"),
    "egress_global_timestamp": ("intrinsic_metadata", "egress_global_timestamp"),
    "enq_timestamp": ("queueing_metadata", "enq_timestamp"),
    "enq_qdepth": ("queueing_metadata", "enq_qdepth"),
    "deq_timedelta": ("queueing_metadata", "deq_timedelta"),
    "deq_qdepth": ("queueing_metadata", "deq_qdepth"),
}
"""Names that simple_switch gives the architecture's fields (targets/simple_switch/simple_switch.cpp)."""
_REQUIRED = ("ingress_port", "egress_spec", "egress_port", "instance_type", "packet_length")


def load(text: bytes) -> Program:
    """Read a program.

    Raises:
        LoadError: it cannot be run; the message has a number, the construct and its source line.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LoadError(101, str(error)) from error
    root = Node(value)
    _check_version(root)
    symbols = Symbols()
    read_headers(root, symbols)
    counters = read_counters(root, symbols)
    meters = read_meters(root, symbols)
    registers = read_registers(root, symbols)
    if root.list_of("extern_instances"):
        extern = root.get("extern_instances").at(0)
        raise extern.fail(206, f"extern {extern.get('name').str()} of type {extern.get('type').str()}")
    calculations = read_calculations(root, symbols)
    parser = read_parser(root, symbols)
    controls = read_controls(root, symbols, calculations)
    order, ops = _deparser(root, symbols)
    return Program(
        name=root.get("program").str() if root.has("program") else "",
        types=tuple(symbols.types),
        headers=tuple(symbols.headers),
        stacks=tuple(symbols.stacks),
        unions=tuple(symbols.unions),
        union_stacks=tuple(symbols.union_stacks),
        errors=tuple((e.at(0).str(), e.at(1).int()) for e in root.list_of("errors")),
        value_sets=parser.value_sets,
        states=parser.states,
        start=parser.start,
        actions=controls.actions,
        profiles=tuple(controls.profiles),
        tables=tuple(controls.tables),
        ingress=controls.controls["ingress"],
        egress=controls.controls["egress"],
        counters=counters,
        meters=meters,
        registers=registers,
        calculations=tuple(controls.calculations),
        checksums=read_checksums(root, symbols),
        field_lists=read_field_lists(root, symbols),
        digests=read_digests(root, symbols),
        deparse=order,
        deparse_ops=ops,
        standard=_standard(root, symbols),
    )


def _check_version(root: Node) -> None:
    if not root.has("__meta__"):
        raise root.fail(103, "there is no __meta__.version")
    version = root.get("__meta__").get("version")
    major, minor = version.at(0).int(), version.at(1).int()
    if major != MAJOR or minor > MINOR:
        raise version.fail(103, f"version {major}.{minor}; this switch reads {MAJOR}.0 to {MAJOR}.{MINOR}")


def _deparser(root: Node, symbols: Symbols) -> tuple[tuple[int, ...], tuple[Primitive, ...]]:
    deparsers = root.list_of("deparsers")
    if len(deparsers) != 1:
        raise root.fail(208, f"{len(deparsers)} deparsers where v1model has one")
    reader = PrimitiveReader(symbols)
    ops = tuple(p for call in deparsers[0].list_of("primitives") for p in reader.read(call))
    return tuple(symbols.header(name) for name in deparsers[0].list_of("order")), ops


def _standard(root: Node, symbols: Symbols) -> tuple[tuple[str, FieldOf], ...]:
    found: list[tuple[str, FieldOf]] = []
    for part, pair in _STANDARD.items():
        header, field = symbols.aliases.get(pair, pair)
        if header not in symbols.header_index:
            continue
        index = symbols.header_index[header]
        names = [f.name for f in symbols.types[symbols.headers[index].type].fields]
        if field in names:
            found.append((part, FieldOf(HeaderRef(index), names.index(field))))
    missing = set(_REQUIRED) - {part for part, _ in found}
    if missing:
        raise root.fail(208, f"standard_metadata lacks {', '.join(sorted(missing))}")
    return tuple(found)
