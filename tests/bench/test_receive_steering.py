import pytest

from bench.receive_steering import mask


@pytest.mark.parametrize(
    ("core", "expected"),
    [
        (0, "00000001"),
        (1, "00000002"),
        (31, "80000000"),
        (32, "00000001,00000000"),
        (65, "00000002,00000000,00000000"),
    ],
)
def test_mask_is_written_as_sysfs_does(core: int, expected: str) -> None:
    assert mask(core) == expected
