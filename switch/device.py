"""The switch as a device: interfaces, and the program that runs on them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from pathlib import Path

from .build import BuildError
from .dataplane import Dataplane


class Device:
    """Ports that outlive the programs on them; implements `switch.p4rt.device.Device`."""

    def __init__(self, ports: Mapping[int, str], cpu_port: int | None = None, pcap_dir: Path | None = None):
        """Have ports, by number, on network interfaces.

        Raises:
            OSError: an interface does not exist.
        """
        for port, interface in ports.items():
            try:
                socket.if_nametoindex(interface)
            except OSError as error:
                raise OSError(error.errno, f"port {port}: there is no interface {interface}") from None
        self._ports = dict(ports)
        self._cpu_port = cpu_port
        self._pcap_dir = pcap_dir
        self._running: Dataplane | None = None
        self._lock = threading.Lock()

    def build(self, program: bytes) -> Dataplane:
        """Compile a program, without ports yet.

        Raises:
            ValueError: it cannot be run.
        """
        try:
            return Dataplane(program, {}, self._cpu_port, self._pcap_dir)
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
                for port, interface in self._ports.items():
                    pipeline.add_port(port, interface)
                pipeline.start()
            else:
                pipeline.take_ports(before)
                before.close()
            self._running = pipeline

    def discard(self, pipeline: Dataplane) -> None:
        """Free a pipeline that never ran."""
        pipeline.close()

    def close(self) -> None:
        """Stop what runs and let go of the interfaces."""
        with self._lock:
            if self._running is not None:
                self._running.close()
                self._running = None
