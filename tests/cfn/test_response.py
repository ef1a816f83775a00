from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.extension_bodies import Chain, ChainFunction, Trace, TraceRecord
from cfn.function import MAX_OUTPUT
from cfn.response import build_response
from cfn.wire import MAX_DATAGRAM, Header, Kind, Packet, Report, Status
from tests.cfn.strategies import packets

REQUEST = Packet(Header(Kind.REQUEST, 1, request_id=2), b"input")
OK = Report(Status.OK, 3, 4)
CHAIN = Chain((ChainFunction(1, bytes(16)),) * 8)
RECORDS = tuple(TraceRecord(number, 2, 3, 4, 5, 6, 7, 8) for number in range(5))


def with_extensions(*extensions) -> Packet:
    return replace(REQUEST, extensions=extensions)


@pytest.mark.parametrize("extensions", [(), (CHAIN,), (Trace(RECORDS),), (CHAIN, Trace(RECORDS))])
def test_what_fits_is_repeated_whole(extensions):
    response = build_response(with_extensions(*extensions), OK, b"output")
    assert response == Packet(replace(REQUEST.header, kind=Kind.RESPONSE, report=OK), b"output", extensions)


def test_the_newest_records_give_way_to_the_output_and_are_counted():
    # 4 + 5 · 16 bytes of TRACE where there is room for 4 + 2 · 16 and some more.
    response = build_response(with_extensions(Trace(RECORDS, missed=1)), OK, bytes(MAX_OUTPUT - 40))
    assert response.trace == Trace(RECORDS[3:], missed=4)
    assert len(response.encode()) == MAX_DATAGRAM - 4


def test_missed_routers_are_counted_up_to_255():
    response = build_response(with_extensions(Trace(RECORDS, missed=253)), OK, bytes(MAX_OUTPUT - 4))
    assert response.trace == Trace((), missed=255)


def test_an_output_without_room_beside_the_chain_is_a_failure_that_says_how_much_there_is():
    request = with_extensions(CHAIN)
    room = MAX_OUTPUT - 196
    assert build_response(request, OK, bytes(room)).header.report == OK
    response = build_response(request, OK, bytes(room + 1))
    assert response.header.report == replace(OK, status=Status.FUNCTION_FAILED)
    assert (
        response.payload.decode()
        == f"output of {room + 1} bytes: with its chain the response has room for {room}"
    )
    assert response.chain == CHAIN


@given(packets(), st.integers(0, MAX_OUTPUT))
def test_no_response_is_longer_than_a_host_sends(request, size):
    assert len(build_response(request, OK, bytes(size)).encode()) <= MAX_DATAGRAM
