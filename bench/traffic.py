"""A steady stream of numbered requests from the client, recorded where they arrive and where refusals do."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import native, packets, two_sites
from bench.arrivals import Arrivals
from bench.bed import Bed
from bench.command import BenchError
from bench.process import Child, running
from cfn.names import func_id
from cfn.wire import VERSION, Kind

_STEADY = "0"
_DRAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Seen:
    """What was sent and what was recorded of it."""

    sent: int
    arrivals: dict[str, Arrivals]
    refused: Arrivals
    end_ns: int


class Traffic:
    """The stream while it flows."""

    def __init__(self, pace: Child, recorders: dict[str, Child], directory: Path) -> None:
        self._pace = pace
        self._recorders = recorders
        self._directory = directory

    def stop(self) -> Seen:
        """End the stream, let what is under way arrive, and return what was seen.

        Raises:
            RecordingError: a recorder had no room for a frame, so nothing can be said about losses.
        """
        sent = int(self._pace.stop())
        end_ns = time.time_ns()
        time.sleep(_DRAIN_SECONDS)
        for place, recorder in self._recorders.items():
            _, dropped = map(int, recorder.stop().split()[-2:])
            if dropped:
                raise RecordingError(f"the recorder at {place} had no room for {dropped} frames")
        seen = {place: Arrivals.read(_records(self._directory, place)) for place in self._recorders}
        return Seen(sent, {site: seen[site] for site in two_sites.SITES}, seen[two_sites.CLIENT], end_ns)


class RecordingError(BenchError):
    """A recorder missed frames."""


@contextmanager
def flowing(bed: Bed, per_second: float, directory: Path) -> Generator[Traffic]:
    """Record at the sites and at the client, and send `per_second` requests a second, during a block."""
    frame = two_sites.request_frame(func_id(two_sites.FUNCTION_NAME))
    template = directory / "request"
    template.write_bytes(frame)
    record, pace = (native.build(program, directory) for program in ("record", "pace"))
    kinds = {two_sites.CLIENT: Kind.NACK, **dict.fromkeys(two_sites.SITES, Kind.REQUEST)}
    with ExitStack() as stack:
        recorders: dict[str, Child] = {}
        for place, kind in kinds.items():
            match = (str(packets.CFN_AT), f"{VERSION << 4 | kind:02x}")
            what = (two_sites.UPLINK, str(_records(directory, place)), str(len(frame)), *match)
            recorder = running(
                f"record-{place}",
                [str(record), *what, *packets.CFN_MARKS.fields],
                directory,
                namespace=bed[place],
            )
            recorders[place] = stack.enter_context(recorder)
            recorders[place].wait_output("ready")
        sending = (two_sites.UPLINK, str(template), str(per_second), _STEADY, *packets.CFN_MARKS.all_fields)
        sender = running("pace", [str(pace), *sending], directory, namespace=bed[two_sites.CLIENT])
        yield Traffic(stack.enter_context(sender), recorders, directory)


def _records(directory: Path, place: str) -> Path:
    return directory / f"{place}.records"
