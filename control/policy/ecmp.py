"""Equal cost multipath: equal parts to the sites of least routing metric, whatever they run; a baseline.

It is what anycast by an IGP does. Metrics there are whole numbers (RFC 2328 §A.4.2 has 16 bits for a link's);
here they are delays rounded up to whole ms. A site's part goes to its instances in equal parts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from control.policy.candidate import Candidate
from control.policy.shares import normalised


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """Share of each candidate, in their order."""
    metrics = [math.ceil(c.delay_ms) for c in candidates]
    least = min(metrics, default=0)
    best = [metric == least for metric in metrics]
    instances = Counter(c.key.site for c, is_best in zip(candidates, best, strict=True) if is_best)
    return normalised(
        [1 / instances[c.key.site] if is_best else 0.0 for c, is_best in zip(candidates, best, strict=True)]
    )
