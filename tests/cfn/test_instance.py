"""An instance's decisions, with a virtual clock."""

from dataclasses import replace

import pytest

from cfn.extension_bodies import Auth, Chain, ChainFunction, Trace, TraceRecord
from cfn.extensions import Extension
from cfn.function import Outcome
from cfn.instance import REMEMBER_MAX, REMEMBER_S, InstanceState, Job
from cfn.load import FULLY_BUSY, PER_WAITING
from cfn.wire import Header, Kind, Packet, Report, Status

FUNCTION = 0xF
DONE = Outcome(Status.OK, b"out")
MOST_REQUESTS = 0xFFFF
"""That fit into a report."""


def job(number: int = 1, client: str = "client", payload: bytes = b"in", **fields) -> Job:
    return Job(client, Packet(Header(Kind.REQUEST, FUNCTION, request_id=number, **fields), payload))


def instance(workers: int = 1, queue_limit: int = 2) -> InstanceState:
    return InstanceState(FUNCTION, workers=workers, queue_limit=queue_limit, now=0.0)


def started(state: InstanceState, *jobs: Job, now: float = 0.0) -> None:
    for each in jobs:
        assert state.arrive(each, now) is None
        assert state.next_job(now) == each


def test_a_free_worker_gets_the_request_at_once_and_the_rest_waits_in_order():
    state = instance(workers=2)
    jobs = [job(number) for number in range(4)]
    for each in jobs:
        assert state.arrive(each, 0.0) is None
    assert [state.next_job(0.0), state.next_job(0.0), state.next_job(0.0)] == [jobs[0], jobs[1], None]
    assert (state.running, state.queue) == (2, 2)
    state.finish(jobs[1], DONE, 0.1)
    assert state.next_job(0.1) == jobs[2]


def test_beyond_the_bound_the_answer_is_busy():
    state = instance(queue_limit=1)
    started(state, job(1))
    assert state.arrive(job(2), 0.0) is None
    answer = state.arrive(job(3), 0.0)
    assert answer is not None
    assert answer.header.report == Report(Status.BUSY, FULLY_BUSY + PER_WAITING, 2)
    assert (state.counters.arrived, state.counters.refused) == (3, 1)


def test_a_busy_answer_is_not_remembered():
    state = instance(queue_limit=0)
    started(state, job(1))
    assert state.arrive(job(2), 0.0) is not None
    state.finish(job(1), DONE, 0.1)
    started(state, job(2), now=0.1)


def test_a_request_that_is_to_be_prepared_takes_its_place_once_it_is():
    state = instance(queue_limit=1)
    named, other = job(1, payload=b"", data_in=b"n" * 16), job(2)
    assert state.arrive(named, 0.0, prepare=True) is None
    assert state.arrive(named, 0.0, prepare=True) is None
    assert (state.next_job(0.0), state.queue, state.load(0.0)) == (None, 0, 0)
    assert [state.next_to_prepare(), state.next_to_prepare()] == [named, None]
    started(state, other)
    assert state.arrive(named, 0.1, prepare=True) is None
    assert state.prepared(named) is None
    assert (state.queue, state.counters.arrived) == (1, 2)
    assert state.drop_waiting() == [named]
    assert state.queue == 0


def test_what_is_prepared_for_a_full_queue_is_refused():
    state = instance(queue_limit=0)
    named = job(1, payload=b"", data_in=b"n" * 16)
    state.arrive(named, 0.0, prepare=True)
    state.next_to_prepare()
    started(state, job(2))
    assert state.prepared(named).header.report.status == Status.BUSY
    state.finish(job(2), DONE, 0.2)
    assert state.arrive(named, 0.2, prepare=True) is None


def test_as_many_are_prepared_as_could_run_and_wait():
    state = instance(workers=1, queue_limit=2)
    answers = [state.arrive(job(number), 0.0, prepare=True) for number in range(4)]
    assert answers[:3] == [None] * 3
    assert answers[3].header.report.status == Status.BUSY
    assert state.arrive(job(9), 0.0) is None


def test_an_outcome_without_a_run_is_remembered_and_counts_as_no_run():
    state = instance()
    named = job(1, payload=b"", data_in=b"n" * 16)
    state.arrive(named, 0.0, prepare=True)
    assert state.settle(state.next_to_prepare(), DONE, 0.1).payload == b"out"
    assert state.arrive(named, 0.2, prepare=True).payload == b"out"
    assert (state.counters.arrived, state.counters.completed, state.next_to_prepare()) == (0, 0, None)


def test_the_answer_echoes_the_request_and_reports_the_load():
    state = instance()
    asked = job(1, tenant=7, affinity=9, timestamp=5, hops=3, priority=2)
    started(state, asked)
    state.finish(asked, DONE, 0.1)
    answer = state.answer(asked, DONE)
    expected = replace(asked.request.header, kind=Kind.RESPONSE, report=Report(Status.OK, 0, 0))
    assert answer == Packet(expected, b"out")


def test_answers_tell_load_and_requests_of_the_moment():
    state = instance(workers=2, queue_limit=3)
    first, second = job(1), job(2)
    started(state, first, second)
    for number in (3, 4, 5):
        state.arrive(job(number), 0.0)
    state.finish(first, DONE, 0.1)
    state.next_job(0.1)
    assert state.answer(first, DONE).header.report == Report(Status.OK, FULLY_BUSY + 2 * PER_WAITING, 4)
    state.finish(second, DONE, 0.2)
    assert state.drop_waiting()
    assert state.answer(second, DONE).header.report == Report(Status.OK, round(FULLY_BUSY / 2), 1)


def test_answers_tell_no_more_requests_than_have_room():
    state = instance(queue_limit=MOST_REQUESTS + 1)
    for number in range(MOST_REQUESTS + 2):
        state.arrive(job(number), 0.0)
    assert state.settle(job(MOST_REQUESTS + 2), DONE, 0.0).header.report.queue == MOST_REQUESTS


def test_retries_of_what_waits_or_runs_are_not_taken_again():
    state = instance()
    started(state, job(1))
    state.arrive(job(2), 0.0)
    for again in (job(1), job(2)):
        assert state.arrive(again, 0.1) is None
    assert (state.queue, state.running, state.counters.arrived) == (1, 1, 2)


def test_a_retry_of_what_is_done_gets_the_answer_with_its_own_stamp():
    state = instance()
    started(state, job(1))
    state.finish(job(1), DONE, 0.1)
    answer = state.arrive(job(1, timestamp=77, affinity=5), 0.2)
    assert answer is not None
    assert (answer.payload, answer.header.timestamp, answer.header.affinity) == (b"out", 77, 5)
    assert state.counters.completed == 1


@pytest.mark.parametrize(
    "other", [job(2), job(1, client="another"), job(1, payload=b"other"), job(1, tenant=9)]
)
def test_only_the_same_request_of_the_same_client_is_a_retry(other):
    state = instance()
    started(state, job(1))
    state.finish(job(1), DONE, 0.1)
    started(state, other, now=0.2)


def test_answers_are_forgotten_after_a_while():
    state = instance()
    started(state, job(1))
    state.finish(job(1), DONE, 0.0)
    assert state.arrive(job(1), REMEMBER_S) is not None
    started(state, job(1), now=REMEMBER_S + 0.01)


def test_the_memory_of_answers_is_bounded():
    state = instance()
    for number in range(REMEMBER_MAX + 1):
        started(state, job(number))
        state.finish(job(number), DONE, 0.0)
    assert state.arrive(job(REMEMBER_MAX), 0.0) is not None
    started(state, job(0))


def test_another_function_is_unknown_here():
    answer = instance().arrive(Job("client", Packet(Header(Kind.REQUEST, 0xE))), 0.0)
    assert answer is not None
    assert answer.header.report.status == Status.UNKNOWN_FUNCTION_HERE


def test_every_answer_repeats_chain_and_trace_but_not_the_proof():
    chain, trace = Chain((ChainFunction(1, bytes(16)),)), Trace((TraceRecord(1, 2, 3, 4, 5, 6, 7, 8),))
    asked = Job(
        "client", replace(job().request, extensions=(Auth(1, 2, 3), chain, trace, Extension(9, bytes(2))))
    )
    state = instance(queue_limit=0)
    started(state, asked)
    busy = state.arrive(replace(asked, client="other"), 0.0)
    state.finish(asked, DONE, 0.1)
    for answer in (busy, state.answer(asked, DONE), state.arrive(asked, 0.2)):
        assert answer.extensions == (chain, trace)


def test_counters_tell_how_long_others_ran_beside():
    state = instance(workers=3)
    started(state, job(1), job(2))
    state.finish(job(1), replace(DONE, cpu_us=9000), 0.010)
    assert state.counters.beside_us == 10_000
    started(state, job(3), now=0.020)
    state.finish(job(2), replace(DONE, cpu_us=30_000), 0.050)
    state.finish(job(3), replace(DONE, cpu_us=8000), 0.060)
    # The second had the first beside it for 10 ms and the third for 30, the third the second for 30.
    assert state.counters.beside_us == 10_000 + 40_000 + 30_000
    assert (state.usual_cpu_us, state.counters.cpu_us) == (47_000 / 3, 47_000)


def test_counters_sum_up_what_was_done():
    state = instance(workers=2)
    started(state, job(1), job(2))
    state.finish(job(1), DONE, 0.010)
    state.finish(job(2), Outcome(Status.FUNCTION_FAILED, b""), 0.030)
    counters = state.counters
    assert (counters.arrived, counters.completed, counters.failed, counters.refused) == (2, 2, 1, 0)
    assert counters.busy_us == 40_000
