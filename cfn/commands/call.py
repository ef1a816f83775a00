"""`cfn call`: call a function from the command line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from cfn.commands import options
from cfn.commands.asked import read_request
from cfn.commands.calls import CallResult, run_calls
from cfn.commands.failure import FAILED, fail
from cfn.commands.report import print_json, print_table
from cfn.outcomes import outcome_names
from cfn.wire import ComputeType, Demand


def call(
    function: options.FunctionName,
    payload: options.Payload = "",
    *,
    to: options.To = options.DEFAULT_TO,
    file: options.File = "",
    data_in: options.DataIn = "",
    tenant: options.Tenant = 0,
    credentials: options.CredentialsPath = "",
    chain: options.Chain = None,
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
    trace: Annotated[
        bool, typer.Option("--trace", help="Ask the routers for records, and print the path of each call.")
    ] = False,
    timeout: options.Timeout = 0.5,
    attempts: options.Attempts = 4,
    port: options.Port = options.DEFAULT_PORT,
    as_json: options.AsJson = False,
    raw: Annotated[bool, typer.Option("--raw", help="Only the output of the call, as it is.")] = False,
) -> None:
    """Call a function; say which instance answered, how fast, and what."""
    if raw and count > 1:
        raise typer.BadParameter("--raw is for one call")
    asked = read_request(
        function,
        payload,
        file=file,
        data_in=data_in,
        chain=chain,
        tenant=tenant,
        credentials=credentials,
        timeout=timeout,
        attempts=attempts,
        demand=Demand(_compute_type(compute), grade, latency_ms, cost_ceiling),
        priority=priority,
        trace=trace,
    )

    async def run() -> list[CallResult]:
        async with asked.client(to, port) as client:
            return await run_calls(
                client,
                function,
                asked.data,
                count=count,
                rate=rate,
                session=session,
                arguments=asked.arguments,
            )

    try:
        results = asyncio.run(run())
    except OSError as error:
        fail(f"{to}: {error.strerror or error}")
    _print(results, outcome_names() if trace else {}, as_json=as_json, raw=raw)
    if any(result.error for result in results):
        raise typer.Exit(FAILED)


def _print(results: list[CallResult], names: Mapping[int, str], *, as_json: bool, raw: bool) -> None:
    if as_json:
        print_json(results, names)
    elif len(results) == 1 and (error := results[0].error):
        fail(error)
    elif raw:
        sys.stdout.buffer.write(results[0].payload)
    else:
        print_table(results, names)


def _compute_type(name: str) -> ComputeType:
    try:
        return ComputeType[name.upper()]
    except KeyError:
        names = ", ".join(member.name.lower() for member in ComputeType)
        raise typer.BadParameter(f"{name!r} is none of {names}", param_hint="--compute") from None
