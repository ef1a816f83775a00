from contextlib import closing
from pathlib import Path

import pytest

from bench.choosing import GROUPS, Catalogue, Generated, Handwritten, frames
from bench.pipeline import OutputError, compare, turns


def test_each_has_a_turn_in_each_round(tmp_path: Path) -> None:
    known = Catalogue.of(100)
    calls = frames(known, 1 << 14)
    with closing(Generated(known)) as generated, closing(Handwritten(known, tmp_path)) as handwritten:
        samples = turns({"generated": generated, "handwritten": handwritten}, calls, 3)
    assert {name: len(taken) for name, taken in samples.items()} == {"generated": 3, "handwritten": 3}
    assert all(value > 0 for taken in samples.values() for value in taken)


def test_what_does_not_do_the_same_is_not_measured(tmp_path: Path) -> None:
    known = Catalogue.of(100)
    other = Catalogue(known.functions, (known.group_of + 1) % GROUPS)
    with (
        closing(Generated(known)) as generated,
        closing(Handwritten(other, tmp_path)) as handwritten,
        pytest.raises(OutputError, match="frame 0: generated code gives 02"),
    ):
        compare(generated, handwritten, frames(known, 10))
