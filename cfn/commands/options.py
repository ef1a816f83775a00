"""Options that several commands have, and how they are read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cfn.chain import Following
from cfn.credentials import Credentials
from cfn.credentials_file import read_credentials
from cfn.exchange import RetryPolicy
from cfn.names import parse_data_id
from cfn.wire import PORT

FunctionName = Annotated[str, typer.Argument(help="Name (namespace/function), or FuncID as 0x….")]
Payload = Annotated[str, typer.Argument(help="The input, as text.")]
To = Annotated[str, typer.Option("--to", envvar="CFN_ADDRESS", help="The network's anycast address.")]
File = Annotated[str, typer.Option(help="Read the input from a file; - for standard input.")]
DataIn = Annotated[
    str, typer.Option(metavar="ID", help="Name the input by its identifier instead of sending it.")
]
Tenant = Annotated[int, typer.Option(min=0, max=65535, envvar="CFN_TENANT", help="Who asks.")]
CredentialsPath = Annotated[
    str,
    typer.Option(metavar="FILE", envvar="CFN_CREDENTIALS", help="Prove the tenant; see docs/functions.md."),
]
Chain = Annotated[
    list[str] | None,
    typer.Option(
        "--chain",
        metavar="NAME[=DATAOUT]",
        help="A function to run on the output, up to eight times; DATAOUT as 32 hexadecimal digits.",
    ),
]
Timeout = Annotated[float, typer.Option(min=0.001, help="Seconds to wait before the first retry.")]
Attempts = Annotated[int, typer.Option(min=1, help="How often a request is sent at most.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="UDP port.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per call.")]

DEFAULT_TO = "10.255.0.1"
DEFAULT_PORT = PORT


def read_input(payload: str, file: str) -> bytes:
    """The input, which is given as text or as a file's name.

    Raises:
        typer.BadParameter: it is given twice, or the file can't be read.
    """
    if file and payload:
        raise typer.BadParameter("the input is given twice, as text and as a file")
    try:
        if file == "-":
            return sys.stdin.buffer.read()
        return Path(file).read_bytes() if file else os.fsencode(payload)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None


def read_data_in(text: str) -> bytes | None:
    """The identifier of an input that is named, None for one that is sent.

    Raises:
        typer.BadParameter: it is no identifier.
    """
    try:
        return parse_data_id(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--data-in") from None


def read_chain(chain: list[str] | None) -> list[Following]:
    """The functions that follow the first.

    Raises:
        typer.BadParameter: a DataOut that is none.
    """
    following: list[Following] = []
    for each in chain or ():
        function, named, digits = each.partition("=")
        try:
            following.append((function, parse_data_id(digits)) if named else function)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--chain") from None
    return following


def find_credentials(path: str, tenant: int) -> Credentials | None:
    """The credentials of a file, None without one.

    Raises:
        typer.BadParameter: it can't be read, is not understood, or is another tenant's than the one named.
    """
    if not path:
        return None
    try:
        credentials = read_credentials(Path(path))
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--credentials") from None
    except ValueError as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--credentials") from None
    if tenant not in {0, credentials.tenant}:
        raise typer.BadParameter(f"{path} is tenant {credentials.tenant}'s", param_hint="--tenant")
    return credentials


def retry_policy(timeout: float, attempts: int) -> RetryPolicy:
    """How patient the command is: longer than all the waits together, so that the attempts alone decide."""
    return RetryPolicy(attempts=attempts, timeout_s=timeout, deadline_s=timeout * 2.5**attempts)
