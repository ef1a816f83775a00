import pytest

from bench.measurement import Cores, ratio


@pytest.mark.parametrize(
    ("available", "expected"), [({0, 1}, Cores(0, 1)), ({5, 2, 3}, Cores(2, 5)), ({4}, Cores(4, 4))]
)
def test_source_and_device_have_a_core_each_where_there_are_two(available: set[int], expected: Cores) -> None:
    assert Cores.pick(available) == expected


def test_there_is_no_ratio_to_nothing() -> None:
    assert ratio(1.0, 0.0) == ""
    assert ratio(1.0, None) == ""
    assert ratio(None, 2.0) == ""
    assert ratio(3.0, 2.0) == "1.50"
