"""Plots of the results, as they are in docs/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.ticker import PercentFormatter

from bench.steering.policies import BOUND, OURS
from bench.steering.report import Found, trial_name
from bench.steering.trial import CLIENTS, INTERVALS_MS, PUBLISHED, PUBLISHED_INTERVAL_MS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = Path(__file__).parents[2] / "docs"
_OURS = ("#08519c", "#3182bd", "#6baed6", "#9ecae1")
_PEERS = (
    *("#7f7f7f", "#bcbd22", "#8c564b", "#e377c2", "#ff7f0e", "#2ca02c", "#9467bd", "#d62728"),
    *("#17becf", "#393b79", "#c49c94"),
)
_SHOWN = (
    "cfn-latency",
    "cfn-latency-1",
    "random",
    "round-robin",
    "least-load",
    "p2c",
    "jbsq",
    "prequal",
    "wrr",
)
_TITLES = {"none": "no background load", "background": "background load", "mixed": "mixed tasks"}
_DPI = 110
_MOST = 12.0
"""Where bars are cut off, in p99 ÷ bound."""


def draw(found: Found, folder: Path = DOCS) -> list[Path]:
    """Draw what there are results for; returns the files."""
    mpl.use("Agg")
    drawn: list[Path] = []
    rows = [trial_name("trial", kind, n) for kind in PUBLISHED for n in CLIENTS]
    if all("random" in found.get(row, {}) for row in rows):
        drawn.append(_trial(found, folder / "steering-trial.png"))
    if all(found.get(f"interval-{each}") for each in INTERVALS_MS):
        drawn.append(_intervals(found, folder / "steering-interval.png"))
    others = [
        name
        for name in found
        if not name.startswith(("trial-", "stated-", "interval-")) and BOUND in found[name]
    ]
    if others:
        drawn.append(_bounds(found, others, folder / "steering-bound.png"))
    return drawn


def _trial(found: Found, path: Path) -> Path:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axes = plt.subplots(1, len(PUBLISHED), figsize=(15, 5), sharey=True, layout="constrained")
    for axis, (kind, rows) in zip(axes, PUBLISHED.items(), strict=True):
        series: dict[str, list[float]] = {
            "published CFN": [rows[n]["cfn"].delay_ms / rows[n]["random"].delay_ms - 1 for n in CLIENTS]
        }
        for policy in (*_SHOWN[:2], *_SHOWN[3:], BOUND):
            columns = [found[trial_name("trial", kind, n)] for n in CLIENTS]
            if all(policy in column for column in columns):
                series[policy] = [
                    column[policy].delay_ms / column["random"].delay_ms - 1 for column in columns
                ]
        _bars(axis, series, [f"{n} clients" for n in CLIENTS])
        axis.set_title(_TITLES[kind])
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set_ylim(-0.7, 0.7)
    axes[0].set_ylabel("mean delay against random")
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)
    return path


def _intervals(found: Found, path: Path) -> Path:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axis = plt.subplots(figsize=(9, 5), layout="constrained")
    axis.plot(
        INTERVALS_MS,
        [PUBLISHED_INTERVAL_MS[each] for each in INTERVALS_MS],
        "k--o",
        label="published CFN",
    )
    policies = [name for name in (*_SHOWN, BOUND) if name in found[f"interval-{INTERVALS_MS[0]}"]]
    for policy in policies:
        axis.plot(
            INTERVALS_MS,
            [found[f"interval-{each}"][policy].delay_ms for each in INTERVALS_MS],
            marker=".",
            color=_colour(policy, policies),
            linewidth=2.5 if policy.startswith(OURS) else 1.2,
            linestyle=":" if policy == BOUND else "-",
            label=policy,
        )
    axis.set_xscale("log")
    axis.invert_xaxis()
    axis.set_ylim(bottom=0)
    axis.set_xlabel("interval of adverts, ms")
    axis.set_ylabel("mean delay, ms")
    axis.set_title("five clients, background load")
    figure.legend(loc="outside right upper", frameon=False)
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)
    return path


def _bounds(found: Found, workloads: Sequence[str], path: Path) -> Path:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axis = plt.subplots(figsize=(15, 5), layout="constrained")
    names = [name for name in dict.fromkeys(p for w in workloads for p in found[w]) if name != BOUND]
    series = {
        policy: [
            min(_MOST, found[w][policy].p99_ms / found[w][BOUND].p99_ms) if policy in found[w] else 0.0
            for w in workloads
        ]
        for policy in names
    }
    _bars(axis, series, list(workloads))
    axis.axhline(1.0, color="black", linewidth=0.8)
    axis.axhline(1.2, color="black", linewidth=0.8, linestyle=":")
    axis.set_ylim(0.5, _MOST)
    axis.set_yscale("log")
    axis.set_yticks([0.5, 1, 1.2, 2, 3, 5, 10], ["0.5", "1", "1.2", "2", "3", "5", "10"])
    axis.minorticks_off()
    axis.set_ylabel("p99 ÷ that of the omniscient bound")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=8, frameon=False)
    figure.savefig(path, dpi=_DPI)
    plt.close(figure)
    return path


def _bars(axis: Axes, series: Mapping[str, Sequence[float]], groups: Sequence[str]) -> None:
    width = 0.86 / len(series)
    names = list(series)
    for place, (name, values) in enumerate(series.items()):
        at = [group - 0.43 + (place + 0.5) * width for group in range(len(groups))]
        style: dict[str, Any] = {"color": _colour(name, names)}
        if name.startswith("published"):
            style = {"color": "white", "edgecolor": "black", "hatch": "//"}
        axis.bar(at, values, width, label=name, **style)
    axis.set_xticks(range(len(groups)), groups)


def _colour(name: str, names: Sequence[str]) -> str:
    if name == BOUND:
        return "black"
    alike = [each for each in names if each.startswith(OURS) == name.startswith(OURS) and each != BOUND]
    colours = _OURS if name.startswith(OURS) else _PEERS
    return colours[alike.index(name) % len(colours)]
