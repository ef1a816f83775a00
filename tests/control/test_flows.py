"""Splitting a demand: against scipy's solver, and what a latency bound changes.

One case: pytest tests/control/test_flows.py -k bound
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize

from control.policy.flows import Way, fitted
from control.policy.queueing import Queue, flows_of_marginal

queues = st.builds(Queue, capacity=st.floats(0.01, 10), workers=st.floats(1, 64))
MOST = 0.95


@st.composite
def way_lists(draw: st.DrawFn) -> list[Way]:
    return [
        Way(queue, draw(st.floats(0, 50)), MOST * queue.capacity, draw(st.floats(0, 1)) * queue.capacity)
        for queue in draw(st.lists(queues, min_size=2, max_size=6))
    ]


def total(flows: list[float], ways: list[Way], wait_price: float) -> float:
    return math.fsum(
        x * (way.price + wait_price * way.queue.wait_ms(max(0.0, x)))
        for x, way in zip(flows, ways, strict=True)
    )


@given(queues, st.floats(1e-4, 0.999))
def test_flows_and_waits_are_each_others_inverse(queue: Queue, busy: float) -> None:
    flow = busy * queue.capacity
    assert flows_of_marginal([queue], [queue.marginal_ms(flow)], [0.0]) == [pytest.approx(flow, rel=1e-6)]
    assert queue.flow_of_wait(queue.wait_ms(flow)) == pytest.approx(flow, rel=1e-6)


@given(queues, st.floats(0.01, 0.99))
def test_the_marginal_wait_is_the_derivative_of_all_waits(queue: Queue, busy: float) -> None:
    flow, by = busy * queue.capacity, 1e-6 * queue.capacity
    grown = (flow + by) * queue.wait_ms(flow + by) - (flow - by) * queue.wait_ms(flow - by)
    assert queue.marginal_ms(flow) == pytest.approx(grown / (2 * by), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("workers", "busy", "waiting"),
    # Erlang's C formula (Kleinrock, Queueing Systems I, §3.5) gives the mean wait in service times.
    [(1, 0.5, 1.0), (1, 0.9, 9.0), (2, 0.9, 4.263), (4, 0.9, 1.969), (8, 0.8, 0.2864)],
)
def test_waits_are_those_of_the_mmc_queue(workers: int, busy: float, waiting: float) -> None:
    service_ms = 4.0
    queue = Queue(workers / service_ms, workers)
    assert queue.wait_ms(busy * queue.capacity) == pytest.approx(waiting * service_ms, rel=0.07)


@settings(max_examples=60)
@given(way_lists(), st.floats(0.05, 0.95), st.floats(0.1, 5))
def test_no_general_solver_finds_a_cheaper_split(ways: list[Way], part: float, wait_price: float) -> None:
    ways = [Way(way.queue, way.price, way.high) for way in ways]
    demand = part * math.fsum(way.high for way in ways)
    ours = fitted(demand, ways, wait_price)
    assert math.fsum(ours) == pytest.approx(demand, rel=1e-6)
    scale = total(ours, ways, wait_price)
    found = minimize(
        lambda x: total(list(x * demand), ways, wait_price) / scale,
        x0=np.array([part * way.high / demand for way in ways]),
        bounds=[(0, way.high / demand) for way in ways],
        constraints=LinearConstraint(np.ones(len(ways)), 1, 1),
        method="SLSQP",
        options={"ftol": 1e-10, "maxiter": 500},
    )
    assert found.fun * (1 + 1e-6) >= 1


@given(way_lists(), st.floats(0.01, 1.2))
def test_nobody_is_filled_beyond_its_room_while_another_has_some(ways: list[Way], part: float) -> None:
    demand = part * math.fsum(way.high for way in ways)
    flows = fitted(demand, ways)
    rooms = [min(way.room, way.high) for way in ways]
    if demand <= math.fsum(rooms):
        assert all(x <= room * (1 + 1e-9) for x, room in zip(flows, rooms, strict=True))
    else:
        assert all(x >= room * (1 - 1e-9) for x, room in zip(flows, rooms, strict=True))
    assert all(x <= way.high * (1 + 1e-9) for x, way in zip(flows, ways, strict=True))
    assert math.fsum(flows) == pytest.approx(min(demand, math.fsum(way.high for way in ways)), rel=1e-6)
