"""Keys to fill large tables with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SEED = 1


def random_keys(count: int) -> NDArray[np.uint64]:
    """Return `count` different keys of 64 bits in random order, the same each time."""
    draw = np.random.default_rng(_SEED)
    # A million keys of 64 bits repeat one with a probability of 3e-8; those drawn too many make up for it.
    keys = np.unique(draw.integers(1 << 64, size=count + count // 64 + 1, dtype=np.uint64))
    return draw.permutation(keys)[:count]
