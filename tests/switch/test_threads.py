"""Control calls of many threads at once, beside packets; `make sanitize` runs it under ThreadSanitizer."""

import contextlib
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from switch.api import Action, Bucket, Group, Match, MeterRates, Replica
from switch.dataplane import Dataplane
from tests.switch.harness import running

ROUNDS = 200
RATES = MeterRates(1, 100, 1, 100)


def beside(*works: Callable[[int], object]) -> None:
    """Run each many times, all at once."""
    start = threading.Barrier(len(works))
    failed: list[BaseException] = []

    def repeat(work: Callable[[int], object]) -> None:
        start.wait()
        try:
            for number in range(ROUNDS):
                work(number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.fixture
def externs() -> Iterator[Dataplane]:
    with running("externs") as switch:
        yield switch


def order(what: int, index: int) -> bytes:
    return struct.pack("!BBHQHH", what, index, 0, 0, 0, 0)


def test_cells_and_entries(externs: Dataplane) -> None:
    stays = externs.table_insert("I.paced_t", [Match(2)], 0, Action("I.paced"))

    def come_and_go(_: int) -> None:
        handle = externs.table_insert("I.paced_t", [Match(1)], 0, Action("I.paced"))
        externs.table_modify("I.paced_t", handle, Action("NoAction"))
        externs.table_delete("I.paced_t", handle)

    def pace(_: int) -> None:
        externs.direct_meter_set("I.paced_t", stays, RATES)
        with contextlib.suppress(KeyError):  # that entry is gone, or not there yet
            externs.direct_meter_set("I.paced_t", stays + 1, RATES)

    beside(
        come_and_go,
        pace,
        lambda n: externs.inject(1, order(n % 5, 1 + n % 2)),
        lambda n: externs.register_set("I.cells", n % 8, n),
        lambda n: externs.register("I.cells", n % 8),
        lambda n: externs.counter("I.seen", n % 8),
        lambda n: externs.meter_set("I.pace", n % 4, RATES if n % 2 else None),
        lambda n: list(externs.table_rows("I.paced_t")),
    )


def test_groups_and_copies() -> None:
    with running("selector") as switch:
        members = [switch.member_add("I.shared", Action("I.set", (value,))) for value in (1, 2)]
        group = switch.group_add("I.shared", [Bucket(members[0])])
        switch.table_insert("I.chosen", [Match(7)], 0, Group(group))

        def follow(number: int) -> None:
            ((_, packet),) = switch.inject(1, struct.pack("!BBIH", 1, 7, number, 0))
            assert packet[6:8] in {b"\0\1", b"\0\2"}

        def weigh(number: int) -> None:
            buckets = [Bucket(member, 1 + number % 3) for member in members]
            switch.group_modify("I.shared", group, buckets[: 1 + number % 2])

        beside(
            follow,
            follow,
            weigh,
            lambda n: switch.member_modify("I.shared", members[n % 2], Action("I.set", (1 + n % 2,))),
            lambda n: switch.multicast_set(n % 4, [Replica(n % 9)]),
            lambda n: switch.clone_session_set(n % 4, [Replica(n % 9)]),
            lambda _: switch.poll_events(),
            lambda _: switch.ended(),
        )
