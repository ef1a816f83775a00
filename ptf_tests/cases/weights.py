"""Weights that change under traffic: a one-shot MODIFY loses no packet and holds for the next one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
    ROUTER,
    TO_CORE,
    TO_CORE_2,
    TO_NEAR,
    Family,
    cookie,
    route,
    service,
)
from ptf_tests.packets import bound, flows, nack, request

PACKETS = 1500
FEWEST_CHANGES = 50


class WeightsTest(CfnTest):
    """A test with somebody who keeps changing an entry."""

    @contextmanager
    def changing(self, *states: Entry) -> Iterator[None]:
        """Write the states in turn, as fast as the switch takes them, `FEWEST_CHANGES` times at least."""
        stop, changes, failures = threading.Event(), 0, list[Exception]()

        def change() -> None:
            nonlocal changes
            try:
                while not stop.is_set():
                    self.modify(states[changes % len(states)])
                    changes += 1
            except Exception as error:
                failures.append(error)

        writer = threading.Thread(target=change)
        writer.start()
        try:
            yield
        finally:
            stop.set()
            writer.join()
        self.assertEqual(failures, [])
        self.assertGreater(changes, FEWEST_CHANGES)


class HoldsAtOnce(CfnTest):
    """The first packet after the switch has answered goes by the new weights."""

    @each_family
    def runTest(self, family: Family) -> None:
        group = service(family, "vision/*", (NEAR.bind(), 1))
        self.insert(group)
        for _ in range(20):
            for instance, next_hop in ((FAR, TO_CORE), (NEAR_2, TO_NEAR)):
                self.modify(group.weighing((instance.bind(), 1)))
                sent = request(family)
                self.carry(
                    sent, bound(sent, family, instance, cookie(instance), next_hop), next_hop, "BOUND_NEW"
                )
        self.modify(group.weighing((Call("no_capacity", {"retry_after_ms": 20}), 1)))
        sent = request(family)
        self.carry(sent, nack(sent, family, NackCode.NO_CAPACITY, 20), CLIENT_PORT, "NACK_NO_CAPACITY")


class NoRequestLost(WeightsTest):
    """While instances come, go and change their weights, each request is bound to one of the group."""

    @each_family
    def runTest(self, family: Family) -> None:
        group = service(family, "vision/*", (NEAR.bind(), 1))
        self.insert(group)
        states = (
            group.weighing((NEAR.bind(), 1)),
            group.weighing((FAR.bind(), 1)),
            group.weighing((NEAR.bind(), 100), (NEAR_2.bind(), 100), (FAR.bind(), 56)),
            group.weighing((NEAR_2.bind(), 3), (FAR.bind(), 1)),
        )
        with self.changing(*states):
            out = [
                frame for frames in range(PACKETS // 500) for _, frame in self.carry_all(flows(family, 500))
            ]
        self.expect_outcomes(BOUND_NEW=PACKETS)
        found = {Ether(frame)[family.header].dst for frame in out}
        self.assertEqual(found, {instance.address(family) for instance in (NEAR, NEAR_2, FAR)})


class NoSessionMoved(WeightsTest):
    """Requests with a cookie go to their instance, whatever becomes of the weights."""

    @each_family
    def runTest(self, family: Family) -> None:
        group = service(family, "vision/*", (NEAR.bind(), 1))
        self.insert(group)
        session = request(family, b"", affinity=cookie(FAR))
        with self.changing(
            group.weighing((NEAR_2.bind(), 1)), group.weighing((NEAR.bind(), 3), (NEAR_2.bind(), 1))
        ):
            ports = {port for port, _ in self.carry_all([bytes(session)] * PACKETS)}
        self.expect_outcomes(BOUND_BY_COOKIE=PACKETS)
        self.assertEqual(ports, {TO_CORE.port})


class NoRoutedPacketLost(WeightsTest):
    """The same for the next hops of a route."""

    rows = ROUTER

    @each_family
    def runTest(self, family: Family) -> None:
        prefix = f"{family.multipath}/{128 if family.is_ipv6 else 32}"
        both = route(family, prefix, TO_CORE, TO_CORE_2)
        self.insert(both)
        packets = flows(family, PACKETS // 2, dst=family.multipath)
        with self.changing(route(family, prefix, TO_CORE), route(family, prefix, TO_CORE_2), both):
            ports = {port for port, _ in self.carry_all(packets + packets)}
        self.expect_outcomes(ROUTED=len(packets) * 2)
        self.assertEqual(ports, {CORE_PORT, CORE_PORT_2})
