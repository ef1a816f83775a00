"""What a controller takes over from the routers' tables when it starts: slots, groups and keys in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import finsy as fy

from cfn.cookie import CookieKey
from control.desired import Group, Placement, Steered
from control.entries import Entry
from control.keys import KeyRing
from control.model import InstanceKey


@dataclass(slots=True)
class Adopted:
    """What one router has installed."""

    placements: dict[InstanceKey, Placement] = field(default_factory=dict[InstanceKey, Placement])
    groups: dict[Steered, Group] = field(default_factory=dict[Steered, Group])
    ring: KeyRing | None = None


def adopt(entries: Iterable[Entry], schema: fy.P4Schema) -> Adopted:
    """Read the decisions of an earlier controller out of a router's entries."""
    adopted = Adopted()
    keys: dict[int, CookieKey] = {}
    for entry in entries:
        row = entry.table_entry(schema)
        if row is None or row.action is None:
            continue
        match row.table_id, row.action:
            case "instance", fy.P4TableAction(args=args):
                adopted.placements[InstanceKey(row["site"], row["instance"])] = Placement(**args)
            case "cookie_key", fy.P4TableAction(args=args):
                keys[row["epoch"]] = CookieKey(**args)
            case "seal_key", fy.P4TableAction(args=args):
                key = CookieKey(args["k0"], args["k1"])
                adopted.ring = KeyRing({args["key_epoch"]: key}, args["key_epoch"])
            case "service", fy.P4IndirectAction(action_set=actions) if actions:
                func_id, length = row["func_id"]
                steered = Steered(func_id, row["class_id"], 6 if row["is_ipv6"] else 4, length)
                adopted.groups[steered] = _group(actions)
            case _:
                pass
    if adopted.ring:
        adopted.ring = KeyRing({**keys, **adopted.ring.keys}, adopted.ring.sealing)
    return adopted


def _group(actions: Sequence[tuple[int | tuple[int, int], fy.P4TableAction]]) -> Group:
    weights: dict[InstanceKey, int] = {}
    for weight, action in actions:
        if action.name == "bind_instance" and isinstance(weight, int):
            weights[InstanceKey(action.args["site"], action.args["instance"])] = weight
    return Group(tuple(sorted(weights.items())))
