"""What a site holds, as its data agent tells it and its adverts repeat it."""

from __future__ import annotations

from dataclasses import dataclass

from cfn.content.results import ResultKey
from cfn.site import SILENT_AFTER_S, StaleStatusError
from cfn.status import HoldingsStatus


@dataclass(frozen=True, slots=True)
class Holdings:
    """Inputs and results that a request may be steered to.

    Attributes:
        inputs: content identifiers.
        results: what results are held of.
    """

    inputs: frozenset[bytes] = frozenset()
    results: frozenset[ResultKey] = frozenset()


NOTHING = Holdings()


class HeldState:
    """What the site's data agent has last said. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.holdings = NOTHING
        self._heard = 0.0
        self._last: HoldingsStatus | None = None

    def take(self, status: HoldingsStatus, now: float) -> None:
        """The data agent has reported.

        Raises:
            StaleStatusError: it is not newer than what is known.
        """
        if self._last and _age(status) <= _age(self._last):
            raise StaleStatusError("the data agent's status is not newer than the last one")
        self._last, self._heard = status, now
        self.holdings = Holdings(
            frozenset(map(bytes.fromhex, status.inputs)),
            frozenset(ResultKey(each.func_id, bytes.fromhex(each.data_in)) for each in status.results),
        )

    def forget_silent(self, now: float) -> bool:
        """Forget what a data agent said that has not reported for `SILENT_AFTER_S`; whether there was one."""
        silent = self._last is not None and now - self._heard > SILENT_AFTER_S
        if silent:
            self.holdings, self._last = NOTHING, None
        return silent

    def next_silence(self) -> float | None:
        """When the data agent will have been silent for too long, if it does not report before."""
        return self._heard + SILENT_AFTER_S if self._last else None


def _age(status: HoldingsStatus) -> tuple[int, int]:
    return status.started_us, status.at_us
