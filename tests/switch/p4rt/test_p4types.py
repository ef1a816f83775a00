"""P4Data of every type that registers and digests can have."""

import pytest
from finsy.proto import p4d, p4t
from google.protobuf import text_format

from switch.p4rt import p4types

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


def made(spec: str) -> p4types.DataType:
    return p4types.from_spec(text_format.Parse(spec, p4t.P4DataTypeSpec()), INFO)


def data(text: str) -> p4d.P4Data:
    return text_format.Parse(text, p4d.P4Data())


def test_nested_types_are_flat_integers() -> None:
    pair = made('struct { name: "pair" }')
    cells = [0x1FF, 1, 0xFF, 3, 5]
    assert pair.encode(iter(cells)) == data(DATA)
    assert pair.decode(data(DATA)) == cells


def test_a_translated_type_has_the_controllers_width() -> None:
    assert made('new_type { name: "port" }') == p4types.Bits(32)


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
        "error {}",
        'struct { name: "gone" }',
        'serializable_enum { name: "gone" }',
        'new_type { name: "gone" }',
        'new_type { name: "label" }',
        "bitstring { varbit { max_bitwidth: 8 } }",
    ],
)
def test_types_without_values(spec: str) -> None:
    with pytest.raises(ValueError, match=r"gone|label|no value"):
        made(spec)
