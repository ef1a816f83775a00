import pytest

from bench.rounds import interleaved


def test_each_round_begins_with_the_next_contender() -> None:
    assert interleaved("abc", 4) == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_each_contender_runs_once_a_round() -> None:
    for order in interleaved(range(5), 7):
        assert sorted(order) == [0, 1, 2, 3, 4]


def test_without_contenders_rounds_are_empty() -> None:
    assert interleaved([], 2) == [[], []]


def test_at_least_one_round() -> None:
    with pytest.raises(ValueError, match="at least one"):
        interleaved("a", 0)
