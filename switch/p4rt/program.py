"""What only the program itself (BMv2 JSON) says: the default actions, and which objects the compiler kept.

p4c writes P4Info before it optimises, so P4Info may list objects that the program no longer has. The format
is behavioral-model's `docs/JSON_format.md`; this module reads the few parts of it that concern P4Runtime.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..api import Action

_ARRAYS = ("counter_arrays", "meter_arrays", "register_arrays", "parse_vsets", "learn_lists")


@dataclass(frozen=True, slots=True)
class Program:
    """The names a program kept, and its tables' default actions (tables with a profile have none)."""

    names: frozenset[str]
    defaults: Mapping[str, Action]


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
    defaults: dict[str, Action] = {}
    for pipeline in root["pipelines"]:
        names.update(profile["name"] for profile in pipeline.get("action_profiles", ()))
        for table in pipeline["tables"]:
            names.add(table["name"])
            default = table.get("default_entry")
            if default is not None:
                params = tuple(int(value, 16) for value in default.get("action_data", ()))
                defaults[table["name"]] = Action(actions[default["action_id"]], params)
    return Program(frozenset(names), MappingProxyType(defaults))
