"""What each stage of the P4 program costs: `python -m bench.stages`.

Each kind of `bench.kinds` takes a stage that the plain request does not. Measured are ns a packet on the
embedded switch in memory and packets a second on BMv2; beside them, with `--before`, the same of an older
program.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import finsy as fy
import typer
from rich.console import Console
from rich.table import Table

import p4src
from bench import bed, before, command, edge, outcomes, paced, results
from bench.command import BenchError
from bench.endpoints import Endpoints
from bench.kinds import FLOWS, PacketKind, kinds
from bench.lane import SINK, SOURCE
from bench.measurement import Cores, ratio
from bench.memory import InMemory, in_memory
from bench.pipeline import on_core
from bench.rounds import interleaved
from bench.router import DEVICE_ID, Router
from bench.stats import Spread
from bench.targets import BMV2
from bench.workload import IN_PORT, OUT_PORT

AFTER, BEFORE = "after", "before"
MEMORY, ON_BMV2 = "ns_per_packet", "bmv2_pps"
_CHECKED = 64
MEMORY_FRAMES, BMV2_FRAMES = 8192, 2000
"""Of one turn."""


class KindError(BenchError):
    """A router did something else with a kind of packet than the stage that was to be measured."""


@dataclass(frozen=True)
class Program:
    """A program, its entries, and the kinds that it is measured with."""

    name: str
    pipeline: tuple[Path, Path]
    entries: Sequence[fy.P4TableEntry | fy.P4CloneSessionEntry]
    kinds: Sequence[PacketKind]


@dataclass
class Contender:
    """A kind of packet in a program; frames are numbered on from turn to turn, so that none comes twice."""

    program: str
    kind: PacketKind
    sent: int = 0

    def frames(self, count: int) -> list[bytes]:
        """Return the next `count` frames."""
        self.sent += count
        return self.kind.frames(self.sent - count, count)


Samples = dict[str, dict[str, list[float]]]
"""Of each program, by name, and kind, one a round."""


def main(
    before: Annotated[
        Path | None,
        typer.Option(help="Folder of an older cfn.json and cfn.p4info.txtpb (version 0.1) to set beside."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each kind.")] = 7,
) -> None:
    """Measure what stages cost, and write bench/out/stages.json."""
    console = Console()
    programs = list(programs_of(before))
    cores = Cores.pick(os.sched_getaffinity(0))
    taken = {MEMORY: asyncio.run(measure_memory(programs, rounds, cores, MEMORY_FRAMES))}
    if BMV2.installed():
        taken[ON_BMV2] = measure_bmv2(programs, rounds, cores, BMV2_FRAMES)
    for what, samples in taken.items():
        console.print(table(what, samples))
    path = results.write("stages", figures(taken))
    console.print(f"written to {path}")


def programs_of(older: Path | None) -> Iterable[Program]:
    """Return the program, and the one in the folder `older` if there is one."""
    known = kinds()
    yield Program(AFTER, (p4src.P4INFO, p4src.JSON), edge.entries(), known)
    if older is not None:
        pipeline = (older / p4src.P4INFO.name, older / p4src.JSON.name)
        yield Program(BEFORE, pipeline, before.entries(), [kind for kind in known if kind.is_old])


async def measure_memory(programs: Sequence[Program], rounds: int, cores: Cores, count: int) -> Samples:
    """Measure all kinds in turn in memory, `count` frames each: ns of processor time a packet."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        routers: dict[str, InMemory] = {}
        for program in programs:
            held = in_memory(program.pipeline, program.entries, directory / f"{program.name}.sock")
            routers[program.name] = await stack.enter_async_context(held)
        contenders = contenders_of(programs)
        for contender in contenders:
            router = routers[contender.program]
            await check(contender, router.outputs, router.outcomes)
        with on_core(cores.device):
            return turns(
                contenders,
                rounds,
                count,
                lambda contender, frames: routers[contender.program].ns_per_packet(frames),
            )


def measure_bmv2(programs: Sequence[Program], rounds: int, cores: Cores, count: int) -> Samples:
    """Measure all kinds in turn on BMv2, all programs on one core, `count` frames each: packets a second."""
    with ExitStack() as stack:
        laid = stack.enter_context(bed.laid(SOURCE, SINK, *(program.name for program in programs)))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        endpoints: dict[str, Endpoints] = {}
        contenders = contenders_of(programs)
        for program in programs:
            source, inlet, outlet, sink = (f"{program.name}-{end}" for end in ("src", "1", "2", "snk"))
            laid.join((SOURCE, source), (program.name, inlet), (None, None))
            laid.join((program.name, outlet), (SINK, sink), (None, None))
            ports = {IN_PORT: inlet, OUT_PORT: outlet}
            router = Router(
                program.name, BMV2, laid[program.name], ports, program.pipeline, directory, cores.device
            )
            stack.enter_context(router.running(program.entries))
            ends = Endpoints([(laid[SOURCE], source), (laid[SINK], sink)])
            endpoints[program.name] = stack.enter_context(ends)

            async def counted(router: Router = router) -> Counter[str]:
                return await outcomes.read(router.address, DEVICE_ID, router.pipeline[0])

            for contender in contenders:
                if contender.program == program.name:
                    asyncio.run(check(contender, _passing(contender, endpoints[program.name]), counted))
        with on_core(cores.source):
            return turns(
                contenders,
                rounds,
                count,
                lambda contender, frames: paced.packets_per_s(
                    endpoints[contender.program], frames, contender.kind.outputs
                ),
            )


def _passing(contender: Contender, endpoints: Endpoints) -> Callable[[Sequence[bytes]], int]:
    def outputs(frames: Sequence[bytes]) -> int:
        paced.packets_per_s(endpoints, frames, contender.kind.outputs)
        return len(frames) * contender.kind.outputs

    return outputs


def contenders_of(programs: Sequence[Program]) -> list[Contender]:
    """Return what is measured in each round."""
    return [Contender(program.name, kind) for program in programs for kind in program.kinds]


async def check(
    contender: Contender,
    outputs: Callable[[Sequence[bytes]], int],
    counted: Callable[[], Awaitable[Counter[str]]],
) -> None:
    """Send each flow once, so that the router knows it, and look at what becomes of a few more frames.

    Raises:
        KindError: it is not what is to be measured.
    """
    kind = contender.kind
    outputs(contender.frames(FLOWS))
    start = await counted()
    out = outputs(contender.frames(_CHECKED))
    found = await counted() - start
    if not kind.fits(found, _CHECKED) or out != _CHECKED * kind.outputs:
        raise KindError(
            f"{contender.program}: {_CHECKED} of {kind.name} became {dict(found)} and {out} frames came out"
        )


def turns(
    contenders: Sequence[Contender],
    rounds: int,
    count: int,
    measure: Callable[[Contender, list[bytes]], float],
) -> Samples:
    """Measure each contender once a round, `count` frames that it has not sent before."""
    samples: Samples = {}
    for order in interleaved(contenders, rounds):
        for contender in order:
            value = measure(contender, contender.frames(count))
            samples.setdefault(contender.program, {}).setdefault(contender.kind.name, []).append(value)
    return samples


def figures(taken: dict[str, Samples]) -> dict[str, Any]:
    """Return the medians as the result file has them, with all rounds."""
    medians = {
        what: {
            program: {kind: Spread.of(values).median for kind, values in some.items()}
            for program, some in samples.items()
        }
        for what, samples in taken.items()
    }
    return {**medians, "rounds": taken}


def table(what: str, samples: Samples) -> Table:
    """Return the table of medians, and of how many times the plain request's cost each kind's is."""
    older = samples.get(BEFORE, {})
    shown = Table(title={MEMORY: "ns a packet, in memory", ON_BMV2: "BMv2, packets a second"}[what])
    shown.add_column("kind")
    for heading in ("median", "min", "max", "÷ plain", *(("before", "÷ before") if older else ())):
        shown.add_column(heading, justify="right")
    plain = Spread.of(next(iter(samples[AFTER].values()))).median
    for kind, values in samples[AFTER].items():
        spread = Spread.of(values)
        cells = [f"{value:.0f}" for value in (spread.median, spread.low, spread.high)]
        cells.append(ratio(spread.median, plain))
        if kind in older:
            was = Spread.of(older[kind]).median
            cells += [f"{was:.0f}", ratio(spread.median, was)]
        shown.add_row(kind, *cells)
    return shown


if __name__ == "__main__":
    command.run(main)
