"""The command line, which is simple_switch_grpc's as far as both have the same things to say."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .command_line import Number, Parser

DROP_PORT = 511
"""v1model's drop port, as in BMv2: no port may have its number."""

CPU_PORTS = Number(1, DROP_PORT)

LOG_LEVELS = ("trace", "debug", "info", "warn", "error", "off")

_EPILOG = """
Options may be given in any order. simple_switch_grpc wants some of them after a "--", here they may be there:

  python -m switch --device-id 1 -i 1@veth1 -i 2@veth3 --cpu-port 510 router.json
  python -m switch --no-p4 -i 1@veth1 -- --grpc-server-addr 127.0.0.1:9559 --cpu-port 510
  python -m switch --no-p4 --grpc-server-addr unix:/run/switch.sock
  python -m switch --packet-in ipc:///tmp/packets.ipc router.json
  python -m switch --use-files 0 --exit-at-end -i 1@client -i 2@server router.json

A switch that runs is asked with two more commands; --help after them tells more:

  python -m switch explain --port 1 --packet HEX     the way that this packet would take, without any effect
  python -m switch stats --watch 1                   counts of ports and tables, and why packets ended

A program given here runs at once, with the entries it declares. Before a controller can write, it has to push
a forwarding pipeline config over P4Runtime: that brings the P4Info.
"""


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files of a server that speaks TLS; with `client_auth` clients need a certificate of `ca`."""

    certificate: Path
    key: Path
    ca: Path | None
    client_auth: bool


@dataclass(frozen=True, slots=True)
class Options:
    """What to run.

    `program` None: nothing, until a pipeline is pushed. `use_files`: the interfaces are pcap files, read so
    many seconds after the program began.
    """

    program: Path | None
    ports: dict[int, str]
    packet_in: str | None
    use_files: int | None
    exit_at_end: bool
    device_id: int
    address: str
    cpu_port: int | None
    pcap: Path | None
    table_stats: bool
    log_level: str
    tls: Tls | None


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line.

    Raises:
        SystemExit: it is wrong (2, after one line that says where), or only help was wanted (0).
    """
    parser = _parser()
    parsed = parser.parse_args([argument for argument in arguments if argument != "--"])
    if parsed.program is None and not parsed.no_p4:
        parser.error("give a program (BMv2 JSON), or --no-p4 to wait for one over P4Runtime")
    if parsed.program is not None and parsed.no_p4:
        parser.error(f"--no-p4 and the program {parsed.program} exclude each other")
    ports: dict[int, str] = {}
    for port, interface in parsed.interface:
        if port in ports:
            parser.error(f"port {port} is given twice: {ports[port]} and {interface}")
        ports[port] = interface
    if parsed.cpu_port in ports:
        parser.error(f"port {parsed.cpu_port} is both the CPU port and {ports[parsed.cpu_port]}")
    _check_files(parser, parsed, ports)
    return Options(
        program=parsed.program,
        ports=ports,
        packet_in=parsed.packet_in,
        use_files=parsed.use_files,
        exit_at_end=parsed.exit_at_end,
        device_id=parsed.device_id,
        address=parsed.grpc_server_addr,
        cpu_port=parsed.cpu_port,
        pcap=parsed.pcap,
        table_stats=parsed.table_stats,
        log_level=parsed.log_level,
        tls=_tls(parser, parsed),
    )


def _check_files(parser: argparse.ArgumentParser, parsed: argparse.Namespace, ports: dict[int, str]) -> None:
    if parsed.use_files is None:
        if parsed.exit_at_end:
            parser.error("--exit-at-end is of no use without --use-files")
        return
    places = [Path(interface).resolve() for interface in ports.values()]
    names = [place.name for place in places]
    for interface, place in zip(ports.values(), places, strict=True):
        if places.count(place) > 1:
            parser.error(f"two ports would write {interface}_out.pcap")
        if parsed.pcap is not None and place.parent == parsed.pcap.resolve():
            parser.error(f"--pcap would overwrite {interface}_in.pcap: give it another directory")
        if parsed.pcap is not None and names.count(place.name) > 1:
            parser.error(f"--pcap would write {place.name}_in.pcap for two ports")


def _tls(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> Tls | None:
    files = (parsed.grpc_server_cert, parsed.grpc_server_key, parsed.grpc_server_cacert)
    if not parsed.grpc_server_ssl:
        if any(files) or parsed.grpc_server_with_client_auth:
            parser.error("certificates are of no use without --grpc-server-ssl")
        return None
    certificate, key, ca = files
    if certificate is None or key is None:
        parser.error("--grpc-server-ssl needs --grpc-server-cert and --grpc-server-key")
    if parsed.grpc_server_with_client_auth and ca is None:
        parser.error("--grpc-server-with-client-auth needs --grpc-server-cacert")
    return Tls(certificate, key, ca, parsed.grpc_server_with_client_auth)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m switch",
        usage="%(prog)s [option ...] (prog.json | --no-p4) [-- option ...]",
        description="The embedded P4 switch: runs a v1model program as native code and serves P4Runtime 1.4.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for add_group in (_add_program, _add_ports, _add_p4runtime, _add_ignored):
        add_group(parser)
    return parser


def _add_program(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("program")
    group.add_argument(
        "program", nargs="?", type=Path, metavar="prog.json", help="the program: BMv2 JSON made by p4c-bm2-ss"
    )
    group.add_argument(
        "--no-p4", action="store_true", help="start without a program and wait for one over P4Runtime"
    )
    group.add_argument(
        "--table-stats",
        action="store_true",
        help="count the hits and misses of each table, which costs packets a little",
    )
    group.add_argument(
        "-L",
        "--log-level",
        choices=LOG_LEVELS,
        default="info",
        help="what goes to standard error (default info)",
    )


def _add_ports(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("ports").add_argument
    add(
        "-i", "--interface", action="append", default=[], type=_interface, metavar="PORT@INTERFACE",
        help="make a network interface a port of the switch (0 to 510); may be given many times; needs root",
    )  # fmt: skip
    add(
        "--packet-in", metavar="ADDR",
        help="let the far end of a nanomsg socket, ipc://PATH or tcp://HOST:PORT, add ports and exchange"
        " their packets with it, as PTF's platform nn does; needs no root",
    )  # fmt: skip
    add(
        "--use-files", type=Number(0, 1 << 31), metavar="SECONDS",
        help="the interface X of -i is two files: packets are read from X_in.pcap, in the order of their time"
        " over all ports, and written to X_out.pcap; reading begins so many seconds after the program; needs"
        " no root",
    )  # fmt: skip
    add("--exit-at-end", action="store_true", help="with --use-files: exit when all packets are through")
    add(
        "--cpu-port", type=CPU_PORTS, metavar="PORT",
        help="the port of packet-ins and packet-outs (1 to 510; default: none)",
    )  # fmt: skip
    add(
        "--pcap", nargs="?", type=Path, const=Path(), metavar="DIR",
        help="write what passes to DIR (default: here), a pcap file per port and direction: X_in.pcap and"
        " X_out.pcap for the interface X, portN_in.pcap and portN_out.pcap for port N of --packet-in",
    )  # fmt: skip


def _add_p4runtime(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("P4Runtime").add_argument
    add("--device-id", type=Number(0, 1 << 64), default=0, metavar="N", help="device id (default 0)")
    add(
        "--grpc-server-addr", default="0.0.0.0:9559", metavar="ADDR",
        help="where it is served: host:port or unix:/path (default 0.0.0.0:9559)",
    )  # fmt: skip
    add("--grpc-server-ssl", action="store_true", help="serve it with TLS")
    add("--grpc-server-cert", type=Path, metavar="PEM", help="the server's certificate")
    add("--grpc-server-key", type=Path, metavar="PEM", help="the server's private key")
    add("--grpc-server-cacert", type=Path, metavar="PEM", help="who signs the clients' certificates")
    add("--grpc-server-with-client-auth", action="store_true", help="clients need a certificate (mutual TLS)")


def _add_ignored(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("ignored, so that simple_switch_grpc's command lines work")
    group.add_argument("--thrift-port", metavar="PORT", help="there is no Thrift server")
    group.add_argument("--log-console", action="store_true", help="the log is on standard error anyway")


def _interface(text: str) -> tuple[int, str]:
    """`PORT@INTERFACE`, as BMv2 writes it."""
    number, at, interface = text.partition("@")
    if not at or not interface:
        raise argparse.ArgumentTypeError(f"{text!r} is not PORT@INTERFACE")
    return Number(0, DROP_PORT)(number), interface
