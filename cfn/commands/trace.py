"""`cfn trace`: which way a request takes, and its answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import typer
from rich.console import Console

from cfn.client import AsyncClient, build_request
from cfn.commands import options
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
    data = options.read_input(payload, file)
    arguments: dict[str, Any] = {
        "data_in": options.read_data_in(data_in),
        "chain": options.read_chain(chain),
        "trace": True,
    }
    proof = options.find_credentials(credentials, tenant)
    try:
        build_request(function, data, request_id=0, with_auth=proof is not None, **arguments)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    policy = options.retry_policy(timeout, attempts)

    async def run() -> Reply:
        async with AsyncClient(to, tenant=tenant, port=port, policy=policy, credentials=proof) as client:
            return await client.call(function, data, **arguments)

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
