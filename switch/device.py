"""The switch as a device: its ports, and the program that runs on them."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .build import BuildError
from .dataplane import Dataplane, PortStats
from .options import DROP_PORT


@dataclass(slots=True)
class _Rim:
    """A port without an interface."""

    name: str
    file: Path | None
    up: bool = True


class Device:
    """Ports that outlive the programs on them; implements `switch.p4rt.device.Device`."""

    def __init__(
        self,
        ports: Mapping[int, str],
        cpu_port: int | None = None,
        pcap_dir: Path | None = None,
        table_stats: bool = False,
    ):
        """Have ports, by number, on network interfaces; with `table_stats` programs count their lookups.

        Raises:
            OSError: an interface does not exist.
        """
        for port, interface in ports.items():
            try:
                socket.if_nametoindex(interface)
            except OSError as error:
                raise OSError(error.errno, f"port {port}: there is no interface {interface}") from None
        self._ports = dict(ports)
        self._rim: dict[int, _Rim] = {}
        self._cpu_port = cpu_port
        self._pcap_dir = pcap_dir
        self._table_stats = table_stats
        self._running: Dataplane | None = None
        self._lock = threading.Lock()
        self._sent: Callable[[int, bytes], bool] | None = None
        self._began: Callable[[], None] | None = None

    def build(self, program: bytes) -> Dataplane:
        """Compile a program, without ports yet.

        Raises:
            ValueError: it cannot be run.
        """
        try:
            return Dataplane(program, {}, self._cpu_port, self._pcap_dir, self._table_stats)
        except BuildError as error:
            raise ValueError(str(error)) from None

    def run(self, pipeline: Dataplane) -> None:
        """Give the ports to a pipeline, in place of the one that had them; packets wait meanwhile.

        Raises:
            OSError: an interface cannot be opened, or the ports cannot be handed over: what ran runs on.
        """
        with self._lock:
            before = self._running
            if before is None:
                self._add_ports(pipeline)
                pipeline.start()
            else:
                pipeline.take_ports(before)
                before.close()
            self._running = pipeline
            if self._began is not None:
                self._began()

    def _add_ports(self, pipeline: Dataplane) -> None:
        for port, interface in self._ports.items():
            pipeline.add_port(port, interface)
        for port, rim in self._rim.items():
            pipeline.add_rim_port(port, rim.name, rim.file)
            pipeline.set_port_up(port, rim.up)
        if self._sent is not None:
            pipeline.on_frame(self._sent)

    @contextmanager
    def running(self) -> Generator[Dataplane | None]:
        """The pipeline that has the ports, if there is one; it keeps them while the block runs."""
        with self._lock:
            yield self._running

    def discard(self, pipeline: Dataplane) -> None:
        """Free a pipeline that never ran."""
        pipeline.close()

    def close(self) -> None:
        """Stop what runs and let go of the interfaces."""
        with self._lock:
            if self._running is not None:
                self._running.close()
                self._running = None

    # Ports without an interface

    def on_frame(self, callback: Callable[[int, bytes], bool]) -> None:
        """Give `callback` what ports without an interface send, see `Dataplane.on_frame`; before `run`."""
        self._sent = callback

    def on_run(self, callback: Callable[[], None]) -> None:
        """Call `callback` each time a program begins to run."""
        self._began = callback

    def add_rim_port(self, port: int, name: str, file: Path | None = None) -> None:
        """Add a port without an interface, see `Dataplane.add_rim_port`; one that is there goes up.

        Raises:
            OSError: the number is another port's or none, or the file cannot be written.
        """
        with self._lock:
            if not 0 <= port < DROP_PORT or port == self._cpu_port or port in self._ports:
                raise OSError(errno.EADDRNOTAVAIL, f"there can be no port {port} on {name}")
            if port not in self._rim:
                if self._running is not None:
                    self._running.add_rim_port(port, name, file)
                self._rim[port] = _Rim(name, file)
            self._set_up(port, True)

    def remove_rim_port(self, port: int) -> None:
        """Take a port without an interface away.

        Raises:
            KeyError: there is no such port.
        """
        with self._lock:
            del self._rim[port]
            if self._running is not None:
                self._running.remove_port(port)

    def set_port_up(self, port: int, up: bool) -> None:
        """Take a port without an interface up or down.

        Raises:
            KeyError: there is no such port.
        """
        with self._lock:
            self._set_up(port, up)

    def _set_up(self, port: int, up: bool) -> None:
        self._rim[port].up = up
        if self._running is not None:
            self._running.set_port_up(port, up)

    def receive(self, port: int, packet: bytes) -> None:
        """Run a packet that came in on a port without an interface; without a program it is lost.

        Raises:
            KeyError: there is no such port.
        """
        with self._lock:
            if port not in self._rim:
                raise KeyError(port)
            if self._running is not None:
                self._running.receive(port, packet)

    def flush(self) -> None:
        """Write out what ports sent to files.

        Raises:
            OSError: one could not be written.
        """
        with self._lock:
            if self._running is not None:
                self._running.flush()

    def port_stats(self) -> dict[int, PortStats]:
        """Counts of all ports since they were added; none without a program."""
        with self._lock:
            return {} if self._running is None else self._running.port_stats()
