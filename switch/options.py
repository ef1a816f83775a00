"""The command line, which is simple_switch_grpc's as far as both have the same things to say."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

DROP_PORT = 511
"""v1model's drop port, as in BMv2: no port may have its number."""

LOG_LEVELS = ("trace", "debug", "info", "warn", "error", "off")

_EPILOG = """
-i may be given many times. BMv2's target options may follow a "--", as simple_switch_grpc wants them, or not:

  python -m switch --device-id 1 -i 1@veth1 -i 2@veth3 --cpu-port 510 router.json
  python -m switch --no-p4 -i 1@veth1 -- --grpc-server-addr 127.0.0.1:9559 --cpu-port 510
  python -m switch --no-p4 --grpc-server-addr unix:/run/switch.sock

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
    """What to run. `program` None: nothing, until a pipeline is pushed."""

    program: Path | None
    ports: dict[int, str]
    device_id: int
    address: str
    cpu_port: int | None
    pcap: Path | None
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
    return Options(
        program=parsed.program,
        ports=ports,
        device_id=parsed.device_id,
        address=parsed.grpc_server_addr,
        cpu_port=parsed.cpu_port,
        pcap=parsed.pcap,
        log_level=parsed.log_level,
        tls=_tls(parser, parsed),
    )


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


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"switch: {message} (--help tells more)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m switch",
        description="The embedded P4 switch: runs a v1model program as native code and serves P4Runtime 1.4.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "program", nargs="?", type=Path, metavar="prog.json", help="the program: BMv2 JSON made by p4c-bm2-ss"
    )
    add("--no-p4", action="store_true", help="start without a program")
    add(
        "-i", "--interface", action="append", default=[], type=_interface, metavar="PORT@INTERFACE",
        help="make a network interface a port of the switch",
    )  # fmt: skip
    add(
        "--device-id",
        type=_Number(0, 1 << 64),
        default=0,
        metavar="N",
        help="P4Runtime device id (default 0)",
    )
    add(
        "--pcap", nargs="?", type=Path, const=Path(), metavar="DIR",
        help="write a pcap file per port and direction to DIR (default: here)",
    )  # fmt: skip
    add(
        "-L",
        "--log-level",
        choices=LOG_LEVELS,
        default="info",
        help="what goes to standard error (default info)",
    )
    target = parser.add_argument_group("target options")
    add = target.add_argument
    add(
        "--grpc-server-addr", default="0.0.0.0:9559", metavar="ADDR",
        help="where P4Runtime is served: host:port or unix:/path (default 0.0.0.0:9559)",
    )  # fmt: skip
    add(
        "--cpu-port",
        type=_port,
        metavar="PORT",
        help="the port of packet-ins and packet-outs (default: none)",
    )
    add("--grpc-server-ssl", action="store_true", help="serve P4Runtime with TLS")
    add("--grpc-server-cert", type=Path, metavar="PEM", help="the server's certificate")
    add("--grpc-server-key", type=Path, metavar="PEM", help="the server's private key")
    add("--grpc-server-cacert", type=Path, metavar="PEM", help="who signs the clients' certificates")
    add("--grpc-server-with-client-auth", action="store_true", help="clients need a certificate (mutual TLS)")
    ignored = parser.add_argument_group("ignored, so that simple_switch_grpc's command lines work")
    ignored.add_argument("--thrift-port", metavar="PORT", help="ignored: there is no Thrift server")
    ignored.add_argument(
        "--log-console", action="store_true", help="ignored: the log is on standard error anyway"
    )
    return parser


@dataclass(frozen=True, slots=True)
class _Number:
    least: int
    limit: int

    def __call__(self, text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if not self.least <= number < self.limit:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a number from {self.least} to {self.limit - 1}"
            )
        return number


_port = _Number(1, DROP_PORT)


def _interface(text: str) -> tuple[int, str]:
    """`PORT@INTERFACE`, as BMv2 writes it."""
    number, at, interface = text.partition("@")
    if not at or not interface:
        raise argparse.ArgumentTypeError(f"{text!r} is not PORT@INTERFACE")
    return _Number(0, DROP_PORT)(number), interface
