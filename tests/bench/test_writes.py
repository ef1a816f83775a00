"""Entries written to real targets, few of them."""

import asyncio
from pathlib import Path

import pytest
from finsy.proto import p4r

from bench import p4client
from bench.process import running
from bench.programs import EXACT
from bench.targets import EMBEDDED, TARGETS, address
from bench.writer import Entries, WriteError, Writer
from bench.writes import Load, Round, encode, fill, table


def test_targets_take_entries_and_hold_them() -> None:
    installed = [target for target in TARGETS.values() if target.installed()]
    loads = fill(installed, 300, 2)
    assert list(loads) == [target.name for target in installed]
    for load in loads.values():
        assert (load.entries, len(load.rounds)) == (300, 2)
        assert all(rate > 0 for one in load.rounds for rate in (one.single, one.batched))


def test_shares_hold_each_entry_once() -> None:
    entries = Entries.of(EXACT, list(range(2600)))
    for numbers in (range(2600), range(3), range(7, 1234)):
        share = encode(entries, numbers)
        requests = [p4r.WriteRequest.FromString(request) for request in (*share.single, *share.batched)]
        written = [update.entity for request in requests for update in request.updates]
        assert written == [entries[number] for number in numbers]
        assert {len(request.updates) for request in requests[: len(share.single)]} == {1}
        assert sum(len(request.updates) for request in requests[len(share.single) :]) == share.in_batches


def test_table_compares_with_the_embedded_switch() -> None:
    loads = {
        "embedded": Load([Round(100.0, 3000.0)], 10, 5_000_000),
        "bmv2": Load([Round(200.0, 1000.0)], 10, 4_000_000),
    }
    cells = [list(column.cells) for column in table(loads).columns]
    assert cells[1:5] == [["100", "200"], ["1.00", "0.50"], ["3,000", "1,000"], ["1.00", "3.00"]]
    assert cells[6] == ["5", "4"]


def test_what_is_not_there_and_what_is_refused_is_told(tmp_path: Path) -> None:
    socket = tmp_path / "p4rt.sock"
    entries = Entries.of(EXACT, [5, 6, 1 << 63])
    with running("switch", EMBEDDED.command(1, {}, socket), tmp_path) as child:
        asyncio.run(p4client.program(address(socket), 1, (EXACT.p4info, EXACT.json), (), child.check))
        with Writer(address(socket), 1, entries) as writer:
            writer.send(entries.inserted(1, [0, 2]))
            assert writer.missing([0, 1, 2]) == [1]
            with pytest.raises(WriteError, match=r"^Write: "):
                writer.send(entries.inserted(1, [0]))
        with pytest.raises(WriteError, match="arbitration"), Writer(address(socket), 2, entries):
            pass
