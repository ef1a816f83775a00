"""CATS level 2: in proportion to `norm_fi`, the one number that a site may tell (0–10, 10 best).

For sites of which nothing else is known. One that tells none is taken for one like the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from control.policy.candidate import Candidate
from control.policy.shares import normalised


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    told = [c.norm_fi for c in candidates if c.norm_fi is not None]
    mean = fmean(told) if told else 1.0
    return normalised([mean if c.norm_fi is None else float(c.norm_fi) for c in candidates])
