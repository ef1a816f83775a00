"""What every packet test stands on: a router that was told its rows, and packets sent and accounted for."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import ClassVar

import ptf
from p4runtime_sh import shell
from ptf.base_tests import BaseTest
from ptf.testutils import test_param_get
from scapy.packet import Packet

from ptf_tests import entries
from ptf_tests.entries import DELETE, INSERT, MODIFY, Entry
from ptf_tests.network import CLIENT_PORT, FAMILIES, ROUTER, Family, NextHop
from ptf_tests.packets import difference, with_timestamp

TIMEOUT = 5.0
"""Seconds after which a packet or a count counts as missing; what is there is found at once."""
INTERMEDIATE = ("CHAINED", "DECAPSULATED", "PREFETCHED")
"""Outcomes of packets that come back as another, which counts again, and of copies that go ahead."""
WINDOW = 16
"""Packets under way at a time. BMv2's capture ring has room for about 30, and it may be kept from running."""


def each_family(check: Callable[[CfnTest, Family], None]) -> Callable[[CfnTest], None]:
    """Make a `runTest` of a check that takes the family: one row for IPv4 and one for IPv6."""

    @wraps(check)
    def run(test: CfnTest) -> None:
        for family in FAMILIES:
            with test.row(family.name):
                check(test, family)

    return run


def ended(counts: Counter[str]) -> int:
    """How many packets came to their end, of those counted."""
    return counts.total() - sum(counts[outcome] for outcome in INTERMEDIATE)


class CfnTest(BaseTest):
    """A test of one router.

    Afterwards every packet sent must have been counted as exactly one outcome that is not intermediate,
    nothing may have come out that the test did not take, and the tables must be as they were after the push.
    """

    rows: ClassVar[Sequence[Entry]] = ROUTER
    fresh: ClassVar[bool] = False
    """Whether the program is pushed anew, so that counters and registers start from zero."""
    _empty: ClassVar[list[str] | None] = None
    """The state of the tables after the push, which the first test of a run does."""

    def setUp(self) -> None:
        super().setUp()
        self.dataplane = ptf.dataplane_instance
        self._open_pcap()
        self._connect()
        self.addCleanup(self._leave_clean)
        self.insert(*self.rows)
        self.dataplane.flush()
        self.sent = 0
        self.counted = self._at_start = entries.outcomes()

    def tearDown(self) -> None:
        found = self.settled() - self._at_start
        self.assertEqual(ended(found), self.sent, f"packets counted, of those sent: {dict(found)}")
        self.assert_silent()
        super().tearDown()

    # What the router is told

    def insert(self, *rows: Entry) -> None:
        """Write new entries and default actions."""
        entries.write(INSERT, rows)

    def modify(self, *rows: Entry) -> None:
        """Give entries that exist another action."""
        entries.write(MODIFY, rows)

    def delete(self, *rows: Entry) -> None:
        """Take entries away."""
        entries.write(DELETE, rows)

    # Rows of a test

    @contextmanager
    def row(self, *names: object) -> Iterator[None]:
        """A sub-test that leaves no packet to the next one, and counts for itself."""
        with self.subTest(" ".join(str(name) for name in names)):
            try:
                yield
            finally:
                self.settle()

    # Packets

    def send(self, packet: Packet | bytes, port: int = CLIENT_PORT) -> None:
        """Put a frame on a port's wire."""
        self.dataplane.send(0, port, bytes(packet))
        self.sent += 1

    def receive(self) -> tuple[int, bytes]:
        """The oldest frame that the router sent, with its port."""
        polled = self.dataplane.poll(timeout=TIMEOUT)
        if isinstance(polled, self.dataplane.PollFailure):
            self.fail(f"no packet came out; counted: {dict(entries.outcomes() - self.counted)}")
        return polled.port, polled.packet

    def expect(self, expected: Packet, port: int) -> bytes:
        """The next frame is exactly the expected one, but for a timestamp of None; returns it."""
        out, received = self.receive()
        expected = with_timestamp(expected, received)
        if out != port or received != bytes(expected):
            found = difference(expected, received) if received != bytes(expected) else "the right packet"
            self.fail(f"port {out} instead of {port}:\n{found}" if out != port else f"\n{found}")
        return received

    def carry(
        self, packet: Packet, expected: Packet, out: int | NextHop, outcome: str, port: int = CLIENT_PORT
    ) -> bytes:
        """Send one packet: it comes out as expected and counts as the outcome; returns the frame received."""
        self.send(packet, port)
        received = self.expect(expected, out.port if isinstance(out, NextHop) else out)
        self.expect_outcomes(**{outcome: 1})
        return received

    def refuse(self, packet: Packet | bytes, outcome: str, port: int = CLIENT_PORT) -> None:
        """Send one packet: it counts as the outcome and nothing comes out."""
        self.send(packet, port)
        self.expect_outcomes(**{outcome: 1})
        self.assert_silent()

    def carry_all(
        self, packets: Iterable[Packet | bytes], port: int = CLIENT_PORT
    ) -> list[tuple[int, bytes]]:
        """Send packets that all come out somewhere, a window at a time; returns them in their order."""
        received: list[tuple[int, bytes]] = []
        under_way = 0
        for packet in packets:
            if under_way == WINDOW:
                received.append(self.receive())
                under_way -= 1
            self.send(packet, port)
            under_way += 1
        return received + [self.receive() for _ in range(under_way)]

    # Counts

    def settled(self) -> Counter[str]:
        """All outcomes once everything that was sent is counted, or as they are when the time is up."""
        return self._await_counts(self._at_start, self.sent)

    def settle(self) -> None:
        """Wait until everything that was sent is counted, and forget that and what came out."""
        self.counted = self.settled()
        self.dataplane.flush()

    def expect_outcomes(self, **expected: int) -> None:
        """What was sent since the last look counted as exactly these outcomes."""
        after = self._await_counts(self.counted, ended(Counter(expected)))
        found, self.counted = after - self.counted, after
        self.assertEqual(dict(found), expected, "outcomes counted")

    def _await_counts(self, before: Counter[str], packets: int) -> Counter[str]:
        """The outcomes once `packets` more have ended than `before`, or as they are when the time is up."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            after = entries.outcomes()
            if ended(after - before) >= packets or time.monotonic() > deadline:
                return after

    def assert_silent(self, what: str = "packets that nothing asked for") -> None:
        """Nothing has come out that was not received."""
        with self.dataplane.cvar:
            left = {
                port: [frame.hex() for frame, _ in queue]
                for port, queue in self.dataplane.packet_queues.items()
                if queue
            }
        self.assertEqual(left, {}, what)

    # Around the test

    def _connect(self) -> None:
        push = self.fresh or CfnTest._empty is None
        entries.connect(test_param_get("address"), test_param_get("device_id"), push)
        self.addCleanup(shell.teardown)
        if push:
            CfnTest._empty = entries.state()

    def _leave_clean(self) -> None:
        entries.clear()
        self.assertEqual(entries.state(), CfnTest._empty, "the tables after the test")

    def _open_pcap(self) -> None:
        self.dataplane.start_pcap(os.path.join(ptf.config["log_dir"], f"{self}.pcap"))
        self.addCleanup(self.dataplane.stop_pcap)
