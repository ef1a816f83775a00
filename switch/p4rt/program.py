"""What only the program itself (BMv2 JSON) says: initial entries, default actions, and which objects it kept.

p4c writes P4Info before it optimises, so P4Info may list objects that the program no longer has. The format
is behavioral-model's `docs/JSON_format.md`; this module reads the few parts of it that concern P4Runtime.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..api import Action

_ARRAYS = ("counter_arrays", "meter_arrays", "register_arrays", "parse_vsets", "learn_lists")


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One field of an initial entry's key: the value or low bound, and prefix length, mask or high bound."""

    kind: str
    value: int
    other: int = 0


@dataclass(frozen=True, slots=True)
class InitialEntry:
    """An entry the program declares; the entry with the smallest `order` wins."""

    key: tuple[KeyPart, ...]
    order: int
    action: Action


@dataclass(frozen=True, slots=True)
class InitialTable:
    """The state of a table before anybody wrote to it; tables with a profile have no default of their own."""

    entries: tuple[InitialEntry, ...] = ()
    default: Action | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """The names a program kept, and how its tables start."""

    names: frozenset[str]
    tables: Mapping[str, InitialTable]


def parse(program: bytes) -> Program:
    """Read BMv2 JSON.

    Raises:
        ValueError: it is not JSON, or lacks what every program has; the message names the place.
    """
    try:
        root = json.loads(program)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the device config is not BMv2 JSON: {error}") from None
    try:
        return _program(root)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"the device config is not BMv2 JSON: {error!r}") from None


def _program(root: dict[str, Any]) -> Program:
    actions = {action["id"]: action["name"] for action in root["actions"]}
    names = {str(item["name"]) for array in _ARRAYS for item in root.get(array, ())}
    tables: dict[str, InitialTable] = {}
    for pipeline in root["pipelines"]:
        names.update(profile["name"] for profile in pipeline.get("action_profiles", ()))
        for table in pipeline["tables"]:
            tables[table["name"]] = _table(table, actions)
    return Program(frozenset(names) | tables.keys(), MappingProxyType(tables))


def _table(table: dict[str, Any], actions: Mapping[int, str]) -> InitialTable:
    entries = tuple(
        InitialEntry(
            key=tuple(_key_part(part) for part in entry["match_key"]),
            order=entry.get("priority", position),
            action=_call(actions, entry["action_entry"]),
        )
        for position, entry in enumerate(table.get("entries", ()))
    )
    default = table.get("default_entry")
    return InitialTable(entries, None if default is None else _call(actions, default))


def _call(actions: Mapping[int, str], entry: dict[str, Any]) -> Action:
    data: Sequence[str] = entry.get("action_data", ())
    return Action(actions[entry["action_id"]], tuple(int(value, 16) for value in data))


def _key_part(part: dict[str, Any]) -> KeyPart:
    match part["match_type"]:
        case "exact":
            return KeyPart("exact", int(part["key"], 16))
        case "valid":
            return KeyPart("exact", int(part["key"]))
        case "lpm":
            return KeyPart("lpm", int(part["key"], 16), int(part["prefix_length"]))
        case "ternary" | "optional":
            return KeyPart("ternary", int(part["key"], 16), int(part["mask"], 16))
        case "range":
            return KeyPart("range", int(part["start"], 16), int(part["end"], 16))
        case kind:
            raise ValueError(f"an initial entry has a key of the unknown kind {kind}")
