"""Choose: of the member that is drawn and its rivals, the one that should answer first gets the request."""

from __future__ import annotations

from collections import Counter
from itertools import count, permutations, product

from scapy.layers.l2 import Ether

from cfn.scapy_layer import CFN
from ptf_tests.base import each_family
from ptf_tests.choices import BATCH, MEMBERS, NEAR_3, ChooseTest, chosen_by, raced
from ptf_tests.entries import Call, bound_count
from ptf_tests.network import (
    CLIENT_PORT,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    NO_RIVALS,
    TO_CORE,
    TO_NEAR,
    Family,
    Member,
    cookie,
    known,
    sealed,
)
from ptf_tests.packets import bound, request
from ptf_tests.rivals import EACH_1_US, Expected, Rival

MOST_REQUESTS, LONGEST = 2**16 - 1, 2**32 - 1
"""The largest numbers that a response can tell and a row can say, in µs."""


class SoonerWins(ChooseTest):
    """What was drawn for the one that answers later goes to its rival; nothing moves the other way."""

    @each_family
    def runTest(self, family: Family) -> None:
        for one, other in ((NEAR, NEAR_2), (FAR, NEAR)):
            self.draw(family, raced(one, other), raced(other, one))
            drawn = self.drawn(family, range(BATCH))
            self.assertEqual(set(drawn), {one, other})
            for requests, taken in (
                ({one: 7, other: 7}, drawn),
                ({one: 8, other: 7}, [other] * BATCH),
                ({one: 7, other: 8}, [one] * BATCH),
            ):
                with self.row(family.name, requests.values()):
                    self.assertEqual(self.taught(family, requests, range(BATCH)), taken)


class BoundToRival(ChooseTest):
    """The request is rewritten to the rival, sealed for it, and counted at it."""

    @each_family
    def runTest(self, family: Family) -> None:
        for rival, next_hop in ((NEAR_2, TO_NEAR), (FAR, TO_CORE)):
            self.draw(family, raced(NEAR, rival))
            sent = request(family)
            before = bound_count(rival.slot)

            def look(sent: object = sent, rival: Member = rival) -> tuple[int, bytes]:
                self.teach(family, {NEAR: 200, rival: 50})
                self.send(sent)
                return self.receive()

            port, frame = self.while_fresh(family, look)
            expected = bound(sent, family, rival, sealed(rival), next_hop)
            expected[CFN].timestamp = Ether(frame)[CFN].timestamp
            self.assertEqual((port, frame), (next_hop.port, bytes(expected)))
            self.settle()
            packets, size = bound_count(rival.slot)
            self.assertGreater(packets, before[0])
            self.assertEqual(size - before[1], (packets - before[0]) * len(sent))


class CountedAsRival(ChooseTest):
    """What a rival won counts as that; with a worthless cookie, as what became of that."""

    @each_family
    def runTest(self, family: Family) -> None:
        for rival, (affinity, outcome) in product(
            (NEAR_2, FAR), ((0, "BOUND_TO_RIVAL"), (cookie(NEAR) ^ 1, "REBOUND_FORGED"))
        ):
            self.draw(family, raced(NEAR, rival))

            def look(affinity: int = affinity, rival: Member = rival) -> Counter[str]:
                self.teach(family, {NEAR: 255, rival: 0})
                self.settle()
                self.assertEqual(set(self.asked(family, range(6), affinity=affinity)), {rival})
                before, self.counted = self.counted, self.settled()
                return self.counted - before

            self.assertEqual(self.while_fresh(family, look), {outcome: 6})


class ByMoreThanLead(ChooseTest):
    """A rival must answer sooner by more than so many 256ths of the time, rounded down; 255 is never."""

    @each_family
    def runTest(self, family: Family) -> None:
        for lead, requests, rivals, member in (
            (0, 0, 0, NEAR),
            (0, 100, 101, NEAR),
            (0, 100, 100, NEAR),
            (0, 100, 99, NEAR_2),
            (1, 255, 254, NEAR_2),
            (1, 256, 255, NEAR),
            (1, 256, 254, NEAR_2),
            (16, 100, 94, NEAR),
            (16, 100, 93, NEAR_2),
            (16, 256, 240, NEAR),
            (16, 256, 239, NEAR_2),
            (128, MOST_REQUESTS, 32768, NEAR),
            (128, MOST_REQUESTS, 32767, NEAR_2),
            (254, 255, 2, NEAR),
            (254, 255, 1, NEAR_2),
            (NO_RIVALS, MOST_REQUESTS, 0, NEAR),
        ):
            with self.row(family.name, "lead", lead, "requests", requests, rivals):
                self.modify(chosen_by(lead))
                self.assertEqual(self.winner(family, {NEAR: requests, NEAR_2: rivals}), member)
        self.modify(chosen_by(0))


class LeadOfTheLongest(ChooseTest):
    """The lead is of the whole time, however long."""

    @each_family
    def runTest(self, family: Family) -> None:
        slowest = Expected(LONGEST, LONGEST)
        answer_us = slowest.answer_us(MOST_REQUESTS)
        self.modify(chosen_by(254))
        latest = answer_us - (answer_us * 254 >> 8)
        for rivals, member in ((latest, NEAR), (latest - 1, NEAR_2)):
            expected, requests = taking(rivals)
            self.draw(family, NEAR.bind(slowest, Rival(NEAR_2.slot, expected)))
            taken = self.winner(family, {NEAR: MOST_REQUESTS, NEAR_2: requests})
            self.assertEqual(taken, member)
        self.modify(chosen_by(0))


class WhatItTakes(ChooseTest):
    """An answer takes the base, and a unit for each request beyond those that are free: no less, no more."""

    @each_family
    def runTest(self, family: Family) -> None:
        for expected, requests, answer_us in (
            (Expected(7, 0, 0), 1000, 7),
            (Expected(1000, 10, 0), 0, 1000),
            (Expected(1000, 10, 0), 5, 1050),
            (Expected(1000, 10, 20), 5, 1030),
            (Expected(1000, 10, 50), 5, 1000),
            (Expected(1000, 10, 51), 5, 1000),
            (Expected(1000, 10, LONGEST), 5, 1000),
            (Expected(0, 2**16 + 1, 0), MOST_REQUESTS, LONGEST),
            (Expected(LONGEST, 2**16 + 1, 0), MOST_REQUESTS, 2 * LONGEST),
            (Expected(0, LONGEST, LONGEST), MOST_REQUESTS, LONGEST * (MOST_REQUESTS - 1)),
            (Expected(LONGEST, LONGEST, 0), MOST_REQUESTS, LONGEST * (MOST_REQUESTS + 1)),
        ):
            with self.row(family.name, *vars(expected).items(), "with", requests):
                sooner, same = taking(answer_us - 1), taking(answer_us)
                for member, rival, moves in (
                    ((expected, requests), same, False),
                    ((expected, requests), sooner, True),
                    (sooner, (expected, requests), False),
                    (same, (expected, requests), False),
                ):
                    self.race(family, member, rival, moves)
                if answer_us < LONGEST * (MOST_REQUESTS + 1):
                    self.race(family, taking(answer_us + 1), (expected, requests), True)

    def race(
        self, family: Family, member: tuple[Expected, int], rival: tuple[Expected, int], moves: bool
    ) -> None:
        """Draw a member, with each rival's place in turn, and look who gets the request."""
        nobody = Rival(NEAR.slot)
        for before in range(3):
            there = [nobody] * before
            self.draw(family, NEAR.bind(member[0], *there, Rival(NEAR_2.slot, rival[0])))
            taken = self.winner(family, {NEAR: member[1], NEAR_2: rival[1]})
            self.assertEqual(taken, NEAR_2 if moves else NEAR, f"{member} against {rival}, place {before}")


class FirstOfAll(ChooseTest):
    """Of three rivals the one that answers first; of those that answer at the same time, the first named."""

    @each_family
    def runTest(self, family: Family) -> None:
        rivals = (Rival(member.slot) for member in MEMBERS[1:])
        self.draw(family, NEAR.bind(EACH_1_US, *rivals))
        for answers in (
            *permutations((10, 20, 30, 40)),
            (10, 10, 10, 10),
            (20, 10, 10, 10),
            (20, 20, 10, 10),
            (20, 30, 20, 19),
            (20, 15, 18, 12),
        ):
            with self.row(family.name, *answers):
                taken = self.winner(family, dict(zip(MEMBERS, answers, strict=True)))
                self.assertEqual(taken, MEMBERS[answers.index(min(answers))])


class LeadOfTheMemberDrawn(ChooseTest):
    """Against each other rivals need no lead."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.draw(family, NEAR.bind(EACH_1_US, *(Rival(member.slot) for member in MEMBERS[1:])))
        self.modify(chosen_by(128))
        for answers, member in (
            ((100, 50, 51, 90), NEAR),
            ((100, 60, 49, 48), FAR),
            ((100, 49, 48, 50), NEAR_3),
            ((100, 49, 50, 49), NEAR_2),
        ):
            with self.row(family.name, *answers):
                self.assertEqual(self.winner(family, dict(zip(MEMBERS, answers, strict=True))), member)
        self.modify(chosen_by(0))


class NotItsOwnRival(ChooseTest):
    """A rival in the slot of the member drawn is none, whatever is said of it."""

    @each_family
    def runTest(self, family: Family) -> None:
        itself, other = Rival(NEAR.slot, Expected(0, 0, 0)), Rival(NEAR_2.slot)
        for rivals in ((itself, other), (itself, itself, other), (other, itself), (other, itself, itself)):
            self.draw(family, NEAR.bind(EACH_1_US, *rivals))
            self.assertEqual(self.winner(family, {NEAR: 100, NEAR_2: 50}), NEAR_2)


class UnknownRival(ChooseTest):
    """The member drawn keeps a request that a rival without a row would win, and counts it."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.draw(family, NEAR.bind(EACH_1_US, Rival(NEAR_2.slot, Expected(50))))

        def look() -> tuple[list[Member], Counter[str], list[Member]]:
            self.delete(NEAR_2.rival())
            self.teach(family, {NEAR: 101, NEAR_2: 50})
            self.settle()
            alone = self.asked(family, [1])
            before, self.counted = self.counted, self.settled()
            self.insert(NEAR_2.rival())
            self.teach(family, {NEAR_2: 52})
            return alone, self.counted - before, [*self.asked(family, [2]), *self.asked(family, [3])]

        # 101 against 100; then 102 against 102, and 103 against 102.
        found = self.while_fresh(family, look)
        self.assertEqual(found, ([NEAR], Counter(BOUND_NEW=1), [NEAR, NEAR_2]))


class FlowsStay(ChooseTest):
    """Where flows are drawn, all requests of one go to the same member while the members' are the same."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.modify(chosen_by(0, per_request=0))
        self.draw(family, raced(NEAR, NEAR_2), raced(NEAR_2, FAR))
        ways = Counter[tuple[Member, ...]]()
        for sport in range(6000, 6024):
            way: list[Member] = []
            for requests in ({NEAR: 5, NEAR_2: 5, FAR: 5}, {NEAR: 6, NEAR_2: 5, FAR: 4}):
                taken = self.taught(family, requests, range(8), sport=sport)
                self.assertEqual(len(set(taken)), 1, f"port {sport} with {requests}: {taken}")
                way.append(taken[0])
            ways[tuple(way)] += 1
        self.assertEqual(set(ways), {(NEAR, NEAR_2), (NEAR_2, FAR)})
        self.modify(chosen_by(0))


class RivalRemembered(ChooseTest):
    """A flow that is remembered stays at the rival that won its first request."""

    fresh = True

    @each_family
    def runTest(self, family: Family) -> None:
        self.modify(known("vision/detect", lead=0, flow_s=255))
        ports = count(7000)

        def look() -> tuple[list[Member], Counter[str]]:
            self.settle()
            sport = next(ports)
            self.teach(family, {NEAR: 100, NEAR_2: 50})
            first = self.asked(family, [1], sport=sport)
            self.teach(family, {NEAR: 50, NEAR_2: 100})
            later = self.asked(family, [2], sport=sport)
            before, self.counted = self.counted, self.settled()
            return [*first, *later], self.counted - before

        counted = Counter(RESPONDED=4, BOUND_TO_RIVAL=1, BOUND_BY_FLOW=1)
        self.assertEqual(self.while_fresh(family, look), ([NEAR_2, NEAR_2], counted))
        self.modify(chosen_by(0))


class CookieFirst(ChooseTest):
    """A session stays where it is, whatever its member has."""

    @each_family
    def runTest(self, family: Family) -> None:
        requests: dict[Member, int] = {NEAR: 255, NEAR_2: 0}
        taken = self.taught(family, requests, range(BATCH), affinity=cookie(NEAR))
        self.assertEqual(set(taken), {NEAR})


class RefusedAlike(ChooseTest):
    """What is refused by weight is so whatever the members have."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.draw(family, raced(NEAR, NEAR_2), Call("shed", {"retry_after_ms": 10}))
        packets = [request(family, b"", request_id=number) for number in range(BATCH)]

        def ways() -> set[tuple[int, int]]:
            self.teach(family, {NEAR: 255, NEAR_2: 0})
            return {(port, Ether(frame)[CFN].request_id) for port, frame in self.carry_all(packets)}

        found = self.while_fresh(family, ways)
        self.assertEqual({port for port, _ in found}, {NEAR_PORT, CLIENT_PORT})
        self.modify(chosen_by(NO_RIVALS))
        self.assertEqual(found, ways())
        self.modify(chosen_by(0))


def taking(answer_us: int) -> tuple[Expected, int]:
    """A member that takes so long, and the requests that it has."""
    base = min(answer_us, LONGEST)
    unit = -((base - answer_us) // MOST_REQUESTS)
    free = unit * MOST_REQUESTS - (answer_us - base)
    return Expected(base, unit, free), MOST_REQUESTS
