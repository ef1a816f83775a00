"""`cfn call`: call a function from the command line."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cfn.client import AsyncClient, build_request
from cfn.commands.calls import CallResult, run_calls
from cfn.commands.failure import FAILED, fail
from cfn.commands.report import print_json, print_table
from cfn.exchange import RetryPolicy
from cfn.names import parse_data_id
from cfn.wire import PORT, ComputeType, Demand


def call(
    function: Annotated[str, typer.Argument(help="Name (namespace/function), or FuncID as 0x….")],
    payload: Annotated[str, typer.Argument(help="The input, as text.")] = "",
    *,
    to: Annotated[
        str, typer.Option("--to", envvar="CFN_ADDRESS", help="The network's anycast address.")
    ] = "10.255.0.1",
    file: Annotated[str, typer.Option(help="Read the input from a file; - for standard input.")] = "",
    data_in: Annotated[
        str, typer.Option(metavar="ID", help="Name the input by its identifier instead of sending it.")
    ] = "",
    tenant: Annotated[int, typer.Option(min=0, max=65535, envvar="CFN_TENANT", help="Who asks.")] = 0,
    compute: Annotated[str, typer.Option(help="Processor: any, logic, parallel or neural.")] = "any",
    grade: Annotated[int, typer.Option(min=0, max=4, help="Least grade of the processor, 0 for any.")] = 0,
    latency_ms: Annotated[int, typer.Option(min=0, max=65535, help="Bound on the latency, 0 for none.")] = 0,
    cost_ceiling: Annotated[int, typer.Option(min=0, max=255, help="Dearest cost class, 0 for any.")] = 0,
    priority: Annotated[int, typer.Option(min=0, max=255)] = 0,
    count: Annotated[int, typer.Option(min=1, help="How many calls.")] = 1,
    rate: Annotated[
        float,
        typer.Option(min=0, help="Calls per second, whether or not answers come; 0: one after another."),
    ] = 0.0,
    session: Annotated[bool, typer.Option(help="Stay with the instance of the first answer.")] = True,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait before the first retry.")] = 0.5,
    attempts: Annotated[int, typer.Option(min=1, help="How often a request is sent at most.")] = 4,
    port: Annotated[int, typer.Option(min=1, max=65535, help="UDP port.")] = PORT,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per call.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Only the output of the call, as it is.")] = False,
) -> None:
    """Call a function; say which instance answered, how fast, and what."""
    if raw and count > 1:
        raise typer.BadParameter("--raw is for one call")
    data = _input(payload, file)
    named = _data_in(data_in)
    demand = Demand(_compute_type(compute), grade, latency_ms, cost_ceiling)
    try:
        build_request(function, data, request_id=0, data_in=named)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    # Longer than all the waits together, so that the attempts alone decide when to give up.
    policy = RetryPolicy(attempts=attempts, timeout_s=timeout, deadline_s=timeout * 2.5**attempts)

    async def run() -> list[CallResult]:
        async with AsyncClient(to, tenant=tenant, port=port, policy=policy) as client:
            options = {"demand": demand, "priority": priority, "data_in": named}
            return await run_calls(
                client, function, data, count=count, rate=rate, session=session, options=options
            )

    try:
        results = asyncio.run(run())
    except OSError as error:
        fail(f"{to}: {error.strerror or error}")
    _print(results, as_json=as_json, raw=raw)
    if any(result.error for result in results):
        raise typer.Exit(FAILED)


def _print(results: list[CallResult], *, as_json: bool, raw: bool) -> None:
    if as_json:
        print_json(results)
    elif len(results) == 1 and (error := results[0].error):
        fail(error)
    elif raw:
        sys.stdout.buffer.write(results[0].payload)
    else:
        print_table(results)


def _compute_type(name: str) -> ComputeType:
    try:
        return ComputeType[name.upper()]
    except KeyError:
        names = ", ".join(member.name.lower() for member in ComputeType)
        raise typer.BadParameter(f"{name!r} is none of {names}", param_hint="--compute") from None


def _data_in(text: str) -> bytes | None:
    try:
        return parse_data_id(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--data-in") from None


def _input(payload: str, file: str) -> bytes:
    if file and payload:
        raise typer.BadParameter("the input is given twice, as text and as a file")
    try:
        if file == "-":
            return sys.stdin.buffer.read()
        return Path(file).read_bytes() if file else os.fsencode(payload)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
