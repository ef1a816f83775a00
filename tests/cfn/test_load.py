import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.load import Utilisation, load_of, utilisation_of


@pytest.mark.parametrize(
    ("utilisation", "waiting", "load"),
    [(0, 0, 0), (0.5, 0, 96), (1, 0, 191), (1, 1, 199), (0, 2, 16), (1, 8, 255), (1, 1000, 255)],
)
def test_the_load_of_the_document(utilisation, waiting, load):
    assert load_of(utilisation, waiting) == load


@given(st.floats(0, 1), st.integers(0, 7))
def test_the_load_tells_of_the_utilisation(utilisation, waiting):
    load = load_of(utilisation, waiting)
    if load < 255:
        assert utilisation_of(load, waiting) == pytest.approx(utilisation, abs=0.5 / 191)
    else:
        assert utilisation_of(load, waiting) == 1


def test_busy_time_is_that_of_all_workers():
    meter = Utilisation(workers=2, now=0.0, window_s=0.1)
    meter.change(+1, 1.0)
    meter.change(+1, 1.5)
    assert meter.worked_s(1.5) == pytest.approx(0.5)
    meter.change(-2, 1.75)
    assert meter.worked_s(9.0) == pytest.approx(0.75 + 0.25)


def test_what_waits_beyond_the_load_means_busy():
    assert utilisation_of(40, 6) == utilisation_of(255, 0) == 1


def test_utilisation_slides_with_the_window():
    meter = Utilisation(workers=2, now=0.0, window_s=1.0)
    meter.change(+1, 0.0)
    meter.change(+1, 0.5)
    meter.change(-2, 0.75)
    assert meter.value(0.75) == pytest.approx((0.75 + 0.25) / 2)
    assert meter.value(1.0) == pytest.approx((0.75 + 0.25) / 2)
    assert meter.value(1.5) == pytest.approx((0.25 + 0.25) / 2)
    assert meter.value(1.75) == 0.0


@given(st.lists(st.tuples(st.floats(0, 0.3), st.booleans()), max_size=40), st.integers(1, 4))
def test_utilisation_is_the_integral_of_busy_workers(steps, workers):
    meter = Utilisation(workers, now=0.0)
    busy, now = 0, 0.0
    history = []
    for after, begin in steps:
        history.append((now, now + after, busy))
        now += after
        change = 1 if begin and busy < workers else -1 if busy else 0
        busy += change
        meter.change(change, now)
    window = 0.2
    expected = sum(
        count * max(0.0, min(end, now) - max(start, now - window)) for start, end, count in history
    )
    assert meter.value(now) == pytest.approx(expected / (window * workers), abs=1e-9)
