"""What a link does to the frames on it, and how the two ways of doing it are told so."""

from __future__ import annotations

from dataclasses import dataclass

NETEM_ANY_RATE_KBPS = 100_000_000
"""Rate given to netem where none is asked for: with a rate netem keeps the order of frames, without it jitter
reorders them (net/sched/sch_netem.c, netem_enqueue)."""


@dataclass(frozen=True)
class Impairment:
    """Delay, jitter, loss and rate of a link, the same in both directions.

    Frames are delayed by `delay_ms` ± `jitter_ms` (uniform), never reordered; `loss` is the probability that
    a frame is lost; `rate_mbps` bounds the bit rate (None: no bound); at most `limit` frames are on their way
    in one direction, more are dropped.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    rate_mbps: float | None = None
    limit: int = 1000

    @property
    def is_plain(self) -> bool:
        """Whether the link is just a wire."""
        return not (self.delay_ms or self.jitter_ms or self.loss or self.rate_mbps)

    def delayline_wire(self, a: str, b: str, seed: int) -> str:
        """Return the `--wire` argument of the delay line for the interfaces `a` and `b`."""
        values = (
            round(self.delay_ms * 1000),
            round(self.jitter_ms * 1000),
            round(self.loss * 1_000_000),
            round((self.rate_mbps or 0) * 1000),
            self.limit,
            seed,
        )
        return ",".join((a, b, *map(str, values)))

    def netem_arguments(self) -> list[str]:
        """Return the arguments of tc-netem(8) for one direction."""
        arguments = ["limit", str(self.limit), "delay", f"{round(self.delay_ms * 1000)}us"]
        if self.jitter_ms:
            arguments.append(f"{round(self.jitter_ms * 1000)}us")
        if self.loss:
            arguments += ["loss", f"{self.loss * 100:.6g}%"]
        rate = round(self.rate_mbps * 1000) if self.rate_mbps else NETEM_ANY_RATE_KBPS
        return [*arguments, "rate", f"{rate}kbit"]
