"""The life of a request, with a virtual clock."""

from dataclasses import replace

import pytest

from cfn.errors import (
    BusyError,
    DemandUnmetError,
    HopLimitError,
    InputRefusedError,
    MalformedError,
    NackError,
    NoAnswerError,
    NoCapacityError,
    NotPermittedError,
    UnknownFunctionError,
)
from cfn.exchange import Exchange, RetryPolicy
from cfn.wire import Header, Kind, NackCode, Packet, Status
from tests.cfn.network import nack, response

REQUEST = Packet(Header(Kind.REQUEST, 0xF, tenant=7, request_id=5, affinity=9), b"in")
POLICY = RetryPolicy(attempts=3, timeout_s=1.0, factor=2.0, jitter=0.0, deadline_s=100.0)


def exchange(policy: RetryPolicy = POLICY, uniform=lambda low, high: (low + high) / 2) -> Exchange:
    return Exchange(REQUEST, policy, 0.0, uniform)


def test_waits_grow_and_the_same_datagram_is_sent_again():
    call = exchange()
    assert call.deadline == 1.0
    assert call.expire(1.0) == call.data == REQUEST.encode()
    assert call.deadline == 3.0
    assert call.expire(3.0) == call.data
    assert call.deadline == 7.0
    with pytest.raises(NoAnswerError, match=r"no answer to 3 attempts in 7\.00 s") as caught:
        call.expire(7.0)
    assert (caught.value.attempts, caught.value.waited_s) == (3, 7.0)


@pytest.mark.parametrize(("end", "wait"), [("low", 0.9), ("high", 1.1)])
def test_waits_are_varied_by_the_jitter(end, wait):
    uniform = (lambda low, _: low) if end == "low" else (lambda _, high: high)
    assert exchange(replace(POLICY, jitter=0.1), uniform).deadline == pytest.approx(wait)


def test_no_wait_goes_beyond_the_deadline():
    call = exchange(replace(POLICY, deadline_s=2.5))
    call.expire(1.0)
    assert call.deadline == 2.5
    with pytest.raises(NoAnswerError):
        call.expire(2.5)


def test_a_response_is_the_reply():
    call = exchange()
    call.expire(1.0)
    reply = call.receive(response(REQUEST, b"out", affinity=77), 1.25)
    assert reply is not None
    assert (reply.payload, reply.affinity, reply.latency_s, reply.attempts) == (b"out", 77, 1.25, 2)
    assert (reply.report.load, reply.report.queue) == (10, 1)


@pytest.mark.parametrize(
    "change",
    [{"request_id": 6}, {"func_id": 0xE}, {"tenant": 8}, {"kind": Kind.REQUEST}, {"kind": Kind.PROBE}],
)
@pytest.mark.parametrize("answer", [response(REQUEST), nack(REQUEST, NackCode.NOT_PERMITTED)])
def test_what_answers_another_request_is_not_ours(change, answer):
    stray = Packet(replace(answer.header, **change))
    assert exchange().receive(stray, 0.5) is None


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (NackCode.UNKNOWN_FUNCTION, UnknownFunctionError),
        (NackCode.NOT_PERMITTED, NotPermittedError),
        (NackCode.NO_CAPACITY, NoCapacityError),
        (NackCode.DEMAND_UNMET, DemandUnmetError),
        (NackCode.HOP_LIMIT, HopLimitError),
        (NackCode.MALFORMED, MalformedError),
    ],
)
def test_each_nack_has_its_exception_that_says_its_name(code, error):
    with pytest.raises(error, match=rf"^{code.name}$") as caught:
        exchange().receive(nack(REQUEST, code), 0.5)
    assert (caught.value.code, caught.value.retry_after_ms) == (code, 0)


def test_a_nack_of_an_unknown_code_is_still_a_nack():
    with pytest.raises(NackError, match="NackCode 99"):
        exchange().receive(nack(REQUEST, 99), 0.5)


def test_retry_after_is_honoured_to_the_millisecond():
    call = exchange()
    assert call.receive(nack(REQUEST, NackCode.NO_CAPACITY, 250), 0.5) is None
    assert call.deadline == 0.75
    assert call.expire(0.75) == call.data
    assert call.receive(response(REQUEST), 0.8) is not None


def test_a_refusal_is_raised_when_no_attempt_is_left():
    call = exchange(replace(POLICY, attempts=1))
    with pytest.raises(NoCapacityError, match="try again in 250 ms") as caught:
        call.receive(nack(REQUEST, NackCode.NO_CAPACITY, 250), 0.5)
    assert caught.value.retry_after_ms == 250


def test_a_refusal_is_raised_at_once_when_its_time_is_beyond_the_deadline():
    with pytest.raises(NoCapacityError):
        exchange(replace(POLICY, deadline_s=1.0)).receive(nack(REQUEST, NackCode.NO_CAPACITY, 600), 0.5)


def test_busy_backs_off_and_is_raised_in_the_end():
    call = exchange()
    for now in (0.1, 1.2):
        assert call.receive(response(REQUEST, b"", Status.BUSY), now) is None
        call.expire(call.deadline)
    with pytest.raises(BusyError, match=r"^BUSY$"):
        call.receive(response(REQUEST, b"", Status.BUSY), 4.0)


def test_other_statuses_are_raised_at_once_with_their_text():
    with pytest.raises(InputRefusedError, match="BAD_INPUT: too dark") as caught:
        exchange().receive(response(REQUEST, b"too dark", Status.BAD_INPUT), 0.5)
    assert (caught.value.text, caught.value.report.load) == ("too dark", 10)


def test_what_the_host_says_is_told_when_nothing_comes():
    call = exchange(replace(POLICY, attempts=1))
    call.unreachable("Connection refused")
    with pytest.raises(NoAnswerError, match="Connection refused"):
        call.expire(1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"timeout_s": 0},
        {"factor": 0.5},
        {"jitter": 1.0},
        {"jitter": -0.1},
        {"deadline_s": 0},
    ],
)
def test_an_impossible_policy_is_refused(wrong):
    with pytest.raises(ValueError, match=r"retry policy|jitter"):
        RetryPolicy(**wrong)
