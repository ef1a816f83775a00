"""The same samples give the same bytes: golden ones, and whatever a second encoder makes of any samples.

Golden bytes stand in golden.json; what makes them is in docs/metrics.md.
One case: pytest tests/cfn/metrics/test_encoding.py -k golden
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.metrics.assess import assess
from cfn.metrics.profile import DEFAULT
from cfn.metrics.sample import RAW, Sample, Unit
from cfn.proto import advert_pb2 as pb
from tests.cfn.metrics import second_encoder
from tests.cfn.metrics.second_encoder import Trace

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())


def encoded(site: Trace, instances: Mapping[int, Trace]) -> bytes:
    """As the agent does it."""
    advert = pb.Advert(instances=[pb.Instance(instance=number) for number in instances])
    of_instances = [
        {name: Sample(name, value, window, instance=number) for name, value, window in samples}
        for number, samples in instances.items()
    ]
    of_site = {name: Sample(name, value, window) for name, value, window in site}
    assess(DEFAULT, of_site, of_instances).put_into(advert)
    return advert.SerializeToString()


@pytest.mark.parametrize("case", GOLDEN, ids=[case["what"] for case in GOLDEN])
@pytest.mark.parametrize("encoder", [encoded, second_encoder.encode])
def test_golden_traces_give_golden_bytes(case, encoder) -> None:
    instances = {int(number): samples for number, samples in case["instances"].items()}
    assert encoder(case["site"], instances).hex() == case["bytes"]


def test_every_raw_metric_is_documented_with_its_unit() -> None:
    section = second_encoder.DOCUMENT.read_text().split("## Raw metrics")[1].split("\n## ")[0]
    documented = {
        name.strip(" `"): unit.strip()
        for _, names, unit, *_ in (line.split("|") for line in section.splitlines() if line.startswith("| `"))
        for name in names.split(",")
    }
    assert documented == {name: unit.value for name, unit in RAW.items()}


VALUES = st.one_of(st.integers(0, 300), st.integers(0, 1_000_000), st.integers(0, 20_000_000))
PPM = st.integers(0, 1_000_000)


def sample(name: str) -> st.SearchStrategy[tuple[str, int, int]]:
    values = PPM if RAW[name] is Unit.PPM else VALUES
    return st.tuples(st.just(name), values, st.integers(1, 10_000))


def trace(prefixes: tuple[str, ...]) -> st.SearchStrategy[Trace]:
    # Amounts come in pairs, which half a trace would not have.
    names = [name for name in RAW if name.startswith(prefixes) and not name.endswith(("_size", "_left"))]
    return st.lists(st.sampled_from(names), unique=True).flatmap(lambda some: st.tuples(*map(sample, some)))


@given(
    trace(("compute", "memory", "network", "power", "storage")),
    st.dictionaries(st.integers(1, 65_535), trace(("service", "response", "compute")), max_size=5),
)
def test_two_encoders_give_the_same_bytes(site: Trace, instances: Mapping[int, Trace]) -> None:
    assert encoded(site, instances) == second_encoder.encode(site, instances)
