"""Random programs: drawn the same from a seed, made smaller, and on BMv2 and here byte for byte."""

import shutil
from pathlib import Path

import pytest

from tests.switch import bmv2
from tests.switch.differential import check_drawn
from tests.switch.random_programs import source
from tests.switch.sources import smaller

P4C = shutil.which("p4c-bm2-ss")


def test_the_same_seed_draws_the_same_program() -> None:
    assert source("a") == source("a")
    assert source("a") != source("b")


def test_a_program_is_made_smaller_by_statements() -> None:
    text = "control I() {\n    apply {\n        a = 1;\n        b = 2;\n        c = 3;\n    }\n}\n"
    assert smaller(text, lambda rest: "b = 2" in rest) == text.replace("        a = 1;\n", "").replace(
        "        c = 3;\n", ""
    )


@pytest.mark.skipif(P4C is None or not bmv2.available(), reason="p4c or BMv2 is not installed")
@pytest.mark.parametrize("seed", ["random/1/0", "random/1/4"])
def test_the_same_comes_out(seed: str, tmp_path: Path) -> None:
    assert P4C
    result = check_drawn(seed, P4C, 200, tmp_path)
    assert result.refused is None
    assert result.differences == []
    assert result.packets == 200
