import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.cookie import Cookie, CookieKey, seal, verify
from cfn.halfsiphash import halfsiphash32
from tests.cfn import vectors
from tests.cfn.strategies import bits

REFERENCE_KEY = CookieKey.from_bytes(bytes(range(8)))


@pytest.mark.parametrize("vector", vectors.load("cookie"), ids=lambda vector: vector["name"])
def test_cookie_vectors(vector):
    key = CookieKey(vector["k0"], vector["k1"])
    place = {name: vector[name] for name in ("epoch", "site", "instance")}
    whom = {name: vector[name] for name in ("func_id", "tenant")}
    assert halfsiphash32(key, bytes.fromhex(vector["message"])) == vector["tag"]
    assert seal(key, **place, **whom) == vector["affinity"]
    assert Cookie.from_int(vector["affinity"]) == Cookie(**place, tag=vector["tag"])
    assert Cookie.from_int(vector["affinity"]).to_int() == vector["affinity"]
    assert verify(key, vector["affinity"], **whom)


@given(bits(64), bits(16), st.integers(0, 63), st.integers(0, 79))
def test_one_bit_changed_anywhere_breaks_the_seal(func_id, tenant, cookie_bit, bound_bit):
    cookie = seal(REFERENCE_KEY, epoch=1, site=2, instance=3, func_id=func_id, tenant=tenant)
    assert verify(REFERENCE_KEY, cookie, func_id=func_id, tenant=tenant)
    assert not verify(REFERENCE_KEY, cookie ^ 1 << cookie_bit, func_id=func_id, tenant=tenant)
    whom = (func_id << 16 | tenant) ^ 1 << bound_bit
    assert not verify(REFERENCE_KEY, cookie, func_id=whom >> 16, tenant=whom & 0xFFFF)


@pytest.mark.parametrize(
    "part", [{"epoch": 4}, {"site": 1 << 14}, {"instance": -1}, {"func_id": 1 << 64}, {"tenant": 1 << 16}]
)
def test_a_part_that_does_not_fit_is_refused_by_name(part):
    parts = {"epoch": 0, "site": 1, "instance": 1, "func_id": 1, "tenant": 1, **part}
    with pytest.raises(ValueError, match=next(iter(part))):
        seal(REFERENCE_KEY, **parts)
