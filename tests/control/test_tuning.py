"""Services whose parameters are learned: from what routers measure to what decisions go by."""

from __future__ import annotations

import math

import finsy as fy

import p4src
from control.decided import Place, Steered
from control.events import EventLog
from control.measurements import Report
from control.model import Member
from control.program import Program
from control.tuning import PERIOD_S
from tests.control.example import CATALOGUE, DETECT, FAR, NEAR, Clock, advert, catalogue, instance

SCHEMA = fy.P4Schema(p4src.P4INFO)
TUNED = CATALOGUE.replace("tenants: [demo]}\n", "tenants: [demo], tune: true}\n", 1)
LOOK_S = 1.0
BEST = 3.0


class Loop:
    """A network whose response times depend on what is set, and nothing else."""

    def __init__(self, text: str = TUNED) -> None:
        self.clock, self.events = Clock(), EventLog()
        self.program = Program(catalogue(text), SCHEMA, self.clock, 0.0, self.events)
        self.program.start({})
        self.looks = 0

    def run(self, periods: float, best: float) -> None:
        """The best `variability` makes responses take half as long as 1 does, if that isn't the best."""
        for _ in range(round(periods * PERIOD_S / LOOK_S)):
            self.clock.now += LOOK_S
            self.looks += 1
            if self.looks % 4 == 1:
                for site, key in (("near", NEAR), ("far", FAR)):
                    told = instance(key, arrival_rps=60.0)
                    self.program.take(advert(site, self.looks, told, ttl_s=60.0))
            off = math.log(self.parameter("variability") / best) / math.log(BEST)
            response_ms = 20 * (1 + off * off) * math.exp(0.2 * math.sin(self.looks / 25))
            for member in (Member(*NEAR), Member(FAR.site)):
                self.program.report("r1", Report(member, 100, 0, round(1000 * response_ms)))
            self.program.tune()

    def parameter(self, name: str) -> float:
        assert self.program.tuning is not None
        return self.program.tuning.tree()["vision/detect"]["parameters"][name]

    def near_share(self) -> float:
        target = self.program.steering.decisions[Place("r1", Steered(DETECT, 0, 4))].target
        return target[NEAR]

    def told(self) -> list[str]:
        return [event["event"] for event in self.events.last if event["event"].startswith("tuning")]


def test_what_is_better_is_found_followed_by_decisions_and_told() -> None:
    loop = Loop()
    loop.run(0.9, BEST)
    start = loop.near_share()
    loop.run(40, BEST)
    assert loop.program.tuning is not None
    tree = loop.program.tuning.tree()["vision/detect"]
    assert tree["kept"]["variability"] > 2
    assert tree["start"]["variability"] == 1.0
    assert tree["periods"] >= 40
    assert "tuning-kept" in loop.told()
    for _ in range(5):
        loop.run(1, BEST)
        if loop.parameter("variability") > 2:
            break
    # Who takes requests to wait longer sends fewer of them to the nearest.
    assert loop.near_share() < start
    loop.run(40, 1.0)
    assert loop.told()[-1] == "tuning-returned"


def test_nothing_is_learned_without_measurements() -> None:
    loop = Loop()
    for _ in range(100):
        loop.clock.now += LOOK_S
        assert loop.program.tune() == {}
    assert loop.program.tuning is not None
    assert loop.program.tuning.tree()["vision/detect"]["periods"] == 0


def test_a_service_that_is_not_tuned_stays_as_it_is() -> None:
    assert Loop(CATALOGUE).program.tuning is None
