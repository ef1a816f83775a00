import os
from contextlib import closing

from bench.lookup import Held, measure
from bench.measurement import Cores, Plan


def test_frames_that_ask_are_answered_and_others_are_not() -> None:
    held = Held.of(10)
    with closing(held.dataplane) as dataplane:
        asked = [dataplane.inject(1, frame) for frame in held.asking[:200]]
        passed = [dataplane.inject(1, frame) for frame in held.passing[:200]]
    answers = {int.from_bytes(out[0][1][9:13], "big") for out in asked}
    assert answers == set(range(10))
    assert [out[0][1] for out in passed] == held.passing[:200]


def test_tables_of_each_size_have_a_turn_in_each_round() -> None:
    plan = Plan(devices=(), workloads=(), rounds=2, cores=Cores.pick(os.sched_getaffinity(0)), seconds=1.0)
    found = measure(plan, {"few": 10, "more": 20})
    assert set(found.figures["lookup_ns"]) == {"few", "more"}
    assert [len(taken) for taken in found.rounds["lookup_ns"].values()] == [2, 2]
