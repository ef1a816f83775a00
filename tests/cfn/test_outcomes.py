from importlib.metadata import EntryPoint

import pytest

from cfn import outcomes

GOOD = EntryPoint("good", f"{__name__}:names", outcomes.GROUP)


def names() -> dict[int, str]:
    return {1: "BOUND_NEW"}


def broken() -> dict[int, str]:
    raise OSError("no P4Info")


@pytest.mark.parametrize("value", [f"{__name__}:broken", "no.such.module:names", f"{__name__}:nothing"])
def test_a_package_that_cannot_bring_names_harms_no_other(value, monkeypatch, caplog):
    bad = EntryPoint("bad", value, outcomes.GROUP)
    monkeypatch.setattr(
        outcomes, "entry_points", lambda group: [bad, GOOD] if group == outcomes.GROUP else []
    )
    assert outcomes.outcome_names() == {1: "BOUND_NEW"}
    assert f"no names of outcomes from {value}" in caplog.text
