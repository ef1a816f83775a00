"""What holds for every frame that comes in, over frames of `random_frames` and the router of `full_router`.

More frames than the suite takes: CFN_PROPERTY_FRAMES=20000 python -m pytest tests/p4src/test_properties.py
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import p4src
from cfn.wire import Header, Kind, Packet
from p4src import outcomes
from switch.dataplane import Dataplane
from tests.p4src import full_router as router
from tests.p4src.datagrams import Seen, seen
from tests.p4src.frames import CFN_PORT, PASSING_6, cfn, ipv4, ipv6, udp
from tests.p4src.random_frames import RandomFrames, draw
from tests.switch import bmv2
from tests.switch.differential import check
from tests.switch.state import install

FRAMES = int(os.environ.get("CFN_PROPERTY_FRAMES", "1000"))
IN_ONE_EXAMPLE = 5
PORTS = (router.CLIENTS, router.HOSTS, router.CORE, router.CONTROLLER)
INTERMEDIATE = {"CHAINED", "DECAPSULATED", "PREFETCHED"}
CONSUMED = "PROBE_RETURNED"
NEW_MESSAGES = ("NACK_", "TIME_EXCEEDED", "TOO_BIG", "ND_ANSWERED", "PROBE_ECHOED")
BOUND = ("BOUND_", "REBOUND_")
OUTCOME = "CfnIngress.count_outcome.outcome"


@dataclass(frozen=True)
class Passage:
    """A frame that came in, how often each outcome was counted, and the frames that came out, by port."""

    port: int
    frame: bytes
    counted: dict[str, int]
    out: tuple[tuple[int, bytes], ...]

    @property
    def came(self) -> Seen | None:
        """The packet that came in, without segments, where it is one."""
        return seen(self.frame[2:] if self.port == router.CONTROLLER else self.frame)

    @property
    def final(self) -> str:
        """What became of the packet itself."""
        finals = [name for name in self.counted if name not in INTERMEDIATE]
        assert len(finals) == self.counted[finals[0]] == 1, "exactly one final outcome"
        return finals[0]

    def packets_out(self) -> Iterator[Seen]:
        for _, frame in self.out:
            if found := seen(frame):
                yield found


@pytest.fixture(scope="module")
def passes() -> Iterator[Callable[[int, bytes], Passage]]:
    """A router that frames pass, one after the other."""
    dataplane = Dataplane(p4src.JSON.read_bytes())
    install(router.full(), dataplane)
    names = outcomes.names()
    handles = {names[entry.key[0].value]: entry.handle for entry in dataplane.initial_entries(OUTCOME)}

    def counted() -> dict[str, int]:
        return {name: dataplane.direct_counter(OUTCOME, handle).packets for name, handle in handles.items()}

    def through(port: int, frame: bytes) -> Passage:
        before = counted()
        out = dataplane.inject(port, frame)
        grown = {name: packets - before[name] for name, packets in counted().items()}
        return Passage(port, frame, {name: n for name, n in grown.items() if n}, tuple(out))

    yield through
    dataplane.close()


def nothing_is_lost(passage: Passage) -> None:
    """What is neither dropped nor consumed comes out once, and so do the copies sent ahead."""
    gone = passage.final.startswith("DROP_") or passage.final == CONSUMED
    assert len(passage.out) == (not gone) + passage.counted.get("PREFETCHED", 0)


def sums_stay_right(passage: Passage) -> None:
    """Checksums that were right are right in what comes out; those of new messages are always."""
    was_right = passage.came is not None and passage.came.is_right()
    for packet in passage.packets_out():
        sent_ahead = packet.kind == Kind.PREFETCH and "PREFETCHED" in passage.counted
        if was_right or sent_ahead or passage.final.startswith(NEW_MESSAGES):
            assert packet.is_right()


def ways_out_have_room(passage: Passage) -> None:
    """No IP packet is longer than the MTU of its port."""
    if passage.final != "EMITTED":
        for port, frame in passage.out:
            found = seen(frame)
            assert found is None or found.whole_length <= router.MTUS[port]


def answers_are_not_answered(passage: Passage) -> None:
    """A NACK is caused by no NACK, and by a response only where it was to become a chain's next request."""
    came = passage.came
    if came and passage.final.startswith("NACK_"):
        assert came.kind != Kind.NACK
        if came.kind == Kind.RESPONSE:
            assert passage.final == "NACK_CHAIN_BROKEN" or "CHAINED" in passage.counted


def bound_to_a_member(passage: Passage) -> None:
    """A request that is bound goes to a member of its group, or where its cookie says."""
    if not passage.final.startswith(BOUND):
        return
    (sent,) = (packet for packet in passage.packets_out() if packet.kind == Kind.REQUEST)
    places: tuple[router.Place, ...] = (*router.INSTANCES, *router.SITES)
    if passage.final != "BOUND_BY_COOKIE":
        (service,) = (s for s in router.SERVICES if s.high == sent.func_id >> 32)
        if passage.final == "BOUND_BY_FLOW":  # its first request's demand may have been another
            places = (*service.places, router.PINNED)
        else:
            places = (router.PINNED,) if sent.demand_type == router.TYPE_FAR else service.places
    if passage.came and passage.came.dst in router.HOME_ADDRESS:
        places = tuple(place for place in places if place.site == router.HOME)
    assert sent.dst in {address for place in places for address in place.address}


PROPERTIES = (
    nothing_is_lost,
    sums_stay_right,
    ways_out_have_room,
    answers_are_not_answered,
    bound_to_a_member,
)


@settings(max_examples=FRAMES // IN_ONE_EXAMPLE)
@given(port=st.sampled_from(PORTS), chance=st.randoms(use_true_random=False))
def test_whatever_comes_in(passes: Callable[[int, bytes], Passage], port: int, chance: random.Random) -> None:
    frames = RandomFrames(chance, port)
    for _ in range(IN_ONE_EXAMPLE):
        passage = passes(port, frames.frame())
        for holds in PROPERTIES:
            holds(passage)


def test_frames_reach_every_stage(passes: Callable[[int, bytes], Passage]) -> None:
    """Or else the properties say little; but for what takes more flows than can be remembered."""
    chance, found = random.Random(1), set[str]()
    for port in PORTS:
        frames = RandomFrames(chance, port)
        for _ in range(4000):
            found.update(passes(port, frames.frame()).counted)
    assert set(outcomes.names().values()) - found == {"BOUND_FLOW_UNKEPT"}


def test_a_length_that_does_not_fit_is_too_big(passes: Callable[[int, bytes], Passage]) -> None:
    """The IPv6 header is not part of its payload's length, of up to 65,535 bytes (RFC 8200, section 3)."""
    for length in (0xFFFF - 40, 0xFFFF):
        frame = ipv6(udp(cfn(kind=0), src=9, dst=9), dst=PASSING_6, length=length)
        assert passes(router.HOSTS, frame).counted == {"TOO_BIG": 1}


def test_nothing_is_sent_ahead_of_a_request_that_is_not_sent(passes: Callable[[int, bytes], Passage]) -> None:
    header = Header(Kind.REQUEST, router.SHEDS.high << 32, tenant=router.STRANGER, data_in=router.INPUTS[2])
    for payload, ttl, counted in (
        (b"", 64, {"PREFETCHED": 1, "BOUND_NEW": 1}),
        (b"", 1, {"TIME_EXCEEDED": 1}),
        (bytes(1401), 64, {"NACK_TOO_BIG": 1}),
    ):
        message = udp(Packet(header, payload).encode(), src=40000)
        assert passes(router.HOSTS, ipv4(message, ttl=ttl)).counted == counted


def test_only_a_bare_probe_is_stamped_as_one(passes: Callable[[int, bytes], Passage]) -> None:
    """What else the controller has sent is not summed anew, which is done over a bare header."""
    frame = ipv4(udp(cfn(kind=Kind.PROBE) + b"more", CFN_PORT))
    sent = passes(router.CONTROLLER, struct.pack("!H", router.CORE << 7) + frame)
    assert sent.out == ((router.CORE, frame),)


@pytest.mark.skipif(not bmv2.available(), reason="BMv2 is not installed")
@pytest.mark.parametrize("port", PORTS)
def test_bmv2_does_the_same(port: int) -> None:
    """Byte for byte and count for count, with the clock standing still."""
    result = check(
        f"cfn/{port}",
        p4src.JSON.read_bytes(),
        FRAMES // len(PORTS),
        seed=1,
        draw=lambda _, seed, count: draw(seed, count, port),
    )
    assert result.refused is None
    assert result.differences == []
