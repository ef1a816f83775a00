import math

import pytest

from bench.slowdown import Turn, response_ms
from topo.records import Outcome, Record

SLOW, OTHER = 1, 2


def record(sent_s: float, site: int | None, latency_ms: float | None = 20.0) -> Record:
    outcome = Outcome.LOST if latency_ms is None else Outcome.OK
    return Record(
        client="c",
        source="single",
        session=None,
        function="a/b",
        family=4,
        bound=False,
        sent_s=sent_s,
        latency_ms=latency_ms,
        outcome=outcome,
        site=site,
    )


def turn(before: list[int | None], after: list[int | None]) -> Turn:
    """A request every 10 ms; the site slows down with the first one after."""
    records = [record(0.01 * number, site) for number, site in enumerate(before + after)]
    return Turn(records[::-1], SLOW, 0.01 * len(before))


def test_a_share_has_halved_when_a_whole_window_shows_it() -> None:
    # Half of the requests before; one of the last four with the third one after.
    moved = turn([SLOW, OTHER] * 4, [SLOW, OTHER, OTHER, OTHER, OTHER])
    assert moved.halved_ms(window=4) == pytest.approx(20.0)
    assert turn([SLOW, OTHER] * 4, [SLOW, OTHER] * 3).halved_ms(window=4) == math.inf


def test_a_window_from_before_does_not_count() -> None:
    assert turn([SLOW, SLOW, SLOW, OTHER, OTHER, OTHER], [SLOW] * 8).halved_ms(window=3) == math.inf


def test_who_has_no_answer_went_to_the_slow_site() -> None:
    kept = turn([SLOW, OTHER, OTHER], [None, OTHER, OTHER, OTHER])
    assert kept.share(kept.before) == pytest.approx(1 / 3)
    assert kept.share(kept.after) == pytest.approx(1 / 4)


def test_settled_requests_came_a_second_after() -> None:
    records = [record(0.0, SLOW), record(10.0, SLOW), record(10.9, SLOW), record(11.0, OTHER)]
    assert Turn(records, SLOW, 10.0).settled == records[3:]


def test_lost_requests_took_forever() -> None:
    times = [record(0, OTHER, 10.0), record(1, OTHER, 30.0), record(2, None, None)]
    assert response_ms(times, 50) == 30.0
    assert response_ms(times, 99) == math.inf


def test_no_requests_have_no_share() -> None:
    with pytest.raises(ValueError, match="no requests"):
        turn([], []).share([])
