"""Chains that end before their end: functions that fail or are refused, and what is not taken for a chain."""

from __future__ import annotations

from cfn.scapy_layer import CFN
from cfn.wire import Kind, NackCode, Status
from ptf_tests.base import each_family
from ptf_tests.chains import (
    CHAIN,
    FULL,
    GRADE,
    LABEL,
    RETRY_AFTER_MS,
    TRACK,
    WEAK,
    ChainTest,
    continued,
    ran,
    refusal_of_response,
    refused,
)
from ptf_tests.network import (
    CORE_PORT,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    PRIVATE,
    SEGMENT,
    TENANT,
    TO_CLIENT,
    TO_CORE,
    TO_NEAR,
    UNKNOWN,
    Family,
    cookie,
    service,
)
from ptf_tests.packets import (
    INPUT,
    chain,
    forwarded,
    response,
    restored,
)


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
