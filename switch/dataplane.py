"""Run: a BMv2 JSON program as native code on network interfaces, or in memory.

    dataplane = Dataplane(json_bytes, {1: "veth1", 2: "veth3"}, cpu_port=510)
    dataplane.table_insert("ingress.route", [Match(10 << 24, mask=0xFF << 24)], 0, Action("ingress.to", (2,)))
    dataplane.start()          # one C thread runs packets; it sleeps when there are none
    dataplane.inject(1, frame) # [(port, bytes), …] without any interface, at any time
    dataplane.port_stats(); dataplane.ended()
    dataplane.stop(); dataplane.close()

Names, in full: `Dataplane(program_json, ports, cpu_port, pcap_dir, table_stats)`, `.start()`, `.stop()`,
`.close()`, `.take_ports()`, `.add_port()`, `.remove_port()`, `.port_name()`, `.flush()`, `.inject()`,
`.prepare_trace()`, `.trace()`, `.port_stats()`, `.table_counts()`, `.ended()`, `.poll_events()`, `.bench()`;
for ports without an interface `.add_rim_port()`, `.set_port_up()`, `.receive()`, `.on_frame()`; and all of
`switch.api.Pipeline`. Handles are positive integers. Errors: see `switch.native.check`.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switch.api import Digest
from switch.build import COUNTING, FLAGS, TRACING, BuildError, build
from switch.control import Control
from switch.events import Events
from switch.frames import Frames
from switch.generate import generate
from switch.load import load
from switch.native import NO_PORT, check, ffi, open_library

TRACE_ROOM = 1 << 20  # bytes that one packet may tell of its way
COLLECT_ROOM = 1 << 22  # bytes of output that one injected packet may give
ENDED = ("dropped_by_program", "lost_to_loop", "lost_to_check", "lost_without_port", "lost_messages")


@dataclass(frozen=True, slots=True)
class PortStats:
    """Counts of one port since it was added.

    `rx_dropped`: the ring was full; `rx_unsupported`: frames that are many in one (GSO) and cannot be split,
    or too long; `tx_dropped`: the port was down or its queue full. A port without an interface has the name
    that it was given.
    """

    interface: str
    up: bool
    rx_packets: int
    rx_bytes: int
    rx_dropped: int
    rx_unsupported: int
    tx_packets: int
    tx_bytes: int
    tx_dropped: int


@dataclass(frozen=True, slots=True)
class TableCounts:
    """Counts of a table: entries, lookups with `table_stats`, and the sum of its entries' direct counters."""

    entries: int
    hits: int
    misses: int
    packets: int
    bytes: int


class Dataplane(Control):
    """A running program; implements `switch.api.Pipeline`. All methods may be called from any thread."""

    def __init__(
        self,
        program_json: bytes,
        ports: Mapping[int, str] | None = None,
        cpu_port: int | None = None,
        pcap_dir: Path | None = None,
        table_stats: bool = False,
    ) -> None:
        """Load, generate, compile (or take from the cache) and set up; packets run from `start()` on.

        With `table_stats` packets count hits and misses of tables, which costs them a little.

        Raises:
            LoadError: the program cannot be run.
            BuildError: the C compiler failed.
            OSError: an interface is missing or may not be opened.
        """
        self.program = load(program_json)
        self.generated = generated = generate(self.program)
        self.cpu_port = cpu_port
        self.table_stats = table_stats
        self._flags = COUNTING if table_stats else FLAGS
        self._tracer: Any = None
        self._tracing = threading.Lock()
        library = open_library(build(generated.source, self._flags))
        device = library.device_new(NO_PORT if cpu_port is None else cpu_port)
        if device == ffi.NULL:
            raise MemoryError("no memory for the program's tables")
        self._names: dict[int, str] = {}
        self._pcap_dir = pcap_dir
        self._closing = threading.Lock()
        self._collecting = threading.Lock()
        self._room: Any = ffi.new("uint8_t[]", COLLECT_ROOM)
        self._frames = Frames(library, device)
        try:
            super().__init__(library, device, generated.shape, Events(library, device, generated.shape))
            for port, interface in (ports or {}).items():
                self.add_port(port, interface)
        except BaseException:
            self.close()
            raise

    # Life

    def start(self) -> None:
        """Run packets of the interfaces and deliver what they tell; does nothing when running.

        Raises:
            OSError: there is no thread to be had.
        """
        result = self._lib.device_start(self._device)
        if result == -errno.EALREADY:
            return
        check(result, "the packet thread")
        self._events.start()
        self._frames.start()

    def stop(self) -> None:
        """Stop running packets; tables and counters stay."""
        self._lib.device_stop(self._device)
        self._events.stop()
        self._frames.stop()

    def close(self) -> None:
        """Stop and release everything; no other thread may be inside a call. Later calls raise ValueError."""
        with self._closing:
            device, self._open_device = self._open_device, ffi.NULL
        if device != ffi.NULL:
            self._lib.device_stop(device)
            self._events.stop()
            self._frames.stop()
            self._lib.device_free(device)

    def take_ports(self, other: Dataplane) -> None:
        """Go on in the place of a running program: with its ports, what waits in them and what they counted.

        Packets wait in the ports meanwhile. The other is stopped then and has no ports; when this fails, it
        runs on.

        Raises:
            OSError: the other's runtime was built otherwise than this one's, or there is no thread to be had.
        """
        self._events.start()
        other._frames.halt()  # what is sent meanwhile waits in a queue that goes over with the ports
        self._frames.frame = other._frames.frame
        result = self._lib.device_take_ports(self._device, other._device)
        if result < 0:
            self._events.stop()
            other._lib.device_start(other._device)
            other._frames.start()
            check(result, "the ports of the program that runs")
        self._names, other._names = other._names, self._names
        self._frames.start()
        other._events.stop()

    def add_port(self, port: int, interface: str) -> None:
        """Make a network interface a port.

        Raises:
            OSError: the interface is missing, the port is taken, or packet sockets are not allowed.
        """
        self._add(port, interface, self._lib.device_port_add, interface)

    def add_rim_port(self, port: int, name: str, file: Path | None = None) -> None:
        """Make a port that has no interface: `receive` gives it packets.

        What it sends goes to a pcap file, made anew, or without one to the callback of `on_frame`.

        Raises:
            OSError: the port is taken, or the file cannot be written.
        """
        self._add(port, name, self._lib.device_port_add_rim, file)

    def _add(self, port: int, name: str, add: Callable[..., int], where: str | Path | None) -> None:
        if port in self._names:
            raise OSError(errno.EEXIST, f"port {port} exists already: {self._names[port]}")
        captures: list[Path | None] = [None, None]
        if self._pcap_dir:
            self._pcap_dir.mkdir(parents=True, exist_ok=True)
            captures = [self._pcap_dir / f"{name}_{way}.pcap" for way in ("in", "out")]
        result = add(self._device, port, _text(where), *map(_text, captures))
        if result < 0:
            raise OSError(-result, f"port {port} on {name}: {os.strerror(-result)}")
        self._names[port] = name

    def remove_port(self, port: int) -> None:
        """Take a port away; packets sent to it are then lost and counted."""
        check(self._lib.device_port_remove(self._device, port), f"port {port}")
        self._names.pop(port, None)

    def set_port_up(self, port: int, up: bool) -> None:
        """Take a port without an interface up or down; while it is down, packets both ways are dropped."""
        check(self._lib.device_port_set_up(self._device, port, up), f"port {port}")

    def receive(self, port: int, packet: bytes) -> None:
        """Run a packet that came in on a port without an interface; what comes of it leaves on the ports.

        Raises:
            OSError: there is no such port.
        """
        check(self._lib.device_port_receive(self._device, port, packet, len(packet)), f"port {port}")

    def flush(self) -> None:
        """Write out all captures and files.

        Raises:
            OSError: one could not be written.
        """
        check(self._lib.device_ports_flush(self._device), "a port's pcap file")

    def port_stats(self) -> dict[int, PortStats]:
        """Counts of all ports."""
        found: dict[int, PortStats] = {}
        raw = ffi.new("struct port_stats *")
        for port, interface in sorted(self._names.items()):
            check(self._lib.device_port_stats(self._device, port, raw), f"port {port}")
            found[port] = PortStats(
                interface, bool(raw.up), raw.rx_packets, raw.rx_bytes, raw.rx_dropped, raw.rx_unsupported,
                raw.tx_packets, raw.tx_bytes, raw.tx_dropped,
            )  # fmt: skip
        return found

    def table_counts(self, table: str) -> TableCounts:
        """Counts of a table; see `TableCounts`."""
        raw = ffi.new("struct table_counts *")
        self._lib.device_table_counts(self._device, self._table(table)[0], raw)
        return TableCounts(raw.entries, raw.hits, raw.misses, raw.packets, raw.bytes)

    def port_name(self, port: int) -> str:
        """The interface of a port, "CPU" for the CPU port, "" where there is no such port."""
        return "CPU" if port == self.cpu_port else self._names.get(port, "")

    def ended(self) -> dict[str, int]:
        """How many packets ended unsent, by reason; and as `lost_messages`, what nobody took in time."""
        raw = ffi.new("uint64_t[]", len(ENDED))
        self._lib.device_ended(self._device, raw)
        return dict(zip(ENDED, raw, strict=True))

    def inject(self, port: int, packet: bytes) -> list[tuple[int, bytes]]:
        """Run one packet as if it came in on `port` and return what would be sent, in order, with its port.

        Counters, registers, meters and digests see it like any other; nothing goes to an interface.
        """
        with self._collecting:
            length = self._lib.device_inject(
                self._device, port, packet, len(packet), self._room, COLLECT_ROOM
            )
            check(length, "inject")
            data = bytes(ffi.buffer(self._room, length))
        found: list[tuple[int, bytes]] = []
        at = 0
        while at < length:
            out, size = (int.from_bytes(data[at + i : at + i + 4], "little") for i in (0, 4))
            found.append((out, data[at + 8 : at + 8 + size]))
            at += 8 + size
        return found

    def prepare_trace(self) -> None:
        """Compile, or take from the cache, what `trace` needs; this takes seconds and touches nothing else.

        Raises:
            BuildError: the C compiler failed.
        """
        with self._tracing:
            if self._tracer is None:
                self._tracer = open_library(build(self.generated.source, TRACING, self._flags))

    def trace(self, port: int, packet: bytes) -> bytes:
        """The way that a packet would take if it came in on `port` now, as `switch.inspect.explain` reads it.

        It has no effect: nothing is sent or told, and all state is as before.

        Raises:
            BuildError: the C compiler failed, or is not the one that the program was compiled with.
            OSError: the packet is too long.
        """
        self.prepare_trace()
        room = ffi.new("uint8_t[]", TRACE_ROOM)
        length = self._tracer.device_explain(self._device, port, packet, len(packet), room, TRACE_ROOM)
        if length == -errno.ENOEXEC:
            raise BuildError("the switch's sources or its compiler changed since the program was compiled")
        return bytes(ffi.buffer(room, check(length, "trace")))

    def bench(self, port: int, packets: Sequence[bytes], rounds: int) -> float:
        """Nanoseconds a packet costs in the pipeline alone; all packets must have the same length."""
        data = b"".join(packets)
        length = len(packets[0])
        return self._lib.device_bench(self._device, port, data, length, length, len(packets), rounds)

    # What packets tell

    def packet_out(self, packet: bytes) -> None:
        """See `Pipeline.packet_out`."""
        check(self._lib.device_packet_out(self._device, packet, len(packet)), "packet out")

    def on_packet_in(self, callback: Callable[[bytes], None]) -> None:
        """See `Pipeline.on_packet_in`."""
        self._events.packet_in = callback

    def on_frame(self, callback: Callable[[int, bytes], bool]) -> None:
        """Call `callback` with each packet that a port without an interface sends; not in the packet thread.

        It returns whether the packet went on its way; if not, the port counts it as dropped.
        """
        self._frames.frame = callback

    def on_digest(self, callback: Callable[[Sequence[Digest]], None]) -> None:
        """See `Pipeline.on_digest`."""
        self._events.digest = callback

    def on_idle(self, callback: Callable[[str, int], None]) -> None:
        """See `Pipeline.on_idle`."""
        self._events.idle = callback

    def poll_events(self, timeout_ms: int = 0) -> int:
        """Deliver, in this thread, what packets told so far; for use without `start()`. Returns how much."""
        return self._events.deliver(timeout_ms) + self._frames.deliver(0)


def _text(where: str | Path | None) -> Any:
    """A name or path for C to read."""
    return ffi.NULL if where is None else os.fsencode(where)
