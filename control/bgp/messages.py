"""What exabgp tells of its neighbours, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
_OPTIONAL_TRANSITIVE = 0xC0


@dataclass(frozen=True, slots=True)
class State:
    """A session came up, or is down for this reason."""

    peer: Address
    up: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """Routes for single addresses that a peer announces or withdraws.

    Attributes:
        peer: its address.
        announced: addresses.
        withdrawn: likewise.
        as_path: of what is announced, the nearest AS first.
        value: the attribute's, None where there is none.
        fault: why what is announced can't be used; empty when it can.
    """

    peer: Address
    announced: tuple[Address, ...] = ()
    withdrawn: tuple[Address, ...] = ()
    as_path: tuple[int, ...] = ()
    value: bytes | None = None
    fault: str = ""


def parse(line: bytes, attribute: int) -> State | Update | None:
    """Read a line; `attribute` is the type code of ours. None for what does not matter here.

    Raises:
        ValueError: it is nothing that exabgp should say.
    """
    try:
        told = json.loads(line)
        kind = told["type"]
        if kind == "state":
            return _state(told["neighbor"])
        if kind == "update":
            return _update(told["neighbor"], attribute)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return None


def _state(neighbor: Mapping[str, Any]) -> State | None:
    peer = ip_address(neighbor["address"]["peer"])
    match neighbor["state"]:
        case "up":
            return State(peer, up=True)
        case "down":
            return State(peer, up=False, reason=str(neighbor.get("reason", "")))
        case _:
            return None


def _update(neighbor: Mapping[str, Any], code: int) -> Update | None:
    update = neighbor["message"].get("update")
    if update is None:
        # The end of what a peer tells at first (RFC 4724, section 2).
        return None
    attributes = update.get("attribute", {})
    fault = ""
    value = None
    for name, text in attributes.items():
        if name.startswith(f"attribute-0x{code:02X}-"):
            flags = int(name.rsplit("-", 1)[1], 16)
            if flags & _OPTIONAL_TRANSITIVE != _OPTIONAL_TRANSITIVE:
                fault = f"malformed attribute: flags {flags:#04x} are not of an optional transitive one"
            value = bytes.fromhex(text.removeprefix("0x"))
    as_path: list[int] = []
    for segment in attributes.get("as-path", {}).values():
        if segment["element"] != "as-sequence":
            # RFC 9774: who announces it is not known.
            fault = fault or f"the AS path has an {segment['element']}"
        as_path += map(int, segment["value"])
    return Update(
        peer=ip_address(neighbor["address"]["peer"]),
        announced=tuple(
            address
            for by_next_hop in update.get("announce", {}).values()
            for routes in by_next_hop.values()
            for address in _hosts(routes)
        ),
        withdrawn=tuple(
            address for routes in update.get("withdraw", {}).values() for address in _hosts(routes)
        ),
        as_path=tuple(as_path),
        value=value,
        fault=fault,
    )


def _hosts(routes: list[Mapping[str, Any]]) -> Iterator[Address]:
    """Addresses of the routes that are for a single one; sites have no others."""
    for route in routes:
        network = ip_network(route["nlri"], strict=False)
        if network.prefixlen == network.max_prefixlen:
            yield network.network_address
