"""Random entries and random packets into BMv2 and the embedded switch, outputs compared byte for byte.

    python -m tests.switch.differential --program p4src/compiled/cfn.json --packets 100000 --seed 1
    python -m tests.switch.differential --random-programs 50 --packets 1000 --seed 1
    python -m tests.switch.differential --program all --testdata p4c/testdata --p4c p4c-bm2-ss --json out.json

`all` is the router of this project and tests/switch/programs, or with `--testdata` what p4c makes of the
v1model programs in its tests; `--random-programs` draws programs instead (see `random_programs`), and makes
one that differs smaller. What is compared: the packets that come out of each port, in order (as a set where
packets go round, which overtake each other in BMv2), registers, counters and direct counters. What
cannot be the same is taken out of the programs first: see `determinism`. A difference is reduced to the
fewest entries and packets that show it, and printed as commands of simple_switch_CLI and packets.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from switch.build import BuildError
from switch.dataplane import Dataplane
from switch.load import LoadError
from tests.switch import random_programs, sources
from tests.switch.bmv2 import Bmv2Error
from tests.switch.compare import Case, Difference, Subject
from tests.switch.hints import Hints
from tests.switch.pools import Pools
from tests.switch.random_packets import RandomPackets
from tests.switch.random_state import RandomState
from tests.switch.state import ValueSet

ROUND = 10_000  # packets with the same entries
REDUCE_TRIES = 60  # runs of BMv2 spent on making a case smaller
ROOT = Path(__file__).parents[2]
_T = TypeVar("_T")


@dataclass
class Result:
    """What came of one program."""

    packets: int = 0
    outputs: int = 0
    rounds: int = 0
    differences: list[str] = field(default_factory=list[str])
    refused: str | None = None


def draw(subject: Subject, seed: str, count: int) -> Case:
    """A case with random state and `count` random packets."""
    chance = random.Random(seed)
    pools = Pools(subject.named, chance)
    state = RandomState(pools, subject.shape, subject.clones, subject.multicasts).state()
    members = {item.name: item.members for item in state.items if isinstance(item, ValueSet)}
    hints = Hints(subject.program, subject.compared, state, chance)
    value_sets = [members.get(value_set.name, ()) for value_set in subject.shape.value_sets]
    packets = RandomPackets(subject.program, pools, hints, value_sets)
    port = chance.choice((1, 1, 2, 510))
    return Case(state, tuple(packets.packet() for _ in range(count)), port)


Draw = Callable[[Subject, str, int], Case]
"""Makes a case for a program out of a seed and a number of packets."""


def check(
    name: str, program: bytes, count: int, seed: int, *, reduce: bool = True, draw: Draw = draw
) -> Result:
    """Compare both switches over `count` packets."""
    result = Result()
    if not program:
        result.refused = "not compiled by p4c"
        return result
    try:
        subject = Subject(program)
        Dataplane(subject.json).close()
    except (LoadError, BuildError) as error:
        result.refused = f"embedded: {error}"
        return result
    while result.packets < count and len(result.differences) < 3:
        size = min(ROUND, count - result.packets)
        case = draw(subject, f"{name}/{seed}/{result.rounds}", size)
        try:
            difference, outputs = subject.compare(case)
        except Bmv2Error as error:
            result.refused = f"BMv2: {error}"
            return result
        result.rounds += 1
        result.packets += size
        result.outputs += outputs
        if difference:
            if reduce:
                case, difference = reduced(subject, case, difference)
            result.differences.append(told(subject, case, difference))
    return result


def reduced(subject: Subject, case: Case, difference: Difference) -> tuple[Case, Difference]:
    """A smaller case that shows a difference: fewer packets, then fewer entries, then shorter packets."""
    tries = iter(range(REDUCE_TRIES))
    best = difference

    def shows(smaller: Case) -> bool:
        nonlocal best
        if next(tries, None) is None:
            return False
        try:
            found, _ = subject.compare(smaller)
        except Bmv2Error:
            return False
        if found:
            best = found
        return found is not None

    if difference.packet is not None:
        alone = dataclasses.replace(case, packets=(case.packets[difference.packet],))
        until = dataclasses.replace(case, packets=case.packets[: difference.packet + 1])
        case = next((smaller for smaller in (alone, until) if shows(smaller)), case)
    packets = _fewest(case.packets, lambda some: shows(dataclasses.replace(case, packets=tuple(some))))
    case = dataclasses.replace(case, packets=tuple(packets))
    whole = case.state

    def with_items(items: Sequence[Any]) -> Case:
        return dataclasses.replace(case, state=dataclasses.replace(whole, items=tuple(items)))

    case = with_items(_fewest(whole.items, lambda some: shows(with_items(some))))
    if len(case.packets) == 1:
        case = _shorter(case, shows)
    return case, best


def _fewest(items: Sequence[_T], shows: Callable[[Sequence[_T]], bool]) -> Sequence[_T]:
    """Delta debugging (Zeller, Hildebrandt, TSE 2002): drop ever smaller stretches as long as it shows."""
    size = len(items)
    while size >= 1 and len(items) > 1:
        at = 0
        while at < len(items) and len(items) > 1:
            rest = [*items[:at], *items[at + size :]]
            if rest and shows(rest):
                items = rest
            else:
                at += size
        size //= 2
    return items


def _shorter(case: Case, shows: Callable[[Case], bool]) -> Case:
    packet = case.packets[0]
    cut = len(packet) // 2
    while cut:
        smaller = dataclasses.replace(case, packets=(packet[:-cut],))
        if len(packet) > cut and shows(smaller):
            case, packet = smaller, packet[:-cut]
        else:
            cut //= 2
    return case


def told(subject: Subject, case: Case, difference: Difference) -> str:
    """A case for a person to run again."""
    commands = subject.commands.lines(case.state)
    sets = [f"# {item}" for item in case.state.items if isinstance(item, ValueSet)]
    packets = [f"packet {case.port} {packet.hex()}" for packet in case.packets[:20]]
    return "\n".join(
        [
            f"{difference.where}",
            f"  embedded: {difference.embedded}",
            f"  BMv2:     {difference.bmv2}",
            *(f"  {line}" for line in [*sets, *commands, *packets]),
            f"  ({len(case.packets)} packets)",
        ]
    )


def check_drawn(seed: str, p4c: str, count: int, folder: Path) -> Result:
    """Compare both switches over a random program; one that differs is left in `folder`, made smaller."""
    text = random_programs.source(seed)
    program, said = sources.compiled(text, p4c)
    if not program:
        return Result(refused=f"{p4c}: {said.strip()[-500:]}")
    result = check(seed, program, count, 1, reduce=False)

    def shows(smaller: str) -> bool:
        program, _ = sources.compiled(smaller, p4c)
        return bool(program) and bool(check(seed, program, count, 1, reduce=False).differences)

    if result.differences:
        text = sources.smaller(text, shows)
        program, _ = sources.compiled(text, p4c)
        result = check(seed, program, count, 1)
    if result.differences or result.refused:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{seed.replace('/', '-')}.p4"
        path.write_text(text)
        result.differences = [f"{path}: {difference}" for difference in result.differences]
    return result


def own_programs() -> Iterator[tuple[str, bytes]]:
    """The programs of this project."""
    yield "cfn", (ROOT / "p4src/compiled/cfn.json").read_bytes()
    for path in sorted((Path(__file__).parent / "programs").glob("*.json")):
        yield path.stem, path.read_bytes()


def compiled(p4c: str, testdata: Path, cache: Path) -> Iterator[tuple[str, bytes]]:
    """What p4c makes of the v1model programs: nothing, and in `cache` an empty file, if it fails."""
    for source in sorted((testdata / "p4_16_samples").glob("*.p4")):
        output = cache / f"{source.stem}.json"
        if not output.exists():
            if "v1model.p4" not in source.read_text(errors="replace"):
                continue
            command = [p4c, "--p4v", "16", "-o", str(output), str(source)]
            try:
                subprocess.run(command, capture_output=True, timeout=sources.COMPILE_TIMEOUT_S, check=True)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                output.unlink(missing_ok=True)
            if not output.exists():
                output.write_bytes(b"")
        yield source.stem, output.read_bytes()


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when nothing differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", default="all", help="a compiled program, or all")
    parser.add_argument("--packets", type=int, default=10_000, help="for each program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--p4c", default="p4c-bm2-ss")
    parser.add_argument("--testdata", type=Path, help="testdata of a checkout of p4c")
    parser.add_argument("--compiled", type=Path, default=ROOT / "out/differential", help="of testdata")
    parser.add_argument("--random-programs", type=int, default=0, help="how many to draw and compare")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    results: dict[str, Result] = {}
    if options.random_programs:
        for number in range(options.random_programs):
            seed = f"random/{options.seed}/{number}"
            run = functools.partial(check_drawn, seed, options.p4c, options.packets, options.compiled)
            results[seed] = _timed(seed, run)
        return _report(results, options.json)
    programs: list[Iterator[tuple[str, bytes]]] = []
    if options.program != "all":
        path = Path(options.program)
        programs.append(iter([(path.stem, path.read_bytes())]))
    elif not options.testdata:
        programs.append(own_programs())
    if options.testdata:
        options.compiled.mkdir(parents=True, exist_ok=True)
        programs.append(compiled(options.p4c, options.testdata, options.compiled))
    for name, program in (pair for source in programs for pair in source):
        run = functools.partial(check, name, program, options.packets, options.seed)
        results[name] = _timed(name, run)
    return _report(results, options.json)


def _timed(name: str, run: Callable[[], Result]) -> Result:
    """Run the comparison of a program, and say what came of it."""
    start = time.monotonic()
    result = run()
    took = time.monotonic() - start
    said = result.refused or f"{len(result.differences)} differences"
    print(f"{name}: {result.packets} packets, {result.outputs} out, {took:.1f} s, {said}", flush=True)
    for difference in result.differences:
        print(difference, flush=True)
    return result


def _report(results: dict[str, Result], path: Path | None) -> int:
    different = {name: result for name, result in results.items() if result.differences}
    packets = sum(result.packets for result in results.values())
    refused = {name: result.refused for name, result in results.items() if result.refused}
    print(
        f"{len(results)} programs, {packets} packets, different: {sorted(different)}, not run: {len(refused)}"
    )
    if path:
        path.write_text(json.dumps({n: dataclasses.asdict(r) for n, r in results.items()}, indent=1) + "\n")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
