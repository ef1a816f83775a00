from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from topo.weights import EventTail, Weights


def _weights(
    router: str, function: str, after: dict[str, float] | None, family: int = 4, scope: str | None = None
) -> dict[str, Any]:
    return {
        "time": 1.0,
        "event": "weights",
        "router": router,
        "function": function,
        "demand": "any",
        "family": family,
        "before": None,
        "after": after,
    } | ({"scope": scope} if scope else {})


def _advert(time: float, site: str) -> dict[str, Any]:
    return {"time": time, "event": "advert", "site": site, "sequence": 1, "instances": 4}


def test_a_sample_of_each_site_comes_with_each_advert() -> None:
    weights = Weights("r1", ["near", "far"])
    assert weights.apply(_weights("r1", "a/b", {"near": 0.75, "far": 0.25})) == []
    assert weights.apply(_weights("r2", "a/b", {"near": 1.0})) == []
    # What was sent to a site is no longer the client's to be steered.
    assert weights.apply(_weights("r1", "a/b", {"near": 1.0}, scope="near")) == []
    weights.apply(_advert(5.0, "far"))
    weights.loads = {"near": 0.5, "far": 0.1}
    near, far = weights.apply(_advert(6.0, "near"))
    assert (near.site, near.time_s, near.weight, near.load, near.advert_s) == ("near", 6.0, 0.75, 0.5, 6.0)
    assert (far.site, far.time_s, far.weight, far.load, far.advert_s) == ("far", 6.0, 0.25, 0.1, 5.0)


def test_the_weight_is_the_mean_over_what_is_steered() -> None:
    weights = Weights("r1", ["near", "far"])
    weights.apply(_weights("r1", "a/b", {"near": 1.0}))
    weights.apply(_weights("r1", "a/b", {"far": 1.0}, family=6))
    weights.apply(_weights("r1", "c/d", None))
    assert weights.weight("near") == weights.weight("far") == 0.5
    weights.apply(_weights("r1", "a/b", {"far": 1.0}))
    assert weights.weight("near") == 0.0


def test_nothing_is_steered_yet() -> None:
    assert Weights("r1", ["near"]).weight("near") == 0.0


def test_it_goes_on_from_the_status() -> None:
    weights = Weights("r1", ["near"])
    service = {
        "router": "r1",
        "function": "a/b",
        "demand": "any",
        "family": 4,
        "scope": None,
        "sites": {"near": 0.5},
    }
    weights.start_from(
        {"services": [service, {**service, "router": "r2", "sites": {}}, {**service, "scope": "near"}]}
    )
    assert weights.weight("near") == 0.5


def test_the_tail_reads_whole_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    first, second = json.dumps(_advert(1.0, "near")), json.dumps(_advert(2.0, "far"))
    path.write_text(first + "\n" + second[:10])
    tail = EventTail(path)
    assert [event["site"] for event in tail.read()] == ["near"]
    assert list(tail.read()) == []
    path.write_text(first + "\n" + second + "\n")
    assert [event["site"] for event in tail.read()] == ["far"]
