"""What a router has counted, by outcome, whichever program it runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, cast

import finsy as fy


async def read(address: str, device_id: int, p4info: Path) -> Counter[str]:
    """Return the packets counted so far by each outcome, without those that never happened."""
    options = fy.SwitchOptions(p4info=p4info, device_id=device_id)
    counted: Counter[str] = Counter()
    async with fy.Switch("reader", address, options) as switch:
        names = {
            value: name
            for name, value in switch.p4info.type_info.serializable_enums["Outcome"].members.items()
        }
        # finsy declares `read` in a way that type checkers take for a coroutine.
        async for entry in cast(Any, switch).read(fy.P4DirectCounterEntry("outcomes")):
            if entry.table_entry and entry.data and entry.data.packet_count:
                counted[names[entry.table_entry["outcome"]]] = entry.data.packet_count
    return counted
