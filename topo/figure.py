"""The picture of a run: shares, weights and response times over time, with the overload marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from numpy.typing import NDArray

from topo.records import Outcome, Record
from topo.summary import Run

mpl.use("Agg")

_BIN_S = 1.0
_COLOURS = ("#2a78b8", "#e08a1e", "#4a9d6b", "#8a63a8", "#b04a4a", "#6b6b6b")
_LOAD_COLOUR = "#c0392b"
_P50_COLOUR, _P99_COLOUR = "#34495e", "#c0392b"
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "axes.edgecolor": "#999999",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
}


def draw(run: Run, figures: dict[str, Any], path: Path) -> None:
    """Draw a run and its figures (`topo.summary.summarise`) as a PNG."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10, 8.2), layout="constrained")
        axes: Sequence[Axes] = figure.subplots(3, 1, sharex=True, height_ratios=(1.2, 1, 1.2))
        figure.suptitle(_headline(run, figures), x=0.01, ha="left", fontsize=12)
        _draw_shares(axes[0], run)
        _draw_weights(axes[1], run)
        _draw_times(axes[2], run)
        _mark_phases(axes, run)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)


def _headline(run: Run, figures: dict[str, Any]) -> str:
    moved = figures["moved_ms"]
    moved_text = f"share halved {moved:.0f} ms after the advert" if moved is not None else "share not halved"
    return (
        f"Site “{run.loaded}” is overloaded: {moved_text}\n"
        f"{figures['requests']:,} requests, {figures['lost']} lost, {figures['nacks']} refused · "
        f"{figures['sessions']:,} sessions, {figures['torn_sessions']} torn"
    )


def _draw_shares(axes: Axes, run: Run) -> None:
    edges, start = _edges(run)
    placed = [r for r in run.records if r.site is not None and not r.bound]
    counts = np.array(
        [
            np.histogram([r.sent_s - start for r in placed if r.site == number], edges)[0]
            for number in run.sites
        ]
    )
    totals = counts.sum(axis=0)
    fractions = np.divide(counts, totals, where=totals > 0, out=np.zeros(counts.shape)) * 100
    colours = _COLOURS[: len(run.sites)]
    axes.stackplot(_middles(edges), fractions, colors=colours, labels=run.sites.values(), alpha=0.9)
    axes.set_ylim(0, 100)
    axes.set_ylabel("% of new requests")
    axes.set_title("Where the network sent requests without a cookie")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _draw_weights(axes: Axes, run: Run) -> None:
    _, start = _edges(run)
    for colour, name in zip(_COLOURS, run.sites.values(), strict=False):
        mine = [sample for sample in run.samples if sample.site == name]
        times = [sample.time_s - start for sample in mine]
        weights = [sample.weight * 100 for sample in mine]
        axes.step(times, weights, where="post", color=colour, linewidth=1.8, label=name)
        if name == run.loaded:
            loads = [sample.load * 100 for sample in mine]
            axes.plot(times, loads, color=colour, linewidth=1, linestyle=":", label=f"load of {name}")
    axes.set_ylim(0, 105)
    axes.set_ylabel("%")
    axes.set_title("Weights that the controller wrote")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _draw_times(axes: Axes, run: Run) -> None:
    edges, start = _edges(run)
    answered = [r for r in run.records if r.outcome is Outcome.OK]
    for percent, colour in ((99, _P99_COLOUR), (50, _P50_COLOUR)):
        values = _percentiles(answered, edges, start, percent)
        axes.plot(_middles(edges), values, color=colour, linewidth=1.8, label=f"p{percent}")
    axes.set_yscale("log")
    axes.margins(y=0.15)
    axes.set_ylabel("ms")
    axes.set_xlabel("seconds")
    axes.set_title("Response times of all requests, sessions included")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _mark_phases(axes: Sequence[Axes], run: Run) -> None:
    _, start = _edges(run)
    overload = run.phases[1]
    for each in axes:
        each.axvspan(
            overload.start_s - start, overload.end_s - start, color=_LOAD_COLOUR, alpha=0.08, linewidth=0
        )
        for time_s in (overload.start_s, overload.end_s):
            each.axvline(time_s - start, color=_LOAD_COLOUR, linewidth=1, alpha=0.6)
    axes[-1].annotate(
        f"{run.loaded} overloaded",
        xy=((overload.start_s + overload.end_s) / 2 - start, 0.99),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="top",
        color=_LOAD_COLOUR,
    )
    axes[-1].set_xlim(0, run.phases[-1].end_s - start)


def _edges(run: Run) -> tuple[NDArray[np.float64], float]:
    start, end = run.phases[0].start_s, run.phases[-1].end_s
    return np.arange(0.0, max(end - start, _BIN_S) + _BIN_S / 2, _BIN_S), start


def _middles(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return (edges[:-1] + edges[1:]) / 2


def _percentiles(
    records: Sequence[Record], edges: NDArray[np.float64], start: float, percent: float
) -> NDArray[np.float64]:
    bins = np.digitize([record.sent_s - start for record in records], edges) - 1
    times = np.array([record.latency_ms for record in records], dtype=np.float64)
    return np.array(
        [
            np.percentile(times[bins == number], percent) if (bins == number).any() else np.nan
            for number in range(len(edges) - 1)
        ]
    )
