import math
import struct
from pathlib import Path

import pytest

from bench.arrivals import Arrivals, Fates, Flip, fates, reactions_ms, settling_ms

MS = 1_000_000


def arrivals(*times_ms: float, first: int = 0) -> Arrivals:
    return Arrivals.of([(first + i, int((at - 0.1) * MS), int(at * MS)) for i, at in enumerate(times_ms)])


def test_reaction_is_the_first_arrival_at_the_new_site_after_the_advert() -> None:
    flips = [Flip(100 * MS, "far"), Flip(200 * MS, "near")]
    seen = {"near": arrivals(99, 101, 102, 203.5, 204), "far": arrivals(103, 104, 201)}
    assert reactions_ms(flips, seen, 300 * MS) == [3.0, 3.5]


def test_settling_is_the_last_arrival_at_the_old_site() -> None:
    flips = [Flip(100 * MS, "far"), Flip(200 * MS, "near")]
    seen = {"near": arrivals(99, 101, 102, 203.5, 204), "far": arrivals(103, 104)}
    assert settling_ms(flips, seen, 300 * MS) == [2.0, 0.0]


def test_an_advert_that_nothing_follows_took_for_ever() -> None:
    flips = [Flip(100 * MS, "far"), Flip(200 * MS, "near")]
    seen = {"near": arrivals(99, 150, 301), "far": arrivals(203, 250, 299)}
    assert reactions_ms(flips, seen, 300 * MS) == [math.inf, math.inf]


def test_an_advert_before_the_last_one_took_effect_tells_nothing() -> None:
    flips = [Flip(100 * MS, "far"), Flip(200 * MS, "near"), Flip(300 * MS, "far")]
    seen = {"near": arrivals(99, 199, 201, 299), "far": arrivals(302)}
    assert reactions_ms(flips, seen, 400 * MS) == [math.inf, math.inf, 2.0]


def test_what_arrives_when_requests_are_no_longer_sent_does_not_count() -> None:
    assert reactions_ms([Flip(100 * MS, "far")], {"far": arrivals(120)}, 110 * MS) == [math.inf]


def test_arrivals_are_sorted_by_their_time() -> None:
    seen = Arrivals.of([(1, 0, 30), (0, 0, 10), (2, 0, 20)])
    assert (seen.first_after(10), seen.last_before(30)) == (20, 20)
    assert seen.numbers.tolist() == [0, 2, 1]


def test_nothing_before_the_first_and_after_the_last() -> None:
    seen = arrivals(1, 2)
    assert seen.first_after(2 * MS) is None
    assert seen.last_before(1 * MS) is None


def test_reads_records_of_three_numbers(tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(struct.pack("=6Q", 7, 100, 200, 8, 110, 190))
    seen = Arrivals.read(path)
    assert (seen.numbers.tolist(), seen.sent_ns.tolist(), seen.received_ns.tolist()) == (
        [8, 7],
        [110, 100],
        [190, 200],
    )


def test_an_empty_recording_is_no_arrival(tmp_path: Path) -> None:
    (tmp_path / "records").touch()
    assert Arrivals.read(tmp_path / "records").first_after(0) is None


@pytest.mark.parametrize(
    ("near", "far", "refused", "expected"),
    [
        ([0, 1], [2, 3], [], Fates(sent=4, lost=0, refused=0, duplicated=0)),
        ([0, 1], [3], [], Fates(sent=4, lost=1, refused=0, duplicated=0)),
        ([0, 1], [3], [2], Fates(sent=4, lost=0, refused=1, duplicated=0)),
        ([0, 1, 2], [2, 3], [], Fates(sent=4, lost=0, refused=0, duplicated=1)),
        ([], [], [], Fates(sent=4, lost=4, refused=0, duplicated=0)),
    ],
)
def test_every_request_is_accounted_for(
    near: list[int], far: list[int], refused: list[int], expected: Fates
) -> None:
    def of(numbers: list[int]) -> Arrivals:
        return Arrivals.of([(number, 0, number) for number in numbers])

    assert fates(4, {"near": of(near), "far": of(far)}, of(refused)) == expected
