"""Chains: a response with functions left becomes the next request at its own site's router."""

from __future__ import annotations

from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.extensions import ExtensionType
from cfn.scapy_layer import CFN
from cfn.wire import Kind, NackCode, Status
from ptf_tests.base import CfnTest, each_family
from ptf_tests.entries import Call
from ptf_tests.network import (
    CORE_PORT,
    DETECT,
    FAMILIES,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    PRIVATE,
    ROUTER,
    SEGMENT,
    TENANT,
    TO_CLIENT,
    TO_CORE,
    TO_NEAR,
    UNKNOWN,
    V4,
    Family,
    Member,
    NextHop,
    cookie,
    sealed,
    service,
    service_row,
)
from ptf_tests.packets import (
    INPUT,
    REPLY_TTL,
    auth,
    bound,
    chain,
    data_out,
    extension,
    forwarded,
    nack,
    request,
    residuals,
    response,
    restored,
)

CHAIN = ExtensionType.CHAIN
TRACK, LABEL, FULL, WEAK = DETECT ^ 1, DETECT ^ 2, DETECT ^ 3, DETECT ^ 4
"""Functions of one namespace: elsewhere, beyond all routes, without capacity, unable to meet a demand."""
RETRY_AFTER_MS, GRADE = 250, 2
OLD_OUT = b"the output's id."

GROUPS = tuple(
    row
    for family in FAMILIES
    for row in (
        *service(family, "vision/*", (NEAR_2.bind(), 1)),
        *service(family, "vision/detect", (NEAR.bind(), 1)),
        *service(family, f"{TRACK:#x}", (FAR.bind(), 1)),
        service_row(family, f"{FULL:#x}", Call("no_capacity", {"retry_after_ms": RETRY_AFTER_MS})),
        service_row(family, f"{WEAK:#x}", Call("unmet", {"part": GRADE})),
    )
)


def ran(
    family: Family, *left: int, payload: bytes = INPUT, done: int = 0, func: int = DETECT, **fields: object
) -> Packet:
    """What the near instance answers when it has run a function and these are left."""
    given = {
        "data_in": b"the input's id..",
        "data_out": OLD_OUT,
        "func_id": func,
        "affinity": cookie(NEAR, func),
    }
    given |= {"timestamp": 12345, "hops": 20, "next": CHAIN} | fields
    return response(family, NEAR, chain(*left, done=done) / payload, **given)


def continued(
    sent: Packet, family: Family, member: Member, next_hop: NextHop, *left: int, done: int = 0
) -> Packet:
    """The request for the chain's next function on its way to a member; no router's clock stamped it."""
    ip, header = sent[family.header], sent[CFN]
    asked = request(family, src=ip.dst, ttl=getattr(ip, family.ttl), sport=sent[UDP].dport)
    udp = asked[UDP]
    udp.remove_payload()
    next_header = header.copy()
    next_header.remove_payload()
    fields = {
        "kind": Kind.REQUEST,
        "func_id": left[0],
        "data_in": header.data_out,
        "data_out": data_out(left[0]),
    }
    fields |= {"report_status": 0, "report_load": 0, "report_queue": 0, "length": None}
    for name, value in fields.items():
        setattr(next_header, name, value)
    rest = chain(*left[1:], done=done + 1, following=header.payload.next) / header.payload.payload.copy()
    out = bound(asked / next_header / rest, family, member, sealed(member, left[0]), next_hop)
    out[CFN].timestamp = 0
    if sent[UDP].chksum is not None:
        out[UDP].chksum = sent[UDP].chksum
    return out


def refused(
    asked: Packet, family: Family, code: NackCode, detail: int = 0, retry_after_ms: int = 0
) -> Packet:
    """A NACK on its way to the client, for whom this router is the edge."""
    out = forwarded(nack(asked, family, code, retry_after_ms, detail), TO_CLIENT)
    setattr(out[family.header], family.ttl, REPLY_TTL - 1)
    return out


class ChainTest(CfnTest):
    """A router of a site whose instances run the functions of chains."""

    rows = (*ROUTER, NEAR_2.live(), *GROUPS)

    def goes_on(self, sent: Packet, expected: Packet, next_hop: NextHop, outcome: str = "BOUND_NEW") -> bytes:
        """The response comes out as the next request, and counts as both."""
        self.send(sent, NEAR_PORT)
        received = self.expect(expected, next_hop.port)
        self.expect_outcomes(**{"CHAINED": 1, outcome: 1})
        return received

    def ends(self, sent: Packet, expected: Packet, next_hop: NextHop, **outcomes: int) -> None:
        """The response comes out as something else."""
        self.send(sent, NEAR_PORT)
        received = self.expect(expected, next_hop.port)
        self.assertEqual(set(residuals(received).values()), {0})
        self.expect_outcomes(**outcomes)


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


def refusal_of_response(sent: Packet, family: Family, status: int, next_hop: NextHop = TO_CLIENT) -> Packet:
    """What the client hears of a function that failed: its header, with what the instance said."""
    out = forwarded(sent, next_hop)
    out[UDP].remove_payload()
    header = sent[CFN].copy()
    header.remove_payload()
    header.kind, header.length, header.next = Kind.NACK, None, 0
    header.report_status, header.report_load, header.report_queue = NackCode.CHAIN_BROKEN, status, 0
    ip = out[family.header]
    ip.src = family.anycast
    setattr(ip, family.ttl, REPLY_TTL - 1)
    out[UDP].chksum = None
    return out / header


class Broken(ChainTest):
    """A function that did not end well breaks the chain: the client hears of the place and the status."""

    @each_family
    def runTest(self, family: Family) -> None:
        for status in (*(status for status in Status if status != Status.OK), 200, 255):
            for size in (0, 1, 700):
                with self.row(family.name, status, size):
                    sent = ran(
                        family,
                        SEGMENT,
                        TRACK,
                        payload=bytes(size),
                        done=3,
                        report_status=status,
                        report_load=9,
                    )
                    expected = refusal_of_response(sent, family, status)
                    self.ends(sent, expected, TO_CLIENT, NACK_CHAIN_BROKEN=1)


class NextRefused(ChainTest):
    """Where the next function is refused, it is the client that hears of it, from the anycast address."""

    @each_family
    def runTest(self, family: Family) -> None:
        lost = service(family, f"{LABEL:#x}", (FAR.bind(), 1))
        for code, function, fields, detail, retry_after_ms in (
            (NackCode.UNKNOWN_FUNCTION, UNKNOWN, {}, 0, 0),
            (NackCode.NOT_PERMITTED, PRIVATE, {"tenant": 99, "affinity": cookie(NEAR, tenant=99)}, 0, 0),
            (NackCode.NO_CAPACITY, FULL, {}, 0, RETRY_AFTER_MS),
            (NackCode.DEMAND_UNMET, PRIVATE, {}, 0, 0),
            (NackCode.DEMAND_UNMET, WEAK, {}, GRADE, 0),
            (NackCode.HOP_LIMIT, SEGMENT, {"hops": 0}, 0, 0),
            (NackCode.NO_CAPACITY, LABEL, {}, 0, 0),
        ):
            with self.row(family.name, code.name, f"{function:#x}"):
                self.insert(*lost)
                if function == LABEL:
                    self.delete(TO_CORE.row())
                sent = ran(family, function, SEGMENT, done=1, **fields)
                asked = continued(sent, family, NEAR, TO_NEAR, function, SEGMENT, done=1)
                asked[CFN].hops, asked[CFN].timestamp, asked[CFN].affinity = (
                    sent[CFN].hops,
                    sent[CFN].timestamp,
                    0,
                )
                expected = refused(asked, family, code, detail, retry_after_ms)
                self.ends(sent, expected, TO_CLIENT, CHAINED=1, **{f"NACK_{code.name}": 1})
                if function == LABEL:
                    self.insert(TO_CORE.row())
                self.delete(*lost)


class RefusalLost(ChainTest):
    """A refusal that has no way to the client is dropped, and counts as that alone."""

    @each_family
    def runTest(self, family: Family) -> None:
        for fields, functions, counted in (
            ({"report_status": Status.BAD_INPUT}, (SEGMENT,), {"DROP_NO_ROUTE": 1}),
            ({}, (UNKNOWN,), {"CHAINED": 1, "DROP_NO_ROUTE": 1}),
        ):
            sent = ran(family, *functions, **fields)
            sent[family.header].dst = family.nowhere
            self.send(sent, NEAR_PORT)
            self.expect_outcomes(**counted)
            self.assert_silent()


class Unverified(ChainTest):
    """A response that is not of whom its cookie names starts nothing: it goes on untouched."""

    @each_family
    def runTest(self, family: Family) -> None:
        for name, fields in {
            "no cookie": {"affinity": 0},
            "forged": {"affinity": cookie(NEAR) ^ 1},
            "another's": {"affinity": cookie(NEAR_2)},
            "another tenant's": {"tenant": TENANT + 1},
        }.items():
            with self.row(family.name, name):
                sent = ran(family, SEGMENT, **fields)
                self.carry(sent, forwarded(sent, TO_CLIENT), TO_CLIENT, "RESPONSE_UNVERIFIED", NEAR_PORT)


class NotHere(ChainTest):
    """A chain goes on at the router of the site that ran the function, and only there."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = response(family, FAR, chain(SEGMENT) / INPUT, next=CHAIN, affinity=cookie(FAR))
        self.carry(sent, restored(sent, family), TO_CLIENT, "RESPONDED", CORE_PORT)


class NotAResponse(ChainTest):
    """A NACK with functions left, which no router sends, starts nothing and breaks nothing."""

    @each_family
    def runTest(self, family: Family) -> None:
        for status in (0, NackCode.NO_CAPACITY):
            sent = ran(family, SEGMENT, kind=Kind.NACK, report_status=status)
            self.carry(sent, restored(sent, family), TO_CLIENT, "RESPONDED", NEAR_PORT)


class LastHop(ChainTest):
    """The response's TTL goes on with the request: no chain runs for ever."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = ran(family, SEGMENT)
        setattr(sent[family.header], family.ttl, 1)
        self.send(sent, NEAR_PORT)
        self.expect_outcomes(CHAINED=1, DROP_TTL=1)
        self.assert_silent()
