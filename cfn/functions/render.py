"""`video/render`: the viewport of a 360° video, rendered where the request lands.

The client says which way it looks; the function projects that part of a procedural panorama (sky, sun,
clouds, hills, chequered ground) onto a 32×32 tile. A pixel is the average of several rays; their number is
what a request costs.

Input: JSON, every field optional:
`{"yaw": 30, "pitch": 0, "fov": 90, "frame": 0, "samples": 16}`, angles in degrees.
Output: 1,024 bytes, one per pixel row by row: red (3 bits), green (3), blue (2).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cfn.function import BadInputError, function

SIDE = 32
"""Pixels in a row and in a column of the tile."""
MAX_SAMPLES = 64
_LEVELS = np.array([7, 7, 3])
_SUN = np.array([0.48, 0.36, 0.8])

Channel = NDArray[np.float64]


class View(BaseModel):
    """Which way the viewer looks, and when.

    Attributes:
        yaw: degrees to the right of straight ahead.
        pitch: degrees up.
        fov: horizontal field of view in degrees.
        frame: number of the frame, at 30 a second; the clouds drift with it.
        samples: rays per pixel.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    yaw: Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)] = 0.0
    pitch: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] = 0.0
    fov: Annotated[float, Field(ge=10, le=150, allow_inf_nan=False)] = 90.0
    frame: Annotated[int, Field(ge=0, lt=2**31)] = 0
    samples: Annotated[int, Field(ge=1, le=MAX_SAMPLES)] = 12


@function("video/render")
def render(payload: bytes) -> bytes:
    """Render one tile; see the module for input and output."""
    try:
        view = View.model_validate_json(payload or b"{}")
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInputError(f"{'.'.join(map(str, first['loc'])) or 'view'}: {first['msg']}") from None
    colours = _panorama(_rays(view), view.frame / 30.0).reshape(view.samples, SIDE * SIDE, 3).mean(axis=0)
    red, green, blue = np.rint(np.clip(colours, 0.0, 1.0) * _LEVELS).astype(np.uint8).T
    return (red << 5 | green << 2 | blue).tobytes()


def to_rgb(tile: bytes) -> NDArray[np.uint8]:
    """The tile as an image (32, 32, 3) with 0–255 per channel, to show it."""
    packed = np.frombuffer(tile, np.uint8).reshape(SIDE, SIDE)
    channels = np.stack([packed >> 5, packed >> 2 & 7, packed & 3], axis=2)
    return (channels * (255.0 / _LEVELS)).astype(np.uint8)


def _rays(view: View) -> NDArray[np.float64]:
    """Unit vectors (samples × pixels, 3): x to the right, y up, z straight ahead."""
    number = np.arange(view.samples)[:, None, None]
    # An even spread of the samples within the pixel, the same in every frame so that nothing flickers.
    column = np.arange(SIDE)[None, None, :] + (0.5 + number * 0.7548776662) % 1.0
    row = np.arange(SIDE)[None, :, None] + (0.5 + number * 0.5698402910) % 1.0
    reach = np.tan(np.radians(view.fov) / 2)
    x = np.broadcast_to((column / SIDE * 2 - 1) * reach, (view.samples, SIDE, SIDE)).ravel()
    y = np.broadcast_to((1 - row / SIDE * 2) * reach, (view.samples, SIDE, SIDE)).ravel()
    yaw, pitch = np.radians(view.yaw), np.radians(view.pitch)
    up = y * np.cos(pitch) + np.sin(pitch)
    ahead = np.cos(pitch) - y * np.sin(pitch)
    rays = np.stack(
        [x * np.cos(yaw) + ahead * np.sin(yaw), up, ahead * np.cos(yaw) - x * np.sin(yaw)], axis=1
    )
    return rays / np.sqrt((rays**2).sum(axis=1, keepdims=True))


def _panorama(rays: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """Colours (n, 3), 0–1, in the given directions."""
    height = rays[:, 1]
    around = np.arctan2(rays[:, 0], rays[:, 2])
    horizon = 0.12 * np.sin(3 * around + 1.0) * np.cos(2 * around) + 0.05 * np.sin(11 * around)
    colours = np.where((height < horizon)[:, None], _hills(around, horizon - height), _sky(rays, seconds))
    below = height < -0.02
    colours[below] = _ground(rays[below])
    return colours


def _sky(rays: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    height = np.clip(rays[:, 1], 0.0, 1.0)[:, None]
    blue = (1 - height) * np.array([0.75, 0.85, 0.95]) + height * np.array([0.15, 0.35, 0.8])
    clouds = _clouds(rays, seconds)[:, None]
    sun = np.clip(rays @ (_SUN / np.linalg.norm(_SUN)), 0.0, 1.0)[:, None]
    return blue * (1 - clouds) + clouds + sun**64 * np.array([1.0, 0.85, 0.5])


def _clouds(rays: NDArray[np.float64], seconds: float) -> Channel:
    """Cover 0–1: waves of doubling frequency, drifting, on a plane above the viewer."""
    plane = 1.0 / np.maximum(rays[:, 1], 0.05)
    x, z = rays[:, 0] * plane + 0.2 * seconds, rays[:, 2] * plane
    cover = np.zeros(len(rays))
    for octave in range(4):
        scale = 2.0**octave
        cover += np.sin(scale * x + 1.7 * octave) * np.cos(scale * z - 2.3 * octave) / scale
    return np.clip(cover, 0.0, 1.0) * np.clip(rays[:, 1] * 4, 0.0, 1.0)


def _hills(around: Channel, depth: Channel) -> NDArray[np.float64]:
    shade = 0.75 + 0.25 * np.sin(40 * around + 60 * depth)
    return shade[:, None] * np.array([0.25, 0.5, 0.22])


def _ground(rays: NDArray[np.float64]) -> NDArray[np.float64]:
    distance = -1.0 / rays[:, 1]
    x, z = rays[:, 0] * distance, rays[:, 2] * distance
    light = (np.floor(x) + np.floor(z)) % 2
    haze = np.clip(distance / 40, 0.0, 1.0)
    grey = (0.35 + 0.3 * light) * (1 - haze) + 0.6 * haze
    return grey[:, None] * np.array([1.0, 0.95, 0.85])
