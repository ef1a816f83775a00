import binascii
import json
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from switch.api import Action, CounterValue, Marked, Match, MeterRates
from switch.dataplane import Dataplane
from tests.switch.harness import internet_checksum, one, program, running


@pytest.fixture
def switch() -> Iterator[Dataplane]:
    with running("externs") as dataplane:
        yield dataplane


def order(what: int, index: int = 0, half: int = 0, value: int = 0, total: int = 0) -> bytes:
    return struct.pack("!BBHQHH", what, index, half, value, total, 0)


def send(switch: Dataplane, packet: bytes) -> tuple[int, int, int, int]:
    """half, value, sum and payload_sum of what comes out."""
    out = one(switch.inject(1, packet))
    _, _, half, value, total, payload_sum = struct.unpack("!BBHQHH", out[:16])
    return half, value, total, payload_sum


def crc16_arc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def test_an_indirect_counter_counts_packets_and_bytes(switch: Dataplane) -> None:
    for _ in range(3):
        send(switch, order(0, index=5) + b"xyz")
    assert switch.counter("I.seen", 5) == CounterValue(3, 3 * 19)
    assert switch.counter("I.seen", 4) == CounterValue()
    switch.counter_set("I.seen", 5, CounterValue(10, 100))
    send(switch, order(0, index=5))
    assert switch.counter("I.seen", 5) == CounterValue(11, 116)


def test_an_index_out_of_bounds_does_nothing(switch: Dataplane) -> None:
    send(switch, order(0, index=8))
    assert all(switch.counter("I.seen", i) == CounterValue() for i in range(8))
    send(switch, order(1, index=8, value=1))
    assert send(switch, order(2, index=8, value=77))[1] == 77
    with pytest.raises(IndexError):
        switch.counter("I.seen", 8)
    with pytest.raises(IndexError):
        switch.register("I.cells", 8)
    with pytest.raises(KeyError):
        switch.counter("I.no_such", 0)


def test_registers_from_packets_and_from_control(switch: Dataplane) -> None:
    send(switch, order(1, index=3, value=0x1122334455667788))
    assert switch.register("I.cells", 3) == 0x1122334455667788
    switch.register_set("I.cells", 4, 99)
    assert send(switch, order(2, index=4))[1] == 99
    with pytest.raises(ValueError, match="does not fit"):
        switch.register_set("I.cells", 4, 1 << 64)


def test_a_register_wider_than_any_machine_word(switch: Dataplane) -> None:
    more = 0xABCD.to_bytes(2, "big") + (0x1234 << 180 | 7).to_bytes(25, "big")
    one(switch.inject(1, order(9, index=2) + more))
    assert switch.register("I.vast", 2) == 0x1234 << 180 | 7
    switch.register_set("I.vast", 3, 1 << 199)
    out = one(switch.inject(1, order(9, index=2) + more))
    assert int.from_bytes(out[18:43], "big") == 1 << 199


def test_hashes_give_what_bmv2_gives(switch: Dataplane) -> None:
    data = struct.pack("!BQ", 0x5A, 0x1122334455667788)
    half, value, _, _ = send(switch, order(5, index=0x5A, value=0x1122334455667788))
    assert value >> 32 == binascii.crc32(data)
    assert value >> 16 & 0xFFFF == crc16_arc(data)
    assert half == internet_checksum(data[:1] + struct.pack("!IHH", value >> 32, value >> 16 & 0xFFFF, 0))
    half, value, _, _ = send(switch, order(8, index=0x5A, value=0x1122334455667788))
    words = [0x5A11, 0x2233, 0x4455, 0x6677, 0x8800]
    expected = 0
    for word in words:
        expected ^= word
    assert half == (expected + 5) & 0xFFFF
    assert value == 0x1122334455667788 % 1000 + 1


def test_a_hash_over_fields_that_do_not_end_on_bytes(switch: Dataplane) -> None:
    c = 0x0102030405060708090A0B0C0D0E0F101112131415161718
    more = 0xABCD.to_bytes(2, "big") + c.to_bytes(25, "big")
    _, value, _, _ = send(switch, order(9, index=0) + more)
    # The register read replaced c by cell 1, which is 0.
    assert value == binascii.crc32(more[:2] + bytes(25))


def test_random_stays_within_bounds_and_reaches_both(switch: Dataplane) -> None:
    assert {send(switch, order(6))[0] for _ in range(200)} == {3, 4, 5, 6}


def test_checksums_are_verified_and_updated(switch: Dataplane) -> None:
    fields = struct.pack("!BBHQ", 7, 1, 0x1234, 0x55)
    good = order(7, 1, 0x1234, 0x55, internet_checksum(fields))
    assert send(switch, good)[0] == 0
    assert send(switch, good[:12] + b"\0\0" + good[14:])[0] == 1
    _, _, total, _ = send(switch, order(0, 1, 2, 3))
    assert total == internet_checksum(struct.pack("!BBHQ", 0, 1, 2, 3))


def verified(*, after_extract: list[dict[str, Any]], packet: bytes) -> bool:
    """Whether the checksum is right of a packet whose parser does something more to headers."""
    root = json.loads(program("externs"))
    root["headers"].append({"name": "other", "id": 99, "header_type": "order_t", "metadata": False})
    (start,) = (state for state in root["parsers"][0]["parse_states"] if state["name"] == "start")
    start["parser_ops"] += after_extract
    dataplane = Dataplane(json.dumps(root).encode())
    try:
        return not send(dataplane, packet)[0]
    finally:
        dataplane.close()


def right(half: int) -> bytes:
    return order(7, 1, half, 0x55, internet_checksum(struct.pack("!BBHQ", 7, 1, half, 0x55)))


def test_a_checksum_is_of_the_fields_that_the_parser_left() -> None:
    """Not of the bytes as they came, which are summed where the parser does no more than extract."""
    half, five = {"type": "field", "value": ["order", "half"]}, {"type": "hexstr", "value": "0x0005"}
    change = [{"op": "set", "parameters": [half, five]}]
    assert not verified(after_extract=change, packet=right(4))
    assert verified(after_extract=change, packet=right(5)[:2] + b"\0\4" + right(5)[4:])
    order_, other = ({"type": "header", "value": name} for name in ("order", "other"))
    copy = [
        {"op": "extract", "parameters": [{"type": "regular", "value": "other"}]},
        {"op": "primitive", "parameters": [{"op": "assign_header", "parameters": [order_, other]}]},
    ]
    wrong = right(4)[:12] + b"\0\0" + right(4)[14:]
    assert verified(after_extract=copy, packet=wrong + right(5))
    assert not verified(after_extract=copy, packet=right(5) + wrong)


@pytest.mark.parametrize("payload", [b"", b"x", b"xy", b"0123456789abcdef!", bytes(range(251))])
def test_a_checksum_over_the_payload(switch: Dataplane, payload: bytes) -> None:
    assert send(switch, order(0) + payload)[3] == internet_checksum(b"\0" + payload)
    more = 0xABCD.to_bytes(2, "big") + bytes(25)
    assert send(switch, order(9) + more + payload)[3] == internet_checksum(b"\x09\xab\xcd" + payload)


def test_a_meter_colours_by_its_two_bursts(switch: Dataplane) -> None:
    assert send(switch, order(3, index=1))[0] == 0
    switch.meter_set("I.pace", 1, MeterRates(cir=1, cburst=2, pir=2, pburst=5))
    assert [send(switch, order(3, index=1))[0] for _ in range(7)] == [0, 0, 1, 1, 1, 2, 2]
    assert send(switch, order(3, index=2))[0] == 0
    switch.meter_set("I.pace", 1, None)
    assert send(switch, order(3, index=1))[0] == 0


def test_an_excess_burst_makes_a_single_rate_meter(switch: Dataplane) -> None:
    switch.meter_set("I.pace", 1, MeterRates(cir=1, cburst=2, pir=1, pburst=2, eburst=3))
    assert [send(switch, order(3, index=1))[0] for _ in range(6)] == [0, 0, 1, 1, 1, 2]


def test_a_meter_counts_what_it_marks(switch: Dataplane) -> None:
    size = len(order(3, index=1))
    send(switch, order(3, index=1))
    switch.meter_set("I.pace", 1, MeterRates(cir=1, cburst=1, pir=1, pburst=2))
    for _ in range(4):
        send(switch, order(3, index=1))
    expected = Marked(CounterValue(2, 2 * size), CounterValue(1, size), CounterValue(2, 2 * size))
    assert switch.meter_marked("I.pace", 1) == expected
    assert switch.meter_marked("I.pace", 2) == Marked()
    switch.meter_marked_set("I.pace", 1, Marked(red=CounterValue(1, 2)))
    assert switch.meter_marked("I.pace", 1) == Marked(red=CounterValue(1, 2))


def test_a_direct_meter_counts_what_it_marks(switch: Dataplane) -> None:
    handle = switch.table_insert("I.paced_t", [Match(1)], 0, Action("I.paced"))
    send(switch, order(4, index=1))
    assert switch.direct_meter_marked("I.paced_t", handle).green.packets == 1
    switch.direct_meter_marked_set("I.paced_t", handle, Marked())
    assert switch.direct_meter_marked("I.paced_t", handle) == Marked()


def test_a_direct_meter_counts_bytes_of_its_entry(switch: Dataplane) -> None:
    handle = switch.table_insert("I.paced_t", [Match(1)], 0, Action("I.paced"))
    other = switch.table_insert("I.paced_t", [Match(2)], 0, Action("I.paced"))
    switch.direct_meter_set("I.paced_t", handle, MeterRates(cir=1, cburst=40, pir=1, pburst=60))
    assert [send(switch, order(4, index=1))[0] for _ in range(4)] == [0, 0, 1, 2]
    assert send(switch, order(4, index=2))[0] == 0
    switch.table_delete("I.paced_t", other)
    with pytest.raises(KeyError):
        switch.direct_meter_set("I.paced_t", other, None)
