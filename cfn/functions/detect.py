"""`vision/detect`: which shape is on a small grayscale image?

The classifier is linear on HOG features, trained by `cfn.functions.train`. It looks at several views of the
image, slightly moved and scaled, and averages what it thinks of each, which makes it surer; the number of
views is what a request costs.

Input: 1,024 bytes, the 32×32 pixels row by row, optionally followed by one byte: the number of views, 1–64.
Output: JSON, `{"label": "circle", "confidence": 0.93, "views": 12}`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cfn.function import BadInputError, function
from cfn.functions.hog import Features, hog
from cfn.functions.shapes import LABELS, SIDE

MODEL = Path(__file__).with_name("shapes.npz")
DEFAULT_VIEWS = 12
MAX_VIEWS = 64

_PIXELS = SIDE * SIDE
_STEPS = (0.7548776662, 0.5698402910, 0.6180339887)


@function("vision/detect")
def detect(payload: bytes) -> bytes:
    """Name the shape; see the module for input and output."""
    image, views = _parse(payload)
    weights, bias = _model()
    scores = np.mean([hog(view(image, number)) @ weights + bias for number in range(views)], axis=0)
    likelihood = softmax(scores)
    best = int(np.argmax(likelihood))
    answer = {"label": LABELS[best], "confidence": round(float(likelihood[best]), 4), "views": views}
    return json.dumps(answer).encode()


def encode_input(image: NDArray[np.uint8], views: int | None = None) -> bytes:
    """The payload for an image (32, 32) and a number of views."""
    return image.tobytes() + (b"" if views is None else bytes([views]))


def softmax(scores: Features) -> Features:
    """Scores as shares of 1, along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _parse(payload: bytes) -> tuple[NDArray[np.float64], int]:
    if len(payload) not in {_PIXELS, _PIXELS + 1}:
        raise BadInputError(f"{len(payload)} bytes: wanted {_PIXELS} pixels, and a byte of views if you like")
    views = payload[_PIXELS] if len(payload) > _PIXELS else DEFAULT_VIEWS
    if not 1 <= views <= MAX_VIEWS:
        raise BadInputError(f"{views} views are not in 1–{MAX_VIEWS}")
    pixels = np.frombuffer(payload, np.uint8, _PIXELS)
    return pixels.reshape(SIDE, SIDE).astype(np.float64), views


def view(image: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """The image moved by up to 1.5 pixels and scaled by up to 6 %, as the number says; 0 is as it is."""
    if number == 0:
        return image
    # Multiples of irrational numbers spread evenly over the unit interval, however many there are.
    down, across, scale = ((number * step) % 1.0 * 2.0 - 1.0 for step in _STEPS)
    middle = (SIDE - 1) / 2
    axis = (np.arange(SIDE, dtype=np.float64) - middle) * (1.0 + 0.06 * scale) + middle
    return _sampled(image, axis + 1.5 * down, axis + 1.5 * across)


def _sampled(
    image: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bilinear samples at the given rows × columns; beyond the edge the edge goes on."""
    rows, columns = np.clip(rows, 0, SIDE - 1), np.clip(columns, 0, SIDE - 1)
    top, left = np.minimum(rows.astype(int), SIDE - 2), np.minimum(columns.astype(int), SIDE - 2)
    down, across = (rows - top)[:, None], (columns - left)[None, :]
    upper = image[top][:, left] * (1 - across) + image[top][:, left + 1] * across
    lower = image[top + 1][:, left] * (1 - across) + image[top + 1][:, left + 1] * across
    return upper * (1 - down) + lower * down


@cache
def _model() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with np.load(MODEL) as stored:
        return stored["weights"].astype(np.float64), stored["bias"].astype(np.float64)
