"""Histograms of oriented gradients (Dalal and Triggs, CVPR 2005), for small images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CELL = 4
"""Pixels in the side of a cell."""
BINS = 9
"""Unsigned orientations from 0° to 180°."""
_BLOCK = 2
_CLIP = 0.2

Features = NDArray[np.float64]


def hog(image: NDArray[np.float64]) -> Features:
    """Features of an image whose sides are multiples of `CELL`.

    Each cell has a histogram of gradient directions, weighted by strength and shared between the two nearest
    bins; blocks of 2×2 cells are normalised with clipping (L2-Hys).

    Returns:
        (blocks down × blocks across × 4 × 9) numbers in one row.
    """
    dy, dx = np.gradient(image)
    strength = np.hypot(dx, dy)
    position = (np.arctan2(dy, dx) % np.pi) * (BINS / np.pi) - 0.5
    low = np.floor(position).astype(np.int64)
    share = position - low

    rows, columns = image.shape[0] // CELL, image.shape[1] // CELL
    cell = (np.arange(image.shape[0]) // CELL)[:, None] * columns + np.arange(image.shape[1]) // CELL
    histogram = np.zeros(rows * columns * BINS)
    for offset, weight in ((0, 1.0 - share), (1, share)):
        index = cell * BINS + (low + offset) % BINS
        histogram += np.bincount(index.ravel(), (strength * weight).ravel(), minlength=histogram.size)
    cells = histogram.reshape(rows, columns, BINS)

    blocks = np.concatenate(
        [
            cells[down : rows - _BLOCK + 1 + down, across : columns - _BLOCK + 1 + across]
            for down in range(_BLOCK)
            for across in range(_BLOCK)
        ],
        axis=2,
    )
    clipped = np.minimum(_normalised(blocks), _CLIP)
    return _normalised(clipped).ravel()


def _normalised(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    return blocks / np.sqrt((blocks**2).sum(axis=2, keepdims=True) + 1e-6)
