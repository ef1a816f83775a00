"""What a controller takes over from the routers' tables when it starts: slots, groups and keys in use."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import finsy as fy

from cfn.cookie import CookieKey
from cfn.names import FUNC_ID_BITS
from cfn.wire import NO_DATA
from control.decided import Group, Steered, Unmet, Verdict
from control.entries import Entry
from control.keys import KeyRing
from control.locality import ResultKey
from control.model import Member, Placement
from control.stages import choose, service
from control.usage import UsageKey


@dataclass(slots=True)
class Adopted:
    """What one router has installed.

    Attributes:
        placements: instances and remote sites.
        groups: members of each group, by its id.
        rows: the group that each row of `service` names, where there is that group.
        verdicts: what each row of `service` stands for.
        ring: cookie keys.
        auth_slots: of tenants that sign, by tenant number.
        uses: what is counted for bills.
        inputs: id of the site that requests about an input go to.
        results: likewise, of requests whose result is held.
    """

    placements: dict[Member, Placement] = field(default_factory=dict[Member, Placement])
    groups: dict[int, Group] = field(default_factory=dict[int, Group])
    rows: dict[Steered, int] = field(default_factory=dict[Steered, int])
    verdicts: dict[Steered, Verdict] = field(default_factory=dict[Steered, Verdict])
    ring: KeyRing | None = None
    auth_slots: dict[int, int] = field(default_factory=dict[int, int])
    uses: set[UsageKey] = field(default_factory=set[UsageKey])
    inputs: dict[bytes, int] = field(default_factory=dict[bytes, int])
    results: dict[ResultKey, int] = field(default_factory=dict[ResultKey, int])


def adopt(entries: Iterable[Entry], schema: fy.P4Schema) -> Adopted:  # noqa: PLR0912 - one case a table
    """Read the decisions of an earlier controller out of a router's entries."""
    adopted = Adopted()
    keys: dict[int, CookieKey] = {}
    named: dict[Steered, int] = {}
    drawn_to: defaultdict[int, set[int]] = defaultdict(set)
    for entry in entries:
        row = entry.table_entry(schema)
        if row is None or row.action is None:
            continue
        match row.table_id, row.action:
            case "instance", fy.P4TableAction(args=args):
                adopted.placements[Member(row["site"], row["instance"])] = Placement(**args)
            case "site", fy.P4TableAction(name="remote", args=args):
                adopted.placements[Member(row["site"])] = Placement(**args)
            case "cookie_key", fy.P4TableAction(args=args):
                keys[row["epoch"]] = CookieKey(**args)
            case "seal_key", fy.P4TableAction(args=args):
                key = CookieKey(args["k0"], args["k1"])
                adopted.ring = KeyRing({args["key_epoch"]: key}, args["key_epoch"])
            case "tenant_key", fy.P4TableAction(args=args):
                adopted.auth_slots[row["tenant"]] = args["auth_slot"]
            case "input_holder", fy.P4TableAction(args=args):
                adopted.inputs[_data_id(row)] = args["site"]
            case "result_holder", fy.P4TableAction(args=args):
                adopted.results[ResultKey(row["func_id"], _data_id(row))] = args["site"]
            case "usage", _:
                adopted.uses.add(UsageKey(row["tenant"], row["service"], row["site"]))
            case "draw", fy.P4IndirectAction() as action if action.action_set:
                adopted.groups[row["group"]] = choose.group(action)
            case "member", _:
                drawn_to[row["group"]].add(row["site"])
            case "service", fy.P4TableAction(name="set_group", args=args):
                named[_steered(row)] = args["group"]
            case "service", fy.P4TableAction() as action:
                if verdict := _refusal(action, schema):
                    adopted.verdicts[_steered(row)] = verdict
            case _:
                pass
    for number, group in adopted.groups.items():
        idle = drawn_to[number] - {member.site for member, _ in group.weights}
        adopted.groups[number] = replace(group, idle=frozenset(idle))
    adopted.rows = {steered: number for steered, number in named.items() if number in adopted.groups}
    adopted.verdicts |= {steered: adopted.groups[number] for steered, number in adopted.rows.items()}
    if adopted.ring:
        adopted.ring = KeyRing({**keys, **adopted.ring.keys}, adopted.ring.sealing)
    return adopted


def labels(found: Mapping[str, Adopted]) -> dict[int, int]:
    """Numbers from 1 on that tell functions apart, by FuncID, which routers have installed differently."""
    installed: defaultdict[int, list[Hashable]] = defaultdict(list)
    for router in sorted(found):
        one = found[router]
        for steered in sorted(one.verdicts):
            if steered.prefix_len == FUNC_ID_BITS:
                _, *asked = steered
                says = one.rows.get(steered) or one.verdicts[steered]
                installed[steered.func_id].append((router, *asked, says))
    numbers: defaultdict[tuple[Hashable, ...], int] = defaultdict(itertools.count(1).__next__)
    return {func_id: numbers[tuple(rows)] for func_id, rows in installed.items()}


def _data_id(row: fy.P4TableEntry) -> bytes:
    return int(row["data_in"]).to_bytes(len(NO_DATA))


def _refusal(action: fy.P4TableAction, schema: fy.P4Schema) -> Verdict | None:
    if action.name == "no_capacity":
        return Group()
    part = service.part_of(action.args["part"], schema) if action.name == "unmet" else None
    return part and Unmet(part)


def _steered(row: fy.P4TableEntry) -> Steered:
    func_id, length = row["func_id"]
    return Steered(func_id, row["class_id"], 6 if row["is_ipv6"] else 4, length, row["scope"])
