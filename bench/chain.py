"""What the network saves who calls several functions, or names an input: `python -m bench.chain`.

On the demo's network: a chain of four functions by the network against four calls by the client, and requests
that name an input held at another site than theirs, with PREFETCH and without.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import chain_lab, command, lab, results, steps
from bench.command import BenchError
from bench.controllers import Controllers
from bench.rounds import interleaved
from bench.stats import Spread
from cfn.client import Client
from cfn.content.client import ContentClient
from cfn.errors import CallError
from topo import netns
from topo.plan import Plan
from topo.state import RunDir
from topo.targets import Target

INPUT_BYTES = 65_536
"""Of an input that is named."""
TOLD_S = 2.0
"""Until routers know what a site holds: an advert follows within 0.2 s, and the controller at once."""
_AHEAD, _BEHIND = "sent ahead", "not sent ahead"
Samples = dict[str, list[float]]
"""Times in ms, by contender."""


def main(
    chains: Annotated[int, typer.Option(min=1, help="Chains of each kind.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="Turns with PREFETCH and without.")] = 4,
    inputs: Annotated[int, typer.Option(min=1, max=60, help="Inputs at each holder, in each turn.")] = 15,
    target: Annotated[str, typer.Option(help="Switch: embedded or bmv2.")] = "embedded",
) -> None:
    """Measure chains and named inputs, and write bench/out/chain.json."""
    if target not in ("embedded", "bmv2"):
        raise typer.BadParameter(f"{target} is neither embedded nor bmv2", param_hint="--target")
    console = Console()
    chained, named = run(target, chains, rounds, inputs, lambda text: console.print(f"· {text}"))
    console.print(table("a chain of four functions", chained))
    console.print(table(f"a named input of {INPUT_BYTES // 1024} KiB, held at", named))
    path = results.write("chain", figures(chained, named) | {"target": target})
    console.print(f"written to {path}")


def run(target: Target, chains: int, rounds: int, inputs: int, tell: lab.Tell) -> tuple[Samples, Samples]:
    """Bring the lab up and measure; return the times of chains, and of requests that name their input."""
    with tempfile.TemporaryDirectory(prefix="cfnbench-") as folder:
        path = Path(folder) / "lab.yaml"
        chain_lab.write(path)
        with lab.up(path, target, tell) as plan, _client(plan) as client:
            tell(f"{chains} chains of each kind")
            chained = measure_chains(client, chains)
            lab.check(plan.name)
            tell(f"inputs by name, {rounds} rounds")
            return chained, asyncio.run(measure_inputs(plan, client, rounds, inputs))


def measure_chains(client: Client, count: int) -> Samples:
    """Return the times of as many chains by the network as by the client.

    Raises:
        BenchError: a call failed, or the two ways have different outputs.
    """
    first, *rest = steps.CHAIN
    samples: Samples = {"network": [], "client": []}

    def by_network(payload: bytes) -> bytes:
        return client.call(first, payload, chain=rest).payload

    def by_client(payload: bytes) -> bytes:
        for name in steps.CHAIN:
            payload = client.call(name, payload).payload
        return payload

    ways = {"network": by_network, "client": by_client}
    for order in interleaved(list(ways), count):
        payload = os.urandom(64)
        outputs: set[bytes] = set()
        for name in order:
            began = time.perf_counter()
            outputs.add(_called(lambda way=ways[name], given=payload: way(given)))
            samples[name].append((time.perf_counter() - began) * 1000)
        if len(outputs) != 1:
            raise BenchError("the chain by the network has another output than the one by the client")
    return samples


async def measure_inputs(plan: Plan, client: Client, rounds: int, count: int) -> Samples:
    """Return the times of requests that name an input, by holder and whether something is sent ahead.

    Raises:
        BenchError: a call failed, or something was sent ahead when it should not, or the other way round.
    """
    run = RunDir(plan.name)
    holders = [name for name in plan.sites if name != chain_lab.CHOSEN]
    samples: Samples = {}
    async with ContentClient(run.data(chain_lab.CHOSEN)) as here, Controllers(plan) as controllers:
        for order in interleaved([True, False], rounds):
            for ahead in order:
                await controllers.swap(None if ahead else chain_lab.without_prefetch)
                put = [(holder, await _put(run, holder)) for _ in range(count) for holder in holders]
                await asyncio.sleep(TOLD_S)
                before = (await here.holdings())["counters"]["prefetches"]
                for holder, data_id in put:
                    name = f"{holder}, {_AHEAD if ahead else _BEHIND}"
                    began = time.perf_counter()
                    _called(lambda given=data_id: client.call(steps.DIGEST, data_in=given).payload)
                    samples.setdefault(name, []).append((time.perf_counter() - began) * 1000)
                came = (await here.holdings())["counters"]["prefetches"] - before
                if came != (len(put) if ahead else 0):
                    raise BenchError(f"{came} of {len(put)} requests were sent ahead, though it is {ahead=}")
    return samples


def figures(chained: Samples, named: Samples) -> dict[str, object]:
    """Return what goes into the result file: medians in ms, and ratios of them.

    The ratio of PREFETCH is of the means over the holders, as each of them held as many inputs.
    """
    ahead, behind = _ahead_and_behind(named)
    return {
        "ratio_network_to_client": round(median(chained["network"]) / median(chained["client"]), 4),
        "ratio_prefetch": round(sum(ahead.values()) / sum(behind.values()), 4),
        "ratio_prefetch_by_holder": {name: round(ahead[name] / behind[name], 4) for name in ahead},
        "chain_ms": _medians(chained),
        "named_input_ms": _medians(named),
        "input_bytes": INPUT_BYTES,
        "samples_ms": chained | named,
    }


def table(title: str, samples: Samples) -> Table:
    """Return the table of medians and ranges."""
    shown = Table(title=f"{title}: ms")
    for heading in ("", "median", "range"):
        shown.add_column(heading, justify="right" if heading else "left")
    for name, times in samples.items():
        spread = Spread.of(times)
        shown.add_row(name, f"{spread.median:.1f}", f"{spread.low:.1f}–{spread.high:.1f}")
    return shown


def _client(plan: Plan) -> Client:
    """Return a client on the first client host: a socket stays in the namespace it was made in."""
    with netns.entered(plan.clients[0].namespace):
        return Client(str(plan.anycast[0]), tenant=next(iter(plan.spec.tenants.values())))


def _called(call: Callable[[], bytes]) -> bytes:
    try:
        return call()
    except CallError as error:
        raise BenchError(f"a call failed: {error}") from None


async def _put(run: RunDir, holder: str) -> bytes:
    async with ContentClient(run.data(holder)) as data:
        return await data.put(os.urandom(INPUT_BYTES))


def _ahead_and_behind(named: Samples) -> tuple[dict[str, float], dict[str, float]]:
    """Return the median times by holder, of what was sent ahead and of what was not."""
    found: dict[str, dict[str, float]] = {_AHEAD: {}, _BEHIND: {}}
    for name, times in named.items():
        holder, _, how = name.partition(", ")
        found[how][holder] = median(times)
    return found[_AHEAD], found[_BEHIND]


def _medians(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: round(median(times), 3) for name, times in samples.items()}


if __name__ == "__main__":
    command.run(main)
