"""A bare P4Runtime client on the generated stubs, for what a well-behaved client library would not say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from finsy.proto import U128, p4r, p4r_grpc, rpc_status

from .messages import DEVICE_CONFIG, P4INFO

TIMEOUT_S = 60

_Config = p4r.SetForwardingPipelineConfigRequest
CONFIG = p4r.ForwardingPipelineConfig(
    p4info=P4INFO,
    p4_device_config=DEVICE_CONFIG,
    cookie=p4r.ForwardingPipelineConfig.Cookie(cookie=0xC0FFEE),
)


class RefusedError(Exception):
    """A call failed: its gRPC code and message, and for a batch the code of each request (None: fine)."""

    def __init__(self, error: grpc.aio.AioRpcError):
        super().__init__(f"{error.code().name}: {error.details()}")
        self.code = error.code().name
        self.message = error.details() or ""
        self.messages: list[str] = []
        self.codes: list[str | None] = []
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                self._parse(value)

    def _parse(self, data: Any) -> None:
        names = {code.value[0]: code.name for code in grpc.StatusCode}
        status = rpc_status.Status.FromString(data)
        assert names[status.code] == self.code
        assert status.message == self.message
        for detail in status.details:
            error = p4r.Error()
            assert detail.Unpack(error)
            self.codes.append(names[error.canonical_code] if error.canonical_code else None)
            self.messages.append(error.message)


class Client:
    """One channel with one stream. `election_id` None: nothing is said of it."""

    def __init__(
        self, address: str, device_id: int, election_id: int | None = 1, role: p4r.Role | None = None
    ):
        self.device_id = device_id
        self.election_id = election_id
        self.role = role
        self.channel = grpc.aio.insecure_channel(address, options=[("grpc.max_metadata_size", 1 << 20)])
        self.stub = p4r_grpc.P4RuntimeStub(self.channel)
        self.stream: Any = self.stub.StreamChannel()

    async def close(self) -> None:
        self.stream.cancel()
        await self.channel.close()

    def _sender(self) -> dict[str, Any]:
        sender: dict[str, Any] = {"device_id": self.device_id}
        if self.election_id is not None:
            sender["election_id"] = U128.encode(self.election_id)
        return sender

    def _requester(self) -> dict[str, Any]:
        return self._sender() | ({"role": self.role.name} if self.role else {})

    async def say(self, **update: Any) -> None:
        await self.stream.write(p4r.StreamMessageRequest(**update))

    async def bid(self) -> None:
        await self.say(arbitration=p4r.MasterArbitrationUpdate(**self._sender(), role=self.role))

    async def hear(self, kind: str) -> Any:
        """The next stream message, which has to be of a kind."""
        message = await self.hear_any()
        assert message.WhichOneof("update") == kind, message
        return getattr(message, kind)

    async def hear_any(self) -> p4r.StreamMessageResponse:
        """The next stream message."""
        try:
            message = await asyncio.wait_for(self.stream.read(), TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise RefusedError(error) from None
        assert message is not grpc.aio.EOF
        return message

    async def arbitrate(self) -> int:
        """Bid and return the status code of the answer: OK 0, NOT_FOUND 5, ALREADY_EXISTS 6."""
        await self.bid()
        return (await self.hear("arbitration")).status.code

    async def call(self, name: str, request: Any) -> Any:
        try:
            return await getattr(self.stub, name)(request, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise RefusedError(error) from None

    async def push(
        self,
        action: int = _Config.VERIFY_AND_COMMIT,
        config: p4r.ForwardingPipelineConfig | None = CONFIG,
    ) -> None:
        request = _Config(**self._requester(), action=action, config=config)
        await self.call("SetForwardingPipelineConfig", request)

    async def config(self, response_type: int = 0) -> p4r.ForwardingPipelineConfig:
        request = p4r.GetForwardingPipelineConfigRequest(
            device_id=self.device_id, response_type=response_type
        )
        return (await self.call("GetForwardingPipelineConfig", request)).config

    async def update(self, *updates: tuple[int, p4r.Entity], atomicity: int = 0) -> None:
        request = p4r.WriteRequest(
            **self._requester(),
            updates=[p4r.Update(type=kind, entity=entity) for kind, entity in updates],
            atomicity=atomicity,
        )
        await self.call("Write", request)

    async def insert(self, *entities: p4r.Entity, atomicity: int = 0) -> None:
        await self.update(*((p4r.Update.INSERT, entity) for entity in entities), atomicity=atomicity)

    async def modify(self, *entities: p4r.Entity, atomicity: int = 0) -> None:
        await self.update(*((p4r.Update.MODIFY, entity) for entity in entities), atomicity=atomicity)

    async def delete(self, *entities: p4r.Entity, atomicity: int = 0) -> None:
        await self.update(*((p4r.Update.DELETE, entity) for entity in entities), atomicity=atomicity)

    async def read(self, *entities: p4r.Entity) -> list[p4r.Entity]:
        found: list[p4r.Entity] = []
        await self.read_into(found, entities)
        return found

    async def read_into(self, found: list[p4r.Entity], entities: Iterable[p4r.Entity]) -> None:
        """Keeps what came before an error."""
        request = p4r.ReadRequest(
            device_id=self.device_id, role=self.role.name if self.role else "", entities=entities
        )
        try:
            async for response in self.stub.Read(request, timeout=TIMEOUT_S):
                found.extend(response.entities)
        except grpc.aio.AioRpcError as error:
            raise RefusedError(error) from None


@asynccontextmanager
async def connect(
    address: str, device_id: int, election_id: int | None = 1, role: p4r.Role | None = None
) -> AsyncGenerator[Client]:
    client = Client(address, device_id, election_id, role)
    try:
        yield client
    finally:
        await client.close()
