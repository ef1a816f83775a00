"""Functions in chains around the router under test, and what it makes of their responses."""

from __future__ import annotations

from scapy.layers.inet import UDP
from scapy.packet import Packet

from cfn.extensions import ExtensionType
from cfn.scapy_layer import CFN
from cfn.wire import Kind, NackCode
from ptf_tests.base import CfnTest
from ptf_tests.entries import Call
from ptf_tests.network import (
    DETECT,
    FAMILIES,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    ROUTER,
    TO_CLIENT,
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
    bound,
    chain,
    data_out,
    forwarded,
    nack,
    request,
    residuals,
    response,
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
