"""Headers that are not of one fixed form, and parsers that fail."""

import json
import struct
from collections.abc import Iterator
from contextlib import closing

import pytest

from switch.api import Match
from switch.dataplane import Dataplane
from tests.switch.harness import one, program, running

TOO_SHORT, OUT_OF_BOUNDS, HEADER_TOO_SHORT, TOO_DEEP = 1, 3, 4, 9


@pytest.fixture
def switch() -> Iterator[Dataplane]:
    with running("shapes") as dataplane:
        yield dataplane


def send(switch: Dataplane, *parts: bytes) -> tuple[int, int, int, bytes]:
    """Error, `next`, `seen` and the rest of what comes out."""
    out = one(switch.inject(1, b"".join(parts)))
    error, following, seen = struct.unpack("!BBH", out[:4])
    return error, following, seen, out[4:]


def test_a_stack_is_extracted_to_its_end(switch: Dataplane) -> None:
    assert send(switch, b"\x01\0", b"\x02\x04\x07", b"rest") == (0, 0, 0, b"\x01\0\x02\x04\x07rest")
    assert send(switch, b"\x01\0", b"\x01", b"rest") == (0, 0, 0, b"\x01\0\x01rest")


def test_a_stack_that_is_full_is_an_error_and_keeps_what_it_has(switch: Dataplane) -> None:
    assert send(switch, b"\x01\0", b"\2\2\2\2") == (OUT_OF_BOUNDS, 0, 0, b"\x01\0\2\2\2\2")


def test_push_and_pop_move_a_stack(switch: Dataplane) -> None:
    assert send(switch, b"\x01\x01", b"\x02\x05") == (0, 0, 0, b"\x01\x01\xaa\x02\x05")
    assert send(switch, b"\x01\x01", b"\x02\x04\x07") == (0, 0, 0, b"\x01\x01\xaa\x02\x04")
    assert send(switch, b"\x01\x02", b"\x02\x05") == (0, 0, 0, b"\x01\x02\x05")


def test_a_stack_element_is_copied(switch: Dataplane) -> None:
    assert send(switch, b"\x01\x03", b"\x02\x05") == (0, 0, 0, b"\x01\x03\x02\x02")


@pytest.mark.parametrize(("index", "value"), [(0, 1), (1, 2), (2, 0), (3, 0), (200, 0)])
def test_a_stack_is_indexed_at_run_time(switch: Dataplane, index: int, value: int) -> None:
    what = bytes([1, index + 4])
    assert send(switch, what, b"\x02\x05") == (0, value, 0, what + b"\x02\x05")


def test_an_index_may_be_what_is_assigned() -> None:
    """hdr.labels[hdr.labels[0].value].value = 1, in place of the copy."""
    declared = json.loads(program("shapes"))
    (copy,) = [
        primitive
        for action in declared["actions"]
        for primitive in action["primitives"]
        if primitive["op"] == "assign_header"
    ]
    index = {"type": "field", "value": ["labels[0]", "value"]}
    stack = {"type": "header_stack", "value": "labels"}
    element = {"op": "dereference_header_stack", "left": stack, "right": index}
    place = {"op": "access_field", "left": {"type": "expression", "value": element}, "right": 0}
    target = {"type": "expression", "value": {"type": "expression", "value": place}}
    copy |= {"op": "assign", "parameters": [target, {"type": "hexstr", "value": "0x01"}]}
    with closing(Dataplane(json.dumps(declared).encode())) as switch:
        assert send(switch, b"\x01\x03", b"\x00\x13") == (0, 0, 0, b"\x01\x03\x02\x13")


@pytest.mark.parametrize("length", [0, 1, 8])
def test_a_varbit_field_is_as_long_as_told(switch: Dataplane, length: int) -> None:
    body = bytes(range(length))
    packet = bytes([2, length]) + b"L" + body + b"\x10" + b"rest"
    assert send(switch, packet) == (0, 0, 0, packet[: 3 + length] + b"\x11rest")


def test_a_varbit_field_that_does_not_fit_is_an_error(switch: Dataplane) -> None:
    packet = bytes([2, 9]) + b"L" + bytes(9) + b"T"
    assert send(switch, packet) == (HEADER_TOO_SHORT, 0, 0, packet)
    packet = bytes([2, 8]) + b"L" + bytes(3)
    assert send(switch, packet) == (TOO_SHORT, 0, 0, packet)


def test_one_member_of_a_union_is_valid(switch: Dataplane) -> None:
    assert send(switch, b"\x03\0", b"four", b"rest") == (0, 0, 0, b"\x03\0fourrest")
    assert send(switch, b"\x04\0", b"sixsix", b"rest") == (0, 0, 0, b"\x04\0sixsixrest")
    assert send(switch, b"\x03\x01", b"four", b"rest") == (0, 0, 0, b"\x03\x01\1\2\3\4\5\6rest")


def test_lookahead_does_not_consume(switch: Dataplane) -> None:
    assert send(switch, b"\x05\0", b"\xab\xcd\x01\x02") == (0, 0, 0xABCD, b"\x05\0\xab\xcd\x01\x02")
    assert send(switch, b"\x05\0", b"\x1b\xcd") == (0, 0, 0x1BCD, b"\x05\0\x1b\xcd")
    assert send(switch, b"\x05\0", b"\x1b") == (TOO_SHORT, 0, 0, b"\x05\0\x1b")


def test_advance_skips_what_is_then_gone(switch: Dataplane) -> None:
    assert send(switch, b"\x06\x03", b"skiprest") == (0, 0, 0, b"\x06\x03prest")
    assert send(switch, b"\x06\x09", b"skiprest") == (TOO_SHORT, 0, 0, b"\x06\x09skiprest")


def test_verify_ends_parsing_with_its_error(switch: Dataplane) -> None:
    assert send(switch, b"\x07\x02", b"four") == (0, 0, 0, b"\x07\x02four")
    assert send(switch, b"\x07\x03", b"four") == (TOO_DEEP, 0, 0, b"\x07\x03four")


def test_a_select_with_masks(switch: Dataplane) -> None:
    assert send(switch, b"\x8f\0")[2] == 0x3A5D
    assert send(switch, b"\x9f\0")[2] == 0


def test_a_value_set_is_filled_at_run_time(switch: Dataplane) -> None:
    assert send(switch, b"\x66\0")[2] == 0
    switch.value_set("P.special", [(Match(0x66, 0xFF),), (Match(0x40, 0xF0),)])
    assert send(switch, b"\x66\0")[2] == 0xF00D
    assert send(switch, b"\x4a\0")[2] == 0xF00D
    assert send(switch, b"\x67\0")[2] == 0
    switch.value_set("P.special", [(Match(0x67, 0xFF),)])
    assert send(switch, b"\x66\0")[2] == 0
    assert send(switch, b"\x67\0")[2] == 0xF00D
    switch.value_set("P.special", [(Match(0, 0),)])  # whatever the value
    assert send(switch, b"\x66\0")[2] == 0xF00D


@pytest.mark.parametrize("length", [0, 1])
def test_a_packet_shorter_than_its_first_header(switch: Dataplane, length: int) -> None:
    assert send(switch, bytes(length)) == (TOO_SHORT, 0, 0, bytes(length))


def test_what_one_packet_leaves_the_next_does_not_see(switch: Dataplane) -> None:
    send(switch, b"\x03\0", b"four")
    assert send(switch, b"\x03\0") == (TOO_SHORT, 0, 0, b"\x03\0")
