import pytest

from cfn.extension_bodies import MAX_CHAIN, Auth, Chain, ChainFunction, Trace, TraceRecord
from cfn.extensions import Extension
from cfn.wire import Header, Kind, Packet
from cfn.wire_error import WireError

FUNCTION = ChainFunction(1, bytes(16))
RECORD = TraceRecord(1, 2, 3, 4, 5, 6, 7, 8)


def encoded(*extensions) -> bytes:
    return Packet(Header(Kind.REQUEST, 1), extensions=extensions).encode()


@pytest.mark.parametrize(
    ("extension", "field", "offset"),
    [
        (Chain((FUNCTION,) * (MAX_CHAIN + 1)), "chain.left", 75),
        (Chain((), 256), "chain.done", 74),
        (Chain((FUNCTION, ChainFunction(1 << 64, bytes(16)))), "chain.func_id", 100),
        (Chain((FUNCTION, ChainFunction(1, bytes(15)))), "chain.data_out", 108),
        (Auth(1 << 16, 0, 0), "auth.sender", 74),
        (Auth(0, -1, 0), "auth.sequence", 76),
        (Auth(0, 0, 1 << 64), "auth.tag", 80),
        (Trace(missed=256), "trace.missed", 74),
        (Trace((RECORD, TraceRecord(1, 256, 3, 4, 5, 6, 7, 8))), "trace.outcome", 94),
        (Trace((RECORD, TraceRecord(1, 2, 3, 4, 5, 6, 7, 1 << 16))), "trace.residence_us", 106),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name_and_offset(extension, field, offset):
    with pytest.raises(WireError) as caught:
        encoded(extension)
    assert (caught.value.field, caught.value.offset) == (field, offset)


def test_offsets_count_the_extensions_before():
    with pytest.raises(WireError) as caught:
        encoded(Extension(9, bytes(6)), Auth(1 << 16, 0, 0))
    assert caught.value.offset == 82


def test_a_packet_gives_its_chain_and_its_trace():
    packet = Packet(Header(Kind.REQUEST, 1), extensions=(Auth(1, 2, 3), Chain((FUNCTION,)), Trace((RECORD,))))
    assert (packet.chain, packet.trace) == (Chain((FUNCTION,)), Trace((RECORD,)))
    bare = Packet(Header(Kind.REQUEST, 1))
    assert (bare.chain, bare.trace) == (None, None)
