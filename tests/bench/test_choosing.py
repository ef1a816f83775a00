"""Generated and hand-written code, against each other and against what both should do."""

import binascii
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bench import choosing
from bench.choosing import Catalogue, Generated, Handwritten, frames, oddities

KNOWN = Catalogue.of(1000)


@pytest.fixture(params=["generated", "handwritten"])
def contender(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Generated | Handwritten]:
    made = Generated(KNOWN) if request.param == "generated" else Handwritten(KNOWN, tmp_path)
    with closing(made):
        yield made


def test_the_hash_of_the_flow_draws_the_instance(contender: Generated | Handwritten) -> None:
    calls = frames(KNOWN, 500)
    shares = [number for number, weight in enumerate(choosing.WEIGHTS) for _ in range(weight)]
    groups = dict(zip(KNOWN.functions.tolist(), KNOWN.group_of.tolist(), strict=True))
    for call, out in zip(calls, contender.outputs(calls), strict=True):
        sent = call.tobytes()
        drawn = shares[binascii.crc32(sent[26:38]) % len(shares)]
        number = groups[int(call["function"])] * choosing.INSTANCES + drawn
        macs = (choosing.FIRST_INSTANCE_MAC + number, choosing.ROUTER_MAC)
        assert out == b"".join(mac.to_bytes(6, "big") for mac in macs) + sent[12:]


def test_only_calls_of_known_functions_come_out(contender: Generated | Handwritten) -> None:
    call, *others = contender.outputs(oddities(KNOWN))
    assert call is not None
    assert others == [None] * len(others)


def test_a_batch_that_is_not_full_is_run(contender: Generated | Handwritten) -> None:
    for count in (1, 63, 65):
        calls = frames(KNOWN, count)
        assert None not in contender.outputs(calls)
        assert contender.ns_per_packet(calls, 1) > 0


def test_measuring_leaves_the_frames_alone(contender: Generated | Handwritten) -> None:
    calls = frames(KNOWN, 100)
    before = calls.tobytes()
    contender.ns_per_packet(calls, 2)
    assert calls.tobytes() == before


def test_functions_are_distinct() -> None:
    catalogue = Catalogue.of(5000)
    assert len(np.unique(catalogue.functions)) == 5000
    assert set(catalogue.group_of.tolist()) == set(range(choosing.GROUPS))
