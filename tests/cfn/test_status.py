import json
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.status import MAX_STATUS, InstanceStatus
from tests.cfn.statuses import status


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


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data):
    with pytest.raises(ValueError, match=r".+"):
        InstanceStatus.decode(data)
