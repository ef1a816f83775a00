"""The two processes that keep a lab: `python -m topo.supervisor LAB.yaml …`, started by `topo.front`.

The janitor holds the lab's lock and starts the supervisor, which builds the lab and runs it. Whichever dies,
the other takes the lab down: the janitor when it sees the supervisor end, the supervisor by a signal that the
kernel sends when its parent ends. All processes of the lab are killed by the kernel when the supervisor ends.

Both talk to whoever started them over a socket: lines of JSON, `{"step": …}` for each step, then
`{"ready": true}` or `{"error": …}`. When that socket closes before the lab is ready, the lab is taken down;
with --tied later too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn, cast

from topo import lock, plan
from topo.lab import Lab
from topo.process import die_with_parent
from topo.state import RunDir
from topo.sweep import sweep
from topo.targets import Target

log = logging.getLogger("topo")


class Front:
    """The other end of the socket: who asked for the lab, and may have gone."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def tell(self, **message: object) -> None:
        """Send a message, unless nobody listens any more."""
        try:
            self.connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            log.info("nobody listens to %s", message)


def main() -> None:
    """Be the janitor of a lab, and have a supervisor run it."""
    parser = argparse.ArgumentParser(prog="python -m topo.supervisor", description=__doc__)
    parser.add_argument("lab_file", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument(
        "--front", type=int, required=True, help="file descriptor of a socket to tell progress to"
    )
    parser.add_argument("--tied", action="store_true", help="take the lab down when that socket closes")
    arguments = parser.parse_args()
    front = Front(socket.socket(fileno=arguments.front))
    the_plan = plan.load(arguments.lab_file)
    try:
        listener = lock.acquire(the_plan.name)
    except lock.LabIsUpError as error:
        front.tell(error=str(error))
        sys.exit(1)
    sweep(the_plan.name)
    janitor = os.getpid()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, _terminate)
        die_with_parent(janitor, signal.SIGTERM)
        _supervise(the_plan, arguments, front, listener)
    front.connection.close()
    _redirect_output(Path(os.devnull))
    _keep(listener, child)
    run = RunDir(the_plan.name)
    if run.path.is_dir():
        _log_to(run.log("janitor"))
    _clean(the_plan.name)


def _keep(listener: socket.socket, child: int) -> None:
    """Wait for the supervisor to end; ask it to when this process is asked to."""

    def pass_on(*_: object) -> None:
        os.kill(child, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    supervisor = os.pidfd_open(child)
    with selectors.DefaultSelector() as selector:
        selector.register(supervisor, selectors.EVENT_READ)
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == supervisor:
                    os.waitpid(child, 0)
                    return
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    selector.register(connection, selectors.EVENT_READ)
                else:  # whoever asked for the lock's holder has gone
                    selector.unregister(key.fileobj)
                    cast("socket.socket", key.fileobj).close()


def _supervise(
    the_plan: plan.Plan, arguments: argparse.Namespace, front: Front, listener: socket.socket
) -> NoReturn:
    """Run the lab until it is asked to stop, then end this process."""
    code = 1
    try:
        run = RunDir(the_plan.name)
        run.create()
        _log_to(run.log("supervisor"))
        run.lab_file.write_bytes(arguments.lab_file.read_bytes())
        lab = Lab(the_plan, cast("Target", arguments.target), run)
        asyncio.run(_run(lab, front, tied=arguments.tied))
        code = 0
    except Exception as error:
        log.exception("the lab failed")
        front.tell(error=str(error) or repr(error))
    finally:
        _clean(the_plan.name)  # before the lock is free, even when the janitor has been killed
        listener.close()
        os._exit(code)


def _terminate(*_: object) -> NoReturn:
    sys.exit(1)


async def _run(lab: Lab, front: Front, *, tied: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    front.connection.setblocking(False)

    def front_has_gone() -> None:
        loop.remove_reader(front.connection)
        if tied or not lab.is_ready:
            log.info("whoever asked for the lab has gone")
            stop.set()

    loop.add_reader(front.connection, front_has_gone)
    life = asyncio.create_task(
        lab.live(lambda step: front.tell(step=step), lambda: front.tell(ready=True), stop)
    )
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({life, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not lab.is_ready:
        life.cancel()
    stopped.cancel()
    try:
        await life
    except asyncio.CancelledError:
        log.info("stopped while it came up")


def _clean(name: str) -> None:
    for what in sweep(name):
        log.info("removed %s", what)


def _log_to(path: Path) -> None:
    _redirect_output(path)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")


def _redirect_output(path: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(null)
    os.close(out)


if __name__ == "__main__":
    main()
