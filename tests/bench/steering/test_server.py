from ipaddress import IPv4Address

import pytest

from bench.steering.clock import Clock
from bench.steering.request import Request
from bench.steering.server import Cores, Server
from bench.steering.spec import SiteSpec
from cfn.load import FULLY_BUSY, PER_WAITING
from control.model import InstanceKey


class Bench:
    """An instance, and what came of requests: when each was answered, BUSY or lost."""

    def __init__(self, spec: SiteSpec) -> None:
        self.clock = Clock()
        self.ended: dict[int, float] = {}
        self.busy: list[int] = []
        self.lost: list[int] = []
        self.cores = Cores(self.clock, spec.cores)
        self.server = Server(
            self.clock,
            spec,
            cores=self.cores,
            key=InstanceKey(1, 1),
            func_id=7,
            address=IPv4Address("10.1.1.1"),
            answer=self._answer,
            lose=lambda request: self.lost.append(request.number),
        )

    def send(self, at: float, number: int, run_s: float, share: float = 1.0) -> None:
        request = Request(number, 7, "r1", 0, run_s, share, at, lambda _: None)
        self.clock.at(at, self.server.arrive, request)

    def _answer(self, request: Request) -> None:
        if request.refused:
            self.busy.append(request.number)
        else:
            self.ended[request.number] = self.clock.now


def test_one_worker_takes_one_after_another() -> None:
    bench = Bench(SiteSpec("s", "r1"))
    bench.send(0.0, 1, 1.0)
    bench.send(0.5, 2, 1.0)
    bench.clock.run(10.0)
    assert bench.ended == {1: 1.0, 2: 2.0}


def test_workers_share_a_core_evenly() -> None:
    bench = Bench(SiteSpec("s", "r1", workers=2, cores=1.0))
    bench.send(0.0, 1, 1.0)
    bench.send(0.5, 2, 1.0)
    bench.clock.run(10.0)
    # Alone for 0.5 s, then each at half the pace: 1 is done at 1.5 s, and 2 has its second half alone.
    assert bench.ended == pytest.approx({1: 1.5, 2: 2.0})


def test_background_takes_its_part() -> None:
    bench = Bench(SiteSpec("s", "r1"))
    bench.send(0.0, 1, 1.0)
    bench.clock.at(0.5, bench.cores.burden, 3.0)
    bench.clock.at(2.5, bench.cores.burden, 0.0)
    bench.clock.run(10.0)
    # Half is done by then, another half at a quarter of the pace.
    assert bench.ended == pytest.approx({1: 2.5})


def test_a_run_that_wants_less_than_a_core_leaves_the_rest() -> None:
    bench = Bench(SiteSpec("s", "r1", workers=2))
    bench.send(0.0, 1, 4.0, share=0.1)
    bench.send(0.0, 2, 1.0, share=0.9)
    bench.clock.run(10.0)
    assert bench.ended == pytest.approx({1: 4.0, 2: 1.0})
    assert bench.cores.used_s() == pytest.approx(1.3)


def test_a_faster_site_takes_less_time() -> None:
    bench = Bench(SiteSpec("s", "r1", speed=2.0))
    bench.send(0.0, 1, 1.0)
    bench.clock.run(10.0)
    assert bench.ended == {1: 0.5}


def test_a_full_queue_answers_busy() -> None:
    bench = Bench(SiteSpec("s", "r1", queue_limit=1))
    for number in (1, 2, 3):
        bench.send(0.0, number, 1.0)
    bench.clock.run(10.0)
    assert bench.busy == [3]
    assert bench.ended == {1: 1.0, 2: 2.0}


def test_what_is_there_is_lost_with_the_instance_and_comes_not_back() -> None:
    bench = Bench(SiteSpec("s", "r1"))
    bench.send(0.0, 1, 1.0)
    bench.send(0.0, 2, 1.0)
    bench.clock.at(0.5, bench.server.stop)
    bench.send(0.6, 3, 1.0)
    bench.clock.at(1.0, bench.server.restart)
    bench.send(1.0, 4, 1.0)
    bench.clock.run(10.0)
    assert bench.lost == [1, 2, 3]
    assert bench.ended == {4: 2.0}


def test_it_tells_its_load_unless_it_lies() -> None:
    for lies, load, queue in ((False, FULLY_BUSY + PER_WAITING, 1), (True, 0, 0)):
        bench = Bench(SiteSpec("s", "r1", lies=lies))
        bench.send(0.0, 1, 2.0)
        bench.send(0.0, 2, 1.0)
        bench.clock.run(1.0)
        assert (bench.server.load(), bench.server.status().queue) == (load, queue)
        bench.clock.run(5.0)
        assert bench.server.status().busy_us == (1_500_000 if lies else 3_000_000)
