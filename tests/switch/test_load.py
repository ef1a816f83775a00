"""What cannot run is refused by number, with the construct's name and its place."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from switch.generate import generate
from switch.load import LoadError, load
from switch.load.errors import CATALOGUE
from tests.switch.harness import program

ROOT = Path(__file__).parents[2]
ALL = ("match", "arithmetic", "copies", "externs", "shapes", "selector", "corners")


@pytest.mark.parametrize("name", ALL)
def test_names_are_those_of_the_program(name: str) -> None:
    text = program(name)
    loaded = load(text)
    tables = [table["name"] for pipeline in json.loads(text)["pipelines"] for table in pipeline["tables"]]
    assert [table.name for table in loaded.tables] == tables
    assert generate(loaded).source == generate(load(text)).source


def changed(name: str, change: Callable[[Any], None]) -> bytes:
    value = json.loads(program(name))
    change(value)
    return json.dumps(value).encode()


def refused(name: str, change: Callable[[Any], None]) -> LoadError:
    with pytest.raises(LoadError) as caught:
        generate(load(changed(name, change)))
    return caught.value


def first_primitive(root: Any) -> Any:
    return next(action["primitives"][0] for action in root["actions"] if action["primitives"])


def keyed_table(root: Any) -> Any:
    return next(table for table in root["pipelines"][0]["tables"] if table["key"])


def condition(root: Any) -> Any:
    return root["pipelines"][0]["conditionals"][0]["expression"]["value"]


def test_an_unknown_primitive_is_named_with_its_source_line() -> None:
    error = refused("match", lambda root: first_primitive(root).update(op="teleport"))
    assert error.code == 201
    assert "teleport" in str(error)
    assert error.source is not None
    assert error.source.file == "match.p4"
    assert f"match.p4:{error.source.line}" in str(error)


def test_a_reference_to_nothing_names_the_path() -> None:
    def change(root: Any) -> None:
        keyed_table(root)["key"][0]["target"] = ["key", "no_such"]

    error = refused("match", change)
    assert error.code == 104
    assert "no_such" in error.detail
    assert error.path.startswith("pipelines[0].tables[")
    assert ".key[0].target" in error.path


Refusal = tuple[str, int, Callable[[Any], None]]
REFUSALS: list[Refusal] = [
    ("match", 103, lambda root: root["__meta__"].update(version=[3, 0])),
    ("match", 103, lambda root: root.pop("__meta__")),
    ("match", 102, lambda root: root["headers"][0].pop("name")),
    ("match", 102, lambda root: root["header_types"][0].update(fields="x")),
    ("match", 104, lambda root: root["headers"][0].update(header_type="x")),
    ("match", 104, lambda root: root["headers"].append(root["headers"][0])),
    ("match", 105, lambda root: root["header_types"][2]["fields"].append(["x", 3, False])),
    ("match", 204, lambda root: keyed_table(root)["key"][0].update(match_type="fuzzy")),
    ("match", 204, lambda root: root["pipelines"][0]["tables"][0].update(type="magic")),
    ("match", 104, lambda root: root["pipelines"][0].update(init_table="nowhere")),
    ("match", 208, lambda root: root["pipelines"].pop()),
    ("match", 208, lambda root: root["parsers"].clear()),
    (
        "match",
        203,
        lambda root: root["parsers"][0]["parse_states"][0]["parser_ops"][0].update(op="guess"),
    ),
    ("externs", 205, lambda root: root["calculations"][0].update(algo="sha3")),
    ("externs", 205, lambda root: root["calculations"][0].update(algo="random")),
    ("externs", 205, lambda root: root["calculations"][0].update(algo="round_robin")),
    ("match", 201, lambda root: root["pipelines"][0].update(action_calls=[{"name": "a", "id": 0}])),
    ("externs", 206, lambda root: root["meter_arrays"][0].update(type="furlongs")),
    ("match", 206, lambda root: root.update(extern_instances=[{"name": "e", "id": 0, "type": "tea"}])),
    ("match", 202, lambda root: condition(root).update(op="frobnicate")),
    ("match", 207, lambda root: root["header_types"][2].update(fields=[["v", "*"], ["w", "*"]])),
]


@pytest.mark.parametrize(("name", "code", "change"), REFUSALS)
def test_every_refusal_has_its_number(name: str, code: int, change: Callable[[Any], None]) -> None:
    error = refused(name, change)
    assert error.code == code
    assert str(error).startswith(f"SW{code} {CATALOGUE[code]}")


def test_what_is_not_json_has_its_number() -> None:
    with pytest.raises(LoadError, match=r"^SW101 not JSON: ") as caught:
        load(b"{")
    assert caught.value.code == 101


def numbers_given(tree: ast.AST) -> Iterator[int]:
    """The numbers of the errors that a module raises."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name("LoadError") | ast.Attribute(attr="fail"), args=[ast.Constant(int(number)), *_]
            ):
                yield number
            case _:
                pass


def test_each_number_is_given_documented_and_tested() -> None:
    trees = [ast.parse(path.read_text()) for path in (ROOT / "switch").rglob("*.py")]
    assert {number for tree in trees for number in numbers_given(tree)} == set(CATALOGUE)
    rows = re.findall(r"^\| SW(\d+) \| ([^|]+) \|", (ROOT / "docs/switch.md").read_text(), re.MULTILINE)
    assert [(int(number), meaning) for number, meaning in rows] == list(CATALOGUE.items())
    assert {101, *(code for _, code, _ in REFUSALS)} == set(CATALOGUE)


@pytest.mark.parametrize("text", [b"", b"{", b"[1, 2", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b"7"])
def test_what_is_no_program_is_refused(text: bytes) -> None:
    with pytest.raises(LoadError):
        load(text)
