"""What the trial's draft does not tell, fitted to what it tells of `random`: `python -m bench.steering.fit`.

Only the rows with background load: no number of workers makes queues as short without it as figure 4 has them
at the utilisation that section 4.1 gives. The rows for CFN are left out, so that the fit knows nothing of
what is to be compared.
"""

from __future__ import annotations

import math
from statistics import fmean

from rich.console import Console
from rich.table import Table

from bench import command
from bench.steering.policies import run
from bench.steering.trial import CLIENTS, GUESS, PUBLISHED, Guess, Row, trial

WORKERS = (1, 2, 3, 4, 8)
THREADS = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0)


def main(duration_s: float = 60.0, seed: int = 1) -> None:
    """Print the error of each guess: the sum of squared logarithms of simulated ÷ published."""
    console = Console()
    errors: dict[Guess, float] = {}
    table = Table("workers", "threads", *(f"{clients} clients" for clients in CLIENTS), "error")
    for workers in WORKERS:
        for threads in THREADS:
            guess = GUESS._replace(workers=workers, threads=threads)
            rows = {clients: _random(clients, guess, duration_s, seed) for clients in CLIENTS}
            errors[guess] = sum(_error(row, PUBLISHED["background"][n]["random"]) for n, row in rows.items())
            shown = (f"{row.delay_ms:.2f} ms, {row.qps:.0f}/s" for row in rows.values())
            table.add_row(str(workers), str(threads), *shown, f"{errors[guess]:.3f}")
    console.print(table)
    best = min(errors, key=errors.__getitem__)
    console.print(f"least: {best.workers} workers, {best.threads} threads")


def _random(clients: int, guess: Guess, duration_s: float, seed: int) -> Row:
    tally = run(trial("background", clients, guess, duration_s=duration_s), "random", seed)
    return Row(1000 * fmean(tally.times_s), len(tally.times_s) / tally.span_s)


def _error(row: Row, published: Row) -> float:
    return math.fsum(math.log(one / other) ** 2 for one, other in zip(row, published, strict=True))


if __name__ == "__main__":
    command.run(main)
