"""Gives a P4Runtime target its program and its entries, the same way whatever the target is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import finsy as fy

from bench.command import BenchError

START_SECONDS = 60.0
"""How long a target may take to listen."""


class TargetError(BenchError):
    """A target did not come up, or refused its program or entries."""


async def program(
    address: str,
    device_id: int,
    pipeline: tuple[Path, Path],
    entries: Sequence[fy.P4TableEntry | fy.P4CloneSessionEntry],
    check: Callable[[], None],
) -> None:
    """Wait until a target listens at `address`, push the pipeline, and write `entries` in order.

    Args:
        address: unix:PATH.
        device_id: P4Runtime's name for the target.
        pipeline: P4Info and BMv2 JSON.
        entries: table entries, default actions and clone sessions; the defaults are set first.
        check: called while waiting; raises when the target has ended.

    Raises:
        TargetError: it didn't listen in time, or refused something.
    """
    p4info, p4blob = pipeline
    options = fy.SwitchOptions(p4info=p4info, p4blob=p4blob, device_id=device_id, p4force=True)
    await listening(address, check)
    try:
        async with fy.Switch("target", address, options) as switch:
            keyless = [entry for entry in entries if _is_default(entry)]
            keyed = [entry for entry in entries if not _is_default(entry)]
            await switch.modify(keyless)
            await switch.insert(keyed)
    except fy.P4ClientError as error:
        raise TargetError(f"{address}: {error}") from error
    except asyncio.CancelledError:
        # finsy logs why it could not push the pipeline, and then cancels whoever waits for it.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise TargetError(f"{address}: the target refused the pipeline") from None


async def listening(address: str, check: Callable[[], None]) -> None:
    """Wait until something accepts connections at a unix: address.

    Raises:
        TargetError: nothing did in time. `check` is called meanwhile and may raise its own.
    """
    path = address.removeprefix("unix:")
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_unix_connection(path)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            if time.monotonic() > deadline:
                raise TargetError(f"nothing listens at {address} after {START_SECONDS:g} s") from error
            check()
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            return


def _is_default(entry: fy.P4TableEntry | fy.P4CloneSessionEntry) -> bool:
    return isinstance(entry, fy.P4TableEntry) and entry.is_default_action
