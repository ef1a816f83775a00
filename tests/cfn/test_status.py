import json
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.status import MAX_HELD, MAX_STATUS, InstanceStatus, decode_status
from tests.cfn.statuses import holdings, status


def test_a_status_survives_the_wire_and_fits():
    sent = status(3, func_id=2**64 - 1, arrived=2**62, ipv6="fd00:2::1")
    assert InstanceStatus.decode(sent.encode()) == sent
    assert len(sent.encode()) <= MAX_STATUS
    assert sent.ipv4 == IPv4Address("10.2.0.1")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"instance": 65536}, "instance"),
        ({"load": 256}, "load"),
        ({"workers": 0}, "workers"),
        ({"queue": -1}, "queue"),
        ({"func_id": 2**64}, "func_id"),
        ({"state": "tired"}, "state"),
        ({"ipv4": "10.2.0.256"}, "ipv4"),
        ({"colour": "blue"}, "colour"),
        ({"ipv4": None}, "address"),
    ],
)
def test_a_status_that_is_wrong_is_refused_in_one_line_that_names_the_field(change, field):
    good = json.loads(status(3).encode())
    with pytest.raises(ValueError, match=field) as caught:
        InstanceStatus.decode(json.dumps({**good, **change}).encode())
    assert "\n" not in str(caught.value)


def test_the_fullest_holdings_fit_and_survive_the_wire():
    sent = holdings(
        inputs=["f" * 32] * MAX_HELD, results=[{"func_id": 2**64 - 1, "data_in": "e" * 32}] * MAX_HELD
    )
    assert decode_status(sent.encode()) == sent
    assert len(sent.encode()) <= MAX_STATUS


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"inputs": ["f" * 31]}, "inputs.0"),
        ({"inputs": ["F" * 32]}, "inputs.0"),
        ({"inputs": ["f" * 32] * (MAX_HELD + 1)}, "inputs"),
        ({"results": [{"func_id": -1, "data_in": "f" * 32}]}, "results.0.func_id"),
        ({"results": [{"func_id": 1}]}, "results.0.data_in"),
        ({"at_us": -1}, "at_us"),
    ],
)
def test_holdings_that_are_wrong_are_refused_in_one_line_that_names_the_field(change, field):
    good = json.loads(holdings().encode())
    with pytest.raises(ValueError, match=f"^{field}: [^\n]*$"):
        decode_status(json.dumps({**good, **change}).encode())


def test_either_sort_of_status_is_read_as_what_it_is():
    for sent in (status(3), holdings()):
        assert decode_status(sent.encode()) == sent


@given(st.binary(max_size=200) | st.sampled_from([b"[]", b"7", b'"inputs"', b'{"inputs": 7}', b"{}"]))
def test_random_bytes_are_refused(data):
    for decode in (InstanceStatus.decode, decode_status):
        with pytest.raises(ValueError, match=r".+"):
            decode(data)
