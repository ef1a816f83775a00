"""`cfn trace`: which way a request takes, and its answer."""

from __future__ import annotations

import asyncio
import json

from rich.console import Console

from cfn.commands import options
from cfn.commands.asked import read_request
from cfn.commands.failure import fail
from cfn.commands.path import path_record, print_path
from cfn.errors import CallError, InstanceError
from cfn.exchange import Reply
from cfn.extension_bodies import Trace
from cfn.outcomes import outcome_names


def trace(
    function: options.FunctionName,
    payload: options.Payload = "",
    *,
    to: options.To = options.DEFAULT_TO,
    file: options.File = "",
    data_in: options.DataIn = "",
    tenant: options.Tenant = 0,
    credentials: options.CredentialsPath = "",
    chain: options.Chain = None,
    timeout: options.Timeout = 0.5,
    attempts: options.Attempts = 4,
    port: options.Port = options.DEFAULT_PORT,
    as_json: options.AsJson = False,
) -> None:
    """Call a function and print the routers on the way to it and back, like traceroute."""
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
        trace=True,
    )

    async def run() -> Reply:
        async with asked.client(to, port) as client:
            return await client.call(function, asked.data, **asked.arguments)

    try:
        reply = asyncio.run(run())
    except OSError as error:
        fail(f"{to}: {error.strerror or error}")
    except CallError as error:
        if isinstance(error, InstanceError) and error.trace:
            _print(error.trace, as_json=as_json)
        fail(error)
    _print(reply.trace or Trace(), as_json=as_json)
    if not as_json:
        print(f"{len(reply.payload)} bytes in {reply.latency_s * 1000:.1f} ms, at attempt {reply.attempts}")


def _print(records: Trace, *, as_json: bool) -> None:
    names = outcome_names()
    if as_json:
        print(json.dumps(path_record(records, names)))
    else:
        print_path(Console(), records, names)
