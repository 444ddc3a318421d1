"""A brain, and the same brain in a head."""

import numpy as np
from scipy import ndimage

SPACING_MM = 4.0
SHAPE = (56, 64, 64)
VENTRICLES, STEM, HINDBRAIN, WHITE, GREY = range(1, 6)
BRIGHTNESS = np.array([0, 0.15, 0.8, 0.6, 0.8, 0.5])


def structures(nod_degrees: float = 0.0) -> np.ndarray:
    """The parts of a brain that nods, (I, J, K) in RAS order."""
    places = np.stack(np.meshgrid(*(np.arange(size) - size / 2 for size in SHAPE), indexing="ij"))
    angle = np.deg2rad(nod_degrees)
    right, up = places[0], np.sin(angle) * places[1] + np.cos(angle) * places[2] - 6
    front = np.cos(angle) * places[1] - np.sin(angle) * places[2]
    radius = np.sqrt((right / 17) ** 2 + (front / 21) ** 2 + (up / 16) ** 2)
    halves = (radius < 1) & (up > -9)
    hindbrain = (right / 10) ** 2 + ((front + 12) / 7) ** 2 + ((up + 12) / 6) ** 2 < 1
    stem = (right / 3) ** 2 + ((front + 6) / 3) ** 2 < 1
    stem &= (up < -8) & (up > -19)
    ventricles = ((abs(right) - 3) / 2) ** 2 + (front / 10) ** 2 + ((up - 1) / 3) ** 2 < 1
    parts = [ventricles, stem, hindbrain, halves & (radius < 0.75), halves]
    return np.select(parts, [VENTRICLES, STEM, HINDBRAIN, WHITE, GREY])


def brain(nod_degrees: float = 0.0) -> np.ndarray:
    """That brain as an image of intensities from 0 to 1."""
    parts = structures(nod_degrees)
    return (ndimage.gaussian_filter(BRIGHTNESS[parts], 0.5) * (parts > 0)).astype(np.float32)


def head(nod_degrees: float = 0.0) -> np.ndarray:
    """That brain within dark fluid and bone and bright skin, with a face and a neck of speckled brightness."""
    inside = brain(nod_degrees)
    away = SPACING_MM * ndimage.distance_transform_edt(inside == 0)
    speckles = 0.5 + 0.2 * ndimage.zoom(np.random.default_rng(0).standard_normal((14, 16, 16)), 4, order=1)
    below = np.zeros(SHAPE, bool)
    below[16:40, 24:, :24] = below[18:38, 10:36, :20] = True
    made = np.select([inside > 0, away < 9, away < 18, below], [inside, 0.04, 0.8, speckles.clip(0.1, 1)])
    around = ndimage.gaussian_filter(made, 0.5) * (made > 0)
    return np.where(inside > 0, inside, around).astype(np.float32)
