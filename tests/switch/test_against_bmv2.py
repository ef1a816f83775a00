"""The same programs, entries and packets on BMv2 and here, byte for byte (where BMv2 is installed).

Not compared, because BMv2 leaves it to chance: what a field of an invalid header reads, and the order of
packets that go round.
"""

import random
from collections import defaultdict
from collections.abc import Sequence

import pytest

from switch.api import Action, Match, Replica
from switch.dataplane import Dataplane
from tests.switch import bmv2
from tests.switch.harness import program, running

pytestmark = pytest.mark.skipif(
    not bmv2.available(), reason="BMv2 (simple_switch, simple_switch_CLI) is not installed"
)

PACKETS = 400


def here(switch: Dataplane, packets: Sequence[bytes]) -> dict[int, list[bytes]]:
    outputs: dict[int, list[bytes]] = defaultdict(list)
    for packet in packets:
        for port, out in switch.inject(1, packet):
            outputs[port].append(out)
    return outputs


def assert_same(
    name: str, outputs: dict[int, list[bytes]], commands: Sequence[str], packets: Sequence[bytes]
) -> None:
    for pace in bmv2.PACES:
        reference = bmv2.run(program(name), commands, packets, pace=pace)
        if all(len(outputs[port]) == len(reference.outputs[port]) for port in bmv2.PORTS):
            break
    for port in bmv2.PORTS:
        assert [p.hex() for p in outputs[port]] == [p.hex() for p in reference.outputs[port]], f"port {port}"


def edgy(chance: random.Random, length: int) -> bytes:
    """Random bytes, often of the values at the edges of ranges."""
    if chance.random() < 0.3:
        return bytes(chance.choice((0, 1, 127, 128, 254, 255)) for _ in range(length))
    return chance.randbytes(length)


def test_arithmetic() -> None:
    chance = random.Random(1)
    packets = [bytes([chance.randrange(11)]) + edgy(chance, 170) for _ in range(PACKETS)]
    with running("arithmetic") as switch:
        outputs = here(switch, packets)
    assert_same("arithmetic", outputs, [], packets)


def test_externs() -> None:
    chance = random.Random(2)
    packets = [
        bytes([chance.choice((0, 1, 2, 5, 7, 8, 9)), chance.randrange(10)])
        + edgy(chance, 14 + 27 + chance.randrange(60))
        for _ in range(PACKETS)
    ]
    with running("externs") as switch:
        outputs = here(switch, packets)
    assert_same("externs", outputs, [], packets)


def test_shapes() -> None:
    chance = random.Random(3)
    kinds = (1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 0x81, 0x66)
    packets = [
        bytes([chance.choice(kinds), chance.randrange(4)])
        + bytes(chance.choice((0, 1, 2, 3, 0xA5, 0xFF)) for _ in range(chance.randrange(20)))
        for _ in range(PACKETS)
    ]
    # A lookahead past the end of a packet reads whatever is there in BMv2.
    packets = [packet for packet in packets if packet[0] != 5 or len(packet) > 4]
    with running("shapes") as switch:
        outputs = here(switch, packets)
    assert_same("shapes", outputs, [], packets)


@pytest.mark.parametrize("what", [1, 2, 4, 9, 12, 13])
def test_copies(what: int) -> None:
    chance = random.Random(what)
    packets = [
        bytes([what, chance.randrange(30)]) + chance.randbytes(10 + chance.randrange(60)) for _ in range(100)
    ]
    with running("copies") as switch:
        switch.clone_session_set(5, [Replica(4)])
        switch.multicast_set(7, [Replica(2, 20), Replica(5, 50)])
        outputs = here(switch, packets)
    commands = ["mirroring_add 5 4", "mc_mgrp_create 7", "mc_node_create 20 2", "mc_node_create 50 5"]
    commands += ["mc_node_associate 7 0", "mc_node_associate 7 1"]
    assert_same("copies", outputs, commands, packets)


class Tables:
    """Random entries, given to both switches."""

    def __init__(self, switch: Dataplane, chance: random.Random) -> None:
        self.switch = switch
        self.chance = chance
        self.commands: list[str] = []
        self.seen: set[tuple[str, str]] = set()

    def add(self, table: str, key: list[tuple[str, int, int]], priority: int | None) -> None:
        """Key parts: kind, value, and mask, prefix length of `width` bits, or high bound."""
        matches: list[Match] = []
        texts: list[str] = []
        for kind, value, extra in key:
            if kind == "exact":
                matches.append(Match(value))
                texts.append(str(value))
            elif kind == "lpm32":
                mask = 0xFFFFFFFF ^ (0xFFFFFFFF >> extra)
                matches.append(Match(value & mask, mask))
                texts.append(f"{value & mask}/{extra}")
            elif kind == "ternary":
                matches.append(Match(value & extra, extra))
                texts.append(f"{value & extra}&&&{extra}")
            else:
                matches.append(Match(value, high=extra))
                texts.append(f"{value}->{extra}")
        if (table, " ".join(texts)) in self.seen:
            return
        self.seen.add((table, " ".join(texts)))
        code = self.chance.randrange(1, 200)
        self.switch.table_insert(f"I.{table}", matches, priority or 0, Action("I.set", (code,)))
        # BMv2's lowest number is the highest priority.
        end = f" {10000 - priority}" if priority is not None else ""
        self.commands.append(f"table_add I.{table} I.set {' '.join(texts)} => {code}{end}")


@pytest.mark.parametrize("seed", range(3))
def test_tables(seed: int) -> None:
    chance = random.Random(seed)
    small = [chance.randrange(256) for _ in range(4)]
    halves = [chance.randrange(1 << 16) for _ in range(6)]
    with running("match") as switch:
        tables = Tables(switch, chance)
        for priority in chance.sample(range(1, 5000), 40):
            a, b, c = chance.choice(small), chance.choice(halves), chance.getrandbits(32)
            mask = chance.choice((0, 0xFF00, 0x00FF, 0xFFFF, 0xF0F0))
            tables.add(
                "ternary_t",
                [("ternary", b, mask), ("lpm32", c, chance.choice((0, 1, 2, 3))), ("exact", a, 0)],
                priority,
            )
            low = chance.choice(halves)
            high = min(low + chance.randrange(1 << 15), 0xFFFF)
            tables.add(
                "range_t", [("range", low, high), ("ternary", a, chance.choice((0, 0x0F, 0xFF)))], priority
            )
            tables.add("lpm_t", [("exact", a, 0), ("lpm32", c, chance.randrange(5))], None)
        packets = [
            bytes([chance.choice((1, 2, 3)), chance.choice(small)])
            + chance.choice((chance.choice(halves), chance.randrange(1 << 16))).to_bytes(2, "big")
            + chance.randbytes(4 + 16 + 2)
            for _ in range(PACKETS)
        ]
        outputs = here(switch, packets)
    assert len(set(outputs[1])) > PACKETS // 2
    assert_same("match", outputs, tables.commands, packets)
