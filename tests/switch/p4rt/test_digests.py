"""Digest lists under a clock of the test's own."""

from finsy.proto import p4r

from switch.p4rt.digests import MAX_LIST, MAX_UNACKED, Learning
from switch.p4rt.p4info import DigestSpec
from switch.p4rt.p4types import Bits

SPEC = DigestSpec(7, "seen", Bits(16))


def learning(**config: int) -> Learning:
    return Learning(SPEC, p4r.DigestEntry.Config(**config))


def values(digest_list: p4r.DigestList | None) -> list[int] | None:
    return None if digest_list is None else [int.from_bytes(item.bitstring) for item in digest_list.data]


def test_each_at_once_without_timeout() -> None:
    each = learning(max_list_size=10)
    assert [values(each.offer((number,), 0)) for number in (1, 2, 1)] == [[1], [2], [1]]
    assert each.due_ns() is None


def test_the_oldest_message_sets_the_time() -> None:
    slow = learning(max_list_size=10, max_timeout_ns=100)
    assert slow.offer((1,), 50) is None
    assert slow.offer((2,), 120) is None
    assert slow.due_ns() == 150
    assert values(slow.flush(150)) == [1, 2]
    assert slow.due_ns() is None


def test_a_new_configuration_holds_for_the_list_being_filled() -> None:
    slow = learning(max_list_size=10, max_timeout_ns=100)
    for number in (1, 2):
        slow.offer((number,), 50)
    slow.config.max_timeout_ns = 70
    assert slow.due_ns() == 120
    slow.config.max_list_size = 2
    assert slow.due_ns() == 50


def test_unacknowledged_messages_come_again_when_the_ack_is_late() -> None:
    waiting = learning(max_list_size=1, ack_timeout_ns=100)
    assert values(waiting.offer((1,), 0)) == [1]
    assert waiting.offer((1,), 99) is None
    assert values(waiting.offer((1,), 100)) == [1]


def test_lists_without_limit_end_somewhere() -> None:
    endless = learning(max_timeout_ns=10**18)
    lists = [endless.offer((number,), 0) for number in range(MAX_LIST)]
    assert [values(item) for item in lists if item is not None] == [list(range(MAX_LIST))]


def test_a_client_that_never_acknowledges_costs_a_bounded_memory() -> None:
    forgetful = learning(max_list_size=1, ack_timeout_ns=10**18)
    for number in range(MAX_UNACKED + 1):
        assert forgetful.offer((number,), 0) is not None
    assert forgetful.offer((MAX_UNACKED,), 0) is None
    assert values(forgetful.offer((0,), 0)) == [0]


def test_an_unknown_ack_changes_nothing() -> None:
    waiting = learning(max_list_size=1, ack_timeout_ns=100)
    waiting.offer((1,), 0)
    waiting.ack(99)
    assert waiting.offer((1,), 1) is None
