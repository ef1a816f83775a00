"""The command lines of `explain` and `stats`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switch.api import PORT_MASK
from switch.command_line import Number, Parser
from switch.options import CPU_PORTS

ADDRESS = "127.0.0.1:9559"

_PORT = Number(0, PORT_MASK + 1)
_PACKET_NUMBER = Number(1, 1 << 63)

_EXPLAIN = """
Values are as the P4 program has them, up to 10 bits in decimal. Members and groups go by P4Runtime's ids.

  python -m switch explain --port 1 --packet 020000000001…
  python -m switch explain --addr unix:/run/switch.sock --port 1 --pcap trace.pcap --number 3 --json
  python -m switch explain router.json --p4info router.p4info.txtpb --entries routes.txtpb --port 1 --packet …
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a switch listens; PEM files where it speaks TLS (`ca`) and asks for certificates."""

    address: str
    ca: Path | None
    certificate: Path | None
    key: Path | None


@dataclass(frozen=True, slots=True)
class Offline:
    """A program to explain without a switch, with the entries of WriteRequests in text form."""

    program: Path
    p4info: Path | None
    entries: tuple[Path, ...]
    cpu_port: int | None


@dataclass(frozen=True, slots=True)
class Explain:
    """Which packets to explain, and where. `number`: which one of the file, from 1; None: all."""

    where: Server | Offline
    port: int
    packet: bytes
    pcap: Path | None
    number: int | None
    json: bool


@dataclass(frozen=True, slots=True)
class Statistics:
    """What to count, and how often to look (seconds; None: once)."""

    server: Server
    watch: float | None
    json: bool


def parse_explain(arguments: Sequence[str]) -> Explain:
    """Read what follows `explain`.

    Raises:
        SystemExit: it is wrong (2, after one line that says where), or only help was wanted (0).
    """
    parser = Parser(
        prog="python -m switch explain",
        description="Print the way of a packet through the program that a switch runs, without effect on it.",
        epilog=_EXPLAIN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_server(parser)
    parser.add_argument("--port", type=_PORT, required=True, help="where the packet comes in")
    packet = parser.add_mutually_exclusive_group(required=True)
    packet.add_argument("--packet", type=_packet, metavar="HEX", help="the packet, in hexadecimal")
    packet.add_argument("--pcap", type=Path, metavar="FILE", help="packets of a pcap file")
    parser.add_argument("--number", type=_PACKET_NUMBER, metavar="N", help="only the Nth packet of the file")
    parser.add_argument("--json", action="store_true", help="print a JSON object per packet, one a line")
    offline = parser.add_argument_group("without a switch")
    offline.add_argument("program", nargs="?", type=Path, metavar="prog.json", help="the program to explain")
    offline.add_argument("--p4info", type=Path, metavar="FILE", help="its P4Info, in text form")
    offline.add_argument(
        "--entries", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
        help="P4Runtime WriteRequests, in text form, to apply before",
    )  # fmt: skip
    offline.add_argument("--cpu-port", type=CPU_PORTS, metavar="PORT", help="the CPU port (default: none)")
    parsed = parser.parse_args(arguments)
    if parsed.number is not None and parsed.pcap is None:
        parser.error("--number goes with --pcap")
    return Explain(
        where=_where(parser, parsed),
        port=parsed.port,
        packet=parsed.packet or b"",
        pcap=parsed.pcap,
        number=parsed.number,
        json=parsed.json,
    )


def _where(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> Server | Offline:
    if parsed.program is None:
        if parsed.p4info or parsed.entries or parsed.cpu_port is not None:
            parser.error("--p4info, --entries and --cpu-port go with a program; a running switch has its own")
        return _server(parser, parsed)
    if parsed.addr is not None:
        parser.error(f"the program {parsed.program} and --addr exclude each other")
    if parsed.entries and parsed.p4info is None:
        parser.error("--entries needs --p4info")
    return Offline(parsed.program, parsed.p4info, tuple(parsed.entries), parsed.cpu_port)


def parse_statistics(arguments: Sequence[str]) -> Statistics:
    """Read what follows `stats`.

    Raises:
        SystemExit: it is wrong (2, after one line that says where), or only help was wanted (0).
    """
    parser = Parser(
        prog="python -m switch stats",
        description="Print the counts of a running switch: of its ports and tables, and why packets ended.",
        epilog="Hits and misses of tables are counted by a switch that was started with --table-stats.",
        allow_abbrev=False,
    )
    _add_server(parser)
    parser.add_argument(
        "--watch", type=_seconds, metavar="SECONDS", help="again and again; rates are per second"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object, one a line")
    parsed = parser.parse_args(arguments)
    return Statistics(_server(parser, parsed), parsed.watch, parsed.json)


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--addr", metavar="ADDR", help=f"the switch: host:port or unix:/path (default {ADDRESS})"
    )
    tls = parser.add_argument_group("a switch that speaks TLS")
    tls.add_argument("--cacert", type=Path, metavar="PEM", help="who signs the switch's certificate")
    tls.add_argument("--cert", type=Path, metavar="PEM", help="the certificate to show to it")
    tls.add_argument("--key", type=Path, metavar="PEM", help="its private key")


def _server(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> Server:
    if (parsed.cert is None) != (parsed.key is None):
        parser.error("--cert and --key go together")
    if parsed.cert is not None and parsed.cacert is None:
        parser.error("--cert needs --cacert")
    return Server(parsed.addr or ADDRESS, parsed.cacert, parsed.cert, parsed.key)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _packet(text: str) -> bytes:
    """Hexadecimal digits; blanks and colons may stand between bytes."""
    try:
        return bytes.fromhex(text.replace(":", " "))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not hexadecimal") from None
