"""Choose: of two draws by weight, the one whose load was lower in its last response gets the request."""

from __future__ import annotations

from collections import Counter

from scapy.layers.l2 import Ether

from cfn.scapy_layer import CFN
from ptf_tests.base import each_family
from ptf_tests.choices import BATCH, CRITICAL, ChooseTest, chosen_by
from ptf_tests.entries import Call
from ptf_tests.network import (
    CLIENT_PORT,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    NO_SECOND_DRAW,
    TO_NEAR,
    Family,
    Member,
    cookie,
    draws,
)
from ptf_tests.packets import bound, request


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
                self.teach(family, {NEAR: 255, NEAR_2: 0})
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
