"""Telling the agent of the site."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

from cfn.status import HoldingsStatus, InstanceStatus

log = logging.getLogger(__name__)


class AgentLink:
    """Datagrams to the agent; while it is away they are lost, and the next ones tell the same."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._away = False

    def send(self, status: InstanceStatus | HoldingsStatus) -> None:
        """Send a status, if the agent listens."""
        try:
            self._socket.sendto(status.encode(), self._path)
        except OSError as error:
            if not self._away:
                log.warning("the agent at %s does not listen: %s", self._path, error.strerror)
            self._away = True
        else:
            self._away = False

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
