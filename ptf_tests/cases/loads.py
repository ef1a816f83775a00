"""Loads: how long what a response told counts, and which responses tell."""

from __future__ import annotations

import time
from dataclasses import replace

from scapy.packet import Packet

from cfn.extensions import ExtensionType
from cfn.wire import Kind
from ptf_tests.base import each_family
from ptf_tests.choices import BATCH, LOAD_EXPIRY_US, PATIENCE_S, UNDER_WAY, ChooseTest, chosen_by
from ptf_tests.network import (
    FAMILIES,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    ROUTER,
    SEGMENT,
    Family,
    Member,
    cookie,
    service,
)
from ptf_tests.packets import chain, response


class StaleFirst(ChooseTest):
    """A member whose load is stale is asked once; until it answers, the old load and a little counts on."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family, 2)
        for load, other, member in (
            (100, 100 + UNDER_WAY, NEAR),
            (100, 99 + UNDER_WAY, NEAR_2),
            (240, 254, NEAR_2),
            (0, UNDER_WAY, NEAR),
            (0, UNDER_WAY - 1, NEAR_2),
        ):
            with self.row(family.name, load, "raised, against", other):
                deadline = time.monotonic() + PATIENCE_S
                while True:
                    self.teach(family, {NEAR: load})
                    self.grow_stale(family)
                    start = self.clock(family)
                    self.teach(family, {NEAR_2: other})
                    asked_first = self.asked(family, numbers[:1])
                    then = self.asked(family, numbers[1:])
                    if (self.clock(family) - start) % 2**32 < LOAD_EXPIRY_US:
                        break
                    self.assertLess(time.monotonic(), deadline)
                self.assertEqual(asked_first, [NEAR])
                self.assertEqual(then, [member])


class UnderWay(ChooseTest):
    """A request raises its member's load, first draw or second, until a response tells it anew."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family, 4)

        def look() -> list[Member]:
            self.teach(family, {NEAR: 100, NEAR_2: 99 + UNDER_WAY})
            taken = self.asked(family, numbers)
            self.teach(family, {NEAR: 99 + UNDER_WAY})
            return [*taken, *self.asked(family, numbers[:1])]

        # 100 against 131, 132 against 131, 132 against 163, 164 against 163; then 131 against 195.
        self.assertEqual(self.while_fresh(family, look), [NEAR, NEAR_2, NEAR, NEAR_2, NEAR])


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
        numbers = self.movable(family, 1)
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

                self.assertEqual(self.while_fresh(family, look), [NEAR, NEAR_2])


class NotLearnt(ChooseTest):
    """What is no true response of a member tells no load."""

    @each_family
    def runTest(self, family: Family) -> None:
        numbers = self.movable(family, 1)
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
