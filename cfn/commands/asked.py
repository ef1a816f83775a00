"""What a command asks for: a request, read from the command line before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer

from cfn.client import AsyncClient, build_request
from cfn.commands import options
from cfn.credentials import Credentials
from cfn.exchange import RetryPolicy


@dataclass(frozen=True)
class Asked:
    """A request that can be sent.

    Attributes:
        function: name or FuncID.
        data: the input.
        arguments: further ones of `AsyncClient.call`.
    """

    function: str
    data: bytes
    arguments: dict[str, Any]
    tenant: int
    credentials: Credentials | None
    policy: RetryPolicy

    def client(self, to: str, port: int) -> AsyncClient:
        """A client that sends it for the tenant, as patiently as was asked for."""
        return AsyncClient(
            to, tenant=self.tenant, port=port, policy=self.policy, credentials=self.credentials
        )


def read_request(
    function: str,
    payload: str,
    *,
    file: str,
    data_in: str,
    chain: list[str] | None,
    tenant: int,
    credentials: str,
    timeout: float,
    attempts: int,
    **arguments: Any,
) -> Asked:
    """Read what several commands take, as their options have it; `arguments` are the command's own.

    Raises:
        typer.BadParameter: an option is wrong, or all together make no request.
    """
    data = options.read_input(payload, file)
    arguments |= {"data_in": options.read_data_in(data_in), "chain": options.read_chain(chain)}
    proof = options.find_credentials(credentials, tenant)
    try:
        build_request(function, data, request_id=0, with_auth=proof is not None, **arguments)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return Asked(function, data, arguments, tenant, proof, options.retry_policy(timeout, attempts))
