"""Run the switch: `python -m switch --help`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc

from . import options
from .device import Device
from .options import Options, Tls
from .p4rt.server import serve

_LOG = logging.getLogger("switch")
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "off": logging.CRITICAL + 1,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. The exit code is 0 then, 1 for a failure, 2 for a wrong command line."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its own lines would stand beside ours
    chosen = options.parse(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=_LEVELS[chosen.log_level],
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    try:
        asyncio.run(_run(chosen))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"switch: {_one_line(error)}\n")
        return 1
    return 0


def _one_line(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    place = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
    return place + " ".join(text.split())


async def _run(chosen: Options) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    device = Device(chosen.ports, chosen.cpu_port, chosen.pcap)
    try:
        if chosen.program is not None:
            await asyncio.to_thread(_start, device, chosen.program)
        credentials = None if chosen.tls is None else _credentials(chosen.tls)
        async with serve(device, chosen.device_id, chosen.address, credentials) as listening:
            ports = ", ".join(f"{number}@{name}" for number, name in chosen.ports.items())
            _LOG.info("device %d on %s", chosen.device_id, ports or "no interfaces")
            _LOG.info("P4Runtime on %s", listening)
            # What is loaded by now stays: the garbage collector need not walk it again each time.
            gc.freeze()
            await stop.wait()
            _LOG.info("stopping")
    finally:
        device.close()


def _start(device: Device, path: Path) -> None:
    program = path.read_bytes()
    try:
        device.run(device.build(program))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(tls.key.read_bytes(), tls.certificate.read_bytes())],
        root_certificates=None if tls.ca is None else tls.ca.read_bytes(),
        require_client_auth=tls.client_auth,
    )


if __name__ == "__main__":
    sys.exit(main())
