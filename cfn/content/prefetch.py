"""PREFETCH datagrams: a router says that a request is on its way here, and who holds its input."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cfn.wire import NO_DATA, Kind, Packet
from cfn.wire_error import WireError

log = logging.getLogger(__name__)


class PrefetchEndpoint(asyncio.DatagramProtocol):
    """Takes datagrams; everything that is no PREFETCH of some content is garbage."""

    def __init__(self, wanted: Callable[[bytes, int], None], garbage: Callable[[], None]) -> None:
        """Describe an endpoint.

        Args:
            wanted: called with DataIn and the id of the site that holds it, 0 for unknown.
            garbage: called for everything else, for counting.
        """
        self._wanted = wanted
        self._garbage = garbage

    def datagram_received(self, data: bytes, addr: object) -> None:
        """A datagram came in."""
        try:
            header = Packet.decode(data).header
        except WireError as error:
            log.debug("from %s: %s", addr, error)
            self._garbage()
            return
        if header.kind != Kind.PREFETCH or header.data_in == NO_DATA:
            self._garbage()
            return
        self._wanted(header.data_in, header.report.queue)

    def error_received(self, exc: Exception) -> None:
        """Nothing is ever sent from here, so no error is about anything."""
        log.debug("%s", exc)
