from bench.steering.clock import Clock


def test_events_happen_in_the_order_of_time_and_of_asking() -> None:
    clock, seen = Clock(), list[tuple[float, str]]()
    for when, name in ((2.0, "late"), (1.0, "first"), (1.0, "second")):
        clock.at(when, _note, clock, seen, name)
    clock.run(3.0)
    assert seen == [(1.0, "first"), (1.0, "second"), (2.0, "late")]
    assert clock.now == 3.0


def _note(clock: Clock, seen: list[tuple[float, str]], name: str) -> None:
    seen.append((clock.now, name))


def test_nothing_happens_in_the_past() -> None:
    clock, seen = Clock(), list[float]()
    clock.at(1.0, lambda: clock.at(0.5, lambda: seen.append(clock.now)))
    clock.run(2.0)
    assert seen == [1.0]


def test_what_is_due_later_waits() -> None:
    clock, seen = Clock(), list[float]()
    clock.after(2.0, lambda: seen.append(clock.now))
    clock.run(1.0)
    assert not seen
    clock.run(2.0)
    assert seen == [2.0]
