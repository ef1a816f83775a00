"""Programs that were damaged: refused by `LoadError`, or else they compile and run without a fault."""

from __future__ import annotations

import copy
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from switch.generate import generate
from switch.load import LoadError, load
from tests.switch.effort import examples
from tests.switch.fuzz.seeds import seeds
from tests.switch.fuzz.target import build, run
from tests.switch.harness import PROGRAMS
from tests.switch.test_fuzz import needs_clang

FILES = sorted([*PROGRAMS.glob("*.json"), *PROGRAMS.parent.glob("p4rt/programs/*.json")])
OTHERS = (None, -1, 0, 1, 1 << 40, 1.5, "", "x", "0xffffffffff", [], {}, True, [1, 2], ["a", "b"])
NUMBERS = (-1, 1, 7, 8, 64, 1 << 16, 1 << 31, 1 << 63)

Place = tuple[Any, Any]


@cache
def root(file: Path) -> Any:
    return json.loads(file.read_bytes())


def places(value: Any) -> list[Place]:
    """All (container, key) pairs of a tree, without what only says where in the source something stood."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[Place] = []
    for key, inner in pairs:
        if key != "source_info":
            found += [(value, key), *places(inner)]
    return found


def damage(draw: st.DrawFn, tree: Any) -> None:
    """Delete, replace, count up or down, repeat, or exchange for something of the same kind."""
    among = places(tree)
    container, key = among[draw(st.integers(0, len(among) - 1))]
    value = container[key]
    how = draw(st.sampled_from(("delete", "replace", "number", "repeat", "exchange")))
    if how == "delete":
        del container[key]
    elif how == "number" and isinstance(value, int):
        container[key] = value + draw(st.sampled_from(NUMBERS))
    elif how == "repeat" and isinstance(container, list):
        container.insert(key, copy.deepcopy(value))
    elif how == "exchange":
        alike = [inner[at] for inner, at in among if type(inner[at]) is type(value)]
        container[key] = copy.deepcopy(alike[draw(st.integers(0, len(alike) - 1))])
    else:
        container[key] = copy.deepcopy(draw(st.sampled_from(OTHERS)))  # a later damage may be inside it


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    tree = copy.deepcopy(root(draw(st.sampled_from(FILES))))
    for _ in range(draw(st.integers(1, 3))):
        damage(draw, tree)
    return json.dumps(tree).encode()


@given(damaged())
@examples(100)
def test_a_damaged_program_is_refused_or_generated(program: bytes) -> None:
    try:
        generated = generate(load(program))
    except LoadError:
        return
    assert generated.source


def is_taken(program: bytes) -> bool:
    try:
        generate(load(program))
    except LoadError:
        return False
    return True


@needs_clang
@given(damaged().filter(is_taken))
@examples(1)
def test_a_damaged_program_that_is_taken_runs_clean(program: bytes) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "program.json").write_bytes(program)
        target, shape = build(folder / "program.json", folder)
        start = folder / "start"
        start.mkdir()
        for number, seed in enumerate(seeds(shape, [bytes(64), b"\xff" * 64])):
            (start / str(number)).write_bytes(seed)
        run(target, [start], "-runs=0")
