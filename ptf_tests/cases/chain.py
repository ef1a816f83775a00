"""Chains: a response with functions left becomes the next request at its own site's router."""

from __future__ import annotations

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether

from cfn.extensions import ExtensionType
from cfn.scapy_layer import CFN
from cfn.wire import Status
from ptf_tests.base import each_family
from ptf_tests.chains import (
    CHAIN,
    TRACK,
    ChainTest,
    continued,
    ran,
    refusal_of_response,
)
from ptf_tests.network import (
    DETECT,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    SEGMENT,
    TO_CLIENT,
    TO_CORE,
    TO_NEAR,
    V4,
    Family,
)
from ptf_tests.packets import (
    auth,
    chain,
    extension,
    residuals,
    response,
    restored,
)


class GoesOn(ChainTest):
    """With one to eight functions left, and payloads of any size: all fields, lengths and checksums."""

    @each_family
    def runTest(self, family: Family) -> None:
        for left in range(1, 9):
            functions = [SEGMENT, *range(1, left)]
            for done, size in ((0, 0), (1, 1), (7, 2), (254, 23), (2, 900)):
                with self.row(family.name, left, "left,", done, "done,", size, "bytes"):
                    sent = ran(
                        family,
                        *functions,
                        payload=bytes(range(256)) * 4 if size == 900 else bytes(size),
                        done=done,
                    )
                    expected = continued(sent, family, NEAR_2, TO_NEAR, *functions, done=done)
                    received = self.goes_on(sent, expected, TO_NEAR)
                    self.assertEqual(set(residuals(received).values()), {0})


class EveryField(ChainTest):
    """What the client said goes on to the next function; what the instance said of itself does not."""

    @each_family
    def runTest(self, family: Family) -> None:
        for byte in (0x00, 0xFF):
            fields = {
                "flags": byte,
                "priority": byte,
                "request_id": byte * 0x01010101,
                "timestamp": byte * 0x01010101,
                "hops": byte or 1,
                "data_in": bytes([byte]) * 16,
                "data_out": bytes([byte]) * 16,
                "demand_type": byte & 0xF,
                "demand_grade": byte & 0xF,
                "demand_latency_ms": byte * 0x0101,
                "demand_cost_ceiling": byte,
                "report_load": byte,
                "report_queue": byte * 0x0101,
            }
            sent = ran(family, SEGMENT, TRACK, **fields)
            received = self.goes_on(sent, continued(sent, family, NEAR_2, TO_NEAR, SEGMENT, TRACK), TO_NEAR)
            self.assertEqual(set(residuals(received).values()), {0})


class WithOthers(ChainTest):
    """AUTH before the chain, and whatever comes behind it, goes on untouched."""

    @each_family
    def runTest(self, family: Family) -> None:
        behind = chain(SEGMENT, TRACK, following=77) / extension(b"unknown", 78) / extension(b"more")
        sent = ran(family)
        sent[CFN].remove_payload()
        sent = sent / behind / b"output"
        self.goes_on(sent, continued(sent, family, NEAR_2, TO_NEAR, SEGMENT, TRACK), TO_NEAR)
        sent[CFN].next = ExtensionType.AUTH
        with_auth = sent.copy()
        with_auth[CFN].remove_payload()
        with_auth = with_auth / auth(CHAIN) / sent[CFN].payload.copy()
        expected = continued(sent, family, NEAR_2, TO_NEAR, SEGMENT, TRACK)
        rest = expected[CFN].payload.copy()
        expected[CFN].remove_payload()
        self.goes_on(with_auth, expected / auth(CHAIN) / rest, TO_NEAR)


class ToAnotherSite(ChainTest):
    """The next function may run elsewhere: its site's router will seal, and no router's clock has stamped."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = ran(family, TRACK, SEGMENT)
        self.goes_on(sent, continued(sent, family, FAR, TO_CORE, TRACK, SEGMENT), TO_CORE)


class ClientElsewhere(ChainTest):
    """The client may be at another router: it is still the source, and hears of refusals."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = ran(family, SEGMENT)
        sent[family.header].dst = family.passing
        self.goes_on(sent, continued(sent, family, NEAR_2, TO_NEAR, SEGMENT), TO_NEAR)
        broken = ran(family, SEGMENT, report_status=Status.BUSY)
        broken[family.header].dst = family.passing
        expected = refusal_of_response(broken, family, Status.BUSY, TO_CORE)
        self.ends(broken, expected, TO_CORE, NACK_CHAIN_BROKEN=1)


class ToTheEnd(ChainTest):
    """A chain of eight runs to its end without the client; the last response goes there as any other."""

    @each_family
    def runTest(self, family: Family) -> None:
        functions = [DETECT if step % 2 else SEGMENT for step in range(8)]
        sent = ran(family, *functions)
        for step, function in enumerate(functions):
            member = NEAR if function == DETECT else NEAR_2
            expected = continued(sent, family, member, TO_NEAR, *functions[step:], done=step)
            asked = Ether(self.goes_on(sent, expected, TO_NEAR))[CFN]
            self.assertEqual(asked.hops, 20 - 1 - step)
            given = {
                name: getattr(asked, name)
                for name in ("affinity", "hops", "data_in", "data_out", "timestamp")
            }
            left = chain(*functions[step + 1 :], done=step + 1)
            given |= {"next": CHAIN, "func_id": function}
            sent = response(family, member, left / (bytes([step]) * step), **given)
        self.carry(sent, restored(sent, family), TO_CLIENT, "RESPONDED", NEAR_PORT)


class NoChecksum(ChainTest):
    """Over IPv4, a response without UDP checksum becomes a request without one."""

    def runTest(self) -> None:
        sent = ran(V4, SEGMENT, TRACK)
        sent[UDP].chksum = 0
        self.goes_on(sent, continued(sent, V4, NEAR_2, TO_NEAR, SEGMENT, TRACK), TO_NEAR)


class ChecksumOfZero(ChainTest):
    """Where the request's sum comes to zero, ones are sent; ones that come are a sum as any other."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = ran(family, SEGMENT, payload=bytes(2))
        word = Ether(bytes(continued(sent, family, NEAR_2, TO_NEAR, SEGMENT)))[UDP].chksum
        sent = ran(family, SEGMENT, payload=word.to_bytes(2))
        expected = continued(sent, family, NEAR_2, TO_NEAR, SEGMENT)
        self.assertEqual(Ether(bytes(expected))[UDP].chksum, 0xFFFF)
        self.goes_on(sent, expected, TO_NEAR)
        word = Ether(bytes(ran(family, SEGMENT, payload=bytes(2))))[UDP].chksum
        sent = ran(family, SEGMENT, payload=word.to_bytes(2))
        self.assertEqual(Ether(bytes(sent))[UDP].chksum, 0xFFFF)
        self.goes_on(sent, continued(sent, family, NEAR_2, TO_NEAR, SEGMENT), TO_NEAR)


class DamageStaysVisible(ChainTest):
    """A response that came damaged becomes a request that is as wrong."""

    @each_family
    def runTest(self, family: Family) -> None:
        for wrong_by in (1, 0x0100, 0x7FFF):
            sent = ran(family, SEGMENT, TRACK)
            right = Ether(bytes(sent))[UDP].chksum
            sent[UDP].chksum = (right + wrong_by) % 0xFFFF or 0xFFFF
            came = residuals(bytes(sent))["udp"]
            self.assertNotEqual(came, 0)
            self.send(sent, NEAR_PORT)
            self.assertEqual(residuals(self.receive()[1])["udp"], came)
            self.expect_outcomes(CHAINED=1, BOUND_NEW=1)
