"""Arbitrary packets for property tests."""

from hypothesis import strategies as st

from cfn.extension_bodies import MAX_CHAIN, Auth, Chain, ChainFunction, Trace, TraceRecord
from cfn.extensions import AnyExtension, Extension
from cfn.wire import Demand, Header, Kind, Packet, Report


def bits(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << count) - 1)


def data_ids() -> st.SearchStrategy[bytes]:
    return st.binary(min_size=16, max_size=16)


def chains() -> st.SearchStrategy[Chain]:
    functions = st.lists(st.builds(ChainFunction, bits(64), data_ids()), max_size=MAX_CHAIN)
    return st.builds(Chain, functions.map(tuple), bits(8))


def traces() -> st.SearchStrategy[Trace]:
    numbers = (bits(16), bits(8), bits(8), bits(16), bits(16), bits(32), bits(16), bits(16))
    records = st.lists(st.builds(TraceRecord, *numbers), max_size=5)
    return st.builds(Trace, records.map(tuple), bits(8), bits(8))


def extensions() -> st.SearchStrategy[AnyExtension]:
    body = st.integers(0, 5).flatmap(lambda words: st.binary(min_size=4 * words + 2, max_size=4 * words + 2))
    unknown = st.builds(Extension, st.integers(4, 255), body)
    return st.one_of(unknown, chains(), traces(), st.builds(Auth, bits(16), bits(32), bits(64)))


def headers() -> st.SearchStrategy[Header]:
    return st.builds(
        Header,
        kind=st.sampled_from(Kind),
        func_id=bits(64),
        tenant=bits(16),
        request_id=bits(32),
        flags=bits(8),
        hops=bits(8),
        priority=bits(8),
        timestamp=bits(32),
        affinity=bits(64),
        data_in=data_ids(),
        data_out=data_ids(),
        demand=st.builds(Demand, bits(4), bits(4), bits(16), bits(8)),
        report=st.builds(Report, bits(8), bits(8), bits(16)),
    )


def packets() -> st.SearchStrategy[Packet]:
    return st.builds(Packet, headers(), st.binary(max_size=64), st.lists(extensions(), max_size=4).map(tuple))
