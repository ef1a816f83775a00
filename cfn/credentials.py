"""What a client proves with that it is a tenant's: the tenant's key, and a sequence that never goes back.

An ingress router refuses a sequence that it has seen, or one far below the highest that it has seen. So a
sender's sequence lasts as long as the process, whatever clients use it, and starts from the wall clock, the
one thing that grows from one process to the next without anything being stored: 16 for each second since
2026. So 32 bits last until 2034, and a process that sent 16 datagrams a second or less on average has left
off below where the next one starts. A busier one may have left off above; its successor is refused once, and
goes on higher up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cfn.auth import TenantKey, authenticate
from cfn.errors import SequenceUsedUpError
from cfn.extension_bodies import Auth
from cfn.wire import Header

MAX_SENDER = 255
START_S = 1_767_225_600
"""2026-01-01T00:00Z as Unix time."""
PER_S = 16
SKIP = 1 << 16
"""How far a refused sequence goes up; what the clock counts in 68 minutes."""
MAX_LEAD = 1 << 24
"""Refusals take a sequence no further above the clock than this (12 days): forged ones can't use it up."""
_LAST = (1 << 32) - 1


class SenderSequence:
    """The sequence numbers of one sender; may be shared by threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Start from `clock`, which gives Unix time in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._last = self._skipped_to = self._now()

    def take(self) -> int:
        """The next number.

        Raises:
            SequenceUsedUpError: there is none.
        """
        with self._lock:
            if self._last >= _LAST:
                raise SequenceUsedUpError("the sender's sequence is used up: the client needs another sender")
            self._last += 1
            return self._last

    def refused(self, sequence: int) -> None:
        """The network has refused this number as replayed: go on from higher up.

        Numbers that were taken before the last time that this happened tell nothing new.
        """
        with self._lock:
            if sequence > self._skipped_to and self._last - self._now() < MAX_LEAD:
                self._last = self._skipped_to = min(self._last + SKIP, _LAST)

    def _now(self) -> int:
        return max(0, int((self._clock() - START_S) * PER_S))


_sequences: dict[tuple[int, int], SenderSequence] = {}


class Credentials:
    """A tenant's key in the hands of one of its clients."""

    def __init__(
        self, tenant: int, sender: int, key: TenantKey, sequence: SenderSequence | None = None
    ) -> None:
        """Take up the process's sequence of the sender.

        Args:
            tenant: 16 bits.
            sender: which of the tenant's clients this is, 0–255; two processes at the same time need two.
            key: the tenant's.
            sequence: another sequence than the process's.

        Raises:
            ValueError: a tenant or a sender that there can't be.
        """
        if not 0 <= tenant < 1 << 16:
            raise ValueError(f"tenant {tenant} does not fit 16 bits")
        if not 0 <= sender <= MAX_SENDER:
            raise ValueError(f"sender {sender} is not in 0–{MAX_SENDER}")
        self.tenant = tenant
        self.sender = sender
        self.sequence = sequence or _sequences.setdefault((tenant, sender), SenderSequence())
        self._key = key

    def authenticate(self, header: Header) -> Auth:
        """The AUTH of a request, with a sequence number of its own.

        Raises:
            SequenceUsedUpError: the sender has no number left.
        """
        return authenticate(self._key, header, self.sender, self.sequence.take())
