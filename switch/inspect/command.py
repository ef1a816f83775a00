"""`python -m switch explain` and `python -m switch stats`."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence

from google.protobuf import json_format
from google.protobuf.message import Message
from rich.console import Console

from switch.build import BuildError
from switch.captures import Capture
from switch.command_line import one_line
from switch.inspect import counts, options
from switch.inspect.client import connect
from switch.inspect.offline import set_up
from switch.inspect.options import Explain, Server
from switch.inspect.render import render
from switch.proto import inspect_pb2 as pb

PIPED = 240
"""Columns of tables that do not go to a terminal."""

Explainer = Callable[[int, bytes], pb.Explanation]


def main(arguments: Sequence[str]) -> int:
    """Do what a command line of COMMANDS asks.

    The exit code is 0, 1 for a failure, 2 for a wrong command line.
    """
    try:
        COMMANDS[arguments[0]](arguments[1:])
    except (OSError, ValueError, BuildError) as error:
        sys.stderr.write(f"switch: {one_line(error)}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _explain(arguments: Sequence[str]) -> None:
    chosen = options.parse_explain(arguments)
    console = _console()
    with _explainer(chosen) as explain:
        for packet in _packets(chosen):
            explanation = explain(chosen.port, packet)
            if chosen.json:
                _print_json(explanation)
                continue
            for line in render(explanation):
                console.print(line, soft_wrap=True)


@contextlib.contextmanager
def _explainer(chosen: Explain) -> Generator[Explainer]:
    if isinstance(chosen.where, Server):
        with connect(chosen.where) as client:
            yield client.explain
    else:
        with set_up(chosen.where) as bench:
            yield bench.explain


def _packets(chosen: Explain) -> Iterator[bytes]:
    """The packets to explain.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no capture, damaged, or has not that many packets.
    """
    if chosen.pcap is None:
        yield chosen.packet
        return
    found = 0
    with contextlib.closing(Capture(chosen.pcap)) as capture:
        for found, (_, packet) in enumerate(capture, 1):
            if chosen.number in {None, found}:
                yield packet
            if chosen.number == found:
                return
    if not found or chosen.number is not None:
        raise ValueError(f"{chosen.pcap}: there are {found} packets")


def _statistics(arguments: Sequence[str]) -> None:
    chosen = options.parse_statistics(arguments)
    console = _console()
    with connect(chosen.server) as client:
        now, at, rates = client.statistics(), time.monotonic(), None
        while True:
            if chosen.json:
                _print_json(now)
            else:
                for part in counts.render(now, rates):
                    console.print(part)
            if chosen.watch is None:
                return
            time.sleep(chosen.watch)
            before, since = now, at
            now, at = client.statistics(), time.monotonic()
            rates = counts.rates(before, now, at - since)


def _console() -> Console:
    """Lines are as wide as a terminal is, and in a file or pipe as they are long."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED)


def _print_json(message: Message) -> None:
    plain = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    print(json.dumps(plain), flush=True)


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {"explain": _explain, "stats": _statistics}
"""What may stand first on the command line, and what does it."""
