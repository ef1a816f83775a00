"""Inputs to ask the shipped functions with: the same ones on every machine."""

from __future__ import annotations

import json
from functools import cache

from cfn.functions.detect import encode_input
from cfn.functions.shapes import dataset

_IMAGES_PER_LABEL = 4
_FRAMES = 24


@cache
def inputs(function: str) -> tuple[bytes, ...]:
    """Return payloads for a function; one empty payload for a function that isn't of this package."""
    make = {"vision/detect": _images, "video/render": _views}.get(function)
    return make() if make else (b"",)


def _images() -> tuple[bytes, ...]:
    images, _ = dataset(_IMAGES_PER_LABEL, seed=2)
    return tuple(encode_input(image) for image in images)


def _views() -> tuple[bytes, ...]:
    """Return a viewer's turn of the head, a view each time the picture changes."""
    return tuple(
        json.dumps({"yaw": 360 * n // _FRAMES - 180, "pitch": 10 if n % 2 else -10, "frame": 30 * n}).encode()
        for n in range(_FRAMES)
    )
