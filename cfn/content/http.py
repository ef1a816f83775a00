"""HTTP of a data agent: read-only for other agents, more for those on its own host.

Others, over TCP:
    GET /content/ID             content that is held; never fetched on their behalf
Own host, over a unix socket:
    GET /content/ID             content, held or fetched
    PUT /content/ID             take content in
    GET /inputs/ID              {"path": file that holds it}, held or fetched; results count, by their DataOut
    GET /results/FUNCID/DATAIN  an output
    PUT /results/FUNCID/DATAIN  keep an output
    GET /holdings               everything that is held, and counters
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from cfn.content.errors import (
    ContentError,
    MismatchError,
    MissingContentError,
    NoRoomError,
    TooBigError,
)
from cfn.content.results import ResultKey
from cfn.content.store import ContentArrival
from cfn.names import parse_data_id

_STATUS: dict[type[ContentError], int] = {
    MissingContentError: 404,
    MismatchError: 422,
    TooBigError: 413,
    NoRoomError: 507,
}


class Holder(Protocol):
    """What the handlers need of a data agent."""

    async def held(self, data_id: bytes) -> Path:
        """The file of content that is held; raises `MissingContentError`."""
        ...

    async def content(self, data_id: bytes) -> Path:
        """The file of content, held or fetched; raises `MissingContentError`."""
        ...

    async def input(self, data_id: bytes) -> Path:
        """The file of content, or of a result, held or fetched; raises `MissingContentError`."""
        ...

    def arrival(self, data_id: bytes) -> ContentArrival:
        """Begin to take content in."""
        ...

    def result(self, key: ResultKey) -> bytes:
        """An output; raises `MissingContentError`."""
        ...

    def keep(self, key: ResultKey, output: bytes) -> None:
        """Keep an output; raises `ContentError`."""
        ...

    def holdings(self) -> dict[str, Any]:
        """Everything that is held, for JSON."""
        ...


def public(holder: Holder) -> web.Application:
    """For other agents."""

    async def held(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(await holder.held(_data_id(request, "id")))

    app = web.Application(middlewares=[_reasons])
    app.router.add_get("/content/{id}", held)
    return app


def local(holder: Holder) -> web.Application:
    """For whoever may write to the unix socket."""

    async def get_content(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(await holder.content(_data_id(request, "id")))

    async def put_content(request: web.Request) -> web.StreamResponse:
        with holder.arrival(_data_id(request, "id")) as arrival:
            async for chunk in request.content.iter_any():
                arrival.write(chunk)
            arrival.finish()
        return web.Response(status=204)

    async def get_input(request: web.Request) -> web.StreamResponse:
        path = await holder.input(_data_id(request, "id"))
        return web.json_response({"path": str(path.absolute())})

    async def get_result(request: web.Request) -> web.StreamResponse:
        return web.Response(body=holder.result(_result_key(request)))

    async def put_result(request: web.Request) -> web.StreamResponse:
        holder.keep(_result_key(request), await request.read())
        return web.Response(status=204)

    async def get_holdings(_: web.Request) -> web.StreamResponse:
        return web.json_response(holder.holdings())

    app = web.Application(middlewares=[_reasons])
    app.router.add_get("/content/{id}", get_content)
    app.router.add_put("/content/{id}", put_content)
    app.router.add_get("/inputs/{id}", get_input)
    app.router.add_get("/results/{func_id}/{data_in}", get_result)
    app.router.add_put("/results/{func_id}/{data_in}", put_result)
    app.router.add_get("/holdings", get_holdings)
    return app


@web.middleware
async def _reasons(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn what goes wrong into a status and one line of text."""
    try:
        return await handler(request)
    except ContentError as error:
        return web.Response(status=_STATUS[type(error)], text=str(error))
    except OSError as error:
        return web.Response(status=507, text=f"the disk refuses: {error.strerror}")


def _data_id(request: web.Request, name: str) -> bytes:
    try:
        return parse_data_id(request.match_info[name])
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from None


def _result_key(request: web.Request) -> ResultKey:
    text = request.match_info["func_id"]
    try:
        func_id = int(text, 16)
    except ValueError:
        func_id = -1
    if not 0 <= func_id < 1 << 64:
        raise web.HTTPBadRequest(text=f"{text!r} is no FuncID in hexadecimal digits")
    return ResultKey(func_id, _data_id(request, "data_in"))
