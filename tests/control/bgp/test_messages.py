"""What exabgp says, as it says it (exabgp 5.0.15), and what it should never say.

One case: pytest tests/control/bgp/test_messages.py -k nonsense
"""

from __future__ import annotations

import contextlib
import json
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.bgp.messages import State, Update, parse

PEER = IPv4Address("127.0.1.2")
PREFIX = IPv4Address("10.253.0.1")


def line(kind: str, **neighbor: Any) -> bytes:
    address = {"local": "127.0.1.1", "peer": str(PEER)}
    told = {"address": address, "asn": {"local": 65001, "peer": 65002}, "direction": "receive", **neighbor}
    return json.dumps({"exabgp": "5.0.0", "type": kind, "neighbor": told}).encode()


def update(attributes: dict[str, Any], **routes: Any) -> bytes:
    return line("update", message={"update": {"attribute": attributes, **routes}})


PATH = {"as-path": {"0": {"element": "as-sequence", "value": [65002, 65003]}}}
OURS = {**PATH, "origin": "igp", "attribute-0xFF-0xF0": "0x43464e01"}
ANNOUNCED = {"ipv4 unicast": {"127.0.1.2": [{"nlri": "10.253.0.1/32"}]}}


def test_a_route_with_our_attribute() -> None:
    assert parse(update(OURS, announce=ANNOUNCED), 255) == Update(
        PEER, announced=(PREFIX,), as_path=(65002, 65003), value=b"CFN\x01"
    )
    assert parse(update(OURS, announce=ANNOUNCED), 250) == Update(
        PEER, announced=(PREFIX,), as_path=(65002, 65003)
    )


def test_withdrawn_and_announced_in_one() -> None:
    withdrawn = {"ipv6 unicast": [{"nlri": "fd00:fd::1/128"}, {"nlri": "fd00::/16"}]}
    told = parse(update(OURS, announce=ANNOUNCED, withdraw=withdrawn), 255)
    assert isinstance(told, Update)
    assert (told.announced, told.withdrawn) == ((PREFIX,), (IPv6Address("fd00:fd::1"),))


def test_routes_of_more_than_an_address_are_no_sites() -> None:
    told = parse(update(OURS, announce={"ipv4 unicast": {"127.0.1.2": [{"nlri": "10.0.0.0/8"}]}}), 255)
    assert told == Update(PEER, as_path=(65002, 65003), value=b"CFN\x01")


@pytest.mark.parametrize(
    ("attributes", "fault"),
    [
        (
            {**PATH, "attribute-0xFF-0x60": "0x43464e01"},
            "malformed attribute: flags 0x60 are not of an optional transitive one",
        ),
        ({"as-path": {"0": {"element": "as-set", "value": [65002]}}}, "the AS path has an as-set"),
    ],
)
def test_what_can_t_be_used_is_told(attributes: dict[str, Any], fault: str) -> None:
    told = parse(update(attributes, announce=ANNOUNCED), 255)
    assert isinstance(told, Update)
    assert told.fault == fault


def test_sessions_come_and_go() -> None:
    assert parse(line("state", state="up"), 255) == State(PEER, up=True)
    assert parse(line("state", state="down", reason="peer reset"), 255) == State(
        PEER, up=False, reason="peer reset"
    )
    assert parse(line("state", state="connected"), 255) is None


def test_what_does_not_matter_is_passed_over() -> None:
    assert parse(line("update", message={"eor": {"afi": "ipv4", "safi": "unicast"}}), 255) is None
    assert parse(line("notification", notification={"code": 6}), 255) is None
    assert parse(json.dumps({"type": "notification", "notification": "shutdown"}).encode(), 255) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "neighbor", "message", "update", "announce", "attribute-0xFF-0xF0", "as-path"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    ANYTHING.map(lambda one: json.dumps(one).encode())
    | st.binary(max_size=40)
    | ANYTHING.map(lambda one: line("update", message=one))
    | ANYTHING.map(lambda one: update({"as-path": one}, announce=one, withdraw=one))
    | ANYTHING.map(lambda one: update({"attribute-0xFF-0xF0": one}))
)
def test_nonsense_is_an_error_and_no_crash(octets: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse(octets, 255)
