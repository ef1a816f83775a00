"""Forwarding pipeline configurations: verified, saved, committed, reconciled, read back (§ 14, 15).

A saved configuration is a pipeline that does not run yet, and reads and writes go there: committing it is
letting packets through, with nothing to replay.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from finsy.proto import p4r

from .. import api
from . import p4info, program, reconcile
from .device import Device
from .errors import P4RuntimeError, failed_precondition, internal, invalid_argument, not_found
from .state import State

_LOG = logging.getLogger(__name__)

_Action = p4r.SetForwardingPipelineConfigRequest
_INSTALLING = (
    _Action.VERIFY,
    _Action.VERIFY_AND_SAVE,
    _Action.VERIFY_AND_COMMIT,
    _Action.RECONCILE_AND_COMMIT,
)


@dataclass(frozen=True, slots=True, eq=False)
class Installed:
    """A configuration with the pipeline it became and the state written to it."""

    config: p4r.ForwardingPipelineConfig
    pipeline: api.Pipeline
    state: State


class PipelineConfig:
    """The configuration that runs and the one that is saved."""

    def __init__(self, device: Device[Any], lock: asyncio.Lock, connect: Callable[[Installed], None]):
        """`lock` keeps reads and writes out; `connect` wires a pipeline's events before it runs."""
        self.running: Installed | None = None
        self.saved: Installed | None = None
        self._device = device
        self._lock = lock
        self._connect = connect
        self._order = asyncio.Lock()  # requests take effect in the order they came
        self._work: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> Installed:
        """The configuration that reads and writes refer to: the saved one, or else the running one (§ 14).

        Raises:
            P4RuntimeError: FAILED_PRECONDITION before any was set.
        """
        return _existing(self.saved or self.running)

    @property
    def forwarding(self) -> Installed:
        """The configuration that packets see.

        Raises:
            P4RuntimeError: FAILED_PRECONDITION where none runs.
        """
        return _existing(self.running)

    async def set(
        self, request: p4r.SetForwardingPipelineConfigRequest, authorise: Callable[[], object]
    ) -> None:
        """Do what a request asks; `authorise` is asked again before anything changes.

        A client that gives up does not stop it half way: what runs and what is on record stay the same thing.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT for what cannot be realised, NOT_FOUND for a COMMIT of nothing.
        """
        work = asyncio.create_task(self._set(request, authorise))
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        await asyncio.shield(work)

    async def _set(
        self, request: p4r.SetForwardingPipelineConfigRequest, authorise: Callable[[], object]
    ) -> None:
        async with self._order:
            if request.action in _INSTALLING:
                await self._install(request, authorise)
            elif request.action == _Action.COMMIT:
                await self._commit(request, authorise)
            else:
                raise invalid_argument(f"the action {request.action} is not one of P4Runtime's")

    async def _install(
        self, request: p4r.SetForwardingPipelineConfigRequest, authorise: Callable[[], object]
    ) -> None:
        if not request.HasField("config"):
            raise invalid_argument("the request has no config")
        new = await asyncio.to_thread(self._build, request.config)
        if request.action == _Action.VERIFY:
            self._device.discard(new.pipeline)
            return
        try:
            async with self._lock:
                authorise()
                if request.action == _Action.RECONCILE_AND_COMMIT and self.running is not None:
                    await asyncio.to_thread(reconcile.carry_over, self.running.state, new.state)
                self._drop_saved()
                if request.action == _Action.VERIFY_AND_SAVE:
                    self.saved = new
                else:
                    await self._run(new)
        except P4RuntimeError:
            self._device.discard(new.pipeline)
            raise

    async def _commit(
        self, request: p4r.SetForwardingPipelineConfigRequest, authorise: Callable[[], object]
    ) -> None:
        if request.HasField("config"):
            raise invalid_argument("COMMIT takes no config, it runs the one that was saved")
        async with self._lock:
            authorise()
            if self.saved is None:
                raise not_found("no config was saved")
            await self._run(self.saved)
            self.saved = None

    async def _run(self, installed: Installed) -> None:
        before = self.running
        self._connect(installed)
        self.running = None  # while ports change hands nobody may touch the pipeline that loses them
        try:
            await asyncio.to_thread(self._device.run, installed.pipeline)
        except OSError as error:
            if before is not None:
                self._connect(before)
            self.running = before
            raise internal(f"the ports refused the new pipeline: {error}") from None
        self.running = installed
        cookie = installed.config.cookie.cookie
        _LOG.info("a pipeline runs: %d tables, cookie 0x%x", len(installed.state.tables), cookie)

    def _drop_saved(self) -> None:
        if self.saved is not None:
            self._device.discard(self.saved.pipeline)
            self.saved = None

    def _build(self, config: p4r.ForwardingPipelineConfig) -> Installed:
        """Verify a config by realising it, without letting packets through."""
        if not config.HasField("p4info"):
            raise invalid_argument("the config has no P4Info")
        if not config.p4_device_config:
            raise invalid_argument("the config has no device config (the program's BMv2 JSON)")
        kept = p4r.ForwardingPipelineConfig()
        kept.CopyFrom(config)
        try:
            parsed = program.parse(config.p4_device_config)
            schema = p4info.build(config.p4info, parsed)
            pipeline = self._device.build(config.p4_device_config)
            try:
                return Installed(kept, pipeline, State(schema, parsed, pipeline))
            except ValueError:
                self._device.discard(pipeline)
                raise
        except ValueError as error:
            raise invalid_argument(f"the config cannot be realised: {error}") from None

    def get(self, request: p4r.GetForwardingPipelineConfigRequest) -> p4r.GetForwardingPipelineConfigResponse:
        """The config as it was set, or the part that a request asks for; none before any was set (§ 15)."""
        wanted = p4r.GetForwardingPipelineConfigRequest
        installed = self.saved or self.running
        if installed is None:
            return p4r.GetForwardingPipelineConfigResponse()
        stored, answer = installed.config, p4r.ForwardingPipelineConfig()
        if request.response_type in (wanted.ALL, wanted.P4INFO_AND_COOKIE):
            answer.p4info.CopyFrom(stored.p4info)
        if request.response_type in (wanted.ALL, wanted.DEVICE_CONFIG_AND_COOKIE):
            answer.p4_device_config = stored.p4_device_config
        if stored.HasField("cookie"):
            answer.cookie.CopyFrom(stored.cookie)
        return p4r.GetForwardingPipelineConfigResponse(config=answer)


def _existing(installed: Installed | None) -> Installed:
    if installed is None:
        raise failed_precondition("No forwarding pipeline config set for this device")
    return installed
