"""Groups: draws share them, they change in place or are replaced, and ids come back late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from control.decided import Draw, Group
from control.groups import Groups
from control.model import Member

A, B, C = (Group(((Member(1), weight), (Member(2), 1))) for weight in (1, 2, 3))
DRAWS = [Draw(number, 0, 4) for number in range(1, 7)]


def _all(_draw: Draw, _group: Group) -> int:
    return 0


def test_draws_of_the_same_content_share_a_group() -> None:
    groups = Groups(_all)
    assert groups.assign({DRAWS[0]: A, DRAWS[1]: B, DRAWS[2]: A}) == {1, 2}
    assert [groups.of(draw) for draw in DRAWS[:3]] == [1, 2, 1]


def test_a_group_whose_draws_change_together_changes_in_place() -> None:
    groups = Groups(_all)
    groups.assign(dict.fromkeys(DRAWS, A))
    assert groups.assign(dict.fromkeys(DRAWS, B)) == {1}
    assert groups[1] == B
    assert {groups.of(draw) for draw in DRAWS} == {1}


def test_a_draw_that_leaves_gets_another_group_and_the_rest_keeps_its_own() -> None:
    groups = Groups(_all)
    groups.assign(dict.fromkeys(DRAWS, A))
    assert groups.assign({DRAWS[0]: B}) == {2}
    assert (groups[1], groups.of(DRAWS[0])) == (A, 2)
    assert groups.assign({DRAWS[1]: B}) == set()
    assert groups.of(DRAWS[1]) == 2


def test_cohorts_of_different_owners_share_no_group() -> None:
    groups = Groups(lambda draw, _: draw.cohort % 2)
    groups.assign(dict.fromkeys(DRAWS[:4], A))
    assert [groups.of(draw) for draw in DRAWS[:4]] == [1, 2, 1, 2]
    # What one of them changes is a change of its group and moves no row.
    assert groups.assign({DRAWS[0]: B, DRAWS[2]: B}) == {1}


def test_a_group_that_nobody_names_goes_and_its_id_comes_back_late() -> None:
    groups = Groups(_all)
    groups.assign({DRAWS[0]: A})
    assert groups.assign({DRAWS[0]: None}) == {1}
    assert groups[1] is None
    assert groups.of(DRAWS[0]) is None
    groups.assign({DRAWS[0]: A})
    assert groups.of(DRAWS[0]) == 2


def test_what_is_installed_goes_on() -> None:
    groups = Groups(_all, {DRAWS[0]: 7, DRAWS[1]: 7}, {7: A, 9: B})
    assert groups.assign({DRAWS[0]: A, DRAWS[1]: A}) == set()
    assert dict(groups) == {7: A}
    groups.assign({DRAWS[2]: C})
    assert groups.of(DRAWS[2]) == 8


def test_the_last_id_is_followed_by_the_first() -> None:
    groups = Groups(_all, {DRAWS[0]: 2**16 - 1}, {2**16 - 1: A})
    groups.assign({DRAWS[1]: B})
    assert groups.of(DRAWS[1]) == 1


changes = st.dictionaries(st.sampled_from(DRAWS), st.sampled_from([A, B, C, None]))


@given(st.lists(changes))
def test_every_draw_has_what_it_was_given_and_a_group_never_means_two_things(
    rounds: list[dict[Draw, Group | None]],
) -> None:
    groups, wanted = Groups(_all), dict[Draw, Group | None]()
    for change in rounds:
        before = dict(groups)
        named = {draw: groups.of(draw) for draw in DRAWS}
        wanted |= change
        touched = groups.assign(change)
        for draw in DRAWS:
            number = groups.of(draw)
            assert (None if number is None else groups[number]) == wanted.get(draw)
        after = dict(groups)
        assert touched == {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
        # What a draw was drawn from is never changed to what the draw is not to have.
        for draw, number in named.items():
            if number in after and after[number] != before[number]:
                assert after[number] == wanted.get(draw)
