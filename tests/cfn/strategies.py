"""Arbitrary packets for property tests."""

from hypothesis import strategies as st

from cfn.extensions import Extension
from cfn.wire import Demand, Header, Kind, Packet, Report


def bits(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << count) - 1)


def extensions() -> st.SearchStrategy[Extension]:
    body = st.integers(0, 5).flatmap(lambda words: st.binary(min_size=4 * words + 2, max_size=4 * words + 2))
    return st.builds(Extension, st.integers(1, 255), body)


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
        data_in=st.binary(min_size=16, max_size=16),
        data_out=st.binary(min_size=16, max_size=16),
        demand=st.builds(Demand, bits(4), bits(4), bits(16), bits(8)),
        report=st.builds(Report, bits(8), bits(8), bits(16)),
    )


def packets() -> st.SearchStrategy[Packet]:
    return st.builds(Packet, headers(), st.binary(max_size=64), st.lists(extensions(), max_size=6).map(tuple))
