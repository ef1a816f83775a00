import struct
from collections.abc import Iterator

import pytest

from switch.api import Action, CounterValue, Match
from switch.dataplane import Dataplane
from tests.switch.harness import one, running

EXACT, LPM, TERNARY, RANGE, OPTIONAL, CONST, VALID, RUN, LPM128, IDLE = range(10)


@pytest.fixture
def switch() -> Iterator[Dataplane]:
    with running("match") as dataplane:
        yield dataplane


def packet(kind: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> bytes:
    return struct.pack("!BBHI", kind, a, b, c) + d.to_bytes(16, "big") + b"\0\0" + b"tail"


def ask(switch: Dataplane, kind: int, **fields: int) -> tuple[int, int]:
    out = one(switch.inject(1, packet(kind, **fields)))
    assert out[26:] == b"tail"
    return out[24], out[25]


def set_code(code: int) -> Action:
    return Action("I.set", (code,))


def test_exact_match_needs_every_bit_of_a_wide_key(switch: Dataplane) -> None:
    switch.table_insert("I.exact_t", [Match(3), Match(1 << 127 | 5)], 0, Action("I.say", (0x42,)))
    assert ask(switch, EXACT, a=3, d=1 << 127 | 5) == (0x42, 1)
    assert ask(switch, EXACT, a=3, d=5) == (0, 2)
    assert ask(switch, EXACT, a=2, d=1 << 127 | 5) == (0, 2)


def test_direct_counter_counts_hits_of_its_entry_only(switch: Dataplane) -> None:
    first = switch.table_insert("I.exact_t", [Match(1), Match(0)], 0, Action("I.say", (1,)))
    second = switch.table_insert("I.exact_t", [Match(2), Match(0)], 0, Action("I.say", (2,)))
    for _ in range(3):
        ask(switch, EXACT, a=1)
    assert switch.direct_counter("I.exact_t", first) == CounterValue(3, 3 * 30)
    assert switch.direct_counter("I.exact_t", second) == CounterValue(0, 0)
    switch.direct_counter_set("I.exact_t", first, CounterValue(7, 70))
    switch.table_modify("I.exact_t", first, Action("I.say", (9,)))
    assert ask(switch, EXACT, a=1) == (9, 1)
    assert switch.direct_counter("I.exact_t", first) == CounterValue(8, 100)


def test_a_table_holds_its_size_and_no_more(switch: Dataplane) -> None:
    handles = [
        switch.table_insert("I.exact_t", [Match(i), Match(i)], 0, Action("I.say", (i,))) for i in range(8)
    ]
    with pytest.raises(OverflowError):
        switch.table_insert("I.exact_t", [Match(9), Match(9)], 0, Action("I.say", (9,)))
    switch.table_delete("I.exact_t", handles[3])
    switch.table_insert("I.exact_t", [Match(9), Match(9)], 0, Action("I.say", (9,)))
    assert ask(switch, EXACT, a=9, d=9) == (9, 1)
    assert ask(switch, EXACT, a=3, d=3) == (0, 2)
    for i in (0, 1, 2, 4, 5, 6, 7):
        assert ask(switch, EXACT, a=i, d=i) == (i, 1)


def test_an_exact_entry_cannot_be_there_twice(switch: Dataplane) -> None:
    switch.table_insert("I.exact_t", [Match(1), Match(1)], 0, Action("I.say", (1,)))
    with pytest.raises(ValueError, match="exists"):
        switch.table_insert("I.exact_t", [Match(1), Match(1)], 0, Action("I.say", (2,)))


def test_thousands_of_entries_come_and_go(switch: Dataplane) -> None:
    keys = [(i * 2654435761) & 0xFFFFFFFF for i in range(1000)]
    handles = {
        k: switch.table_insert("I.lpm_t", [Match(1), Match(k, 0xFFFFFFFF)], 0, set_code(k & 0xFF))
        for k in keys
    }
    for k in keys[::2]:
        switch.table_delete("I.lpm_t", handles[k])
    for k in keys:
        assert ask(switch, LPM, a=1, c=k)[0] == (0xEE if k in keys[::2] else k & 0xFF)


@pytest.mark.parametrize(
    ("kind", "table"), [(EXACT, "I.exact_t"), (LPM, "I.lpm_t"), (TERNARY, "I.ternary_t")]
)
def test_one_entry_is_found_as_several_are(switch: Dataplane, kind: int, table: str) -> None:
    """One entry alone is found without its hash."""
    held: dict[int, int] = {}
    for key in (1, 2, 3, -2, -1, 4, -3, -4, 5, -5):
        if key > 0:
            match = {
                EXACT: [Match(key), Match(0)],
                LPM: [Match(key), Match(0, 0)],
                TERNARY: [Match(0, 0), Match(0, 0), Match(key)],
            }[kind]
            say = Action("I.say", (key,)) if kind == EXACT else set_code(key)
            held[key] = switch.table_insert(table, match, int(kind == TERNARY), say)
        else:
            switch.table_delete(table, held.pop(-key))
        found = {k: ask(switch, kind, a=k)[0] for k in range(1, 6)}
        assert {k for k in found if found[k] == k} == held.keys(), key


def test_the_longest_prefix_wins(switch: Dataplane) -> None:
    add = switch.table_insert
    add("I.lpm_t", [Match(1), Match(0x0A000000, 0xFF000000)], 0, set_code(8))
    handle = add("I.lpm_t", [Match(1), Match(0x0A010000, 0xFFFF0000)], 0, set_code(16))
    add("I.lpm_t", [Match(1), Match(0, 0)], 0, set_code(1))
    add("I.lpm_t", [Match(2), Match(0x0A010203, 0xFFFFFFFF)], 0, set_code(32))
    assert ask(switch, LPM, a=1, c=0x0A010203)[0] == 16
    assert ask(switch, LPM, a=1, c=0x0A020203)[0] == 8
    assert ask(switch, LPM, a=1, c=0xC0000001)[0] == 1
    assert ask(switch, LPM, a=2, c=0x0A010203)[0] == 32
    assert ask(switch, LPM, a=2, c=0x0A010204)[0] == 0xEE
    switch.table_delete("I.lpm_t", handle)
    assert ask(switch, LPM, a=1, c=0x0A010203)[0] == 8


def test_a_prefix_of_a_wide_key(switch: Dataplane) -> None:
    mask = ((1 << 65) - 1) << 63
    switch.table_insert("I.lpm128_t", [Match(1 << 63, mask)], 0, set_code(65))
    assert ask(switch, LPM128, d=1 << 63 | 77)[0] == 65
    assert ask(switch, LPM128, d=77)[0] == 0


def test_a_mask_with_holes_is_no_prefix(switch: Dataplane) -> None:
    with pytest.raises(ValueError, match="no prefix"):
        switch.table_insert("I.lpm_t", [Match(1), Match(5, 0xFF0000FF)], 0, set_code(1))


def test_the_highest_priority_wins_whatever_the_masks(switch: Dataplane) -> None:
    add = switch.table_insert
    anything = Match(0, 0)
    add("I.ternary_t", [anything, anything, Match(5)], 1, set_code(1))
    add("I.ternary_t", [Match(0x1200, 0xFF00), anything, Match(5)], 20, set_code(2))
    high = add("I.ternary_t", [Match(0x0034, 0x00FF), anything, Match(5)], 30, set_code(3))
    add("I.ternary_t", [Match(0x1234, 0xFFFF), Match(0x80000000, 0x80000000), Match(5)], 10, set_code(4))
    assert ask(switch, TERNARY, a=5, b=0x1234)[0] == 3
    assert ask(switch, TERNARY, a=5, b=0x1299)[0] == 2
    assert ask(switch, TERNARY, a=5, b=0x9999)[0] == 1
    assert ask(switch, TERNARY, a=6, b=0x1234)[0] == 0
    switch.table_delete("I.ternary_t", high)
    assert ask(switch, TERNARY, a=5, b=0x1234, c=0x80000000)[0] == 2


def test_the_same_match_may_stand_at_two_priorities(switch: Dataplane) -> None:
    key = [Match(1, 0xFFFF), Match(0, 0), Match(5)]
    low = switch.table_insert("I.ternary_t", key, 1, set_code(1))
    high = switch.table_insert("I.ternary_t", key, 2, set_code(2))
    assert ask(switch, TERNARY, a=5, b=1)[0] == 2
    switch.table_delete("I.ternary_t", high)
    assert ask(switch, TERNARY, a=5, b=1)[0] == 1
    switch.table_delete("I.ternary_t", low)
    assert ask(switch, TERNARY, a=5, b=1)[0] == 0


def test_ranges_overlap_by_priority(switch: Dataplane) -> None:
    switch.table_insert("I.range_t", [Match(10, high=100), Match(0, 0)], 1, set_code(1))
    switch.table_insert("I.range_t", [Match(50, high=60), Match(0, 0)], 2, set_code(2))
    switch.table_insert("I.range_t", [Match(0, high=0xFFFF), Match(7, 0xFF)], 3, set_code(3))
    assert [ask(switch, RANGE, b=b)[0] for b in (9, 10, 49, 50, 60, 61, 100, 101)] == [0, 1, 1, 2, 2, 1, 1, 0]
    assert ask(switch, RANGE, a=7, b=55)[0] == 3
    with pytest.raises(ValueError, match="empty range"):
        switch.table_insert("I.range_t", [Match(2, high=1), Match(0, 0)], 1, set_code(1))


def test_optional_fields_match_a_value_or_anything(switch: Dataplane) -> None:
    switch.table_insert("I.optional_t", [Match(5, 0xFFFF), Match(0, 0)], 1, set_code(1))
    switch.table_insert("I.optional_t", [Match(5, 0xFFFF), Match(6, 0xFF)], 2, set_code(2))
    assert ask(switch, OPTIONAL, a=9, b=5)[0] == 1
    assert ask(switch, OPTIONAL, a=6, b=5)[0] == 2
    assert ask(switch, OPTIONAL, a=6, b=6)[0] == 0


def test_const_entries_are_there_in_order(switch: Dataplane) -> None:
    assert ask(switch, CONST, a=1, b=77)[0] == 1
    assert ask(switch, CONST, a=0x1F, b=7)[0] == 2
    assert ask(switch, CONST, a=0x1F, b=10)[0] == 3
    assert ask(switch, CONST, a=0x2F, b=10)[0] == 9
    entries = switch.initial_entries("I.const_t")
    assert [entry.action.params for entry in entries] == [(1,), (2,), (3,)]
    assert entries[0].priority > entries[1].priority > entries[2].priority
    assert entries[1].key == (Match(0x10, 0xF0), Match(5, high=9))


def test_validity_and_slices_as_keys(switch: Dataplane) -> None:
    switch.table_insert("I.valid_t", [Match(1), Match(0xC)], 0, set_code(1))
    assert ask(switch, VALID, a=0xFC)[0] == 1
    assert ask(switch, VALID, a=0xFD)[0] == 0


def test_the_action_that_ran_decides_what_follows_and_exit_ends(switch: Dataplane) -> None:
    switch.table_insert("I.run_t", [Match(1)], 0, set_code(5))
    switch.table_insert("I.run_t", [Match(2)], 0, Action("I.silent"))
    assert ask(switch, RUN, a=1) == (0x85, 1)
    assert ask(switch, RUN, a=2) == (0xEE, 2)
    assert ask(switch, RUN, a=3) == (0x80, 3)


def test_a_default_action_is_set_and_reset(switch: Dataplane) -> None:
    assert ask(switch, LPM)[0] == 0xEE
    switch.table_default("I.lpm_t", set_code(4))
    assert ask(switch, LPM)[0] == 4
    switch.table_default("I.lpm_t", None)
    assert ask(switch, LPM)[0] == 0xEE
    with pytest.raises(ValueError, match="constant"):
        switch.table_default("I.const_t", set_code(1))


def test_what_does_not_fit_is_refused(switch: Dataplane) -> None:
    with pytest.raises(KeyError):
        switch.table_insert("I.no_such", [Match(1)], 0, set_code(1))
    with pytest.raises(KeyError):
        switch.table_insert("I.run_t", [Match(1)], 0, Action("I.say", (1,)))
    with pytest.raises(ValueError, match="key fields"):
        switch.table_insert("I.run_t", [Match(1), Match(2)], 0, set_code(1))
    with pytest.raises(ValueError, match="does not fit"):
        switch.table_insert("I.run_t", [Match(1)], 0, set_code(256))
    with pytest.raises(ValueError, match="takes 1 parameters"):
        switch.table_insert("I.run_t", [Match(1)], 0, Action("I.set"))
    with pytest.raises(KeyError):
        switch.table_delete("I.run_t", 1)


def test_an_idle_entry_is_told(switch: Dataplane) -> None:
    told: list[tuple[str, int]] = []
    switch.on_idle(lambda table, handle: told.append((table, handle)))
    handle = switch.table_insert("I.idle_t", [Match(1)], 0, set_code(1))
    switch.table_idle("I.idle_t", handle, 1)
    while not told:
        switch.poll_events(1)
    assert told[0] == ("I.idle_t", handle)
    assert switch.table_last_hit_ns("I.idle_t", handle) >= 1000  # times are kept in microseconds
    switch.table_idle("I.idle_t", handle, 0)
    told.clear()
    switch.poll_events(10)
    assert told == []
    with pytest.raises(ValueError, match="timeouts"):
        switch.table_idle("I.run_t", switch.table_insert("I.run_t", [Match(1)], 0, set_code(1)), 1)
