"""By how much sooner a rival must answer (`lead`): `python -m bench.leads`.

The benchmark of the fast loop with leads as contenders. A small one herds: while all sites are equal,
requests run after numbers that differ by chance. A large one leaves a slow site later.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import command, results
from bench.fastloop import figures, run, summarise, table

LAB = Path(__file__).parent / "labs" / "leads.yaml"
FUNCTIONS = {f"lead {lead}": f"pace/lead{lead}" for lead in (16, 48, 96)} | {"one choice": "pace/one"}


def main(rounds: Annotated[int, typer.Option(min=1, help="Turns of each lead.")] = 7) -> None:
    """Measure leads beside each other, and write bench/out/leads.json."""
    console = Console()
    turns = run("embedded", rounds, lambda text: console.print(f"· {text}", highlight=False), LAB, FUNCTIONS)
    summary = summarise({name: [figures(turn) for turn in mine] for name, mine in turns.items()})
    console.print(table(summary))
    console.print(f"written to {results.write('leads', {'medians': summary})}")


if __name__ == "__main__":
    command.run(main)
