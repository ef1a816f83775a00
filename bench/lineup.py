"""All devices side by side with the same work, each on a lane of its own, and checked."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import bed
from bench.forwarding import check
from bench.lane import ROLES, Lane
from bench.measurement import Plan
from bench.workload import Workload


@contextmanager
def ready(workload: Workload, plan: Plan) -> Generator[tuple[dict[str, Lane], Path]]:
    """Start the installed devices for the length of a block; gives their lanes, by name, and a directory.

    Raises:
        DeviceError: one does not do with the frames what it should.
    """
    with ExitStack() as stack:
        laid = stack.enter_context(bed.laid(*ROLES))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cfnbench-")))
        lanes = {device.name: Lane(laid, device.name) for device in plan.installed}
        for device in plan.installed:
            lane = lanes[device.name]
            lane.lay(workload.router_mac if device.kernel_takes_in else None)
            stack.enter_context(device.forwarding(lane, workload, plan.cores.device, directory))
            check(device, lane, workload)
        yield lanes, directory
