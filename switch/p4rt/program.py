"""What only the program itself (BMv2 JSON) says: default actions, widths, which objects the compiler kept.

p4c writes P4Info before it optimises, so P4Info may list objects that the program no longer has. The format
is behavioral-model's `docs/JSON_format.md`; this module reads the few parts of it that concern P4Runtime.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..api import Action

_ARRAYS = ("counter_arrays", "meter_arrays", "register_arrays", "parse_vsets", "learn_lists")

HeaderFields = tuple[tuple[str, int], ...]
"""The names and widths of a header's fields, in order."""


@dataclass(frozen=True, slots=True)
class Program:
    """The names a program kept, and its tables' default actions (tables with a profile have none).

    `keys` are the widths of tables' key fields, `params` those of actions' parameters, `cells` those of what
    registers and digests hold, each in order (None: not known); `headers` are types of fixed width;
    `enums` the members of enums by value, those of `error` under that name.
    """

    names: frozenset[str]
    defaults: Mapping[str, Action]
    keys: Mapping[str, tuple[int | None, ...]]
    params: Mapping[str, tuple[int, ...]]
    cells: Mapping[str, tuple[int | None, ...]]
    headers: tuple[HeaderFields, ...]
    enums: Mapping[str, Mapping[int, str]]


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
    types = {
        item["name"]: {field[0]: field[1] for field in item["fields"]}
        for item in root.get("header_types", ())
    }
    headers = root.get("headers", ())
    widths = {item["name"]: types.get(item["header_type"], {}) for item in headers}
    packed = {item["header_type"] for item in headers if not item["metadata"]}
    defaults: dict[str, Action] = {}
    keys: dict[str, tuple[int | None, ...]] = {}
    for pipeline in root["pipelines"]:
        names.update(profile["name"] for profile in pipeline.get("action_profiles", ()))
        for table in pipeline["tables"]:
            names.add(table["name"])
            keys[table["name"]] = tuple(_width(widths, part["target"]) for part in table["key"])
            default = table.get("default_entry")
            if default is not None:
                params = tuple(int(value, 16) for value in default.get("action_data", ()))
                defaults[table["name"]] = Action(actions[default["action_id"]], params)
    cells: dict[str, tuple[int | None, ...]] = {
        item["name"]: (item["bitwidth"],) for item in root.get("register_arrays", ())
    }
    for item in root.get("learn_lists", ()):
        cells[item["name"]] = tuple(_width(widths, part["value"]) for part in item["elements"])
    return Program(
        names=frozenset(names),
        defaults=MappingProxyType(defaults),
        keys=MappingProxyType(keys),
        params=_params(root["actions"]),
        cells=MappingProxyType(cells),
        headers=tuple(
            tuple(fields.items())
            for name, fields in types.items()
            if name in packed and all(isinstance(width, int) for width in fields.values())
        ),
        enums=_enums(root),
    )


def _params(actions: Iterable[Mapping[str, Any]]) -> Mapping[str, tuple[int, ...]]:
    """The widths of actions' parameters: of several actions with one name, that with the most.

    For each call of an action that is no table's p4c makes one more, whose parameters are part of it.
    """
    found: dict[str, tuple[int, ...]] = {}
    for action in actions:
        widths = tuple(param["bitwidth"] for param in action["runtime_data"])
        if len(widths) >= len(found.get(action["name"], ())):
            found[action["name"]] = widths
    return MappingProxyType(found)


def _width(widths: Mapping[str, Mapping[str, Any]], target: Any) -> int | None:
    """The width of a field, None where it is none or is not of fixed width."""
    if not isinstance(target, list) or len(target) != 2:
        return None
    header, field = target
    width = widths.get(header, {}).get(field)
    return width if isinstance(width, int) else None


def _enums(root: dict[str, Any]) -> Mapping[str, Mapping[int, str]]:
    enums = {item["name"]: {value: name for name, value in item["entries"]} for item in root.get("enums", ())}
    enums["error"] = {value: name for name, value in root.get("errors", ())}
    return MappingProxyType(enums)
