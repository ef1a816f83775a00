"""Extensions: a router looks at those it knows, up to the first that it does not; the rest it passes on."""

from __future__ import annotations

from scapy.packet import Packet

from cfn.extensions import ExtensionType
from cfn.wire import NackCode
from ptf_tests.base import CfnTest, each_family
from ptf_tests.network import (
    CLIENT_PORT,
    DETECT,
    NEAR,
    NEAR_PORT,
    ROUTER,
    SEGMENT,
    SERVICES,
    TO_CLIENT,
    TO_NEAR,
    Family,
    cookie,
)
from ptf_tests.packets import (
    auth,
    bound,
    chain,
    extension,
    forwarded,
    nack,
    request,
    response,
    restored,
    trace,
)

AUTH, CHAIN, TRACE, UNASSIGNED = ExtensionType.AUTH, ExtensionType.CHAIN, ExtensionType.TRACE, 9
BASE_WORDS = 18

WHOLE: dict[str, tuple[int, Packet]] = {
    "AUTH": (AUTH, auth()),
    "CHAIN, none left": (CHAIN, chain(done=3)),
    "AUTH and CHAIN": (AUTH, auth(CHAIN) / chain(done=255)),
    "AUTH and CHAIN, then unassigned ones": (
        AUTH,
        auth(CHAIN) / chain(following=UNASSIGNED) / extension(b"unknown", 77) / extension(b""),
    ),
    "an unassigned one": (UNASSIGNED, extension(b"of a type that no router knows")),
    "CHAIN behind an unassigned one": (UNASSIGNED, extension(b"", CHAIN) / chain(SEGMENT)),
    "a bad CHAIN behind an unassigned one": (UNASSIGNED, extension(b"", CHAIN) / extension(b"\0\xff")),
    "AUTH behind CHAIN": (CHAIN, chain(following=AUTH) / extension(b"neither length nor place")),
    "CHAIN behind CHAIN": (CHAIN, chain(following=CHAIN) / chain(SEGMENT)),
    "TRACE behind an unassigned one": (UNASSIGNED, extension(b"", TRACE) / trace(1)),
}
"""Extensions that stay as they are, with the type of the first."""

BROKEN: dict[str, tuple[int, Packet]] = {
    "AUTH too short": (AUTH, extension(bytes(10))),
    "AUTH too long": (AUTH, extension(bytes(18))),
    "AUTH of length 0": (AUTH, extension(bytes(14))),
    "CHAIN with more functions than it is long": (CHAIN, extension(b"\0\2" + bytes(24))),
    "CHAIN that is longer than its functions": (CHAIN, extension(b"\0\1" + bytes(48))),
    "CHAIN with none left that is longer": (CHAIN, extension(b"\0\0" + bytes(24))),
    "CHAIN of nine": (CHAIN, chain(*[SEGMENT] * 9)),
    "CHAIN of 42": (CHAIN, extension(b"\0\x2a" + bytes(24 * 9))),
    "CHAIN of 255": (CHAIN, extension(b"\0\xff" + bytes(24 * 9))),
    "a length that wraps around": (CHAIN, extension(b"\0\x2b" + bytes(8))),
    "TRACE of length 0": (TRACE, extension(b"\0\0")),
    "a bad CHAIN behind AUTH": (AUTH, auth(CHAIN) / extension(b"\0\3")),
    "a bad TRACE behind CHAIN": (CHAIN, chain(following=TRACE) / extension(b"\0\0")),
}
BROKEN["AUTH of length 0"][1].length = 0
BROKEN["TRACE of length 0"][1].length = 0
BROKEN["a bad TRACE behind CHAIN"][1].payload.length = 0
"""Extensions whose length is not what their type or their own count says."""


class ExtensionsTest(CfnTest):
    """A router that binds and restores what carries extensions."""

    rows = (*ROUTER, *SERVICES)


class Passed(ExtensionsTest):
    """A request goes on, and a response comes back, with its extensions as they are."""

    @each_family
    def runTest(self, family: Family) -> None:
        for name, (first, extensions) in WHOLE.items():
            with self.row(family.name, name):
                sent = request(family, extensions / b"input", next=first)
                self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")
                sent = response(family, NEAR, extensions / b"output", next=first, affinity=cookie(NEAR))
                self.carry(sent, restored(sent, family), TO_CLIENT, "RESPONDED", NEAR_PORT)


class ChainAsked(ExtensionsTest):
    """A request with functions left is bound like any other, whatever the functions are."""

    @each_family
    def runTest(self, family: Family) -> None:
        for left in range(1, 9):
            functions = chain(*range(left))
            for affinity, outcome in ((0, "BOUND_NEW"), (cookie(NEAR), "BOUND_BY_COOKIE")):
                sent = request(family, functions / b"input", next=CHAIN, affinity=affinity)
                self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, outcome)


class Broken(ExtensionsTest):
    """A request with a broken extension is refused; anything else that has one is not looked at."""

    @each_family
    def runTest(self, family: Family) -> None:
        for name, (first, extensions) in BROKEN.items():
            with self.row(family.name, name):
                sent = request(family, extensions / b"input", next=first)
                self.carry(sent, nack(sent, family, NackCode.MALFORMED), CLIENT_PORT, "NACK_MALFORMED")
                sent = response(family, NEAR, extensions / b"output", next=first, affinity=cookie(NEAR))
                self.carry(sent, forwarded(sent, TO_CLIENT), TO_CLIENT, "ROUTED", NEAR_PORT)


class BeyondTheHeader(ExtensionsTest):
    """Extensions beyond the length in the base header are refused; room left over is passed on."""

    @each_family
    def runTest(self, family: Family) -> None:
        for name, first, extensions, words in (
            ("AUTH", AUTH, auth(), 4),
            ("CHAIN", CHAIN, chain(DETECT, SEGMENT), 13),
            ("both", AUTH, auth(CHAIN) / chain(DETECT), 11),
        ):
            for length in (BASE_WORDS, BASE_WORDS + words - 1, BASE_WORDS + words, BASE_WORDS + words + 1):
                with self.row(family.name, name, length - BASE_WORDS, "words"):
                    sent = request(family, extensions / b"more", next=first, length=length)
                    if length < BASE_WORDS + words:
                        answer = nack(sent, family, NackCode.MALFORMED)
                        self.carry(sent, answer, CLIENT_PORT, "NACK_MALFORMED")
                    else:
                        self.carry(sent, bound(sent, family, NEAR, cookie(NEAR)), TO_NEAR, "BOUND_NEW")


class CutShort(ExtensionsTest):
    """A frame that ends within its extensions, with the lengths of the whole in its headers."""

    @each_family
    def runTest(self, family: Family) -> None:
        extensions = auth(CHAIN) / chain(DETECT, SEGMENT, following=TRACE) / trace(0)
        sent = request(family, extensions, next=AUTH)
        whole, size = bytes(sent), len(extensions)
        answer = nack(sent, family, NackCode.MALFORMED)
        for cut in range(1, size):
            with self.row(family.name, "cut by", cut):
                self.send(whole[:-cut])
                self.expect(answer, CLIENT_PORT)
                self.expect_outcomes(NACK_MALFORMED=1)
