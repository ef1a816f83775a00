"""The life of a request, with a virtual clock."""

from dataclasses import replace

import pytest

from cfn.auth import TenantKey, authenticate
from cfn.chain import build_chain, stages_of
from cfn.credentials import Credentials, SenderSequence
from cfn.errors import (
    BusyError,
    ChainBrokenError,
    ChainStoppedError,
    DemandUnmetError,
    HopLimitError,
    InputRefusedError,
    MalformedError,
    NackError,
    NoAnswerError,
    NoCapacityError,
    NotPermittedError,
    RateExceededError,
    TooBigError,
    UnauthenticatedError,
    UnknownFunctionError,
)
from cfn.exchange import Exchange, RetryPolicy
from cfn.extension_bodies import Chain, Trace
from cfn.wire import AuthFault, DemandPart, Header, Kind, NackCode, Packet, Report, Status
from tests.cfn.network import nack, response

REQUEST = Packet(Header(Kind.REQUEST, 0xF, tenant=7, request_id=5, affinity=9), b"in")
POLICY = RetryPolicy(attempts=3, timeout_s=1.0, factor=2.0, jitter=0.0, deadline_s=100.0)


CHAIN = replace(REQUEST, extensions=(build_chain([0xE, 0xF], REQUEST.header.data_out),))
KEY = TenantKey.from_bytes(b"tenant 7")


def exchange(
    policy: RetryPolicy = POLICY,
    uniform=lambda low, high: (low + high) / 2,
    request: Packet = REQUEST,
    credentials: Credentials | None = None,
) -> Exchange:
    return Exchange(request, policy, 0.0, uniform, credentials=credentials)


def at_stage(number: int) -> Packet:
    """The chain's request for that function, from 1."""
    stage = stages_of(CHAIN)[number - 1]
    assert CHAIN.chain
    left = Chain(CHAIN.chain.functions[number - 1 :], number - 1)
    fields = {"func_id": stage.func_id, "data_in": stage.data_in, "data_out": stage.data_out}
    return Packet(replace(CHAIN.header, **fields), extensions=(left,))


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
    [
        {"request_id": 6},
        {"func_id": 0xE},
        {"tenant": 8},
        {"data_in": b"another content."},
        {"data_out": b"another content."},
        {"kind": Kind.REQUEST},
        {"kind": Kind.PROBE},
    ],
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
        (NackCode.RATE_EXCEEDED, RateExceededError),
        (NackCode.UNAUTHENTICATED, UnauthenticatedError),
    ],
)
def test_each_nack_has_its_exception_that_says_its_name(code, error):
    with pytest.raises(error, match=rf"^{code.name}$") as caught:
        exchange().receive(nack(REQUEST, code), 0.5)
    assert (caught.value.code, caught.value.retry_after_ms, caught.value.place) == (code, 0, None)


@pytest.mark.parametrize(
    ("report", "error", "text"),
    [
        (Report(NackCode.DEMAND_UNMET, DemandPart.LATENCY), DemandUnmetError, "DEMAND_UNMET: latency"),
        (
            Report(NackCode.UNAUTHENTICATED, AuthFault.WRONG_TAG),
            UnauthenticatedError,
            "UNAUTHENTICATED: wrong tag",
        ),
        (
            Report(NackCode.UNAUTHENTICATED, AuthFault.REPLAYED),
            UnauthenticatedError,
            "UNAUTHENTICATED: replayed",
        ),
        (
            Report(NackCode.TOO_BIG, 0, 1280),
            TooBigError,
            "TOO_BIG: an IP packet may have 1280 bytes",
        ),
    ],
)
def test_the_details_of_a_nack_are_told(report, error, text):
    answer = Packet(replace(REQUEST.header, kind=Kind.NACK, report=report))
    with pytest.raises(error) as caught:
        exchange().receive(answer, 0.5)
    assert str(caught.value) == text
    assert caught.value.report == report


def test_a_nack_of_an_unknown_code_is_still_a_nack():
    with pytest.raises(NackError, match="NackCode 99"):
        exchange().receive(nack(REQUEST, 99), 0.5)


@pytest.mark.parametrize("code", [NackCode.NO_CAPACITY, NackCode.RATE_EXCEEDED])
def test_retry_after_is_honoured_to_the_millisecond(code):
    call = exchange()
    assert call.receive(nack(REQUEST, code, 250), 0.5) is None
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


def test_a_chain_ends_with_the_last_functions_response():
    call = exchange(request=CHAIN)
    trace = Trace(missed=3)
    last = response(at_stage(3), b"out", affinity=77)
    reply = call.receive(replace(last, extensions=(Chain((), 2), trace)), 0.5)
    assert reply is not None
    assert (reply.payload, reply.affinity, reply.trace) == (b"out", 77, trace)
    assert reply.stages == stages_of(CHAIN)
    assert [stage.func_id for stage in reply.stages] == [0xF, 0xE, 0xF]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_refusal_tells_the_place_in_the_chain(number):
    with pytest.raises(NotPermittedError) as caught:
        exchange(request=CHAIN).receive(nack(at_stage(number), NackCode.NOT_PERMITTED), 0.5)
    place = caught.value.place
    assert place is not None
    assert (place.number, place.total, place.stage) == (number, 3, stages_of(CHAIN)[number - 1])
    assert f"function {number} of 3 (0x{place.stage.func_id:016x})" in str(caught.value)


def test_a_broken_chain_says_what_the_instance_said():
    report = Report(NackCode.CHAIN_BROKEN, Status.BAD_INPUT)
    answer = Packet(replace(at_stage(2).header, kind=Kind.NACK, report=report))
    with pytest.raises(ChainBrokenError, match=r"^CHAIN_BROKEN: BAD_INPUT, at function 2 of 3"):
        exchange(request=CHAIN).receive(answer, 0.5)


def test_a_chain_broken_by_a_busy_instance_is_tried_again():
    call = exchange(request=CHAIN)
    report = Report(NackCode.CHAIN_BROKEN, Status.BUSY)
    answer = Packet(replace(at_stage(2).header, kind=Kind.NACK, report=report))
    assert call.receive(answer, 0.5) is None
    assert call.expire(call.deadline) == CHAIN.encode()
    call.expire(call.deadline)
    with pytest.raises(ChainBrokenError):
        call.receive(answer, 9.0)


def test_the_last_functions_failure_tells_its_place_and_the_trace():
    failed = response(at_stage(3), b"too dark", Status.BAD_INPUT)
    with pytest.raises(InputRefusedError, match="too dark, at function 3 of 3") as caught:
        exchange(request=CHAIN).receive(replace(failed, extensions=(Chain((), 2), Trace(missed=1))), 0.5)
    assert caught.value.trace == Trace(missed=1)


def test_a_chain_that_nobody_carries_on_is_an_error():
    with pytest.raises(ChainStoppedError, match="after function 1 of 3"):
        exchange(request=CHAIN).receive(response(at_stage(1)), 0.5)


def credentials() -> Credentials:
    return Credentials(7, 1, KEY, SenderSequence(lambda: 0.0))


def proofs(*datagrams: bytes) -> list[int]:
    """The sequences of the requests' proofs, which hold."""
    sequences = []
    for datagram in datagrams:
        packet = Packet.decode(datagram)
        auth = packet.extensions[0]
        assert auth == authenticate(KEY, packet.header, 1, auth.sequence)
        assert replace(packet, extensions=packet.extensions[1:]) == CHAIN
        sequences.append(auth.sequence)
    return sequences


def test_every_attempt_has_a_proof_of_its_own():
    call = exchange(request=CHAIN, credentials=credentials())
    assert proofs(call.data, call.expire(1.0), call.expire(3.0)) == [1, 2, 3]


def test_what_is_refused_as_replayed_is_sent_again_with_a_higher_sequence():
    call = exchange(request=CHAIN, credentials=credentials())
    report = Report(NackCode.UNAUTHENTICATED, AuthFault.REPLAYED)
    replayed = Packet(replace(CHAIN.header, kind=Kind.NACK, report=report))
    first = call.data
    assert call.receive(replayed, 0.5) is None
    assert call.deadline == 1.5
    low, high = proofs(first, call.expire(1.5))
    assert high > low + 60_000
    call.receive(replayed, 1.6)
    call.expire(call.deadline)
    with pytest.raises(UnauthenticatedError, match="replayed"):
        call.receive(replayed, 9.0)


@pytest.mark.parametrize("fault", [AuthFault.NO_AUTH, AuthFault.WRONG_TAG])
def test_no_further_attempt_helps_a_proof_that_does_not_hold(fault):
    report = Report(NackCode.UNAUTHENTICATED, fault)
    with pytest.raises(UnauthenticatedError):
        exchange(credentials=credentials()).receive(
            Packet(replace(REQUEST.header, kind=Kind.NACK, report=report)), 0.5
        )
