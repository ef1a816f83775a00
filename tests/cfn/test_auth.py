from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.auth import TenantKey, auth_message, authenticate
from cfn.halfsiphash import halfsiphash64
from tests.cfn import vectors
from tests.cfn.strategies import bits, headers

KEY = TenantKey.from_bytes(bytes(range(8)))


@pytest.mark.parametrize("vector", vectors.load("auth"), ids=lambda vector: vector["name"])
def test_auth_vectors(vector):
    header = vectors.header(vector)
    key = TenantKey(vector["k0"], vector["k1"])
    message = auth_message(header, vector["sender"], vector["sequence"])
    assert message == bytes.fromhex(vector["message"])
    assert authenticate(key, header, vector["sender"], vector["sequence"]).tag == vector["tag"]


@pytest.mark.parametrize("vector", vectors.load("vector"), ids=lambda vector: vector["name"])
def test_the_auth_in_a_packet_is_of_the_reference_key(vector):
    packet = vectors.packet(vector)
    for extension in packet.extensions:
        if extension.type == 2:
            assert authenticate(KEY, packet.header, extension.sender, extension.sequence) == extension


@given(headers(), bits(16), bits(32), st.data())
def test_what_a_router_may_change_is_not_covered(header, sender, sequence, draw):
    other = draw.draw(headers())
    kept = ("tenant", "request_id", "flags", "priority", "func_id", "data_in", "data_out", "demand")
    changed = replace(other, **{name: getattr(header, name) for name in kept})
    assert authenticate(KEY, changed, sender, sequence) == authenticate(KEY, header, sender, sequence)


@given(headers(), bits(16), bits(32), st.integers(0, 479))
def test_one_bit_of_the_message_changes_the_tag(header, sender, sequence, bit):
    message = int.from_bytes(auth_message(header, sender, sequence))
    tag = halfsiphash64(KEY, message.to_bytes(60))
    assert halfsiphash64(KEY, (message ^ 1 << bit).to_bytes(60)) != tag
