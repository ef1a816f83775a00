"""Changes of one group over P4Runtime while requests flow, in the order in which the controller writes them.

A group is changed in place. An instance that dies leaves its group before its own row goes, and one that
comes back has its row before it is a member.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import finsy as fy

from bench import two_ingresses
from bench.ingress import GROUP
from bench.router import DEVICE_ID
from bench.sessions import Deaths

_DEATH_EVERY = 20
_AWAY = 5
"""For how many changes an instance stays away."""
_LEAST_MEMBERS = 3
_HEAVIEST = 30


class Changer:
    """Writes changes to one router for as long as it is let.

    Attributes:
        made: how many it has made.
        ended: it makes no more, be it for an error.
    """

    def __init__(self, address: str, p4info: Path, interval_s: float, deaths: Deaths) -> None:
        self._address = address
        self._p4info = p4info
        self._interval_s = interval_s
        self._deaths = deaths
        self._draw = random.Random(1)
        self._instances = two_ingresses.instances()
        self.made = 0
        self.ended = False

    async def during(self, work: Callable[[], None]) -> None:
        """Change weights from the begin of `work`, which runs in a thread, until it ends."""
        options = fy.SwitchOptions(p4info=self._p4info, device_id=DEVICE_ID)
        async with fy.Switch("changer", self._address, options) as switch:
            working = asyncio.create_task(asyncio.to_thread(work))
            try:
                await self._change(switch, working)
            finally:
                self.ended = True
                await working

    async def _change(self, switch: fy.Switch, working: asyncio.Task[None]) -> None:
        away: int | None = None
        while not working.done():
            phase = self.made % _DEATH_EVERY
            if away is not None and phase == _AWAY:
                await switch.insert([two_ingresses.live(away)])
                self._deaths.ended(self._instances[away])
                away = None
            leaving = self._draw.randrange(len(self._instances)) if phase == 0 and self.made else None
            away = leaving if leaving is not None else away
            await switch.modify([two_ingresses.group(GROUP, self._weights(away))])
            if leaving is not None:
                self._deaths.began(self._instances[leaving])
                await switch.delete([two_ingresses.live(leaving)])
            self.made += 1
            await asyncio.sleep(self._interval_s)
        if away is not None:
            await switch.insert([two_ingresses.live(away)])
            self._deaths.ended(self._instances[away])

    def _weights(self, away: int | None) -> dict[int, int]:
        """Members drawn anew, none of them away, with new weights."""
        there = [index for index in range(len(self._instances)) if index != away]
        members = self._draw.sample(there, self._draw.randint(_LEAST_MEMBERS, len(there)))
        return {index: self._draw.randint(1, _HEAVIEST) for index in members}
