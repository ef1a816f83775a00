"""What is announced of a site, and when; with a virtual clock.

One case: pytest tests/control/bgp/test_routes.py -k history
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from control.bgp.attribute import ROOM, decode, encode, size
from control.bgp.routes import Announce, Routes, Withdraw
from control.model import InstanceKey, SiteAdvert
from tests.control.bgp.domains import DOMAINS, NEAR_AT, two_domains
from tests.control.example import DETECT, NEAR, NEAR_2, advert, instance

FLOOR_S, TIMER_S = 1.0, 10.0
MAX_FUNCTIONS = ROOM // size(1, 1)
"""That a route carries, each with instances of its own."""


def routes(text: str = DOMAINS) -> Routes:
    domain = two_domains(text).domains["east"]
    assert domain.bgp is not None
    return Routes(domain, domain.bgp)


def tell(one: Routes, told: SiteAdvert | None) -> int:
    return one.tell("near", 1, NEAR_AT, told)


def many(count: int, sequence: int = 1, skip: int = 0) -> SiteAdvert:
    keys = (InstanceKey(1, number) for number in range(skip, count))
    return advert("near", sequence, *(instance(key, 1000 + key.instance, like=NEAR) for key in keys))


def functions_of(messages: list[Announce | Withdraw]) -> list[int]:
    return sorted(
        f for m in messages if isinstance(m, Announce) for pool in m.route.pools for f in pool.functions
    )


def test_a_site_has_a_route_with_what_its_instances_add_up_to() -> None:
    one = routes()
    assert one.next_due is None
    tell(one, advert("near", 7, instance(NEAR), instance(NEAR_2), incarnation=3))
    (message,) = one.due(100.0)
    assert isinstance(message, Announce)
    assert message.prefix == NEAR_AT
    route = decode(encode(message.route))
    assert (route.site, route.part, route.incarnation, route.sequence) == (1, 0, 3, 7)
    assert (route.ttl_ms, route.window_ms) == (35_000, 1000)
    assert [(pool.functions, pool.capacity_rps) for pool in route.pools] == [((DETECT,), 200.0)]
    assert list(one.due(100.0)) == []


def test_it_is_announced_anew_by_the_timer_and_before_when_it_changed_by_enough() -> None:
    one = routes()
    tell(one, advert("near", 1, instance(NEAR, load=100)))
    list(one.due(100.0))
    tell(one, advert("near", 2, instance(NEAR, load=110)))
    assert one.next_due == 100.0 + TIMER_S
    tell(one, advert("near", 3, instance(NEAR, load=140)))
    assert one.next_due == 100.0 + FLOOR_S
    assert list(one.due(100.9)) == []
    (message,) = one.due(101.0)
    assert isinstance(message, Announce)
    assert message.route.sequence == 3
    tell(one, advert("near", 1, instance(NEAR, load=140), incarnation=2))
    assert one.next_due == 101.0 + FLOOR_S


def test_a_site_that_goes_is_withdrawn_at_once_and_back_after_the_floor() -> None:
    one = routes()
    tell(one, advert("near", 1, instance(NEAR)))
    list(one.due(100.0))
    tell(one, None)
    assert list(one.due(100.1)) == [Withdraw(NEAR_AT)]
    assert one.next_due is None
    tell(one, advert("near", 2, instance(NEAR)))
    assert one.next_due == 101.0
    assert one.announced() == []
    list(one.due(101.0))
    tell(one, advert("near", 3))
    assert list(one.due(101.0)) == [Withdraw(NEAR_AT)]


def test_more_functions_than_a_route_carries_take_further_routes() -> None:
    one = routes()
    count = 2 * MAX_FUNCTIONS + 5
    assert tell(one, many(count)) == 0
    first = list(one.due(100.0))
    assert [str(m.prefix) for m in first] == ["10.253.0.1", "10.254.1.0", "10.254.1.1"]
    assert functions_of(first) == list(range(1000, 1000 + count))
    # Each is for itself: only the one with a change is announced anew.
    changed = many(count, 2)
    key = InstanceKey(1, MAX_FUNCTIONS)
    changed.instances[key] = instance(key, 1000 + MAX_FUNCTIONS, like=NEAR, load=255)
    tell(one, changed)
    assert [str(m.prefix) for m in one.due(101.0)] == ["10.254.1.0"]
    tell(one, many(MAX_FUNCTIONS, 3))
    assert {m.prefix for m in one.due(102.0) if isinstance(m, Withdraw)} == {m.prefix for m in first[1:]}
    # Its address is used again, at its distance.
    tell(one, many(MAX_FUNCTIONS + 1, 4))
    assert [str(m.prefix) for m in one.due(102.0)] == ["10.254.1.0"]


def test_without_further_routes_the_rest_is_left_out() -> None:
    one = routes(DOMAINS.replace("more_routes: 10.254.1.0/24", "more_routes: 10.254.1.0/32"))
    assert tell(one, many(2 * MAX_FUNCTIONS + 3)) == 3
    assert len(functions_of(list(one.due(1.0)))) == 2 * MAX_FUNCTIONS
    # There is room again when others go.
    assert tell(one, many(2 * MAX_FUNCTIONS + 3, 2, skip=4)) == 0
    assert functions_of(list(one.due(2.0)))[-1] == 1000 + 2 * MAX_FUNCTIONS + 2


STEPS = st.lists(
    st.tuples(st.floats(0, 0.7), st.none() | st.sets(st.integers(1, 5)), st.integers(0, 255)), max_size=120
)


@given(STEPS)
def test_no_history_sends_more_than_the_bound(steps: list[tuple[float, set[int] | None, int]]) -> None:
    one = routes()
    now, sent = 100.0, []
    for sequence, (wait, numbers, load) in enumerate(steps, 1):
        now += wait
        keys = [InstanceKey(1, number) for number in sorted(numbers or ())]
        instances = [instance(key, 1000 + key.instance, like=NEAR, load=load) for key in keys]
        tell(one, None if numbers is None else advert("near", sequence, *instances))
        sent += [(now, isinstance(message, Announce)) for message in one.due(now)]
    announced = [at for at, is_up in sent if is_up]
    assert all(later - earlier >= FLOOR_S - 1e-9 for earlier, later in pairwise(announced))
    for at, _ in sent:
        assert len([then for then, _ in sent if at <= then < at + FLOOR_S - 1e-9]) <= 3
    # Nothing is left untold.
    assert one.next_due is None or one.next_due > now
