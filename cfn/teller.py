"""Telling one controller what there is: when it is due, again after a failure, and complaints."""

from __future__ import annotations

import logging
import random
import time

from cfn.advert_sender import AdvertSender, SendError
from cfn.cpu import Cpu
from cfn.damping import Damping, Schedule, Views
from cfn.holdings import Holdings
from cfn.metrics.assess import Assessment

log = logging.getLogger(__name__)

FIRST_BACKOFF_S = 0.1
LAST_BACKOFF_S = 2.0


class Teller:
    """Adverts to one controller; times are `time.monotonic`'s."""

    def __init__(self, sender: AdvertSender, damping: Damping) -> None:
        self._sender = sender
        self._schedule = Schedule(damping)
        self._backoff_s = 0.0
        self._last_complaint = ""
        self.not_before = 0.0

    def due(self, views: Views, held: Holdings, cpu: Cpu) -> float:
        """When to tell these, if they don't change any more."""
        return max(self._schedule.due(views, held, cpu.utilisation), self.not_before)

    async def tell(
        self, views: Views, held: Holdings, cpu: Cpu, assessment: Assessment, *, now: float
    ) -> None:
        """Send an advert; when that fails it is due again after a while."""
        try:
            ack = await self._sender.send(
                views, held, cpu_utilisation=cpu.utilisation, cpu_capacity=cpu.cores, assessment=assessment
            )
        except SendError as error:
            self._complain(str(error))
            self._back_off()
            return
        self._schedule.sent(views, now, held, cpu.utilisation)
        self._schedule.slow_down(ack.min_interval_ms / 1000)
        self._backoff_s = 0.0
        if ack.accepted:
            self._last_complaint = ""
        else:
            self._complain(f"the controller refused the advert: {ack.reason}")

    async def withdraw(self) -> None:
        """Tell that the site has nothing any more."""
        try:
            await self._sender.send(())
        except SendError as error:
            log.warning("could not withdraw: %s", error)

    def _back_off(self) -> None:
        self._backoff_s = min(LAST_BACKOFF_S, max(FIRST_BACKOFF_S, self._backoff_s * 2))
        self.not_before = time.monotonic() + self._backoff_s * random.uniform(0.8, 1.2)

    def _complain(self, text: str) -> None:
        # Once, not once a try.
        if text != self._last_complaint:
            log.warning("%s", text)
        self._last_complaint = text
