"""The demo's view while it runs: a table that is renewed each second, or plain lines without a terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from topo import cgroup, summary
from topo.plan import Plan, group_of
from topo.records import Outcome, Record

_SHARE_WINDOW_S = 3.0
_TIMES_WINDOW_S = 5.0


@dataclass(frozen=True)
class SiteRow:
    """What is shown of a site: shares, weight and load 0 to 1, response times in ms."""

    name: str
    weight: float
    share: float
    load: float
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True)
class Moment:
    """What is shown at one time."""

    phase: str
    elapsed_s: float
    total_s: float
    sites: Sequence[SiteRow]
    requests: int
    per_s: float
    failed: int
    lost: int


class Recent:
    """The records of the last seconds, and counts of all."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque()
        self.requests = self.failed = self.lost = 0

    def add(self, record: Record) -> None:
        """Count a record."""
        self.requests += 1
        self.lost += record.outcome is Outcome.LOST
        self.failed += record.outcome in (Outcome.FAILED, Outcome.NACK)
        self._records.append(record)

    def per_s(self, now_s: float) -> float:
        """Return the rate of requests that have ended lately."""
        self._forget(now_s)
        return sum(r.sent_s > now_s - _SHARE_WINDOW_S for r in self._records) / _SHARE_WINDOW_S

    def rows(
        self, now_s: float, sites: Mapping[int, str], weights: Mapping[str, float], loads: Mapping[str, float]
    ) -> list[SiteRow]:
        """Return the row of each site."""
        self._forget(now_s)
        lately = [record for record in self._records if record.sent_s > now_s - _SHARE_WINDOW_S]
        shares = summary.shares(lately, sites)
        rows: list[SiteRow] = []
        for number, name in sites.items():
            mine = [record for record in self._records if record.site == number]
            p50, p99 = (summary.percentile_ms(mine, percent) for percent in (50, 99))
            rows.append(SiteRow(name, weights[name], shares[name], loads[name], p50, p99))
        return rows

    def _forget(self, now_s: float) -> None:
        while self._records and self._records[0].sent_s < now_s - _TIMES_WINDOW_S:
            self._records.popleft()


class View:
    """Shows moments on a console: in place on a terminal, otherwise a line for each site."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> View:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, moment: Moment) -> None:
        """Show a moment."""
        if self._live:
            self._live.update(_table(moment), refresh=True)
        else:
            self._console.print(_line(moment), highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Say something above the table."""
        self._console.print(text, highlight=False)


class Loads:
    """How much of its CPU quota each site uses, 0 to 1, between one look and the next."""

    def __init__(self, plan: Plan) -> None:
        hierarchy = cgroup.find()
        self._groups = {
            name: (cgroup.Group(hierarchy, group_of(plan.name, name)), site.cores)
            for name, site in plan.sites.items()
        }
        self._last = {name: group.use().used_us for name, (group, _) in self._groups.items()}
        self._last_s = time.monotonic()

    def look(self) -> dict[str, float]:
        """Return each site's load since the last look."""
        now_s = time.monotonic()
        loads: dict[str, float] = {}
        for name, (group, cores) in self._groups.items():
            used_us = group.use().used_us
            loads[name] = min(1.0, (used_us - self._last[name]) / 1e6 / cores / (now_s - self._last_s))
            self._last[name] = used_us
        self._last_s = now_s
        return loads


def _table(moment: Moment) -> Group:
    table = Table("site", "weight", "share of new requests", "", "CPU load", "p50 ms", "p99 ms", box=None)
    for row in moment.sites:
        colour = "red" if row.load > 0.9 else "green"
        table.add_row(
            row.name,
            f"{row.weight:4.0%}",
            f"{row.share:4.0%}",
            ProgressBar(total=1.0, completed=row.share, width=30),
            Text(f"{row.load:4.0%}", style=colour),
            _milliseconds(row.p50_ms),
            _milliseconds(row.p99_ms),
        )
    head = (
        f"[bold]{moment.phase}[/bold]  {moment.elapsed_s:.0f} of {moment.total_s:.0f} s · "
        f"{moment.requests} requests, {moment.per_s:.0f}/s · {moment.failed} refused · {moment.lost} lost"
    )
    return Group(Text.from_markup(head), table)


def _line(moment: Moment) -> str:
    sites = " | ".join(
        f"{row.name} weight {row.weight:3.0%} share {row.share:3.0%} load {row.load:3.0%} "
        f"p50 {_milliseconds(row.p50_ms)} p99 {_milliseconds(row.p99_ms)} ms"
        for row in moment.sites
    )
    return f"{moment.elapsed_s:4.0f} s {moment.phase:8} {moment.per_s:4.0f}/s lost {moment.lost} | {sites}"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"
