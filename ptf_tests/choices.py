"""Members whose loads the router under test was told, and what it draws.

Loads count for about a second of the router's clock, which runs on by itself. So a row looks at the clock
before and after, and begins again if what it relied on may have grown stale meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from scapy.layers.l2 import Ether

from cfn.scapy_layer import CFN
from ptf_tests.base import CfnTest
from ptf_tests.entries import Entry
from ptf_tests.network import (
    CORE_PORT,
    FAMILIES,
    FAR,
    NEAR,
    NEAR_2,
    NEAR_PORT,
    NO_SECOND_DRAW,
    ROUTER,
    SEGMENT,
    Family,
    Member,
    Remote,
    cookie,
    known,
    service,
)
from ptf_tests.packets import request, response

LOAD_EXPIRY_US = 1 << 20
UNDER_WAY = 32
"""Both as in the program: how long a load counts, and what a request adds to it until a response."""
BATCH = 24
PATIENCE_S = 60.0
"""For how long a row is begun again when the machine has no time for it."""
CRITICAL = 10.83
"""Of chi-squared with one degree of freedom, at 0.1 %."""
Found = TypeVar("Found")


def chosen_by(lead: int, per_request: int = 1) -> Entry:
    """The row that says how `vision/detect` chooses."""
    return known("vision/detect", lead=lead, per_request=per_request)


class ChooseTest(CfnTest):
    """A router with a function of which each request is drawn anew, from two members of equal weight.

    Functions of the namespace but for `vision/detect` have no second draw: they tell the router's clock and
    teach nothing.
    """

    members: tuple[Member, Member] = (NEAR, NEAR_2)
    rows = (
        *ROUTER,
        NEAR_2.live(),
        chosen_by(0),
        *(
            row
            for family in FAMILIES
            for row in (
                *service(family, "vision/*", (NEAR.bind(), 1)),
                *service(family, "vision/detect", (NEAR.bind(), 1), (NEAR_2.bind(), 1)),
            )
        ),
    )

    def clock(self, family: Family) -> int:
        """The router's clock in µs."""
        self.send(request(family, b"", func_id=SEGMENT))
        return Ether(self.receive()[1])[CFN].timestamp

    def teach(self, family: Family, loads: dict[Member, int]) -> None:
        """Let a response of each member tell its load."""
        for member, load in loads.items():
            told = response(family, member, b"", affinity=cookie(member), report_load=load)
            self.carry_all([told], CORE_PORT if isinstance(member, Remote) else NEAR_PORT)

    def asked(self, family: Family, request_ids: Sequence[int], **fields: object) -> list[Member]:
        """The members that requests were bound to."""
        by_address = {member.address(family): member for member in (NEAR, NEAR_2, FAR)}
        packets = [request(family, b"", request_id=number, **fields) for number in request_ids]
        out = [Ether(frame) for _, frame in self.carry_all(packets)]
        bound_to = {frame[CFN].request_id: by_address[frame[family.header].dst] for frame in out}
        return [bound_to[number] for number in request_ids]

    def while_fresh(self, family: Family, look: Callable[[], Found]) -> Found:
        """What `look` finds when it took less of the router's time than loads count for."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            start = self.clock(family)
            found = look()
            if (self.clock(family) - start) % 2**32 < LOAD_EXPIRY_US:
                return found
            if time.monotonic() > deadline:
                self.fail(f"the machine had no {LOAD_EXPIRY_US} µs in {PATIENCE_S} s for this row")

    def taught(
        self, family: Family, loads: dict[Member, int], request_ids: Sequence[int], **fields: object
    ) -> list[Member]:
        """The members that requests were bound to while these loads counted, told anew before each."""

        def look(number: int) -> Member:
            self.teach(family, loads)
            (taken,) = self.asked(family, [number], **fields)
            return taken

        return [self.while_fresh(family, lambda number=number: look(number)) for number in request_ids]

    def grow_stale(self, family: Family) -> None:
        """Let the router's clock run until no load counts that was told so far."""
        start = self.clock(family)
        while (self.clock(family) - start) % 2**32 <= LOAD_EXPIRY_US:
            pass

    def first_draws(self, family: Family, request_ids: Sequence[int]) -> list[Member]:
        """The members of the first draw."""
        self.modify(chosen_by(NO_SECOND_DRAW))
        drawn = self.asked(family, request_ids)
        self.modify(chosen_by(0))
        return drawn

    def movable(self, family: Family, count: int = 6) -> list[int]:
        """Requests whose first draw is the first of the members, and whose second is the other one."""
        one, other = self.members
        found: list[int] = []
        start = 0
        while len(found) < count:
            numbers = range(start, start + BATCH)
            drawn = self.first_draws(family, numbers)
            taken = self.taught(family, {one: 255, other: 0}, numbers)
            found += [
                n for n, was, now in zip(numbers, drawn, taken, strict=True) if was == one and now == other
            ]
            start += BATCH
        self.settle()
        return found[:count]
