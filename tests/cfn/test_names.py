import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.names import data_in_id, data_out_id, func_id, func_prefix, parse_data_id
from tests.cfn import vectors


@pytest.mark.parametrize(
    ("name", "value"),
    [("vision/detect", 0x5944AECFACFD3EC3), ("video/render", 0x0CAB1C887270D0CB), ("0x1F", 0x1F)],
)
def test_names_have_the_ids_of_the_document(name, value):
    assert func_id(name) == value
    assert func_prefix(name) == (value, 64)


def test_a_namespace_is_a_prefix_of_its_functions():
    value, bits = func_prefix("vision/*")
    assert (value, bits) == (0x5944AE0000000000, 24)
    for function in ("detect", "track", "a.b-c_d"):
        assert func_id(f"vision/{function}") >> 40 == value >> 40


@pytest.mark.parametrize(
    "name",
    [
        "",
        "detect",
        "vision/",
        "/detect",
        "Vision/detect",
        "vision/a/b",
        "vision/de tect",
        "0x",
        "0x" + "1" * 17,
        "é/a",
    ],
)
def test_other_names_are_refused_with_the_form_that_is_wanted(name):
    with pytest.raises(ValueError, match="namespace/function"):
        func_id(name)


def test_content_identifiers_are_those_of_the_request_vector():
    vector = next(v for v in vectors.load("vector") if v["name"] == "request-first")
    payload = bytes.fromhex(vector["payload"])
    assert data_in_id(payload).hex() == vector["data_in"]
    assert data_out_id(vector["func_id"], data_in_id(payload)).hex() == vector["data_out"]


@given(st.binary())
def test_data_in_is_the_head_of_sha256(payload):
    assert data_in_id(payload) == hashlib.sha256(payload).digest()[:16]


@given(st.binary(min_size=16, max_size=16))
def test_an_identifier_survives_being_written(data_id):
    assert parse_data_id(data_id.hex()) == parse_data_id(data_id.hex().upper()) == data_id


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "g" * 32, " " + "0" * 31, "0x" + "0" * 30])
def test_what_is_no_identifier_is_refused(text):
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        parse_data_id(text)
