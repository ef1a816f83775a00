"""Entries written to real targets, few of them."""

import asyncio
from pathlib import Path

import pytest

from bench import p4client
from bench.process import running
from bench.programs import EXACT
from bench.targets import EMBEDDED, TARGETS, Target, address
from bench.writer import Entries, WriteError, Writer
from bench.writes import fill, table


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_target_takes_entries_and_holds_them(target: Target) -> None:
    if not target.installed():
        pytest.skip(f"{target.name} is not installed")
    load = fill(target, 300, 2)
    assert (load.entries, len(load.rounds)) == (300, 2)
    assert all(rate > 0 for one in load.rounds for rate in (one.single, one.batched))
    assert next(iter(table({target.name: load}).columns[3].cells)) == "300"


def test_what_is_not_there_and_what_is_refused_is_told(tmp_path: Path) -> None:
    socket = tmp_path / "p4rt.sock"
    entries = Entries.of(EXACT, [5, 6, 1 << 63])
    with running("switch", EMBEDDED.command(1, {}, socket), tmp_path) as child:
        asyncio.run(p4client.program(address(socket), 1, (EXACT.p4info, EXACT.json), (), child.check))
        with Writer(address(socket), 1, entries) as writer:
            writer.send(writer.encode([0, 2]))
            assert writer.missing([0, 1, 2]) == [1]
            with pytest.raises(WriteError, match=r"^Write: "):
                writer.send(writer.encode([0]))
        with pytest.raises(WriteError, match="arbitration"), Writer(address(socket), 2, entries):
            pass
