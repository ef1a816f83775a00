"""Groups: rows share them, they change in place or are replaced, and ids come back late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from control.decided import Group, Steered
from control.groups import Groups
from control.model import Member

A, B, C = (Group(((Member(1), weight), (Member(2), 1))) for weight in (1, 2, 3))
ROWS = [Steered(number, 0, 4) for number in range(6)]


def test_rows_of_the_same_content_share_a_group() -> None:
    groups = Groups()
    assert groups.assign({ROWS[0]: A, ROWS[1]: B, ROWS[2]: A}) == {1, 2}
    assert [groups.of(row) for row in ROWS[:3]] == [1, 2, 1]


def test_a_group_whose_rows_change_together_changes_in_place() -> None:
    groups = Groups()
    groups.assign(dict.fromkeys(ROWS, A))
    assert groups.assign(dict.fromkeys(ROWS, B)) == {1}
    assert groups[1] == B
    assert {groups.of(row) for row in ROWS} == {1}


def test_a_row_that_leaves_gets_another_group_and_the_rest_keeps_its_own() -> None:
    groups = Groups()
    groups.assign(dict.fromkeys(ROWS, A))
    assert groups.assign({ROWS[0]: B}) == {2}
    assert (groups[1], groups.of(ROWS[0])) == (A, 2)
    assert groups.assign({ROWS[1]: B}) == set()
    assert groups.of(ROWS[1]) == 2


def test_a_group_that_nobody_names_goes_and_its_id_comes_back_late() -> None:
    groups = Groups()
    groups.assign({ROWS[0]: A})
    assert groups.assign({ROWS[0]: None}) == {1}
    assert groups[1] is None
    assert groups.of(ROWS[0]) is None
    groups.assign({ROWS[0]: A})
    assert groups.of(ROWS[0]) == 2


def test_what_is_installed_goes_on() -> None:
    groups = Groups({ROWS[0]: 7, ROWS[1]: 7}, {7: A, 9: B})
    assert groups.assign({ROWS[0]: A, ROWS[1]: A}) == set()
    assert dict(groups) == {7: A}
    groups.assign({ROWS[2]: C})
    assert groups.of(ROWS[2]) == 8


def test_the_last_id_is_followed_by_the_first() -> None:
    groups = Groups({ROWS[0]: 2**16 - 1}, {2**16 - 1: A})
    groups.assign({ROWS[1]: B})
    assert groups.of(ROWS[1]) == 1


changes = st.dictionaries(st.sampled_from(ROWS), st.sampled_from([A, B, C, None]))


@given(st.lists(changes))
def test_every_row_has_what_it_was_given_and_a_group_never_means_two_things(
    rounds: list[dict[Steered, Group | None]],
) -> None:
    groups, wanted = Groups(), dict[Steered, Group | None]()
    for change in rounds:
        before = dict(groups)
        named = {row: groups.of(row) for row in ROWS}
        wanted |= change
        touched = groups.assign(change)
        for row in ROWS:
            number = groups.of(row)
            assert (None if number is None else groups[number]) == wanted.get(row)
        after = dict(groups)
        assert touched == {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
        # What a row was drawn from is never changed to what the row is not to have.
        for row, number in named.items():
            if number in after and after[number] != before[number]:
                assert after[number] == wanted.get(row)
