import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.extension_bodies import ExtensionType
from cfn.extensions import Extension
from cfn.wire import (
    BASE_LENGTH,
    AuthFault,
    Demand,
    DemandPart,
    Header,
    Kind,
    NackCode,
    Packet,
    ProbeStatus,
    Report,
    Status,
)
from cfn.wire_error import WireError
from tests.cfn import vectors
from tests.cfn.strategies import packets

CFN_VECTORS = [vector for vector in vectors.load("vector") if vector["layers"] == "cfn"]


@pytest.mark.parametrize("vector", CFN_VECTORS, ids=lambda vector: vector["name"])
def test_a_vector_decodes_to_its_fields_and_encodes_to_its_bytes(vector):
    expected = vectors.packet(vector)
    assert Packet.decode(vectors.data(vector)) == expected
    assert expected.encode() == vectors.data(vector)


@pytest.mark.parametrize("vector", vectors.load("malformed"), ids=lambda vector: vector["name"])
def test_a_malformed_vector_is_refused_by_field_and_offset(vector):
    with pytest.raises(WireError) as caught:
        Packet.decode(vectors.data(vector))
    assert (caught.value.field, caught.value.offset) == (vector["field"], vector["offset"])
    assert f"{vector['field']} (offset {vector['offset']})" in str(caught.value)


def test_the_document_has_every_sort_of_vector():
    names = {vector["name"] for vector in vectors.load("vector")}
    assert len(names) == len(vectors.load("vector")) >= 24
    assert {vector["kind"] for vector in CFN_VECTORS} == set(Kind.__members__)


@pytest.mark.parametrize("codes", [Kind, Status, NackCode, ExtensionType, DemandPart, AuthFault, ProbeStatus])
def test_the_document_assigns_the_codes_that_are_used(codes):
    text = vectors.DOCUMENT.read_text()
    assert [code for code in codes if f"| {code.name} | {code.value} |" not in text] == []


@given(packets())
def test_what_is_encoded_decodes_to_the_same(packet):
    assert Packet.decode(packet.encode()) == packet


@given(st.binary(max_size=300))
def test_random_bytes_decode_or_are_refused(data):
    _decode_or_refuse(data)


@given(st.integers(0, 4), st.integers(0, 3), st.binary(min_size=2, max_size=254))
def test_random_bodies_of_extensions_decode_or_are_refused(kind, following, body):
    body = body[: len(body) // 4 * 4 - 2]
    area = bytes([following, (2 + len(body)) // 4]) + body
    base = bytearray(Packet(Header(Kind.REQUEST, 1)).encode())
    base[2:4] = bytes([18 + len(area) // 4, kind])
    _decode_or_refuse(bytes(base) + area)


@given(packets(), st.data())
def test_a_truncated_or_damaged_packet_decodes_or_is_refused(packet, draw):
    data = bytearray(packet.encode())
    position = draw.draw(st.integers(0, len(data) - 1))
    data[position] ^= draw.draw(st.integers(1, 255))
    _decode_or_refuse(bytes(data))
    _decode_or_refuse(bytes(data[:position]))


def _decode_or_refuse(data: bytes) -> None:
    try:
        packet = Packet.decode(data)
    except WireError as error:
        refused_at = error.offset
    else:
        refused_at = 0
        assert packet.encode() == data
    assert 0 <= refused_at <= max(len(data), BASE_LENGTH)


@pytest.mark.parametrize(
    ("header", "field", "offset"),
    [
        (Header(Kind.REQUEST, 1 << 64), "func_id", 24),
        (Header(Kind.REQUEST, -1), "func_id", 24),
        (Header(Kind.REQUEST, 1, tenant=1 << 16), "tenant", 4),
        (Header(Kind.REQUEST, 1, request_id=1 << 32), "request_id", 8),
        (Header(Kind.REQUEST, 1, data_in=b"short"), "data_in", 32),
        (Header(Kind.REQUEST, 1, data_out=bytes(17)), "data_out", 48),
        (Header(Kind.REQUEST, 1, demand=Demand(grade=16)), "demand.grade", 64),
        (Header(Kind.REQUEST, 1, demand=Demand(latency_ms=1 << 16)), "demand.latency_ms", 65),
        (Header(Kind.RESPONSE, 1, report=Report(queue=1 << 16)), "report.queue", 70),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(header, field, offset):
    with pytest.raises(WireError) as caught:
        Packet(header).encode()
    assert (caught.value.field, caught.value.offset) == (field, offset)


@pytest.mark.parametrize(
    ("extensions", "field"),
    [
        ([Extension(0, bytes(2))], "extension.type"),
        ([Extension(256, bytes(2))], "extension.type"),
        ([Extension(9, bytes(3))], "extension.body"),
        ([Extension(9, b"")], "extension.body"),
        ([Extension(9, bytes(946)), Extension(9, bytes(2))], "length"),
    ],
)
def test_an_extension_that_does_not_fit_is_refused(extensions, field):
    with pytest.raises(WireError) as caught:
        Packet(Header(Kind.REQUEST, 1), extensions=tuple(extensions)).encode()
    assert caught.value.field == field


def test_extensions_may_fill_all_that_length_can_count():
    packet = Packet(Header(Kind.REQUEST, 1), b"x", (Extension(9, bytes(946)),))
    assert packet.encode()[2] == 255
    assert Packet.decode(packet.encode()) == packet
