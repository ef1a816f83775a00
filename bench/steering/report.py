"""What runs came to: the results' file, and tables beside what the trial published."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from bench.steering.figures import Figures
from bench.steering.policies import BOUND, OURS
from bench.steering.trial import (
    CLIENTS,
    INTERVALS_MS,
    MEASURED,
    PUBLISHED,
    PUBLISHED_INTERVAL_MS,
    STATED,
    Row,
    Sites,
)

Found = Mapping[str, Mapping[str, Figures]]
"""By workload and policy."""
READINGS: Mapping[str, Sites] = {"trial": MEASURED, "stated": STATED}
"""The trial twice: with sites that fit what was measured, and with the capacity that was stated."""


def results(found: Found, seeds: Sequence[int]) -> dict[str, Any]:
    """What is written: `trial`, `stated`, `interval_ms` (mean delays, ms), `p99_over_bound`, all figures."""
    return {
        **{reading: _rows(found, reading) for reading in READINGS},
        "interval_ms": {
            str(interval): {
                policy: one.delay_ms for policy, one in found.get(f"interval-{interval}", {}).items()
            }
            for interval in INTERVALS_MS
        },
        "p99_over_bound": {
            workload: {policy: _over_bound(one, mine) for policy, one in mine.items() if policy != BOUND}
            for workload, mine in found.items()
            if BOUND in mine
        },
        "workloads": {
            workload: {policy: one.plain() for policy, one in mine.items()}
            for workload, mine in found.items()
        },
        "published": {
            kind: {
                str(clients): {system: row._asdict() for system, row in systems.items()}
                for clients, systems in rows.items()
            }
            for kind, rows in PUBLISHED.items()
        },
        "published_interval_ms": {str(interval): ms for interval, ms in PUBLISHED_INTERVAL_MS.items()},
        "seeds": list(seeds),
    }


def _over_bound(one: Figures, mine: Mapping[str, Figures]) -> float | None:
    """None for infinitely more."""
    ratio = one.p99_ms / mine[BOUND].p99_ms
    return ratio if math.isfinite(ratio) else None


def _rows(found: Found, reading: str) -> dict[str, Any]:
    return {
        kind: {
            str(clients): {
                policy: {"delay_ms": one.delay_ms, "qps": one.qps}
                for policy, one in found.get(trial_name(reading, kind, clients), {}).items()
            }
            for clients in CLIENTS
        }
        for kind in PUBLISHED
    }


def trial_name(reading: str, kind: str, clients: int) -> str:
    """The name of one of the trial's workloads."""
    return f"{reading}-{kind}-{clients}"


def gain(row: Row | Figures, random: Row | Figures) -> tuple[float, float]:
    """Change of delay and of requests a second against `random`, as shares."""
    return row.delay_ms / random.delay_ms - 1, row.qps / random.qps - 1


def trial_table(found: Found, reading: str) -> Table:
    """The trial's rows: what was published, and what each policy came to here."""
    title = "sites as measured" if READINGS[reading] is MEASURED else "sites as stated"
    table = Table(title=f"The field trial, {title}: mean delay, requests/s, and change against random")
    for name in ("load", "clients", "policy"):
        table.add_column(name)
    for name in ("ms", "1/s", "Δ delay", "Δ 1/s", "p99 ms", "÷ bound"):
        table.add_column(name, justify="right")
    for kind, rows in PUBLISHED.items():
        for clients, published in rows.items():
            mine = found.get(trial_name(reading, kind, clients), {})
            if "random" not in mine:
                continue
            for system, row in published.items():
                _add(table, (kind, str(clients), f"published: {system}"), row, published["random"])
            for policy, one in mine.items():
                _add(
                    table,
                    (kind, str(clients), policy),
                    one,
                    mine["random"],
                    f"{one.p99_ms:.1f}",
                    f"{one.p99_ms / mine[BOUND].p99_ms:.2f}" if BOUND in mine else "",
                )
            table.add_section()
    return table


def interval_table(found: Found) -> Table:
    """Mean delay in ms by the interval of adverts."""
    table = Table(title="Five clients with background load: mean delay in ms by interval of adverts")
    table.add_column("policy")
    for interval in INTERVALS_MS:
        table.add_column(f"{interval} ms", justify="right")
    table.add_row("published", *(f"{PUBLISHED_INTERVAL_MS[interval]:.2f}" for interval in INTERVALS_MS))
    columns = [found.get(f"interval-{interval}", {}) for interval in INTERVALS_MS]
    for policy in columns[0]:
        cells = (f"{column[policy].delay_ms:.2f}" if policy in column else "" for column in columns)
        table.add_row(policy, *cells, style="bold" if policy.startswith(OURS) else None)
    return table


def workload_table(workload: str, mine: Mapping[str, Figures]) -> Table:
    """All figures of one workload."""
    table = Table(title=workload)
    table.add_column("policy")
    names = (
        "mean",
        "p50",
        "p99",
        "p99.9 ms",
        "p99 ÷ bound",
        "1/s",
        "late",
        "lost",
        "cost",
        "moved",
        "adverts/s",
    )
    for name in names:
        table.add_column(name, justify="right")
    for policy, one in mine.items():
        table.add_row(
            policy,
            *(f"{each:.1f}" for each in (one.delay_ms, one.p50_ms, one.p99_ms, one.p999_ms)),
            f"{one.p99_ms / mine[BOUND].p99_ms:.2f}" if BOUND in mine else "",
            f"{one.qps:.1f}",
            f"{one.late:.2%}",
            f"{one.unanswered:.2%}",
            f"{one.cost:.2f}",
            f"{one.sessions_moved:.3f}",
            f"{one.adverts_per_s:.1f}",
            style="bold" if policy.startswith(OURS) else None,
        )
    return table


def _add(
    table: Table, head: tuple[str, str, str], row: Row | Figures, random: Row | Figures, *tail: str
) -> None:
    delay, qps = gain(row, random)
    table.add_row(
        *head,
        f"{row.delay_ms:.2f}",
        f"{row.qps:.1f}",
        f"{delay:+.1%}",
        f"{qps:+.1%}",
        *tail,
        style="bold" if head[2].startswith(OURS) else None,
    )
