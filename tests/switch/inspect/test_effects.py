"""Explaining changes nothing, and tells what really happens."""

import struct
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switch.api import Action, Bucket, Group, Match, Member, MeterRates, Replica
from switch.build import BuildError
from switch.dataplane import Dataplane
from switch.inspect.explain import explain
from tests.switch.harness import PROGRAMS

from .steps import all_of, sent, untimed

ROOT = Path(__file__).parents[3]
CPU = 510


def everything(switch: Dataplane) -> dict[str, Any]:
    """All that can be read of a program's state."""
    shape = switch.shape
    read: dict[str, Any] = {"ended": switch.ended(), "events": switch.poll_events()}
    for name, size, _ in shape.registers:
        read[name] = [switch.register(name, i) for i in range(min(size, 64))]
    for name, size in shape.counters:
        read[name] = [switch.counter(name, i) for i in range(min(size, 64))]
    for table in shape.tables:
        read[table.name] = switch.table_counts(table.name)
    return read


def load_match(switch: Dataplane) -> None:
    set_ = Action("I.set", (1,))
    for a in range(3):
        switch.table_insert("I.exact_t", [Match(a), Match(0)], 0, Action("I.say", (a,)))
        switch.table_insert(
            "I.run_t", [Match(a)], 0, Action(("I.set", "I.silent", "NoAction")[a], (4,) * (a < 1))
        )
        idle = switch.table_insert("I.idle_t", [Match(a)], 0, set_)
        switch.table_idle("I.idle_t", idle, 10**12)
        switch.table_insert("I.lpm_t", [Match(a), Match(0x0A << 24, mask=0xFF << 24)], 0, set_)
        switch.table_insert("I.ternary_t", [Match(a, mask=3), Match(0), Match(a)], a + 1, set_)
        switch.table_insert("I.range_t", [Match(a, high=a + 7), Match(0)], a + 1, Action("I.set", (a,)))


def load_selector(switch: Dataplane) -> None:
    for n in range(3):
        member = switch.member_add("I.profile", Action("I.set", (n,)))
        switch.table_insert("I.profiled", [Match(n)], 0, Member(member))
        members = [switch.member_add("I.shared", Action("I.set", (10 * n + i,))) for i in range(n + 1)]
        group = switch.group_add("I.shared", [Bucket(member, 1 + i) for i, member in enumerate(members)])
        switch.table_insert("I.chosen", [Match(n)], 0, Group(group))
        switch.table_insert("I.chosen_too", [Match(n << 4, mask=0xF0)], 0, Group(group))


def load_copies(switch: Dataplane) -> None:
    switch.multicast_set(7, [Replica(2, 20), Replica(4, 40), Replica(CPU)])
    switch.clone_session_set(5, [Replica(2, 1), Replica(3, 2)], truncate=14)


def load_externs(switch: Dataplane) -> None:
    switch.table_insert("I.paced_t", [Match(1)], 0, Action("I.paced"))
    for index in range(8):
        switch.register_set("I.cells", index, 1000 + index)


PREPARED = {
    "match": load_match,
    "selector": load_selector,
    "copies": load_copies,
    "externs": load_externs,
    "shapes": None,
    "arithmetic": None,
    "corners": None,
    "cfn": None,
}


def compiled(name: str) -> bytes:
    folder = ROOT / "p4src" / "compiled" if name == "cfn" else PROGRAMS
    return (folder / f"{name}.json").read_bytes()


@pytest.fixture(params=PREPARED)
def switch(request: pytest.FixtureRequest) -> Iterator[Dataplane]:
    dataplane = Dataplane(compiled(request.param), cpu_port=CPU)
    prepare = PREPARED[request.param]
    if prepare is not None:
        prepare(dataplane)
    try:
        yield dataplane
    finally:
        dataplane.close()


SMALL = st.integers(0, 15)
PACKETS = st.builds(
    lambda head, tail: bytes(head) + tail, st.lists(SMALL, max_size=12), st.binary(max_size=60)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=st.lists(PACKETS, min_size=1, max_size=4), port=st.integers(0, 8))
def test_what_is_explained_is_what_happens(switch: Dataplane, packets: list[bytes], port: int) -> None:
    for packet in packets:
        before = everything(switch)
        told = explain(switch, port, packet)
        assert untimed(explain(switch, port, packet)) == untimed(told)
        assert everything(switch) == before
        assert sent(told) == switch.inject(port, packet)
        after = everything(switch)
        ended = Counter(after["ended"]) - Counter(before["ended"])
        assert ended == Counter(one.reason for one in all_of(told, "ended"))
        messages = len(all_of(told, "digest")) + len(all_of(told, "log"))
        assert after["events"] == messages
        switch.poll_events()


@pytest.fixture
def externs() -> Iterator[Dataplane]:
    dataplane = Dataplane(compiled("externs"))
    try:
        yield dataplane
    finally:
        dataplane.close()


def cells(what: int, index: int, value: int = 0) -> bytes:
    return struct.pack("!BBHQHH", what, index, 0, value, 0, 0)


def half(packets: list[tuple[int, bytes]]) -> int:
    ((_, data),) = packets
    return int.from_bytes(data[2:4])


def test_meters_lose_no_token(externs: Dataplane) -> None:
    packet = cells(3, 1)
    start = float("-inf")
    while time.monotonic() - start > 1:  # in a second the bucket fills up again
        externs.meter_set("I.pace", 1, MeterRates(1, 1, 1, 1))
        for _ in range(5):
            assert half(sent(explain(externs, 1, packet))) == 0
        start = time.monotonic()
        colours = [half(externs.inject(1, packet)), half(sent(explain(externs, 1, packet)))]
        colours.append(half(externs.inject(1, packet)))
    assert colours == [0, 2, 2]


def test_direct_meters_lose_no_token(externs: Dataplane) -> None:
    handle = externs.table_insert("I.paced_t", [Match(1)], 0, Action("I.paced"))
    packet = cells(4, 1)
    externs.direct_meter_set("I.paced_t", handle, MeterRates(1, len(packet), 1, len(packet)))
    for _ in range(5):
        assert half(sent(explain(externs, 1, packet))) == 0
    assert half(externs.inject(1, packet)) == 0
    assert half(sent(explain(externs, 1, packet))) == 2


def test_random_draws_are_told_ahead_and_stay(externs: Dataplane) -> None:
    packet = cells(6, 0)
    drawn: set[int] = set()
    for _ in range(20):
        told = half(sent(explain(externs, 1, packet)))
        assert half(sent(explain(externs, 1, packet))) == told
        assert half(externs.inject(1, packet)) == told
        drawn.add(told)
    assert len(drawn) > 1


def test_a_register_written_and_read_by_copies_is_put_back(externs: Dataplane) -> None:
    externs.register_set("I.vast", 1, 1 << 199 | 5)
    packet = cells(9, 1) + (0xA << 212 | 77).to_bytes(27)
    writes = [one for one in all_of(explain(externs, 1, packet), "access") if one.kind == one.WRITE]
    assert [(one.name, int(one.value, 16)) for one in writes] == [("I.vast", 77)]
    assert externs.register("I.vast", 1) == 1 << 199 | 5
    externs.inject(1, packet)
    assert externs.register("I.vast", 1) == 77


def test_idle_timestamps_stay() -> None:
    dataplane = Dataplane(compiled("match"))
    try:
        handle = dataplane.table_insert("I.idle_t", [Match(1)], 0, Action("I.set", (1,)))
        packet = struct.pack("!BBHI", 9, 1, 0, 0) + bytes(18)
        time.sleep(0.02)
        before = dataplane.table_last_hit_ns("I.idle_t", handle)
        told = explain(dataplane, 1, packet)
        assert [one.entry.handle for one in all_of(told, "table") if one.name == "I.idle_t"] == [handle]
        assert dataplane.table_last_hit_ns("I.idle_t", handle) >= before
        dataplane.inject(1, packet)
        assert dataplane.table_last_hit_ns("I.idle_t", handle) < before
    finally:
        dataplane.close()


def test_a_program_compiled_otherwise_does_not_touch_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    dataplane = Dataplane(compiled("selector"))
    try:
        monkeypatch.setenv("CFLAGS", "-g")
        with pytest.raises(BuildError, match="changed since"):
            explain(dataplane, 1, bytes(8))
    finally:
        dataplane.close()


def test_direct_counters_stay() -> None:
    dataplane = Dataplane(compiled("match"))
    try:
        handle = dataplane.table_insert("I.exact_t", [Match(1), Match(0)], 0, Action("I.say", (1,)))
        packet = struct.pack("!BBHI", 0, 1, 0, 0) + bytes(18)
        for expected in range(3):
            for _ in range(3):
                explain(dataplane, 1, packet)
            assert dataplane.direct_counter("I.exact_t", handle).packets == expected
            dataplane.inject(1, packet)
    finally:
        dataplane.close()
