"""Loads: how long what a response told of requests counts, what they add, and which responses tell."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import count

from scapy.packet import Packet

from cfn.extensions import ExtensionType
from cfn.wire import Kind
from ptf_tests.base import each_family
from ptf_tests.choices import LOAD_EXPIRY_US, PATIENCE_S, ChooseTest, raced
from ptf_tests.network import (
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    SEGMENT,
    Family,
    Member,
    cookie,
)
from ptf_tests.packets import chain, response
from ptf_tests.rivals import EACH_1_US, Expected, Rival

MOST_REQUESTS = 2**16 - 1


class StaleMember(ChooseTest):
    """A member whose number is stale is asked once; until it answers, one more counts on."""

    @each_family
    def runTest(self, family: Family) -> None:
        for requests, other, member in (
            (100, 101, NEAR),
            (100, 100, NEAR_2),
            (0, 1, NEAR),
            (0, 0, NEAR_2),
            (MOST_REQUESTS, MOST_REQUESTS, NEAR),
            (MOST_REQUESTS, MOST_REQUESTS - 1, NEAR_2),
        ):
            with self.row(family.name, requests, "and one, against", other):
                deadline = time.monotonic() + PATIENCE_S
                while True:
                    self.teach(family, {NEAR: requests})
                    self.grow_stale(family)
                    start = self.clock(family)
                    self.teach(family, {NEAR_2: other})
                    taken = [*self.asked(family, [1]), *self.asked(family, [2])]
                    if (self.clock(family) - start) % 2**32 < LOAD_EXPIRY_US:
                        break
                    self.assertLess(time.monotonic(), deadline)
                self.assertEqual(taken, [NEAR, member])


class UnderWay(ChooseTest):
    """A request counts at its member, drawn or rival, until a response tells anew."""

    @each_family
    def runTest(self, family: Family) -> None:
        def look() -> list[Member]:
            self.teach(family, {NEAR: 100, NEAR_2: 100})
            taken = [member for number in range(4) for member in self.asked(family, [number])]
            self.teach(family, {NEAR: 103})
            taken += self.asked(family, [4])
            self.teach(family, {NEAR: 103})
            return [*taken, *self.asked(family, [5])]

        # 100 against 100, 101 against 100, 101 against 101, 102 against 101; then 103 against 102 and 103.
        self.assertEqual(self.while_fresh(family, look), [NEAR, NEAR_2, NEAR, NEAR_2, NEAR_2, NEAR])


class MostUnderWay(ChooseTest):
    """A number that can't grow stays."""

    @each_family
    def runTest(self, family: Family) -> None:
        def look() -> list[Member]:
            self.teach(family, {NEAR: MOST_REQUESTS, NEAR_2: MOST_REQUESTS})
            taken = self.asked(family, [1])
            self.teach(family, {NEAR_2: MOST_REQUESTS - 1})
            return [*taken, *self.asked(family, [2]), *self.asked(family, [3])]

        # As many at both; one less at the rival; then as many again.
        self.assertEqual(self.while_fresh(family, look), [NEAR, NEAR_2, NEAR])


class AskedIsNotTold(ChooseTest):
    """What a member was told to have grows stale though it is asked meanwhile."""

    @each_family
    def runTest(self, family: Family) -> None:
        for stale, other, then, taken in (
            (NEAR_2, NEAR, 50, [NEAR_2, NEAR]),
            (NEAR, NEAR_2, 0, [NEAR, NEAR]),
        ):
            deadline = time.monotonic() + PATIENCE_S
            while True:
                self.teach(family, {stale: 5})
                start = self.clock(family)
                self.run_clock(family, start, LOAD_EXPIRY_US // 2)
                asked = self.clock(family)
                self.teach(family, {other: 50})
                found = self.asked(family, [1])
                in_time = (self.clock(family) - start) % 2**32 < LOAD_EXPIRY_US
                self.run_clock(family, start, LOAD_EXPIRY_US)
                self.teach(family, {other: then})
                found += self.asked(family, [2])
                if in_time and (self.clock(family) - asked) % 2**32 < LOAD_EXPIRY_US:
                    break
                self.assertLess(time.monotonic(), deadline)
            self.assertEqual(found, taken)


class StaleRival(ChooseTest):
    """A rival whose number is stale wins nothing, however low it was, and keeps no other from it."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.teach(family, {NEAR_2: 0})
        self.grow_stale(family)
        self.assertEqual(self.winner(family, {NEAR: 255}), NEAR)
        for rivals in ((NEAR_2, FAR), (FAR, NEAR_2)):
            self.draw(family, NEAR.bind(EACH_1_US, *(Rival(member.slot) for member in rivals)))
            self.assertEqual(self.winner(family, {NEAR: 255, FAR: 254}), FAR)


class NeverTold(ChooseTest):
    """What was never told is stale: a member is asked, and a rival wins nothing."""

    fresh = True

    @each_family
    def runTest(self, family: Family) -> None:
        self.run_clock(family, 0, LOAD_EXPIRY_US)
        slots = count(100 * (1 + family.is_ipv6))

        def member() -> list[Member]:
            never_told = replace(NEAR, slot=next(slots))
            self.draw(family, never_told.bind(Expected(100), Rival(NEAR_2.slot)))
            self.teach(family, {NEAR_2: 0})
            return [*self.asked(family, [1]), *self.asked(family, [2])]

        def rival() -> list[Member]:
            never_told = replace(NEAR_2, slot=next(slots))
            self.insert(never_told.rival())
            self.draw(family, raced(NEAR, never_told))
            self.teach(family, {NEAR: 255})
            return self.asked(family, [1])

        self.assertEqual(self.while_fresh(family, member), [NEAR, NEAR_2])
        self.assertEqual(self.while_fresh(family, rival), [NEAR])


class Learnt(ChooseTest):
    """Numbers are learnt too from what goes to another router, goes on as a request, or breaks a chain."""

    @each_family
    def runTest(self, family: Family) -> None:
        told = {"affinity": cookie(NEAR), "report_queue": 200}
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
                    before = self.asked(family, [1])
                    self.carry_all([packet], NEAR_PORT)
                    return [*before, *self.asked(family, [1])]

                self.assertEqual(self.while_fresh(family, look), [NEAR, NEAR_2])


class NotLearnt(ChooseTest):
    """What is no true response of a member tells nothing."""

    @each_family
    def runTest(self, family: Family) -> None:
        true = {"affinity": cookie(NEAR), "report_queue": 255}
        for name, packet in {
            "forged": response(family, NEAR, b"", affinity=cookie(NEAR) ^ 1, report_queue=255),
            "another's": response(family, NEAR_2, b"", **true),
            "a NACK": response(family, NEAR, b"", kind=Kind.NACK, **true),
            "another version": response(family, NEAR, b"", version=2, **true),
        }.items():
            with self.row(family.name, name):

                def look(packet: Packet = packet) -> list[Member]:
                    self.teach(family, {NEAR: 100, NEAR_2: 150})
                    self.carry_all([packet], NEAR_PORT)
                    return self.asked(family, [1])

                self.assertEqual(set(self.while_fresh(family, look)), {NEAR})
