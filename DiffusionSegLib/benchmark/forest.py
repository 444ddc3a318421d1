"""A random forest on multi-scale intensity features, as in ilastik's pixel classification."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

from DiffusionSegLib.annotation import Annotation

SIGMAS = (0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
SMALLEST_SIGMA = 0.3
TREES = 100
VOXELS_PER_CLASS = 20_000
PREDICTION_CHUNK = 100_000


class ForestFeatures:
    """The features of the tissue of one scan.

    Args:
        images: normalised intensities (channels, I, J, K).
        tissue: which voxels are not air.
    """

    def __init__(self, images: np.ndarray, tissue: np.ndarray) -> None:
        self.tissue = tissue
        self.rows = np.full(tissue.shape, -1)
        self.rows[tissue] = np.arange(np.count_nonzero(tissue))
        features = (feature for image in images for feature in multi_scale_features(image))
        self.table = np.stack([feature[tissue] for feature in features], axis=1)


def multi_scale_features(image: np.ndarray) -> Iterator[np.ndarray]:
    """Smoothed intensity, edges and texture at each scale: 1 + 6 x 10 images of float32 in the shape of `image`."""
    yield ndimage.gaussian_filter(image, SMALLEST_SIGMA)
    for sigma in SIGMAS:
        smooth = ndimage.gaussian_filter(image, sigma)
        yield smooth
        yield ndimage.gaussian_laplace(image, sigma)
        yield ndimage.gaussian_gradient_magnitude(image, sigma)
        yield smooth - ndimage.gaussian_filter(image, 0.66 * sigma)
        gradient = np.gradient(ndimage.gaussian_filter(image, 0.5 * sigma))
        yield from _eigenvalues([[ndimage.gaussian_filter(a * b, sigma) for b in gradient] for a in gradient])
        yield from _eigenvalues([np.gradient(part) for part in np.gradient(smooth)])


def _eigenvalues(matrix: list[list[np.ndarray]]) -> Iterator[np.ndarray]:
    """Eigenvalues, largest first, of a symmetric 3 x 3 matrix of images (Smith 1961, in closed form)."""
    (a, d, e), (_, b, f), (_, _, c) = matrix
    mean = (a + b + c) / 3
    off = d * d + e * e + f * f
    spread = np.sqrt(np.maximum(((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2 + 2 * off) / 6, 1e-20))
    x, y, z = (a - mean) / spread, (b - mean) / spread, (c - mean) / spread
    u, v, w = d / spread, e / spread, f / spread
    half_determinant = (x * (y * z - w * w) - u * (u * z - w * v) + v * (u * w - y * v)) / 2
    angle = np.arccos(np.clip(half_determinant, -1, 1)) / 3
    largest = mean + 2 * spread * np.cos(angle)
    smallest = mean + 2 * spread * np.cos(angle + 2 * np.pi / 3)
    yield from (largest, 3 * mean - largest - smallest, smallest)


class Forest:
    """A random forest trained on the annotated tissue of one scan.

    Args:
        features: that scan's features.
        annotation: its annotation.
        seed: seeds trees and choice of voxels.
    """

    def __init__(self, features: ForestFeatures, annotation: Annotation, seed: int) -> None:
        known = annotation.known & features.tissue
        rows, labels = features.rows[known], annotation.labelmap[known]
        random = np.random.default_rng(seed)
        chosen = np.concatenate(
            [random.permutation(np.flatnonzero(labels == value))[:VOXELS_PER_CLASS] for value in np.unique(labels)]
        )
        self.trees = RandomForestClassifier(TREES, n_jobs=-1, random_state=seed, max_samples=None)
        self.trees.fit(features.table[rows[chosen]], labels[chosen])

    def predict(self, features: ForestFeatures) -> np.ndarray:
        """The label map (I, J, K) of a scan; air is background."""
        parts = [
            self.trees.predict(features.table[start : start + PREDICTION_CHUNK])
            for start in range(0, len(features.table), PREDICTION_CHUNK)
        ]
        labelmap = np.zeros(features.tissue.shape, np.int32)
        labelmap[features.tissue] = np.concatenate(parts)
        return labelmap
