"""The command `cfn agent --collect`: what others expose ends as metrics of adverts.

One case: pytest tests/cfn/collectors/test_agent_collects.py -k place
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cfn.proto import advert_pb2 as pb
from tests.cfn.collectors.web import serving
from tests.cfn.statuses import status
from tests.cfn.test_agent import WAIT_S, controller, listening, say

COLLECT = """\
profile:
  only: true
  inputs:
    - {{metric: compute_parallel_utilisation, category: compute, worst: 1000000, best: 0}}
    - {{metric: service_utilisation, category: service, worst: 1000000, best: 0}}
host: {{storage: /}}
prometheus:
  - url: {url}
    interval_s: 0.05
    read: [{{metric: compute_parallel_utilisation, series: {{name: GPU_UTIL}}, scale: 10000}}]
orca:
  - {{url: "{url}", instance: 1, interval_s: 0.05, timeout_s: 0.2, fresh_s: 0.5}}
  - {{url: "http://127.0.0.1:1/", instance: 2, interval_s: 0.05}}
"""


@asynccontextmanager
async def agent(tmp_path: Path, port: int, collect: Path) -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "cfn.cli", "agent", "near", "--controller", f"127.0.0.1:{port}"]
    process = await asyncio.create_subprocess_exec(
        *command,
        *("--listen", f"unix:{tmp_path}/agent.sock", "--token", "t", "--timer", "0.1"),
        *("--collect", str(collect)),
        stderr=PIPE,
        env=os.environ,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), WAIT_S)


def values(metrics) -> dict[int, int]:
    return {each.type: each.value for each in metrics}


async def test_what_others_expose_is_advertised_and_grows_stale(tmp_path: Path) -> None:
    collect, path = tmp_path / "collect.yaml", tmp_path / "agent.sock"
    async with serving() as page, controller() as receiver:
        page.text = "GPU_UTIL 80\n"
        page.headers = {"endpoint-load-metrics": "TEXT application_utilization=0.3"}
        collect.write_text(COLLECT.format(url=page.url))
        async with agent(tmp_path, receiver.port, collect) as process:
            await listening(path)
            at_s = 0.0

            async def told(wanted) -> pb.Advert:
                nonlocal at_s
                async with asyncio.timeout(WAIT_S):
                    while True:
                        at_s += 1.0
                        say(path, status(1, at_s=at_s), status(2, at_s=at_s))
                        advert = await receiver.adverts.get()
                        if len(advert.instances) == 2 and wanted(advert):
                            return advert

            full = {pb.Metric.COMPUTE_NORM, pb.Metric.SERVICE_NORM, pb.Metric.NORM_FI}
            advert = await told(lambda each: values(each.metrics).keys() == full)
            first, second = advert.instances
            assert values(first.metrics) == {pb.Metric.SERVICE_NORM: 7, pb.Metric.NORM_FI: 2}
            # Nobody answers for the second one, so that it has but what it shares.
            assert values(second.metrics) == {pb.Metric.NORM_FI: 2}
            assert [each.used_ppm for each in advert.resources.compute if each.type == 2] == [800_000]
            assert advert.resources.storage > advert.resources.storage_left > 0
            assert [each.metric for each in advert.profile.inputs] == [
                "compute_parallel_utilisation",
                "service_utilisation",
            ]
            page.silent = True
            await told(lambda each: values(each.metrics) == {} and values(each.instances[0].metrics) == {})
            process.terminate()
            _, errors = await asyncio.wait_for(process.communicate(), WAIT_S)
        assert process.returncode == 0
        said = errors.decode()
        assert said.count("http://127.0.0.1:1/: Cannot connect") == 1
        assert said.count(f"{page.url}: no answer within") == 2


async def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path) -> None:
    collect = tmp_path / "collect.yaml"
    collect.write_text("prometheus:\n  - {url: nowhere, read: []}\n")
    async with agent(tmp_path, 1, collect) as process:
        _, errors = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert process.returncode == 1
    assert f"{collect}:2:11: prometheus[0].url: 'nowhere' is no URL of http or https" in errors.decode()
