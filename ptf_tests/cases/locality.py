"""Locality: requests drawn to where their input or result is, and headers sent ahead of the others."""

from __future__ import annotations

from collections import Counter

from p4.v1 import p4runtime_pb2 as p4rt
from p4runtime_sh import shell
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.scapy_layer import CFN, CFNTrace
from cfn.wire import Kind
from ptf_tests.base import CfnTest, each_family
from ptf_tests.choices import UNDER_WAY, ChooseTest
from ptf_tests.entries import Call, Entry, entry, one_shot
from ptf_tests.network import (
    CLIENT_PORT,
    CORE_PORT,
    DETECT,
    FAMILIES,
    FAR,
    HOME,
    NEAR,
    NEAR_2,
    NEAR_MAC,
    NEAR_PORT,
    ROUTER,
    ROUTER_MAC,
    TO_CORE,
    TO_NEAR,
    Family,
    cookie,
    draw,
    group_of,
    known,
    service,
)
from ptf_tests.packets import bound, forwarded, request, residuals, response, restored

HELD = b"an input held at"
QUEUED = 192
"""The least load that says that something waits; as in locality.p4."""
SESSION = 1
"""Of the clones that are sent ahead; as in numbers.p4."""
AGENT = {"v4": "10.2.0.200", "v6": "fd00:2::200"}
HOME_GROUP = 7


def member(family: Family, site: int, call: Call) -> Entry:
    """The row that says how the services' group reaches a site."""
    return entry("member", {"group": group_of(family, "vision/*"), "site": site}, call.action, **call.params)


FAR_MEMBER = Call("member_remote", {"slot": FAR.slot, "ipv4": FAR.ipv4, "ipv6": FAR.ipv6})
HOME_MEMBER = Call("member_here", {"slot": HOME.slot, "group": HOME_GROUP})


class LocalityTest(CfnTest):
    """A test with a service at two sites: by weight all goes to the near one, by data to the far one."""

    rows = (
        *ROUTER,
        NEAR_2.live(),
        *(row for family in FAMILIES for row in service(family, "vision/*", (NEAR.bind(), 1))),
        *(member(family, FAR.site, FAR_MEMBER) for family in FAMILIES),
    )
    fresh = True

    def learn_far(self, family: Family, load: int) -> None:
        """The far site answers with this load."""
        sent = response(family, FAR, affinity=cookie(FAR), report_load=load)
        self.carry(sent, restored(sent, family), CLIENT_PORT, "RESPONDED", CORE_PORT)


class ToInput(LocalityTest):
    """A request goes to the site that holds its input, while that site has room."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.insert(entry("input_holder", {"data_in": int.from_bytes(HELD)}, "input_at", site=FAR.site))
        sent = request(family, data_in=HELD)
        self.carry(sent, bound(sent, family, FAR, 0, TO_CORE), TO_CORE, "BOUND_TO_INPUT")
        other = request(family)
        self.carry(other, bound(other, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
        for load, draws in ((QUEUED - 1, True), (QUEUED, False), (255, False), (0, True)):
            with self.row(family.name, "load", load):
                self.learn_far(family, load)
                if draws:
                    self.carry(sent, bound(sent, family, FAR, 0, TO_CORE), TO_CORE, "BOUND_TO_INPUT")
                else:
                    self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
        with_cookie = request(family, data_in=HELD, affinity=cookie(NEAR))
        self.carry(with_cookie, bound(with_cookie, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_BY_COOKIE")
        self.delete(entry("input_holder", {"data_in": int.from_bytes(HELD)}, "input_at", site=FAR.site))


class FillsUp(LocalityTest, ChooseTest):
    """Requests fill a site up before it tells so: each adds to its load, up to the most there is."""

    @each_family
    def runTest(self, family: Family) -> None:
        self.modify(known("vision/*", lead=0), draw(family, "vision/*", (FAR.bind(), 1)))
        row = entry("input_holder", {"data_in": int.from_bytes(HELD)}, "input_at", site=FAR.site)
        self.insert(row)
        for load, before, drawn in (
            (QUEUED - 1, 0, True),
            (QUEUED - 1 - UNDER_WAY, 1, True),
            (QUEUED - UNDER_WAY, 1, False),
            (QUEUED - 1 - 2 * UNDER_WAY, 2, True),
            (QUEUED - 2 * UNDER_WAY, 2, False),
            (255, 1, False),
        ):
            with self.row(family.name, "load", load, "and", before):
                wanted = Counter(BOUND_NEW=before + (not drawn), BOUND_TO_INPUT=int(drawn))

                def look(load: int = load, before: int = before) -> Counter[str]:
                    self.settle()
                    self.learn_far(family, load)
                    self.asked(family, range(before))
                    self.asked(family, [before], data_in=HELD)
                    start, self.counted = self.counted, self.settled()
                    return self.counted - start

                self.assertEqual(self.while_fresh(family, look), +wanted)
        self.delete(row)
        self.modify(known("vision/*"), draw(family, "vision/*", (NEAR.bind(), 1)))


class ToResult(LocalityTest):
    """A request whose result is held goes to the holder whatever its load; of another function not."""

    @each_family
    def runTest(self, family: Family) -> None:
        match = {"func_id": DETECT, "data_in": int.from_bytes(HELD)}
        row = entry("result_holder", match, "result_at", site=FAR.site)
        self.insert(row)
        self.learn_far(family, 255)
        sent = request(family, data_in=HELD)
        self.carry(sent, bound(sent, family, FAR, 0, TO_CORE), TO_CORE, "BOUND_TO_RESULT")
        other = request(family, data_in=HELD, func_id=DETECT + 1)
        self.carry(other, bound(other, family, NEAR, cookie(NEAR, DETECT + 1)), TO_NEAR, "BOUND_NEW")
        self.delete(row)


class NotAMember(LocalityTest):
    """A holder that does not run the function, or is no member any more, draws nothing."""

    @each_family
    def runTest(self, family: Family) -> None:
        row = entry("input_holder", {"data_in": int.from_bytes(HELD)}, "input_at", site=5)
        self.insert(row)
        sent = request(family, data_in=HELD)
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
        self.delete(row)


class HeldHere(LocalityTest):
    """The instances of a site at this router are a group of their own, drawn from by weight."""

    @each_family
    def runTest(self, family: Family) -> None:
        rows = (
            entry("input_holder", {"data_in": int.from_bytes(HELD)}, "input_at", site=HOME.site),
            member(family, HOME.site, HOME_MEMBER),
            one_shot("draw", {"group": HOME_GROUP}, (NEAR_2.bind(), 1)),
        )
        self.insert(*rows)
        sent = request(family, data_in=HELD)
        self.carry(sent, bound(sent, family, NEAR_2, cookie(NEAR_2)), TO_NEAR, "BOUND_TO_INPUT")
        busy = response(family, NEAR_2, affinity=cookie(NEAR_2), report_load=QUEUED)
        self.carry(busy, restored(busy, family), CLIENT_PORT, "RESPONDED", NEAR_PORT)
        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
        idle = response(family, NEAR_2, affinity=cookie(NEAR_2), report_load=0)
        self.carry(idle, restored(idle, family), CLIENT_PORT, "RESPONDED", NEAR_PORT)
        self.delete(*rows)


class SentAhead(LocalityTest):
    """The header of a request that goes where its input is not goes ahead, bare, to the data agent there."""

    rows = (
        *LocalityTest.rows,
        entry("input_holder", {"data_in": int.from_bytes(HELD)}, "input_at", site=5),
        entry("data_agent", {"site": NEAR.site}, "agent_at", ipv4=AGENT["v4"], ipv6=AGENT["v6"]),
    )

    def setUp(self) -> None:
        super().setUp()
        clones = p4rt.WriteRequest()
        entity = clones.updates.add(type=p4rt.Update.INSERT).entity.packet_replication_engine_entry
        entity.clone_session_entry.session_id = SESSION
        replica = entity.clone_session_entry.replicas.add()
        replica.egress_port, replica.instance = CLIENT_PORT, 1
        shell.client.write(clones)
        self.addCleanup(self._delete_session)

    @each_family
    def runTest(self, family: Family) -> None:
        for extensions in (b"", CFNTrace() / b""):
            for payload in (b"", b"with a payload of its own"):
                sent = request(family, extensions / payload if extensions else payload, data_in=HELD)
                self.send(sent)
                frames = dict(self.by_kind(self.receive()) for _ in range(2))
                self.expect_outcomes(BOUND_NEW=1, PREFETCHED=1)
                self.assertEqual(frames.keys(), {Kind.REQUEST, Kind.PREFETCH})
                port, ahead = frames[Kind.PREFETCH]
                self.assertEqual((port, ahead.hex()), (NEAR_PORT, bytes(self.ahead(sent, family)).hex()))
                self.assertEqual(set(residuals(ahead).values()), {0})
        with_cookie = request(family, b"", data_in=HELD, affinity=cookie(NEAR))
        self.send(with_cookie)
        kinds = {self.by_kind(self.receive())[0] for _ in range(2)}
        self.expect_outcomes(BOUND_BY_COOKIE=1, PREFETCHED=1)
        self.assertEqual(kinds, {Kind.REQUEST, Kind.PREFETCH})
        other = request(family)
        self.carry(other, bound(other, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")

    @staticmethod
    def by_kind(received: tuple[int, bytes]) -> tuple[int, tuple[int, bytes]]:
        return Ether(received[1])[CFN].kind, received

    @staticmethod
    def ahead(sent: Packet, family: Family) -> Packet:
        """The PREFETCH of a request."""
        out = sent.copy()
        out[CFN].remove_payload()
        out[CFN].kind, out[CFN].next, out[CFN].length = Kind.PREFETCH, 0, 18
        out[CFN].report_queue = 5
        ip = out[family.header]
        ip.dst = AGENT[family.name]
        setattr(ip, family.ttl, getattr(ip, family.ttl) - 1)
        out[Ether].src, out[Ether].dst = ROUTER_MAC, NEAR_MAC
        return out

    @staticmethod
    def _delete_session() -> None:
        clones = p4rt.WriteRequest()
        entity = clones.updates.add(type=p4rt.Update.DELETE).entity.packet_replication_engine_entry
        entity.clone_session_entry.session_id = SESSION
        shell.client.write(clones)


class PrefetchFromOutside(CfnTest):
    """Only routers of the network send PREFETCH: a client's is dropped, a neighbour's is routed."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = request(family, b"", dst=AGENT[family.name], kind=Kind.PREFETCH)
        self.refuse(sent, "DROP_PREFETCH")
        self.carry(sent, forwarded(sent, TO_NEAR), TO_NEAR, "ROUTED", CORE_PORT)
