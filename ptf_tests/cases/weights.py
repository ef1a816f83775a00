"""Weights that change under traffic: a one-shot MODIFY loses no packet and holds for the next one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle

from scapy.layers.l2 import Ether

from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import Call, Entry
from ptf_tests.network import (
    CLIENT_PORT,
    CORE_PORT,
    CORE_PORT_2,
    FAR,
    NEAR,
    NEAR_2,
    TO_CORE,
    TO_CORE_2,
    TO_NEAR,
    Family,
    cookie,
    draw,
    route,
    sealed,
    service,
)
from ptf_tests.packets import bound, flows, nack, request

BATCH = 300
FEWEST_CHANGES = 60


class WeightsTest(CfnTest):
    """A test with somebody who keeps changing entries while packets pass."""

    def carry_while_changing(
        self, packets: Sequence[bytes], *states: Sequence[Entry]
    ) -> list[tuple[int, bytes]]:
        """Send the packets over and over until entries have been given their states often enough, in turn."""
        enough, stopped = threading.Event(), threading.Event()

        def change() -> None:
            for changes, state in zip(count(1), cycle(states)):
                self.modify(*state)
                if changes >= FEWEST_CHANGES:
                    enough.set()
                if stopped.is_set():
                    return

        out: list[tuple[int, bytes]] = []
        with ThreadPoolExecutor(max_workers=1) as pool:
            writer = pool.submit(change)
            try:
                while not enough.is_set() and not writer.done():
                    out += self.carry_all(packets)
            finally:
                stopped.set()
            writer.result()
        return out


class HoldsAtOnce(CfnTest):
    """The first packet after the switch has answered goes by the new weights."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", (NEAR.bind(), 1)))
        for _ in range(20):
            for member, next_hop in ((FAR, TO_CORE), (NEAR_2, TO_NEAR)):
                self.modify(draw(family, "vision/*", (member.bind(), 1)))
                sent = request(family)
                self.carry(sent, bound(sent, family, member, sealed(member), next_hop), next_hop, "BOUND_NEW")
        self.modify(draw(family, "vision/*", (Call("shed", {"retry_after_ms": 20}), 1)))
        sent = request(family)
        self.carry(sent, nack(sent, family, NackCode.NO_CAPACITY, 20), CLIENT_PORT, "NACK_NO_CAPACITY")


class NoRequestLost(WeightsTest):
    """While members come, go and change their weights, each request is bound to one of the group."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", (NEAR.bind(), 1)))
        out = self.carry_while_changing(
            flows(family, BATCH),
            (draw(family, "vision/*", (NEAR.bind(), 1)),),
            (draw(family, "vision/*", (FAR.bind(), 1)),),
            (draw(family, "vision/*", (NEAR.bind(), 100), (NEAR_2.bind(), 100), (FAR.bind(), 56)),),
            (draw(family, "vision/*", (NEAR_2.bind(), 3), (FAR.bind(), 1)),),
        )
        self.expect_outcomes(BOUND_NEW=len(out))
        found = {Ether(frame)[family.header].dst for _, frame in out}
        self.assertEqual(found, {member.address(family) for member in (NEAR, NEAR_2, FAR)})


class NoSessionMoved(WeightsTest):
    """Requests with a cookie go to their instance, whatever becomes of the weights."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(*service(family, "vision/*", (NEAR.bind(), 1)))
        out = self.carry_while_changing(
            [bytes(request(family, b"", affinity=cookie(FAR)))] * BATCH,
            (draw(family, "vision/*", (NEAR_2.bind(), 1)),),
            (draw(family, "vision/*", (NEAR.bind(), 3), (NEAR_2.bind(), 1)),),
        )
        self.expect_outcomes(BOUND_BY_COOKIE=len(out))
        self.assertEqual({port for port, _ in out}, {TO_CORE.port})


class NoRoutedPacketLost(WeightsTest):
    """The same for the next hops of a route."""

    @each_family
    def runTest(self, family: Family) -> None:
        prefix = f"{family.multipath}/{128 if family.is_ipv6 else 32}"
        both = route(family, prefix, TO_CORE, TO_CORE_2)
        self.insert(both)
        out = self.carry_while_changing(
            flows(family, BATCH, dst=family.multipath),
            (route(family, prefix, TO_CORE),),
            (route(family, prefix, TO_CORE_2),),
            (both,),
        )
        self.expect_outcomes(ROUTED=len(out))
        self.assertEqual({port for port, _ in out}, {CORE_PORT, CORE_PORT_2})
