"""P4Data of every type that registers and digests can have."""

import pytest
from finsy.proto import p4d, p4t
from google.protobuf import text_format

from switch.p4rt import p4types
from switch.p4rt.translation import Translations

INFO = text_format.Parse(
    """
    structs { key: "pair" value {
        members { name: "a" type_spec { bitstring { bit { bitwidth: 9 } } } }
        members { name: "b" type_spec { tuple {
            members { bool {} }
            members { bitstring { int { bitwidth: 8 } } }
        } } }
        members { name: "c" type_spec { serializable_enum { name: "kind" } } }
        members { name: "d" type_spec { new_type { name: "alias" } } }
    } }
    headers { key: "tag" value {
        members { name: "a" type_spec { bit { bitwidth: 9 } } }
        members { name: "b" type_spec { int { bitwidth: 8 } } }
    } }
    serializable_enums { key: "kind" value { underlying_type { bitwidth: 4 } } }
    new_types { key: "alias" value { original_type { bitstring { bit { bitwidth: 48 } } } } }
    new_types { key: "port" value { translated_type { uri: "x" sdn_bitwidth: 32 } } }
    new_types { key: "label" value { translated_type { uri: "x" sdn_string {} } } }
    """,
    p4t.P4TypeInfo(),
)

DATA = """
struct { members { bitstring: "\\001\\377" }
         members { tuple { members { bool: true } members { bitstring: "\\377" } } }
         members { enum_value: "\\003" } members { bitstring: "\\005" } }
"""


ENUMS = {"colour": {0: "RED", 5: "BLUE"}, "error": {0: "NoError"}}


def made(spec: str, *widths: int) -> p4types.DataType:
    types = p4types.Types(INFO, ENUMS, Translations(INFO))
    return types.make(text_format.Parse(spec, p4t.P4DataTypeSpec()), iter(widths))


def data(text: str) -> p4d.P4Data:
    return text_format.Parse(text, p4d.P4Data())


def test_nested_types_are_flat_integers() -> None:
    pair = made('struct { name: "pair" }')
    cells = [0x1FF, 1, 0xFF, 3, 5]
    assert pair.encode(iter(cells)) == data(DATA)
    assert pair.decode(data(DATA)) == cells


def test_enums_without_numbers_go_by_name() -> None:
    colour = made('enum { name: "colour" }')
    assert colour.encode(iter([5])) == data('enum: "BLUE"')
    assert colour.encode(iter([1])) == data('enum: ""')
    assert colour.decode(data('enum: "RED"')) == [0]
    with pytest.raises(ValueError, match="no member 'GREEN'"):
        colour.decode(data('enum: "GREEN"'))
    assert made("error {}").encode(iter([0])) == data('error: "NoError"')
    with pytest.raises(ValueError, match="wanted"):
        made("error {}").decode(data('enum: "NoError"'))


def test_headers_are_valid() -> None:
    tag = made('header { name: "tag" }')
    whole = data('header { is_valid: true bitstrings: "\\001\\377" bitstrings: "\\377" }')
    assert tag.encode(iter([0x1FF, 0xFF])) == whole
    assert tag.decode(whole) == [0x1FF, 0xFF]
    for wrong in ("header {}", 'header { is_valid: true bitstrings: "a" }'):
        with pytest.raises(ValueError, match="valid header of 2 fields"):
            tag.decode(data(wrong))


def test_a_translated_type_fits_both_widths() -> None:
    port = made('new_type { name: "port" }', 9)
    assert port.decode(data('bitstring: "\\001\\377"')) == [0x1FF]
    for wrong in ('bitstring: "\\002\\000"', 'bitstring: "\\001\\000\\000\\000\\000"'):
        with pytest.raises(ValueError, match=r"stands for no|fit 32 bits"):
            port.decode(data(wrong))


def test_widths_go_with_the_integers() -> None:
    spec = """tuple { members { struct { name: "pair" } } members { header { name: "tag" } }
                      members { new_type { name: "label" } } }"""
    text = """tuple { members { %s } members { header { is_valid: true bitstrings: "a" bitstrings: "a" } }
                      members { bitstring: "x" } }"""
    found = made(spec, 9, 1, 8, 4, 48, 9, 8, 2)
    assert found.decode(data(text % DATA)) == [0x1FF, 1, 0xFF, 3, 5, 97, 97, 3]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "bool: true",
        "struct { }",
        DATA.replace("\\003", "\\020"),
        DATA.replace("bool: true", 'bitstring: "\\001"'),
        DATA.replace('enum_value: "\\003"', 'bitstring: "\\003"'),
    ],
)
def test_data_of_another_type(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|members|fit"):
        made('struct { name: "pair" }').decode(data(wrong))


@pytest.mark.parametrize(
    "spec",
    [
        "",
        'struct { name: "gone" }',
        'header { name: "gone" }',
        'enum { name: "gone" }',
        'serializable_enum { name: "gone" }',
        'new_type { name: "gone" }',
        'header_union { name: "gone" }',
        "bitstring { varbit { max_bitwidth: 8 } }",
    ],
)
def test_types_without_values(spec: str) -> None:
    with pytest.raises(ValueError, match=r"gone|no value"):
        made(spec)
