"""The switches that a lab can run on: each is started with the same options, those of simple_switch_grpc."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Literal

from topo.plan import GRPC_PORT_BASE, Router

Target = Literal["embedded", "bmv2"]

CPU_PORT = 510
"""Port number by which packets go to and come from the controller."""

THRIFT_PORT_BASE = 9090
_BMV2 = "simple_switch_grpc"


class TargetMissingError(Exception):
    """The switch that was asked for isn't installed; the text says where it comes from."""


def check(target: Target) -> None:
    """Make sure that a target can be started here.

    Raises:
        TargetMissingError: it isn't installed.
    """
    if target == "bmv2" and not shutil.which(_BMV2):
        raise TargetMissingError(
            f"{_BMV2} is not on PATH: install BMv2 (https://github.com/p4lang/behavioral-model) or use"
            " --target embedded, which needs nothing"
        )


def command(target: Target, router: Router, run_dir: Path) -> list[str]:
    """Return the command line of a router's switch; it starts empty and gets its pipeline over P4Runtime."""
    options = ["--no-p4", "--device-id", str(router.device_id)]
    for number, interface in router.ports.items():
        options += ["-i", f"{number}@{interface}"]
    own = ["--grpc-server-addr", f"127.0.0.1:{router.grpc_port}", "--cpu-port", str(CPU_PORT)]
    if target == "embedded":
        return [sys.executable, "-m", "switch", *options, *own]
    # What BMv2 has besides P4Runtime: a Thrift port of its own, and a socket that would lie in /tmp.
    thrift_port = THRIFT_PORT_BASE + router.grpc_port - GRPC_PORT_BASE
    socket = run_dir / f"{router.name}-notifications.ipc"
    bmv2 = ["--thrift-port", str(thrift_port), "--notifications-addr", f"ipc://{socket}"]
    return [_BMV2, *options, *bmv2, "--log-level", "error", "--log-console", "--", *own]
