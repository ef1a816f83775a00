"""What the trial's draft does not tell, fitted to what it tells of `random`: `python -m bench.steering.fit`.

The rows for CFN are left out, so that the fit knows nothing of what is to be compared.
"""

from __future__ import annotations

import math
from statistics import fmean
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import command
from bench.steering.policies import run
from bench.steering.trial import CLIENTS, PUBLISHED, STATED, Row, Sites, trial

KINDS = ("none", "background")
CORES_AND_WORKERS = (
    *((STATED.cores, workers) for workers in (1, 2, 4, 8)),
    (2.0, 4),
    (2.0, 8),
    (3.0, 12),
    (4.0, 16),
)
THREADS_A_CORE = (1.5, 3.0, 5.0, 6.5, 8.0)


def main(
    duration_s: Annotated[float, typer.Option(help="Of each run.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 1,
) -> None:
    """Print the errors of each guess: sums of squared logarithms of simulated ÷ published."""
    console = Console()
    table = Table("cores", "workers", "threads", *KINDS, "both")
    errors: dict[Sites, float] = {}
    guesses = [
        Sites(cores, workers, threads * cores)
        for cores, workers in CORES_AND_WORKERS
        for threads in THREADS_A_CORE
    ]
    for guess in track(guesses, console=console):
        each = [sum(_error(kind, n, guess, duration_s, seed) for n in CLIENTS) for kind in KINDS]
        errors[guess] = sum(each)
        cells = (f"{guess.cores:.2f}", str(guess.workers), f"{guess.threads:.1f}")
        table.add_row(*cells, *(f"{error:.3f}" for error in (*each, errors[guess])))
    console.print(table)
    best = min(errors, key=errors.__getitem__)
    console.print(f"least: {best.cores:g} cores, {best.workers} workers, {best.threads:g} threads")


def _error(kind: str, clients: int, guess: Sites, duration_s: float, seed: int) -> float:
    tally = run(trial(kind, clients, guess, duration_s=duration_s), "random", seed)
    row = Row(1000 * fmean(tally.times_s), len(tally.times_s) / tally.span_s)
    published = PUBLISHED[kind][clients]["random"]
    return math.fsum(math.log(one / other) ** 2 for one, other in zip(row, published, strict=True))


if __name__ == "__main__":
    command.run(main)
