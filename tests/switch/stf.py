"""Run p4c's tests in STF format on the embedded switch.

    python -m tests.switch.stf --p4c p4c-bm2-ss --testdata p4c/testdata [--json out.json] [--only NAME]

For every `NAME.stf` beside a v1model `NAME.p4` in `p4_16_samples` the program is compiled, packets are
injected and what comes out is compared. The format is that of p4c's backends/bmv2/bmv2stf.py. The JSON file
has `{"passed": n, "failed": {name: reason}, "skipped": {name: reason}}`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from switch.api import Action, CounterValue, Match, MeterRates, Replica
from switch.build import BuildError
from switch.dataplane import Dataplane
from switch.generate.shape import ActionShape, KeyShape, TableShape
from switch.load import LoadError

COMPILE_TIMEOUT_S = 120
_T = TypeVar("_T")
_DIGIT_BITS = {"0x": 4, "0b": 1, "0o": 3}


class StfError(Exception):
    """A test does not pass, or says something that cannot be understood."""


@dataclass
class Run:
    """One test under way: what came out of each port, what is still expected, and multicast nodes.

    `groups` hold nodes; `sessions` are the clone sessions that send to a group.
    """

    dataplane: Dataplane
    params: dict[str, tuple[str, ...]]
    sent: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    expected: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    nodes: list[list[Replica]] = field(default_factory=list)
    groups: dict[int, list[list[Replica]]] = field(default_factory=lambda: defaultdict(list))
    sessions: dict[int, int] = field(default_factory=dict)


def statements(text: str) -> Iterator[list[str]]:
    """The statements of a test, as words, without comments."""
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if words:
            yield words


def run_test(program_json: bytes, text: str) -> None:
    """Run one test.

    Raises:
        StfError: a packet is missing, unexpected or differs; or the test cannot be understood.
    """
    dataplane = Dataplane(program_json)
    try:
        run = Run(dataplane, _parameter_names(program_json))
        for words in statements(text):
            _execute(run, words)
        _compare(run)
    finally:
        dataplane.close()


def _parameter_names(program_json: bytes) -> dict[str, tuple[str, ...]]:
    return {
        action["name"]: tuple(param["name"] for param in action["runtime_data"])
        for action in json.loads(program_json)["actions"]
    }


def _execute(run: Run, words: list[str]) -> None:
    match words:
        case ["packet", port, *data]:
            for out, packet in run.dataplane.inject(int(port), bytes.fromhex("".join(data))):
                run.sent[out].append(packet)
        case ["expect", port, *data]:
            run.expected[int(port)].append("".join(data).lower())
        case ["add", table, *rest]:
            _add(run, table, rest)
        case ["setdefault", table, *rest]:
            shape = _table(run, table)
            run.dataplane.table_default(shape.name, _action(run, shape, " ".join(rest)))
        case ["wait"] | ["no_packet"]:
            pass
        case _ if not (_replicate(run, words) or _write(run.dataplane, words)):
            raise StfError(f"statement not understood: {' '.join(words)}")
        case _:
            pass


def _replicate(run: Run, words: list[str]) -> bool:
    """Run a command of simple_switch_CLI that is about copies, if it is one."""
    match words:
        case ["mirroring_add", session, port]:
            run.sessions.pop(int(session), None)
            run.dataplane.clone_session_set(int(session), [Replica(int(port))])
        case ["mirroring_add_mc", session, group]:
            run.sessions[int(session)] = int(group)
        case ["mirroring_delete", session]:
            run.sessions.pop(int(session), None)
            run.dataplane.clone_session_set(int(session), [])
        case ["mc_mgrp_create", group]:
            run.groups[int(group)] = []
        case ["mc_node_create", instance, *ports]:
            run.nodes.append([Replica(int(port), int(instance)) for port in ports])
        case ["mc_node_update", node, *ports]:
            instance = run.nodes[int(node)][0].instance
            run.nodes[int(node)][:] = [Replica(int(port), instance) for port in ports]
        case ["mc_node_associate", group, node]:
            run.groups[int(group)].append(run.nodes[int(node)])
        case _:
            return words[0] == "mirroring_get"
    for group, nodes in run.groups.items():
        run.dataplane.multicast_set(group, [replica for node in nodes for replica in node])
    for session, group in run.sessions.items():
        run.dataplane.clone_session_set(session, [replica for node in run.groups[group] for replica in node])
    return True


def _write(dataplane: Dataplane, words: list[str]) -> bool:
    """Run a command of simple_switch_CLI that is about counters, registers or meters, if it is one."""
    shape = dataplane.shape
    match words:
        case ["counter_write", name, index, packets, size]:
            full, _ = _array(shape.counters, name)
            dataplane.counter_set(full, int(index), CounterValue(int(packets), int(size)))
        case ["register_write", name, index, value]:
            full, _ = _array(shape.registers, name)
            dataplane.register_set(full, int(index), int(value, 0))
        case ["register_reset", name]:
            full, cells = _array(shape.registers, name)
            for index in range(cells):
                dataplane.register_set(full, index, 0)
        case ["meter_set_rates", name, index, *rates]:
            dataplane.meter_set(_array(shape.meters, name)[0], int(index), _rates(rates))
        case ["meter_array_set_rates", name, *rates]:
            full, cells = _array(shape.meters, name)
            for index in range(cells):
                dataplane.meter_set(full, index, _rates(rates))
        case _:
            return words[0] in {"counter_read", "register_read", "meter_get_rates"}
    return True


def _array(arrays: Sequence[tuple[str, int, *tuple[Any, ...]]], name: str) -> tuple[str, int]:
    """Name and size of a counter, register or meter."""
    same = [array for array in arrays if array[0] == name]
    found = _only(same or [array for array in arrays if array[0].endswith(f".{name}")], name)
    return found[0], found[1]


def _rates(texts: Sequence[str]) -> MeterRates:
    """Committed and peak `rate:burst`, the rate in units per microsecond."""
    (cir, cburst), (pir, pburst) = (text.split(":") for text in texts)
    return MeterRates(int(float(cir) * 1_000_000), int(cburst), int(float(pir) * 1_000_000), int(pburst))


def _table(run: Run, name: str) -> TableShape:
    tables = run.dataplane.shape.tables
    return next((t for t in tables if t.name == name), None) or _only(
        [t for t in tables if t.name.endswith(name)], f"table {name}"
    )


def _only(found: Sequence[_T], what: str) -> _T:
    if len(found) != 1:
        raise StfError(f"{what}: {len(found)} candidates")
    return found[0]


def _add(run: Run, table: str, rest: list[str]) -> None:
    shape = _table(run, table)
    priority = int(rest.pop(0)) if rest[0].isdigit() else 0
    call = next(i for i, word in enumerate(rest) if "(" in word)
    given: dict[str, str] = {}
    for word in rest[:call]:
        name, _, value = word.rpartition(":")
        given[_key(shape, name).name] = value
    key = [_match(k, given.get(k.name)) for k in shape.keys]
    action = _action(run, shape, " ".join(rest[call:]))
    run.dataplane.table_insert(shape.name, key, priority, action)


def _key(shape: TableShape, name: str) -> KeyShape:
    indexed = re.sub(r"\$(\d+)", r"[\1]", name)
    wanted = (name, indexed, f"{indexed}$", re.sub(r"\.valid$", ".$valid$", indexed), f"{indexed}.$valid$")
    exact = [k for k in shape.keys if k.name in wanted]
    if exact:
        return exact[0]
    ends = [k for k in shape.keys if k.name.endswith((f".{indexed}", f".{indexed}$"))]
    return _only(ends or [k for k in shape.keys if name == "valid" and k.name.endswith("$valid$")], name)


def _match(key: KeyShape, text: str | None) -> Match:
    full = (1 << key.width) - 1
    if text is None:
        return Match(0, 0, full)
    if key.kind == "lpm":
        return _prefix(key, text)
    if key.kind == "ternary":
        return _masked(text, full)
    if "->" in text:
        low, high = text.split("->")
        return Match(int(low, 0), 0, int(high, 0))
    return Match(int(text, 0) & full, 0, int(text, 0) & full)


def _prefix(key: KeyShape, text: str) -> Match:
    value, slash, length = text.partition("/")
    if not slash:
        bits = _DIGIT_BITS.get(text[:2], 4)
        length = str((len(text) - 2 - text.count("*")) * bits)
        value = text.replace("*", "0")
    full = (1 << key.width) - 1
    kept = min(int(length), key.width)
    return Match(int(value, 0), full ^ (full >> kept))


def _masked(text: str, full: int) -> Match:
    if "&&&" in text:
        value, mask = (int(part, 0) for part in text.split("&&&"))
        return Match(value, mask & full)
    prefix = text[:2]
    if prefix not in _DIGIT_BITS or "*" not in text:
        return Match(int(text, 0), full)
    ones = {"0x": "f", "0b": "1", "0o": "7"}[prefix]
    mask = prefix + "".join("0" if digit == "*" else ones for digit in text[2:])
    return Match(int(text.replace("*", "0"), 0), int(mask, 0) & full)


def _action(run: Run, shape: TableShape, call: str) -> Action:
    name, _, arguments = call.partition("(")
    candidates = [a for a in shape.actions if a.name == name] or [
        a for a in shape.actions if a.name.endswith(name)
    ]
    action: ActionShape = _only(candidates, f"action {name}")
    given: dict[str, int] = {}
    for argument in filter(None, arguments.rstrip(") ").split(",")):
        key, _, value = argument.strip().partition(":")
        given[key] = int(value, 0)
    names = run.params[action.name]
    values = tuple(given[n] & ((1 << w) - 1) for n, w in zip(names, action.widths, strict=True))
    return Action(action.name, values)


def _compare(run: Run) -> None:
    for port in sorted({*run.sent, *run.expected}):
        sent, expected = run.sent[port], run.expected[port]
        if expected == [""]:
            continue
        if len(sent) != len(expected):
            raise StfError(f"port {port}: {len(sent)} packets where {len(expected)} are expected")
        for number, (got, want) in enumerate(zip(sent, expected, strict=True)):
            if not _agrees(got.hex(), want):
                raise StfError(f"port {port} packet {number}: got {got.hex()}, expected {want}")


def _agrees(got: str, want: str) -> bool:
    """An expected packet is a prefix unless it ends with $; * stands for any digit."""
    if want.endswith("$"):
        want = want[:-1]
        if len(got) != len(want):
            return False
    return len(got) >= len(want) and all(w in ("*", g) for g, w in zip(got, want, strict=False))


def compile_p4(p4c: str, source: Path, directory: Path) -> bytes | str:
    """BMv2 JSON of a program, or why the compiler refused it."""
    output = directory / f"{source.stem}.json"
    command = [p4c, "--p4v", "16", "-o", str(output), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False)
    if done.returncode or not output.exists():
        return done.stderr.strip().partition("\n")[0] or "no output"
    return output.read_bytes()


def verdict(p4c: str, source: Path, directory: Path) -> tuple[str, str]:
    """passed, failed or skipped, and why."""
    if "v1model.p4" not in source.read_text():
        return "skipped", "not v1model"
    compiled = compile_p4(p4c, source, directory)
    if isinstance(compiled, str):
        return "skipped", f"p4c: {compiled}"
    try:
        run_test(compiled, source.with_suffix(".stf").read_text())
    except (LoadError, BuildError, StfError, KeyError, ValueError, OverflowError) as error:
        return "failed", str(error)
    return "passed", ""


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when nothing failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--p4c", required=True)
    parser.add_argument("--testdata", required=True, type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only")
    options = parser.parse_args(arguments)
    results: dict[str, dict[str, str]] = {"passed": {}, "failed": {}, "skipped": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for test in sorted((options.testdata / "p4_16_samples").glob("*.stf")):
            source = test.with_suffix(".p4")
            if not source.exists() or (options.only and options.only != test.stem):
                continue
            what, why = verdict(options.p4c, source, Path(scratch))
            results[what][test.stem] = why
            if what == "failed":
                print(f"{test.stem}: {why}", flush=True)
    summary = {"passed": len(results["passed"]), "failed": results["failed"], "skipped": results["skipped"]}
    print(f"passed {summary['passed']}, failed {len(results['failed'])}, skipped {len(results['skipped'])}")
    if options.json:
        options.json.write_text(json.dumps(summary, indent=1) + "\n")
    return bool(results["failed"])


if __name__ == "__main__":
    sys.exit(main())
