"""Run the switch: `python -m switch --help`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import grpc

from . import options
from .command_line import one_line
from .device import Device
from .inspect import command
from .inspect.service import add_to
from .options import Options, Tls
from .p4rt.server import serve
from .replay import Replay

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
    """Run until SIGTERM or SIGINT, or ask a switch that runs (`explain`, `stats`).

    The exit code is 0 then, 1 for a failure, 2 for a wrong command line.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its own lines would stand beside ours
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in command.COMMANDS:
        return command.main(given)
    chosen = options.parse(given)
    logging.basicConfig(
        stream=sys.stderr,
        level=_LEVELS[chosen.log_level],
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    try:
        asyncio.run(_run(chosen))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"switch: {one_line(error)}\n")
        return 1
    return 0


async def _run(chosen: Options) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    on_files = chosen.use_files is not None
    device = Device({} if on_files else chosen.ports, chosen.cpu_port, chosen.pcap, chosen.table_stats)
    with closing(device), _packet_in(device, chosen):
        replay = _replay(device, chosen)
        if chosen.program is not None:
            await asyncio.to_thread(_start, device, chosen.program)
        credentials = None if chosen.tls is None else _credentials(chosen.tls)
        async with serve(device, chosen.device_id, chosen.address, credentials, add_to(device)) as listening:
            ports = [f"{number}@{name}" for number, name in chosen.ports.items()]
            ports += [] if chosen.packet_in is None else [chosen.packet_in]
            _LOG.info("device %d on %s", chosen.device_id, ", ".join(ports) or "no interfaces")
            _LOG.info("P4Runtime on %s", listening)
            # What is loaded by now stays: the garbage collector need not walk it again each time.
            gc.freeze()
            await _until_stopped(stop, replay, chosen.exit_at_end)
            _LOG.info("stopping")


def _packet_in(device: Device, chosen: Options) -> AbstractContextManager[object]:
    if chosen.packet_in is None:
        return nullcontext()
    from .packet_in import PacketIn  # noqa: PLC0415 (nng starts its threads when it is loaded)

    return PacketIn(device, chosen.packet_in)


def _replay(device: Device, chosen: Options) -> Replay | None:
    if chosen.use_files is None:
        return None
    return Replay(device, chosen.ports, chosen.use_files)


async def _until_stopped(stop: asyncio.Event, replay: Replay | None, exit_at_end: bool) -> None:
    """Until a signal, or until the files are read if that is the end; a file that fails ends it anyway."""
    if replay is None:
        await stop.wait()
        return
    stopping = asyncio.create_task(stop.wait())
    reading = asyncio.create_task(asyncio.to_thread(replay.run))
    await asyncio.wait((stopping, reading), return_when=asyncio.FIRST_COMPLETED)
    replay.stop()
    await reading
    if exit_at_end:
        stop.set()
    await stopping


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
