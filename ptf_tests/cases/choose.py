"""Choose: of two draws by weight, the one whose load was lower in its last response gets the request.

Loads count for about a second of the router's clock, which runs on by itself. So a row looks at the clock
before and after, and begins again if what it relied on may have grown stale meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.extensions import ExtensionType
from cfn.scapy_layer import CFN
from cfn.wire import Kind
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import Call, Entry
from ptf_tests.network import (
    CLIENT_PORT,
    CORE_PORT,
    FAMILIES,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    NO_SECOND_DRAW,
    ROUTER,
    SEGMENT,
    TO_NEAR,
    Family,
    Member,
    Remote,
    cookie,
    draws,
    known,
    service,
)
from ptf_tests.packets import bound, chain, request, response

LOAD_EXPIRY_US = 1 << 20
UNANSWERED = 32
"""Both as in the program: how long a load counts, and what an unanswered probe adds to it."""
BATCH = 24
PATIENCE_S = 60.0
"""For how long a row is begun again when the machine has no time for it."""
CRITICAL = 10.83
"""Of chi-squared with one degree of freedom, at 0.1 %."""

Found = TypeVar("Found")


def chosen_by(lead: int, per_request: int = 1) -> Entry:
    """The row that says how `vision/detect` chooses."""
    return known("vision/detect", lead=lead, per_request=per_request)


class ChooseTest(CfnTest):
    """A router with a function of which each request is drawn anew, from two members of equal weight.

    Functions of the namespace but for `vision/detect` have no second draw: they tell the router's clock and
    teach nothing.
    """

    members: tuple[Member, Member] = (NEAR, NEAR_2)
    rows = (
        *ROUTER,
        NEAR_2.live(),
        chosen_by(0),
        *(
            row
            for family in FAMILIES
            for row in (
                *service(family, "vision/*", (NEAR.bind(), 1)),
                *service(family, "vision/detect", (NEAR.bind(), 1), (NEAR_2.bind(), 1)),
            )
        ),
    )

    def clock(self, family: Family) -> int:
        """The router's clock in µs."""
        self.send(request(family, b"", func_id=SEGMENT))
        return Ether(self.receive()[1])[CFN].timestamp

    def teach(self, family: Family, loads: dict[Member, int]) -> None:
        """Let a response of each member tell its load."""
        for member, load in loads.items():
            told = response(family, member, b"", affinity=cookie(member), report_load=load)
            self.carry_all([told], CORE_PORT if isinstance(member, Remote) else NEAR_PORT)

    def asked(self, family: Family, request_ids: Sequence[int], **fields: object) -> list[Member]:
        """The members that requests were bound to."""
        by_address = {member.address(family): member for member in (NEAR, NEAR_2, FAR)}
        packets = [request(family, b"", request_id=number, **fields) for number in request_ids]
        out = [Ether(frame) for _, frame in self.carry_all(packets)]
        bound_to = {frame[CFN].request_id: by_address[frame[family.header].dst] for frame in out}
        return [bound_to[number] for number in request_ids]

    def while_fresh(self, family: Family, look: Callable[[], Found]) -> Found:
        """What `look` finds when it took less of the router's time than loads count for."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            start = self.clock(family)
            found = look()
            if (self.clock(family) - start) % 2**32 < LOAD_EXPIRY_US:
                return found
            if time.monotonic() > deadline:
                self.fail(f"the machine had no {LOAD_EXPIRY_US} µs in {PATIENCE_S} s for this row")

    def taught(
        self, family: Family, loads: dict[Member, int], request_ids: Sequence[int], **fields: object
    ) -> list[Member]:
        """The members that requests were bound to while these loads counted."""

        def look() -> list[Member]:
            self.teach(family, loads)
            return self.asked(family, request_ids, **fields)

        return self.while_fresh(family, look)

    def grow_stale(self, family: Family) -> None:
        """Let the router's clock run until no load counts that was told so far."""
        start = self.clock(family)
        while (self.clock(family) - start) % 2**32 <= LOAD_EXPIRY_US:
            pass

    def first_draws(self, family: Family, request_ids: Sequence[int]) -> list[Member]:
        """The members of the first draw."""
        self.modify(chosen_by(NO_SECOND_DRAW))
        drawn = self.asked(family, request_ids)
        self.modify(chosen_by(0))
        return drawn

    def movable(self, family: Family, count: int = 6) -> list[int]:
        """Requests whose first draw is the first of the members, and whose second is the other one."""
        one, other = self.members
        found: list[int] = []
        start = 0
        while len(found) < count:
            numbers = range(start, start + BATCH)
            drawn = self.first_draws(family, numbers)
            taken = self.taught(family, {one: 255, other: 0}, numbers)
            found += [
                n for n, was, now in zip(numbers, drawn, taken, strict=True) if was == one and now == other
            ]
            start += BATCH
        self.settle()
        return found[:count]


class LowerWins(ChooseTest):
    """The lower load wins; about half of what was drawn for the other moves, nothing moves to it."""

    @each_family
    def runTest(self, family: Family) -> None:
        for one, other in ((NEAR, NEAR_2), (NEAR_2, NEAR)):
            moved = Counter[bool]()
            for start in range(0, 12 * BATCH, BATCH):
                numbers = range(start, start + BATCH)
                drawn = self.first_draws(family, numbers)
                taken = self.taught(family, {one: 200, other: 50}, numbers)
                self.assertNotIn((other, one), set(zip(drawn, taken, strict=True)))
                moved.update(now == other for was, now in zip(drawn, taken, strict=True) if was == one)
            expected = moved.total() / 2
            statistic = 2 * (moved[True] - expected) ** 2 / expected
            self.assertLess(statistic, CRITICAL, f"{dict(moved)} of those drawn for the higher load moved")


class CountedAsSecond(ChooseTest):
    """What the second draw won counts as that; with a worthless cookie, as what became of that."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family)
        for affinity, outcome in ((0, "BOUND_SECOND"), (cookie(NEAR) ^ 1, "REBOUND_FORGED")):

            def look(affinity: int = affinity) -> Counter[str]:
                self.teach(family, {NEAR: 200, NEAR_2: 50})
                self.settle()
                self.assertEqual(set(self.asked(family, numbers, affinity=affinity)), {NEAR_2})
                before, self.counted = self.counted, self.settled()
                return self.counted - before

            self.assertEqual(self.while_fresh(family, look), {outcome: len(numbers)})


class Sealed(ChooseTest):
    """The member of the second draw is the one that the request is rewritten to and sealed for."""

    @each_family
    def runTest(self, family: Family) -> None:
        (number,) = self.movable(family, 1)

        def look() -> bytes:
            self.teach(family, {NEAR: 200, NEAR_2: 50})
            self.send(request(family, request_id=number))
            return self.receive()[1]

        received = Ether(self.while_fresh(family, look))
        expected = bound(request(family, request_id=number), family, NEAR_2, cookie(NEAR_2), TO_NEAR)
        expected[CFN].timestamp = received[CFN].timestamp
        self.assertEqual(bytes(received), bytes(expected))


class ByMoreThanLead(ChooseTest):
    """The second draw must be lower by more than the lead; equal loads leave the first; 255 is never."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family)
        for lead, load, other, member in (
            (0, 0, 0, NEAR),
            (0, 100, 100, NEAR),
            (0, 100, 101, NEAR),
            (0, 100, 99, NEAR_2),
            (0, 255, 254, NEAR_2),
            (16, 100, 84, NEAR),
            (16, 100, 83, NEAR_2),
            (100, 255, 155, NEAR),
            (100, 255, 200, NEAR),
            (100, 255, 154, NEAR_2),
            (254, 254, 0, NEAR),
            (254, 255, 1, NEAR),
            (254, 255, 0, NEAR_2),
            (NO_SECOND_DRAW, 255, 0, NEAR),
        ):
            with self.row(family.name, "lead", lead, "loads", load, other):
                self.modify(chosen_by(lead))
                taken = self.taught(family, {NEAR: load, NEAR_2: other}, numbers)
                self.assertEqual(set(taken), {member})


class RemoteLoads(ChooseTest):
    """Loads of remote sites are told by what their instances answer, seen at the client's router."""

    members = (NEAR, FAR)

    @each_family
    def runTest(self, family: Family) -> None:
        self.modify(*draws(family, "vision/detect", (NEAR.bind(), 1), (FAR.bind(), 1)))
        for one, other in ((NEAR, FAR), (FAR, NEAR)):
            self.members = (one, other)
            numbers = self.movable(family)
            self.assertEqual(set(self.taught(family, {one: 9, other: 10}, numbers)), {one})
            self.assertEqual(set(self.taught(family, {one: 10, other: 9}, numbers)), {other})


class FlowsStay(ChooseTest):
    """Where flows are drawn, all requests of one go to the same member while the loads are the same."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.modify(chosen_by(0, per_request=0))
        moved = Counter[bool]()
        for sport in range(6000, 6024):
            ways: list[Member] = []
            for loads in ({NEAR: 5, NEAR_2: 5}, {NEAR: 200, NEAR_2: 50}):
                taken = self.taught(family, loads, range(8), sport=sport)
                self.assertEqual(len(set(taken)), 1, f"port {sport} with {loads}: {taken}")
                ways.append(taken[0])
            self.assertNotEqual(ways, [NEAR_2, NEAR])
            if ways[0] == NEAR:
                moved[ways[1] == NEAR_2] += 1
        self.assertTrue(moved[True] and moved[False], f"{dict(moved)} of the flows moved")
        self.modify(chosen_by(0))


class CookieFirst(ChooseTest):
    """A session stays where it is, whatever the loads."""

    @each_family
    def runTest(self, family: Family) -> None:
        loads: dict[Member, int] = {NEAR: 255, NEAR_2: 0}
        taken = self.taught(family, loads, range(BATCH), affinity=cookie(NEAR))
        self.assertEqual(set(taken), {NEAR})


class ShedIsNotLessLoaded(ChooseTest):
    """A second draw that would refuse the request is none."""

    @each_family
    def runTest(self, family: Family) -> None:
        refusing = Call("shed", {"retry_after_ms": 10})
        self.modify(*draws(family, "vision/detect", (NEAR.bind(), 1), (refusing, 1)))
        packets = [request(family, b"", request_id=number) for number in range(BATCH)]

        def ways() -> set[tuple[int, int]]:
            self.teach(family, {NEAR: 255})
            return {(port, Ether(frame)[CFN].request_id) for port, frame in self.carry_all(packets)}

        found = self.while_fresh(family, ways)
        self.assertEqual({port for port, _ in found}, {NEAR_PORT, CLIENT_PORT})
        self.modify(chosen_by(NO_SECOND_DRAW))
        self.assertEqual(found, ways())
        self.modify(chosen_by(0))


class StaleFirst(ChooseTest):
    """A member whose load is stale is asked once; until it answers, the old load and a little counts on."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family, 2)
        for load, other, member in (
            (100, 100 + UNANSWERED, NEAR),
            (100, 99 + UNANSWERED, NEAR_2),
            (240, 254, NEAR_2),
            (0, UNANSWERED, NEAR),
            (0, UNANSWERED - 1, NEAR_2),
        ):
            with self.row(family.name, load, "raised, against", other):
                deadline = time.monotonic() + PATIENCE_S
                while True:
                    self.teach(family, {NEAR: load})
                    self.grow_stale(family)
                    start = self.clock(family)
                    self.teach(family, {NEAR_2: other})
                    asked_first = self.asked(family, numbers[:1])
                    then = self.asked(family, numbers)
                    if (self.clock(family) - start) % 2**32 < LOAD_EXPIRY_US:
                        break
                    self.assertLess(time.monotonic(), deadline)
                self.assertEqual(asked_first, [NEAR])
                self.assertEqual(set(then), {member})


class StaleSecond(ChooseTest):
    """A second draw whose load is stale wins nothing, however low it was."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family)
        self.teach(family, {NEAR_2: 0})
        self.grow_stale(family)
        self.assertEqual(set(self.taught(family, {NEAR: 255}, numbers)), {NEAR})


class NeverTold(ChooseTest):
    """A load that was never told is stale: each first draw is asked, and none wins from another."""

    fresh = True
    rows = (
        *ROUTER,
        chosen_by(0),
        *(
            row
            for family in FAMILIES
            for row in (
                *service(family, "vision/*", (NEAR.bind(), 1)),
                *service(
                    family,
                    "vision/detect",
                    (replace(NEAR, slot=40 + family.is_ipv6).bind(), 1),
                    (replace(NEAR_2, slot=50 + family.is_ipv6).bind(), 1),
                ),
            )
        ),
    )

    @each_family
    def runTest(self, family: Family) -> None:
        while self.clock(family) <= LOAD_EXPIRY_US:
            pass
        drawn = self.first_draws(family, range(BATCH))
        self.assertEqual(set(drawn), {NEAR, NEAR_2})
        self.assertEqual(self.asked(family, range(BATCH)), drawn)


class Learnt(ChooseTest):
    """A load is learnt too from what goes to another router, goes on as a request, or breaks a chain."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family)
        told = {"affinity": cookie(NEAR), "report_load": 200}
        relay = response(family, NEAR, b"", **told)
        relay[family.header].dst = family.passing
        goes_on = response(family, NEAR, chain(SEGMENT) / b"", next=ExtensionType.CHAIN, **told)
        failed = response(
            family, NEAR, chain(SEGMENT) / b"", next=ExtensionType.CHAIN, report_status=1, **told
        )
        for name, packet in {"relayed": relay, "chained": goes_on, "broken chain": failed}.items():
            with self.row(family.name, name):

                def look(packet: Packet = packet) -> list[Member]:
                    self.teach(family, {NEAR: 100, NEAR_2: 150})
                    before = self.asked(family, numbers)
                    self.carry_all([packet], NEAR_PORT)
                    return [*before, *self.asked(family, numbers)]

                self.assertEqual(
                    self.while_fresh(family, look), [NEAR] * len(numbers) + [NEAR_2] * len(numbers)
                )


class NotLearnt(ChooseTest):
    """What is no true response of a member tells no load."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family)
        true = {"affinity": cookie(NEAR), "report_load": 255}
        for name, packet in {
            "forged": response(family, NEAR, b"", affinity=cookie(NEAR) ^ 1, report_load=255),
            "another's": response(family, NEAR_2, b"", **true),
            "a NACK": response(family, NEAR, b"", kind=Kind.NACK, **true),
            "another version": response(family, NEAR, b"", version=2, **true),
        }.items():
            with self.row(family.name, name):

                def look(packet: Packet = packet) -> list[Member]:
                    self.teach(family, {NEAR: 100, NEAR_2: 150})
                    self.carry_all([packet], NEAR_PORT)
                    return self.asked(family, numbers)

                self.assertEqual(set(self.while_fresh(family, look)), {NEAR})
