"""Synthetic grayscale images of shapes: what the model of `vision/detect` is trained on and tested with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Pixels in a row and in a column."""
LABELS = ("circle", "square", "triangle", "cross", "ring", "bar")

Image = NDArray[np.uint8]


def draw(label: str, rng: np.random.Generator, noise: float = 20.0) -> Image:
    """One image, 32×32: the shape at a random place, in a random size, angle and contrast.

    Args:
        label: one of `LABELS`.
        rng: where all the randomness comes from.
        noise: standard deviation of the pixel noise, in grey levels.

    Raises:
        ValueError: no such label.
    """
    size = rng.uniform(7.0, 11.0)
    centre = SIDE / 2 + rng.uniform(-3.0, 3.0, size=2)
    angle = rng.uniform(-np.pi / 9, np.pi / 9)
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5 - centre[:, None, None]
    u = (np.cos(angle) * x + np.sin(angle) * y) / size
    v = (np.cos(angle) * y - np.sin(angle) * x) / size
    # A signed distance in pixels gives edges that are smooth over one pixel.
    inside = np.clip(0.5 - _distance(label, u, v) * size, 0.0, 1.0)
    dark, light = rng.uniform(20, 90), rng.uniform(160, 235)
    ground, figure = (dark, light) if rng.random() < 0.5 else (light, dark)
    image = ground + (figure - ground) * inside + rng.normal(0.0, noise, (SIDE, SIDE))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def dataset(per_label: int, seed: int, noise: float = 20.0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`per_label` images of each shape: images (n, 32, 32) and indices into `LABELS` (n)."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(LABELS)), per_label)
    return np.stack([draw(LABELS[label], rng, noise) for label in labels]), labels


def _distance(label: str, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance to the shape's outline, negative inside, for a shape of about unit radius."""
    match label:
        case "circle":
            return np.hypot(u, v) - 1.0
        case "square":
            return np.maximum(np.abs(u), np.abs(v)) - 0.85
        case "triangle":
            return np.maximum(v - 0.6, np.abs(u) * np.sqrt(3) / 2 - v / 2 - 0.5)
        case "cross":
            bars = (np.maximum(np.abs(a) - 1.0, np.abs(b) - 0.3) for a, b in ((u, v), (v, u)))
            return np.minimum(*bars)
        case "ring":
            return np.abs(np.hypot(u, v) - 0.8) - 0.22
        case "bar":
            return np.maximum(np.abs(u) - 1.1, np.abs(v) - 0.35)
        case _:
            raise ValueError(f"{label!r} is none of {', '.join(LABELS)}")
