"""What is installed is read as messages, and is the same as finsy reads it.

One target: pytest tests/control/test_reading.py -k embedded
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import finsy as fy

from control.entries import Entry, from_proto
from control.reading import Reader
from tests.control.example import FAR, NEAR, instance
from tests.control.far_end import FarEnd
from tests.control.test_controller import SCHEMA, bystander, running, switches  # noqa: F401 - a fixture


async def test_entries_are_those_that_finsy_reads(switches: dict[str, FarEnd], tmp_path: Path) -> None:  # noqa: F811
    reader = Reader(SCHEMA)
    async with running(switches, tmp_path) as one:
        for site, key in (("near", NEAR), ("far", FAR)):
            await one.tell(site, instance(key, load=10))
        await one.settled()
        for device_id, switch in enumerate(switches.values(), 1):
            async with bystander(switch, device_id) as connected:
                read = cast(Any, connected).read(fy.P4TableEntry())
                theirs = [entity.encode(SCHEMA) async for entity in read]
            ours = [entry async for entry in reader.table_entries(switch.address, device_id)]
            assert len(ours) > 20
            assert sorted(ours, key=_key) == sorted(
                filter(None, (from_proto(entity, SCHEMA) for entity in theirs)), key=_key
            )


def _key(entry: Entry) -> bytes:
    return entry.key
