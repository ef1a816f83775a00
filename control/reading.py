"""Reading what a router has installed, of which there may be a hundred thousand entries.

Entries are read as messages: finsy makes its own form of each, which of 50,000 takes longer than the ten
seconds that it gives the whole answer. Most entries are the same at many routers, so the canonical form of
each is made once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import lru_cache

import finsy as fy
import grpc
from finsy.proto import p4r, p4r_grpc

from control.entries import Entry, from_proto

_KEPT = 2**18
_ANSWER_S = 30.0
"""A target sends the next part of its answer in this time."""


class Reader:
    """Reads table entries; to be shared by all routers of a program."""

    def __init__(self, schema: fy.P4Schema):
        self._schema = schema
        self._entry = lru_cache(_KEPT)(self._make_entry)

    async def table_entries(self, address: str, device_id: int) -> AsyncIterator[Entry]:
        """All entries of all tables of a device, without default actions.

        Raises:
            grpc.RpcError: the target refuses, or the connection is lost.
            TimeoutError: it hangs.
        """
        everything = p4r.ReadRequest(device_id=device_id, entities=[p4r.Entity(table_entry=p4r.TableEntry())])
        async with grpc.aio.insecure_channel(address) as channel:
            answers = p4r_grpc.P4RuntimeStub(channel).Read(everything)
            while True:
                async with asyncio.timeout(_ANSWER_S):
                    answer = await answers.read()
                if not isinstance(answer, p4r.ReadResponse):
                    return  # the end
                for entity in answer.entities:
                    entry = self._entry(entity.SerializeToString(deterministic=True))
                    if entry:
                        yield entry

    def _make_entry(self, message: bytes) -> Entry | None:
        return from_proto(p4r.Entity.FromString(message), self._schema)
