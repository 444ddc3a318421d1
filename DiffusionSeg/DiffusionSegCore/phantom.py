"""A scan that is computed, for trying things out without anybody's data."""

from __future__ import annotations

import numpy as np

from DiffusionSegLib.labels import Label

BODY, LEFT, RIGHT = (
    Label(1, "Body", (128, 174, 128)),
    Label(2, "Left ball", (216, 101, 79)),
    Label(3, "Right ball", (111, 184, 210)),
)
LABELS = (BODY, LEFT, RIGHT)
# Brightness of each label, and how much its voxels differ.
BRIGHTNESS, NOISE = {BODY.value: 700.0, LEFT.value: 180.0, RIGHT.value: 330.0}, 15.0


def phantom(shape: tuple[int, int, int], shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """An ellipsoid in air with two darker balls in it, which almost fills the volume.

    Args:
        shape: voxels along I, J, K.
        shift: moves the balls, in halves of the volume: another patient.

    Returns:
        the image, float32 (I, J, K), and the values of `LABELS` at its voxels, uint16 of the same shape.
    """
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"), -1)
    labels = np.zeros(shape, np.uint16)
    labels[np.linalg.norm(places, axis=-1) < 0.9] = BODY.value
    labels[np.linalg.norm(places - [0.3 + shift, 0.2, 0.0], axis=-1) < 0.35] = LEFT.value
    labels[np.linalg.norm(places - [-0.35, -0.2 + shift, 0.1], axis=-1) < 0.3] = RIGHT.value
    # Always the same noise, so that results can be compared.
    noise = np.random.default_rng(0).normal(0.0, NOISE, shape)
    image = np.zeros(shape)
    for value, brightness in BRIGHTNESS.items():
        image[labels == value] = (brightness + noise)[labels == value]
    return image.astype(np.float32), labels
