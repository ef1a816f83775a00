from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.chain import Stage, build_chain, stage_of, stages_of
from cfn.extension_bodies import Chain, ChainFunction
from cfn.names import data_out_id, func_id
from cfn.wire import Header, Kind, Packet
from tests.cfn.strategies import bits, data_ids

FIRST = Header(Kind.REQUEST, 1, data_in=b"i" * 16, data_out=b"o" * 16)


def test_each_output_is_named_by_what_it_is_made_of():
    chain = build_chain(["vision/detect", 5], FIRST.data_out)
    second = data_out_id(func_id("vision/detect"), FIRST.data_out)
    assert chain == Chain(
        (ChainFunction(func_id("vision/detect"), second), ChainFunction(5, data_out_id(5, second)))
    )


def test_an_output_may_be_named_by_the_client():
    chain = build_chain([("vision/detect", b"x" * 16), 5], FIRST.data_out)
    assert [each.data_out for each in chain.functions] == [b"x" * 16, data_out_id(5, b"x" * 16)]


@given(st.lists(st.tuples(bits(64), data_ids()), max_size=8))
def test_every_stages_input_is_the_output_of_the_one_before(following):
    request = Packet(FIRST, extensions=(build_chain(following, FIRST.data_out),))
    stages = stages_of(request)
    assert stages[0] == stage_of(FIRST) == Stage(1, b"i" * 16, b"o" * 16)
    assert [(stage.func_id, stage.data_out) for stage in stages[1:]] == following
    for before, after in pairwise(stages):
        assert after.data_in == before.data_out


def test_a_call_without_a_chain_is_one_stage():
    assert stages_of(Packet(FIRST)) == (stage_of(FIRST),)


@pytest.mark.parametrize(
    ("following", "text"),
    [
        (["a/b"] * 9, "9 further functions: 8"),
        (["Vision"], "namespace/function"),
        ([1 << 64], "64 bits"),
        ([-1], "64 bits"),
        ([("a/b", b"short")], "16 bytes, not 5"),
    ],
)
def test_an_impossible_chain_is_refused(following, text):
    with pytest.raises(ValueError, match=text):
        build_chain(following, bytes(16))
