"""Nack: a refused request goes back as its bare base header with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

from cfn.extensions import ExtensionType
from cfn.scapy_layer import CFN, CFNExtension
from cfn.wire import Kind, NackCode
from ptf_tests.base import CfnTest
from ptf_tests.entries import Call, Entry
from ptf_tests.network import (
    CLIENT_PORT,
    CORE_PORT,
    FAMILIES,
    FAR,
    NEAR,
    NO_IPV4,
    NO_IPV6,
    PRIVATE,
    ROUTER,
    SEGMENT,
    UNKNOWN,
    cookie,
    service,
    service_row,
)
from ptf_tests.packets import auth, chain, nack, request, residuals, trace

RETRY_AFTER_MS = 250
BY_TYPE = (
    (ExtensionType.AUTH, auth()),
    (ExtensionType.CHAIN, chain(SEGMENT)),
    (ExtensionType.CHAIN, chain(*[SEGMENT] * 8)),
    (ExtensionType.TRACE, trace(3)),
)


@dataclass(frozen=True)
class Reason:
    """A code, and a request that is refused with it."""

    code: NackCode
    fields: dict[str, Any]
    retry_after_ms: int = 0

    @property
    def outcome(self) -> str:
        return f"NACK_{self.code.name}"


REASONS = (
    Reason(NackCode.UNKNOWN_FUNCTION, {"func_id": UNKNOWN}),
    Reason(NackCode.NOT_PERMITTED, {"func_id": PRIVATE, "tenant": 99}),
    Reason(NackCode.NO_CAPACITY, {}, RETRY_AFTER_MS),
    Reason(NackCode.DEMAND_UNMET, {"func_id": SEGMENT}),
    Reason(NackCode.HOP_LIMIT, {"hops": 0}),
    Reason(NackCode.MALFORMED, {"kind": Kind.PROBE}),
)
ROWS: Sequence[Entry] = (
    *ROUTER,
    *(
        service_row(family, "vision/detect", Call("no_capacity", {"retry_after_ms": RETRY_AFTER_MS}))
        for family in FAMILIES
    ),
)


class NackTest(CfnTest):
    """A test with one refused request a reason."""

    rows = ROWS

    def expect_nack(self, sent: Any, family: Any, reason: Reason, port: int = CLIENT_PORT) -> None:
        """The refusal comes back, and its checksums hold."""
        answer = nack(sent, family, reason.code, reason.retry_after_ms)
        received = self.carry(sent, answer, port, reason.outcome, port)
        self.assertEqual(residuals(received), {"udp": 0} if family.is_ipv6 else {"ipv4": 0, "udp": 0})


class EachCode(NackTest):
    """Every code, with payloads of odd and even sizes, larger and smaller than what is cut off."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for reason in REASONS:
                for size in (0, 1, 2, 3, 17, 1300):
                    with self.row(family.name, reason.code.name, "payload of", size):
                        self.expect_nack(request(family, b"\xa5" * size, **reason.fields), family, reason)


class WithExtensions(NackTest):
    """Extensions are cut off, and length and next say so."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for reason in REASONS:
                with self.row(family.name, reason.code.name):
                    for first, extension in BY_TYPE:
                        self.expect_nack(
                            request(family, extension / b"odd", next=first, **reason.fields), family, reason
                        )
                    every = auth(1) / chain(SEGMENT, PRIVATE, following=3) / trace(1, 200)
                    every = every / CFNExtension(body=bytes(range(10))) / b"input"
                    self.expect_nack(request(family, every, next=2, **reason.fields), family, reason)
                    unknown = CFNExtension(body=bytes(range(10))) / b"input"
                    self.expect_nack(request(family, unknown, next=200, **reason.fields), family, reason)


class HeaderEchoed(NackTest):
    """All that the client said comes back, so that it can tell which of its requests was refused, and why."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for reason in REASONS:
                for byte in (0x00, 0xFF):
                    with self.row(family.name, reason.code.name, byte):
                        fields = {
                            "flags": byte,
                            "priority": byte,
                            "request_id": byte * 0x01010101,
                            "timestamp": byte * 0x01010101,
                            "affinity": cookie(FAR) ^ 1 if byte else 0,
                            "data_in": bytes([byte]) * 16,
                            "data_out": bytes([byte]) * 16,
                            "demand_type": byte & 0xF,
                            "demand_grade": byte & 0xF,
                            "demand_latency_ms": byte * 0x0101,
                            "demand_cost_ceiling": byte,
                            "report_load": byte,
                            "report_queue": byte * 0x0101,
                        }
                        self.expect_nack(request(family, **fields | reason.fields), family, reason)


class IpHeaderFresh(NackTest):
    """The answer has a hop count of its own; a request without UDP checksum gets an answer with one."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for reason in REASONS:
                with self.row(family.name, reason.code.name):
                    for ttl in (2, 255):
                        self.expect_nack(request(family, ttl=ttl, **reason.fields), family, reason)
                    sent = request(family, **reason.fields)
                    sent[UDP].chksum = 0
                    self.expect_nack(sent, family, reason)


class WhereItCame(NackTest):
    """The answer leaves through the port and to the station that the request came from, without a route."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for reason in REASONS:
                with self.row(family.name, reason.code.name):
                    sent = request(family, src=family.nowhere, sport=53, **reason.fields)
                    sent[Ether].src = "02:00:00:00:77:77"
                    self.expect_nack(sent, family, reason, CORE_PORT)


class OtherKinds(NackTest):
    """Of what is sent to the anycast address only requests are bound; responses are never answered."""

    def runTest(self) -> None:
        for family in FAMILIES:
            for kind in range(16):
                with self.row(family.name, "kind", kind):
                    sent = request(family, kind=kind)
                    if kind == Kind.REQUEST:
                        self.expect_nack(sent, family, REASONS[2])
                    elif kind in {Kind.RESPONSE, Kind.NACK}:
                        self.refuse(sent, "DROP_STRAY")
                    else:
                        self.expect_nack(sent, family, REASONS[-1])


class OwnAnswer(NackTest):
    """The router's own NACK, sent back to it, is dropped."""

    def runTest(self) -> None:
        for family in FAMILIES:
            with self.row(family.name):
                sent = request(family)
                self.send(sent)
                _, answer = self.receive()
                self.expect_outcomes(NACK_NO_CAPACITY=1)
                back = Ether(answer)
                back[Ether].src, back[Ether].dst = back[Ether].dst, back[Ether].src
                back[family.header].dst, back[UDP].dport = family.anycast, 23793
                del back[UDP].chksum
                if not family.is_ipv6:
                    del back[family.header].chksum
                self.refuse(back, "DROP_STRAY")


class BindingUndone(CfnTest):
    """A request that was bound before its way proved missing comes back with its own cookie and stamp."""

    def runTest(self) -> None:
        nowhere = {"v4": ("10.9.0.1", NO_IPV6), "v6": (NO_IPV4, "fd00:9::1")}
        for family in FAMILIES:
            for affinity in (0, cookie(NEAR) ^ 1, cookie(NEAR)):
                with self.row(family.name, f"{affinity:#x}"):
                    call = NEAR.bind()
                    ipv4, ipv6 = nowhere[family.name]
                    lost = Call(call.action, dict(call.params) | {"ipv4": ipv4, "ipv6": ipv6})
                    group = service(family, "vision/*", (lost, 1))
                    self.insert(*group)
                    live = NEAR.live()
                    self.delete(live)
                    sent = request(family, affinity=affinity, hops=1, timestamp=77, report_queue=9)
                    answer = nack(sent, family, NackCode.NO_CAPACITY)
                    received = self.carry(sent, answer, CLIENT_PORT, "NACK_NO_CAPACITY")
                    self.assertEqual(Ether(received)[CFN].affinity, affinity)
                    self.insert(live)
                    self.delete(*group)
