import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

from p4src import outcomes

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_every_outcome_has_a_number_and_a_name():
    names = outcomes.names()
    assert (names[1], names[10]) == ("BOUND_NEW", "RESPONDED")
    assert len(set(names.values())) == len(names)
    assert all(0 < number < 256 for number in names)


def test_the_package_brings_them_to_the_command_line():
    declared = tomllib.loads(PROJECT.read_text())["project"]["entry-points"]["cfn.outcomes"]
    entry_point = EntryPoint("p4src", declared["p4src"], "cfn.outcomes")
    assert entry_point.load() is outcomes.names
