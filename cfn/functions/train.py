"""Train the classifier of `vision/detect`: `python -m cfn.functions.train`.

Multinomial logistic regression on HOG features of synthetic shapes, each seen in several views, by full-batch
gradient descent with momentum. The seed is fixed, so the same numpy gives the same weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cfn.functions.detect import MODEL, softmax, view
from cfn.functions.hog import Features, hog
from cfn.functions.shapes import LABELS, dataset

PER_LABEL = 300
SEED = 1
HELD_OUT_SEED = 2
_VIEWS = 4
_STEPS = 400
_RATE = 0.5
_MOMENTUM = 0.9
_DECAY = 1e-4


def train(
    images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (features, labels) and bias (labels) for images (n, 32, 32)."""
    features = np.stack([_features(image, number) for number in range(_VIEWS) for image in images])
    wanted = np.eye(len(LABELS))[np.tile(labels, _VIEWS)]
    weights = np.zeros((features.shape[1], len(LABELS)))
    bias = np.zeros(len(LABELS))
    weights_speed, bias_speed = np.zeros_like(weights), np.zeros_like(bias)
    for _ in range(_STEPS):
        error = softmax(features @ weights + bias) - wanted
        weights_speed = _MOMENTUM * weights_speed - _RATE * (
            features.T @ error / len(features) + _DECAY * weights
        )
        bias_speed = _MOMENTUM * bias_speed - _RATE * error.mean(axis=0)
        weights, bias = weights + weights_speed, bias + bias_speed
    return weights, bias


def accuracy(
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
) -> float:
    """Share of the images that get their right label from one view."""
    features = np.stack([_features(image, 0) for image in images])
    return float(((features @ weights + bias).argmax(axis=1) == labels).mean())


def _features(image: NDArray[np.uint8], number: int) -> Features:
    return hog(view(image.astype(np.float64), number))


def main() -> None:
    """Train, tell the accuracy on held-out images, and store the weights."""
    weights, bias = train(*dataset(PER_LABEL, SEED))
    print(f"accuracy on held-out images: {accuracy(weights, bias, *dataset(200, HELD_OUT_SEED)):.3f}")
    np.savez_compressed(MODEL, weights=weights.astype(np.float16), bias=bias.astype(np.float16))
    print(f"{MODEL}: {MODEL.stat().st_size} bytes")


if __name__ == "__main__":
    main()
