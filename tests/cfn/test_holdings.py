"""What the site agent believes of its data agent, with a virtual clock."""

import pytest

from cfn.content.results import ResultKey
from cfn.holdings import NOTHING, HeldState, Holdings
from cfn.site import SILENT_AFTER_S, StaleStatusError
from tests.cfn.statuses import holdings

ONE = Holdings(frozenset([b"\xaa" * 16]), frozenset([ResultKey(7, b"\xbb" * 16)]))


def state() -> HeldState:
    made = HeldState()
    result = {"func_id": 7, "data_in": "bb" * 16}
    made.take(holdings(at_s=1.0, inputs=["aa" * 16], results=[result]), 10.0)
    return made


def test_the_last_status_counts_as_a_whole():
    held = state()
    assert held.holdings == ONE
    held.take(holdings(at_s=2.0), 11.0)
    assert held.holdings == NOTHING


def test_the_order_of_use_is_no_change():
    held = HeldState()
    held.take(holdings(at_s=1.0, inputs=["aa" * 16, "bb" * 16]), 0.0)
    before = held.holdings
    held.take(holdings(at_s=2.0, inputs=["bb" * 16, "aa" * 16]), 0.0)
    assert held.holdings == before


@pytest.mark.parametrize("late", [{"at_s": 1.0}, {"at_s": 0.5}, {"at_s": 9.0, "started_us": 999}])
def test_a_late_status_does_not_count(late):
    held = state()
    with pytest.raises(StaleStatusError, match="not newer"):
        held.take(holdings(**late), 11.0)
    assert held.holdings == ONE


def test_a_data_agent_that_started_anew_counts_whatever_its_clock_says():
    held = state()
    held.take(holdings(at_s=0.1, started_us=2000), 11.0)
    assert held.holdings == NOTHING


def test_a_silent_data_agent_is_forgotten():
    held = state()
    assert held.next_silence() == 10.0 + SILENT_AFTER_S
    assert not held.forget_silent(10.0 + SILENT_AFTER_S)
    assert held.forget_silent(10.1 + SILENT_AFTER_S)
    assert (held.holdings, held.next_silence()) == (NOTHING, None)
    assert not held.forget_silent(99.0)
