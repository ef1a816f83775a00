"""The site agent: hears what the site's function servers say, and advertises it to controllers.

The decisions are elsewhere and pure: what is known (`cfn.site`), when to tell (`cfn.damping`). Here are the
unix socket, the clock, the CPU meter and the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cfn.advert_sender import AdvertSender
from cfn.collectors import functions
from cfn.collectors.collector import SampleStore
from cfn.cpu import Cpu, CpuMeter, CpuSource
from cfn.damping import Damping, Views
from cfn.holdings import HeldState
from cfn.metrics.assess import Assessment, assess
from cfn.metrics.profile import DEFAULT, Profile
from cfn.site import SiteState, StaleStatusError
from cfn.status import MAX_STATUS, REPORT_AT_LEAST_S, HoldingsStatus, InstanceStatus, decode_status
from cfn.teller import Teller
from cfn.unix_socket import listening

log = logging.getLogger(__name__)

SETTLE_S = 2 * REPORT_AT_LEAST_S
"""Before the first advert: every server that lives has reported by then, so that an agent that was restarted
withdraws no instance."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """What an agent needs to know.

    Attributes:
        listen: unix socket that the site's function servers and its data agent report to.
        damping: how often adverts go out.
        drain_s: how long to advertise DRAINING before withdrawing.
        profile: how metrics are normalised.
    """

    listen: Path
    damping: Damping = field(default_factory=Damping)
    drain_s: float = 1.0
    profile: Profile = DEFAULT


class Agent:
    """One site's agent; `run` until `drain` is called."""

    def __init__(
        self,
        config: AgentConfig,
        senders: Sequence[AdvertSender],
        cpu: CpuSource,
        samples: SampleStore | None = None,
    ) -> None:
        """`senders` lead to a controller each; `samples` are what collectors tell, None without any."""
        self._config = config
        self._samples = samples or SampleStore()
        self._meter = CpuMeter(cpu, time.monotonic())
        self._state = SiteState()
        self._held = HeldState()
        self._tellers = [Teller(sender, config.damping) for sender in senders]
        self._news = asyncio.Event()
        self._drain_until: float | None = None

    async def run(self) -> None:
        """Listen and advertise until the site is drained, then withdraw it.

        Raises:
            OSError: can't listen at the socket; says why.
        """
        with listening(self._config.listen, socket.SOCK_DGRAM) as inbox:
            loop = asyncio.get_running_loop()
            loop.add_reader(inbox, self._hear, inbox)
            try:
                # One that hangs holds up none of the others.
                async with asyncio.TaskGroup() as tasks:
                    for teller in self._tellers:
                        teller.not_before = time.monotonic() + SETTLE_S
                        tasks.create_task(self._advertise(teller))
            finally:
                loop.remove_reader(inbox)

    def drain(self) -> None:
        """Advertise the site as DRAINING for the configured time, then withdraw it and end `run`."""
        if self._drain_until is None:
            self._drain_until = time.monotonic() + self._config.drain_s
            self._news.set()

    async def _advertise(self, teller: Teller) -> None:
        while True:
            now = time.monotonic()
            self._forget(now)
            if self._drain_until is not None and now >= self._drain_until:
                await teller.withdraw()
                return
            cpu = self._meter.measure(now)
            views = self._state.view(cpu, draining=self._drain_until is not None)
            held = self._held.holdings
            due = teller.due(views, held, cpu)
            if now >= due:
                await teller.tell(views, held, cpu, self._assess(views, cpu), now=now)
            else:
                await self._wait(until=due)

    async def _wait(self, until: float) -> None:
        """Until then, or until something happens that may make an advert due earlier."""
        wakes = (until, self._drain_until, self._state.next_silence(), self._held.next_silence())
        wake = min(each for each in wakes if each is not None)
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, wake - time.monotonic())):
                await self._news.wait()

    def _assess(self, views: Views, cpu: Cpu) -> Assessment:
        site = {**functions.of_cpu(cpu), **self._samples.site()}
        instances = [
            {**functions.of_instance(view), **self._samples.instance(view.instance)} for view in views
        ]
        return assess(self._config.profile, site, instances)

    def _hear(self, inbox: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := inbox.recv(MAX_STATUS):
                try:
                    self._take(decode_status(data), time.monotonic())
                except StaleStatusError as error:
                    log.debug("%s", error)
                except ValueError as error:
                    log.warning("a status that can't be read: %s", error)
                self._news.set()

    def _take(self, status: InstanceStatus | HoldingsStatus, now: float) -> None:
        if isinstance(status, InstanceStatus):
            self._state.take(status, now)
        else:
            self._held.take(status, now)

    def _forget(self, now: float) -> None:
        for number in self._state.forget_silent(now):
            log.warning("instance %s does not report any more", number)
        self._samples.forget_stale(now)
        if self._held.forget_silent(now):
            log.warning("the data agent does not report any more")
