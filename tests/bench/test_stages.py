"""The stages benchmark as it runs, in one round of few frames."""

import asyncio
import os
from collections import Counter

import pytest

import p4src
from bench import edge, stages
from bench.kinds import kinds
from bench.measurement import Cores
from bench.stages import AFTER, KindError, Program, check, contenders_of, figures
from bench.targets import BMV2


def program() -> Program:
    return Program(AFTER, (p4src.P4INFO, p4src.JSON), edge.entries(), kinds())


def test_each_kind_is_measured_in_memory() -> None:
    cores = Cores.pick(os.sched_getaffinity(0))
    samples = asyncio.run(stages.measure_memory([program()], 2, cores, 64))
    assert list(samples[AFTER]) == [kind.name for kind in kinds()]
    assert all(len(values) == 2 and min(values) > 0 for values in samples[AFTER].values())


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")
@pytest.mark.skipif(not BMV2.installed(), reason="bmv2 is not installed")
def test_each_kind_is_measured_on_bmv2() -> None:
    samples = stages.measure_bmv2([program()], 1, Cores.pick(os.sched_getaffinity(0)), 32)
    assert list(samples[AFTER]) == [kind.name for kind in kinds()]


def test_a_kind_that_becomes_something_else_is_not_measured() -> None:
    contender = contenders_of([program()])[0]
    counts = iter([Counter[str](), Counter({"NACK_NOT_PERMITTED": 64})])

    async def counted() -> Counter[str]:
        return next(counts)

    with pytest.raises(KindError, match=r"plain became .*NACK_NOT_PERMITTED"):
        asyncio.run(check(contender, len, counted))


def test_no_frame_of_a_signing_tenant_comes_twice() -> None:
    signed = next(one for one in contenders_of([program()]) if one.kind.name == "signed")
    frames = signed.frames(600) + signed.frames(600)
    assert len(set(frames)) == 1200


def test_frames_of_a_kind_have_one_length() -> None:
    for kind in kinds():
        assert len({len(frame) for frame in kind.frames(0, 300)}) == 1, kind.name


def test_figures_are_medians() -> None:
    taken = {stages.MEMORY: {AFTER: {"plain": [3.0, 1.0, 2.0]}}}
    assert figures(taken)[stages.MEMORY] == {AFTER: {"plain": 2.0}}
