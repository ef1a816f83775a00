from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cfn.cookie import Cookie
from cfn.wire import Header, Kind, NackCode, Packet, Report, Status
from topo.records import Answer, Outcome, Record, read, read_answer

records = st.builds(
    Record,
    client=st.text(max_size=8),
    source=st.sampled_from(["replay", "session", "single"]),
    session=st.none() | st.integers(0, 9999),
    function=st.text(max_size=20),
    family=st.sampled_from([4, 6]),
    bound=st.booleans(),
    sent_s=st.floats(0, 2e9),
    latency_ms=st.none() | st.floats(0, 1e5),
    outcome=st.sampled_from(Outcome),
    code=st.integers(0, 255),
    site=st.none() | st.integers(0, 2**14 - 1),
    instance=st.none() | st.integers(0, 2**16 - 1),
)


@given(st.lists(records, max_size=5))
def test_lines_come_back_as_they_were(rows: list[Record]) -> None:
    text = "".join(row.to_line() for row in rows)
    assert list(read(text.splitlines())) == rows
    assert text.count("\n") == len(rows)


def _packet(kind: Kind, status: int, affinity: int = 0) -> Packet:
    return Packet(Header(kind, 1, affinity=affinity, report=Report(status)), b"")


def test_the_cookie_of_a_response_says_who_answered() -> None:
    affinity = Cookie(epoch=1, site=3, instance=9, tag=77).to_int()
    cases: list[tuple[Packet, Any]] = [
        (_packet(Kind.RESPONSE, Status.OK, affinity), Answer(Outcome.OK, 0, 3, 9)),
        (_packet(Kind.RESPONSE, Status.BUSY, affinity), Answer(Outcome.FAILED, 2, 3, 9)),
        (_packet(Kind.RESPONSE, Status.OK), Answer(Outcome.OK, 0, None, None)),
        (_packet(Kind.NACK, NackCode.NO_CAPACITY, affinity), Answer(Outcome.NACK, 3, None, None)),
    ]
    for packet, answer in cases:
        assert read_answer(packet) == answer
