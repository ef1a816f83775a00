"""The STF runner itself, on a small program; p4c's own tests need a checkout of p4c (see `stf.py`)."""

import pytest

from tests.switch.harness import program
from tests.switch.stf import StfError, run_test

TABLES = """
# key: kind a b c d, result: code more
add exact_t key.a:0x03 key.d:0x05 say(code:0x42)
add lpm_t key.a:1 key.c:0x0a******  I.set(code:8)   # a prefix of 8 bits
add ternary_t 10 key.b:0x12** key.c:0/0 key.a:5 set(code:2)
add ternary_t 20 key.b:0x**34 key.c:0/0 key.a:5 set(code:3)
add range_t 1 key.b:10->100 key.a:0&&&0 set(code:4)
setdefault lpm128_t set(code:9)
packet 2 00 03 0000 00000000 00000000000000000000000000000005 0000 cafe
expect 1 00 03 0000 00000000 00000000000000000000000000000005 42 01 cafe $
packet 2 01 01 0000 0a0b0c0d 00000000000000000000000000000000 0000
expect 1 01 01 0000 0a0b0c0d ******************************** 08 00
packet 2 02 05 1234 00000000 00000000000000000000000000000000 0000
expect 1 02 05 1234 00000000 00000000000000000000000000000000 03
packet 2 03 00 0064 00000000 00000000000000000000000000000000 0000
expect 1 03 00 0064 00000000 00000000000000000000000000000000 04
packet 2 08 00 0000 00000000 00000000000000000000000000000000 0000
expect 1 08 00 0000 00000000 00000000000000000000000000000000 09
"""
COPIES = """
mirroring_add 5 4
mc_mgrp_create 7
mc_node_create 20 2
mc_node_create 21 3 6
mc_node_associate 7 0
mc_node_associate 7 1
packet 1 010000000000000000000000
expect 2 010001050002******00000014
expect 3 010001050003******00000015
expect 6
packet 1 020000000000000000000000
expect 4
expect 1
"""
GROUPS_OF_CLONES = """
mc_mgrp_create 7
mc_node_create 20 2
mirroring_add_mc 5 7
mc_node_associate 7 0
mirroring_get 5
packet 1 020000000000000000000000
expect 2
expect 1
"""
CELLS = """
register_write I.cells 3 0x1234
register_write cells 4 77
counter_write I.seen 2 5 100
counter_read I.seen 2
# order: what index half value sum payload_sum
packet 1 02 03 0000 0000000000000000 0000 0000
expect 1 02 03 0000 0000000000001234
register_reset cells
packet 1 02 04 0000 0000000000000000 0000 0000
expect 1 02 04 0000 0000000000000000
meter_set_rates pace 1 0:1 0:2
meter_array_set_rates I.pace 0:1 0:2
packet 1 03 01 0000 0000000000000000 0000 0000
expect 1 03 01 0000
packet 1 03 01 0000 0000000000000000 0000 0000
expect 1 03 01 0001
packet 1 03 01 0000 0000000000000000 0000 0000
expect 1 03 01 0002
"""


def test_commands_of_the_cli() -> None:
    run_test(program("copies"), GROUPS_OF_CLONES)
    run_test(program("externs"), CELLS)


def test_tables() -> None:
    run_test(program("match"), TABLES)


def test_copies() -> None:
    run_test(program("copies"), COPIES.replace("******", "000c"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("42 01 cafe $", "42 02 cafe $"), "port 1 packet 0: got"),
        (("42 01 cafe $", "42 01 ca $"), "port 1 packet 0: got"),
        (("expect 1 08", "expect 2 08"), "packets where"),
        (("add exact_t", "add no_such"), "table no_such: 0 candidates"),
        (("say(code", "shout(code"), "action shout: 0 candidates"),
        (("setdefault", "shout"), "statement not understood"),
    ],
)
def test_what_differs_is_told(change: tuple[str, str], said: str) -> None:
    with pytest.raises(StfError, match=said):
        run_test(program("match"), TABLES.replace(*change))
