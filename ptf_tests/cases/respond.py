"""Respond: at the client's edge a response gets the anycast address back, and the router learns from it."""

from __future__ import annotations

import time
from dataclasses import replace

from p4.v1 import p4data_pb2
from p4.v1 import p4runtime_pb2 as p4rt
from p4runtime_sh import shell
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.scapy_layer import CFN
from cfn.wire import Kind, NackCode, Status
from ptf_tests.base import TIMEOUT, CfnTest, each_family
from ptf_tests.choices import LOAD_EXPIRY_US
from ptf_tests.entries import default
from ptf_tests.network import (
    CORE_PORT,
    CORE_PORT_2,
    FAMILIES,
    FAR,
    HOME,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    NO_IPV4,
    NO_IPV6,
    ROUTER,
    SEGMENT,
    SERVICES,
    TENANT,
    TO_CLIENT,
    TO_CORE,
    Family,
    Remote,
    cookie,
)
from ptf_tests.packets import forwarded, relayed, request, residuals, response, restored

LONGEST_RESPONSE_US = 1 << 24
REPORT_INTERVAL_US = 100_000
"""Both as in respond.p4."""


class Restored(CfnTest):
    """The source is the anycast address again; all else is as the instance sent it."""

    @each_family
    def runTest(self, family: Family) -> None:
        for instance, port in ((NEAR, NEAR_PORT), (FAR, CORE_PORT)):
            for status in Status:
                sent = response(
                    family, instance, affinity=cookie(instance), report_status=status, report_load=9
                )
                received = self.carry(sent, restored(sent, family), TO_CLIENT, "RESPONDED", port)
                self.assertEqual(set(residuals(received).values()), {0})


class NotAtTheEdge(CfnTest):
    """From another router to another a response stays as it is."""

    @each_family
    def runTest(self, family: Family) -> None:
        for member, affinity in ((FAR, cookie(FAR)), (FAR, 0), (NEAR, 0)):
            sent = response(family, member, affinity=affinity)
            sent[family.header].dst = family.passing
            self.carry(sent, forwarded(sent, TO_CORE), TO_CORE, "RESPONSE_PASSED", CORE_PORT_2)


class Relayed(CfnTest):
    """On its way from its site's router to another, a response gets the site's address and nothing else."""

    @each_family
    def runTest(self, family: Family) -> None:
        for status in Status:
            for size in (0, 1, 700):
                fields = {"report_status": status, "report_load": 9, "timestamp": 12345}
                sent = response(family, NEAR, bytes(size), affinity=cookie(NEAR), **fields)
                sent[family.header].dst = family.passing
                received = self.carry(sent, relayed(sent, family), TO_CORE, "RESPONSE_RELAYED", NEAR_PORT)
                self.assertEqual(set(residuals(received).values()), {0})


class Unverified(CfnTest):
    """Responses whose cookie is not true, or that another address sends, are passed on untouched."""

    @each_family
    def runTest(self, family: Family) -> None:
        true = cookie(NEAR)
        for name, sent in {
            "no cookie": response(family, NEAR, affinity=0),
            "forged": response(family, NEAR, affinity=true ^ 1),
            "of another function": response(family, NEAR, affinity=true, func_id=SEGMENT),
            "of another tenant": response(family, NEAR, affinity=true, tenant=TENANT + 1),
            "of an expired key": response(family, NEAR, affinity=cookie(NEAR, epoch=3)),
            "by another instance": response(family, FAR, affinity=true),
            "by another address": response(family, NEAR, affinity=true, src=family.passing),
        }.items():
            with self.row(family.name, name):
                self.carry(sent, forwarded(sent, TO_CLIENT), TO_CLIENT, "RESPONSE_UNVERIFIED", NEAR_PORT)


class NotRelayed(CfnTest):
    """What its site's router can't verify goes on to another router untouched."""

    @each_family
    def runTest(self, family: Family) -> None:
        for name, sent in {
            "by another instance": response(family, NEAR_2, affinity=cookie(NEAR)),
            "by another address": response(family, NEAR, affinity=cookie(NEAR), src=family.multipath),
            "by the site's own address": response(
                family, NEAR, affinity=cookie(NEAR), src=HOME.address(family)
            ),
        }.items():
            with self.row(family.name, name):
                sent[family.header].dst = family.passing
                self.carry(sent, forwarded(sent, TO_CORE), TO_CORE, "RESPONSE_UNVERIFIED", NEAR_PORT)


class OtherFamilyOnly(CfnTest):
    """A site that has no address of the response's family leaves it the instance's."""

    def runTest(self) -> None:
        self.delete(HOME.live())
        for family, home in zip(
            FAMILIES, (replace(HOME, ipv4=NO_IPV4), replace(HOME, ipv6=NO_IPV6)), strict=True
        ):
            with self.row(family.name):
                self.insert(home.live())
                sent = response(family, NEAR, affinity=cookie(NEAR))
                sent[family.header].dst = family.passing
                self.carry(sent, forwarded(sent, TO_CORE), TO_CORE, "RESPONSE_RELAYED", NEAR_PORT)
                self.delete(home.live())
        self.insert(HOME.live())


class LastWords(CfnTest):
    """The answer of an instance that is gone meanwhile still comes from the address that was asked."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = response(family, NEAR_2, affinity=cookie(NEAR_2))
        self.carry(sent, restored(sent, family), TO_CLIENT, "RESPONDED", NEAR_PORT)


class NotAResponse(CfnTest):
    """Datagrams from the port of responses that are none are routed as they are."""

    @each_family
    def runTest(self, family: Family) -> None:
        for fields in (
            {"kind": Kind.REQUEST},
            {"kind": Kind.PROBE},
            {"kind": 0},
            {"kind": 15},
            {"version": 2},
        ):
            sent = response(family, NEAR, affinity=cookie(NEAR), **fields)
            self.carry(sent, forwarded(sent, TO_CLIENT), TO_CLIENT, "ROUTED", NEAR_PORT)


class NackPasses(CfnTest):
    """A NACK of a router further on comes from the anycast address already, and goes through."""

    @each_family
    def runTest(self, family: Family) -> None:
        for affinity in (0, cookie(FAR)):
            fields = {"kind": Kind.NACK, "report_status": NackCode.NO_CAPACITY, "report_queue": 250}
            sent = response(family, FAR, b"", src=family.anycast, affinity=affinity, **fields)
            self.carry(sent, forwarded(sent, TO_CLIENT), TO_CLIENT, "RESPONSE_UNVERIFIED", CORE_PORT)


class WithoutAnycastSource(CfnTest):
    """A router that was given no anycast source leaves the instance's."""

    rows = (*ROUTER, default("anycast_source", "NoAction"))

    @each_family
    def runTest(self, family: Family) -> None:
        sent = response(family, NEAR, affinity=cookie(NEAR))
        self.carry(sent, forwarded(sent, TO_CLIENT), TO_CLIENT, "RESPONDED", NEAR_PORT)


class Learning(CfnTest):
    """A test of what the router tells of instances; its registers start empty."""

    rows = (*ROUTER, *SERVICES, NEAR_2.live())
    fresh = True

    def setUp(self) -> None:
        super().setUp()
        self.started = time.monotonic()
        self.reports: list[dict[str, int]] = []
        self.digest = shell.DigestEntry("member_report")
        self.digest.max_list_size = 1
        self.digest.insert()
        self.addCleanup(self.digest.delete)

    def clock(self, family: Family) -> int:
        """The router's clock in µs, as a request brings it."""
        self.send(request(family))
        _, received = self.receive()
        self.expect_outcomes(BOUND_NEW=1)
        return Ether(received)[CFN].timestamp

    def respond(self, family: Family, sent: Packet) -> None:
        """Let a response pass to the client."""
        self.carry(sent, restored(sent, family), TO_CLIENT, "RESPONDED", NEAR_PORT)

    def await_interval(self, family: Family, interval_us: int = REPORT_INTERVAL_US) -> int:
        """Let the router's clock run until it may report an instance again; returns its time."""
        start = now = self.clock(family)
        while (now - start) % 2**32 <= interval_us:
            now = self.clock(family)
        return now

    def report(self) -> dict[str, int]:
        """The next `member_report`, acknowledged."""
        if not self.reports:
            message = shell.client.get_stream_packet("digest", timeout=TIMEOUT)
            self.assertIsNotNone(message, "no report came")
            self.reports += [self._values(data) for data in message.digest.data]
            ack = p4rt.StreamMessageRequest()
            ack.digest_ack.digest_id, ack.digest_ack.list_id = (
                message.digest.digest_id,
                message.digest.list_id,
            )
            shell.client.stream_out_q.put(ack)
        return self.reports.pop(0)

    @staticmethod
    def _values(data: p4data_pb2.P4Data) -> dict[str, int]:
        names = [member.name for member in shell.context.p4info.type_info.structs["member_report"].members]
        values = (int.from_bytes(member.bitstring, "big") for member in data.struct.members)
        return dict(zip(names, values, strict=True))


class Reported(Learning):
    """Load and queue come as the instance said, the response time as the router saw it."""

    @each_family
    def runTest(self, family: Family) -> None:
        for member, load, queue in ((NEAR, 0, 0), (NEAR_2, 255, 0xFFFF), (FAR, 77, 1234)):
            self.await_interval(family)
            stamp = self.clock(family)
            fields = {"timestamp": stamp, "report_load": load, "report_queue": queue}
            self.respond(family, response(family, member, affinity=cookie(member), **fields))
            report = self.report()
            response_us = report.pop("response_us")
            elapsed_us = (time.monotonic() - self.started) * 1e6
            is_remote = isinstance(member, Remote)
            who = {"site": member.site, "instance": 0 if is_remote else member.instance}
            expected = who | {"is_remote": int(is_remote), "load": load, "queue": queue}
            self.assertEqual(report, expected)
            self.assertTrue(
                0 < response_us <= elapsed_us, f"{response_us} µs, {elapsed_us} µs after the start"
            )


class ResponseTimes(Learning):
    """The first sample counts; a longer one then moves it up by a sixteenth, another one down by as much.

    One that must be of another router's clock counts for nothing. After a second without any, one counts as
    the first did.
    """

    @each_family
    def runTest(self, family: Family) -> None:
        instance = NEAR if family.name == "v4" else NEAR_2
        median, last = 0, 0.0
        for sample_us, silence_us in (
            (4_000_000, REPORT_INTERVAL_US),
            (12_000_000, REPORT_INTERVAL_US),
            (5_000, REPORT_INTERVAL_US),
            (LONGEST_RESPONSE_US + 1_000_000, REPORT_INTERVAL_US),
            (5_000, REPORT_INTERVAL_US),
            (12_000_000, REPORT_INTERVAL_US),
            (12_000_000, REPORT_INTERVAL_US),
            (3_000_000, LOAD_EXPIRY_US),
            (12_000_000, LOAD_EXPIRY_US),
        ):
            start = time.monotonic()
            now = self.await_interval(family, silence_us)
            fields = {"timestamp": (now - sample_us) % 2**32, "report_load": 5}
            self.respond(family, response(family, instance, affinity=cookie(instance), **fields))
            end = time.monotonic()
            found = self.report()["response_us"]
            is_anew = sample_us <= found <= sample_us + (end - start) * 1e6
            if sample_us > LONGEST_RESPONSE_US:
                self.assertEqual(found, median)
            elif not median or silence_us == LOAD_EXPIRY_US:
                self.assertTrue(is_anew, f"{found}, not {sample_us}")
            elif (end - last) * 1e6 < LOAD_EXPIRY_US or not is_anew:  # a slow machine is silent, too
                step = median // 16 + 1 if sample_us > median else -(median // 16)
                self.assertEqual(found, median + step)
            median, last = found, start


class NotStamped(Learning):
    """A timestamp of 0 is no router's: load and queue are told, and no response time is taken."""

    @each_family
    def runTest(self, family: Family) -> None:
        member = FAR if family.is_ipv6 else NEAR
        told: list[int] = []
        for stamped in (False, True, False):
            now = self.await_interval(family)
            fields = {"timestamp": now if stamped else 0, "report_load": 7, "report_queue": 3}
            self.respond(family, response(family, member, affinity=cookie(member), **fields))
            report = self.report()
            self.assertEqual((report["load"], report["queue"]), (7, 3))
            told.append(report["response_us"])
        self.assertEqual(told[0], 0)
        self.assertGreater(told[1], 0)
        self.assertEqual(told[2], told[1])


class ReportsBounded(Learning):
    """However many responses pass, an instance is reported once in 100 ms; others are reported meanwhile."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.await_interval(family)
        took_us = REPORT_INTERVAL_US
        while took_us >= REPORT_INTERVAL_US:
            start = self.await_interval(family)
            for load in range(10):
                self.respond(
                    family, response(family, NEAR, affinity=cookie(NEAR), timestamp=start, report_load=load)
                )
            self.respond(family, response(family, FAR, affinity=cookie(FAR), timestamp=start))
            took_us = (self.clock(family) - start) % 2**32
            reports = [self.report()]
            while reports[-1]["site"] != FAR.site:
                reports.append(self.report())
        self.assertEqual([report["site"] for report in reports], [NEAR.site, FAR.site])
        self.assertEqual(reports[0]["load"], 0)


class NothingLearnt(Learning):
    """Nothing is reported of what is unverified or a NACK, of an instance that is gone, or off the edge."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.await_interval(family)
        sent = response(family, NEAR, affinity=cookie(NEAR) ^ 1)
        self.carry(sent, forwarded(sent, TO_CLIENT), TO_CLIENT, "RESPONSE_UNVERIFIED", NEAR_PORT)
        passing = response(family, NEAR, affinity=cookie(NEAR))
        passing[family.header].dst = family.passing
        self.carry(passing, relayed(passing, family), TO_CORE, "RESPONSE_RELAYED", NEAR_PORT)
        fields = {"kind": Kind.NACK, "report_status": NackCode.NO_CAPACITY, "report_queue": 250}
        self.respond(family, response(family, NEAR, b"", affinity=cookie(NEAR), **fields))
        self.delete(NEAR.live())
        self.respond(family, response(family, NEAR, affinity=cookie(NEAR)))
        self.insert(NEAR.live())
        self.respond(family, response(family, FAR, affinity=cookie(FAR)))
        self.assertEqual(self.report()["site"], FAR.site)
