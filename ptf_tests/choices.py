"""Members of which the router under test was told how many requests they have, and whom it asks then.

What was told counts for about a second of the router's clock, which runs on by itself. So a row looks at the
clock before and after, and begins again if what it relied on may have grown stale meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from scapy.layers.l2 import Ether

from cfn.scapy_layer import CFN
from ptf_tests.base import CfnTest
from ptf_tests.entries import Call, Entry
from ptf_tests.network import (
    CORE_PORT,
    FAMILIES,
    FAR,
    HOME,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    NO_RIVALS,
    ROUTER,
    SEGMENT,
    Family,
    Instance,
    Member,
    Remote,
    cookie,
    draw,
    known,
    service,
)
from ptf_tests.packets import request, response
from ptf_tests.rivals import EACH_1_US, Rival

LOAD_EXPIRY_US = 1 << 20
UNDER_WAY = 32
"""Both as in the program: how long a number counts, and what a request adds to a load until a response."""
BATCH = 24
PATIENCE_S = 60.0
"""For how long a row is begun again when the machine has no time for it."""
NEAR_3 = Instance(HOME.site, 3, 13, "10.2.0.3", "fd00:2::3")
MEMBERS = (NEAR, NEAR_2, NEAR_3, FAR)
Found = TypeVar("Found")


def chosen_by(lead: int, per_request: int = 1) -> Entry:
    """The row that says how `vision/detect` chooses."""
    return known("vision/detect", lead=lead, per_request=per_request)


def raced(one: Member, other: Member) -> Call:
    """The member with another as its rival, each of which answers the later by 1 µs for each request."""
    return one.bind(EACH_1_US, Rival(other.slot))


class ChooseTest(CfnTest):
    """A router with a function of which each request is drawn for one member, with a rival.

    Functions of the namespace but for `vision/detect` have no rivals: they tell the router's clock and teach
    nothing.
    """

    rows = (
        *ROUTER,
        NEAR_2.live(),
        NEAR_3.live(),
        *(member.rival() for member in MEMBERS),
        chosen_by(0),
        *(
            row
            for family in FAMILIES
            for row in (
                *service(family, "vision/*", (NEAR.bind(), 1)),
                *service(family, "vision/detect", (raced(NEAR, NEAR_2), 1)),
            )
        ),
    )

    def draw(self, family: Family, *members: Call) -> None:
        """Let requests be drawn for these from now on, with equal weights."""
        self.modify(draw(family, "vision/detect", *((member, 1) for member in members)))

    def clock(self, family: Family) -> int:
        """The router's clock in µs."""
        self.send(request(family, b"", func_id=SEGMENT))
        return Ether(self.receive()[1])[CFN].timestamp

    def teach(self, family: Family, requests: Mapping[Member, int], **fields: object) -> None:
        """Let a response of each member tell how many requests it has."""
        for member, number in requests.items():
            told = response(family, member, b"", affinity=cookie(member), report_queue=number, **fields)
            self.carry_all([told], CORE_PORT if isinstance(member, Remote) else NEAR_PORT)

    def asked(self, family: Family, request_ids: Sequence[int], **fields: object) -> list[Member]:
        """The members that requests were bound to."""
        by_address = {member.address(family): member for member in MEMBERS}
        packets = [request(family, b"", request_id=number, **fields) for number in request_ids]
        out = [Ether(frame) for _, frame in self.carry_all(packets)]
        bound_to = {frame[CFN].request_id: by_address[frame[family.header].dst] for frame in out}
        return [bound_to[number] for number in request_ids]

    def while_fresh(self, family: Family, look: Callable[[], Found]) -> Found:
        """What `look` finds when it took less of the router's time than what it teaches counts for."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            start = self.clock(family)
            found = look()
            if (self.clock(family) - start) % 2**32 < LOAD_EXPIRY_US:
                return found
            if time.monotonic() > deadline:
                self.fail(f"the machine had no {LOAD_EXPIRY_US} µs in {PATIENCE_S} s for this row")

    def taught(
        self, family: Family, requests: Mapping[Member, int], request_ids: Sequence[int], **fields: object
    ) -> list[Member]:
        """The members that each request was bound to while they had so many, told anew before each."""

        def look(number: int) -> Member:
            self.teach(family, requests)
            (taken,) = self.asked(family, [number], **fields)
            return taken

        return [self.while_fresh(family, lambda number=number: look(number)) for number in request_ids]

    def winner(self, family: Family, requests: Mapping[Member, int]) -> Member:
        """The member that a request is bound to while they have so many."""
        (taken,) = self.taught(family, requests, [1])
        return taken

    def grow_stale(self, family: Family) -> None:
        """Let the router's clock run until nothing counts that was told so far."""
        self.run_clock(family, self.clock(family), LOAD_EXPIRY_US)

    def run_clock(self, family: Family, start: int, duration_us: int) -> None:
        """Let the router's clock run until this is more than so long ago."""
        while (self.clock(family) - start) % 2**32 <= duration_us:
            pass

    def drawn(self, family: Family, request_ids: Sequence[int]) -> list[Member]:
        """The members that requests are drawn for, whoever their rivals are."""
        self.modify(chosen_by(NO_RIVALS))
        drawn = self.asked(family, request_ids)
        self.modify(chosen_by(0))
        return drawn
