"""Features of voxels from the slices of three orthogonal views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.progress import Progress, silent

GATHER_CHUNK = 16_384
STATISTICS_VOXELS = 20_000
# A margin of air around the tissue keeps the images' edges away from it.
CROP_MARGIN = 8


@dataclass(frozen=True, eq=False)
class OrthogonalFeatures:
    """What is known of every voxel of a scan, without a full-size feature volume.

    A voxel's features are, in this order: the activations of the views, fused, then intensities and coordinates.

    Args:
        config: which features these are.
        origin: where the crop around the tissue begins on the model's grid.
        tissue: which voxels of the crop are not air, bool of shape (I, J, K).
        views: the views' activations over the crop.
        local: intensities and coordinates, float32 of shape (number, I, J, K).
        mean: mean of each feature over the tissue.
        spread: standard deviation of each feature over the tissue.
    """

    config: FeatureConfig
    origin: tuple[int, int, int]
    tissue: np.ndarray
    views: tuple[ViewActivations, ...]
    local: Tensor
    mean: Tensor
    spread: Tensor

    @classmethod
    def extract(
        cls,
        volume: np.ndarray,
        tissue: np.ndarray,
        extractor: ActivationExtractor,
        spacing_mm: float,
        progress: Progress = silent,
    ) -> OrthogonalFeatures:
        """Features of a normalised volume (channels, I, J, K) whose `tissue` (I, J, K) is not air."""
        low, high = tissue_box(tissue)
        box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
        crop, inside = volume[(slice(None), *box)], tissue[box]
        views = tuple(extractor.extract(crop, progress))
        local = local_features(crop, inside, extractor.config, spacing_mm)
        raw = cls(extractor.config, low, inside, views, local, torch.zeros(1), torch.ones(1))
        points = np.argwhere(inside)
        chosen = np.random.default_rng(0).permutation(len(points))[:STATISTICS_VOXELS]
        spread, mean = torch.std_mean(raw.at(torch.from_numpy(points[chosen])), dim=0)
        return cls(extractor.config, low, inside, views, local, mean, spread.clamp(min=1e-4))

    @property
    def view_channels(self) -> int:
        """Features that come from the views."""
        channels = self.views[0].channels
        return channels * len(self.views) if self.config.fusion == "concat" else channels

    def at(self, points: Tensor) -> Tensor:
        """Features (N, features) at voxels `points` (N, 3) of the crop, standardised by this scan's own tissue.

        Each scan is standardised by itself, so that a segmenter meets other people's features at the scale it learnt.
        """
        found = torch.cat([self._at(part) for part in points.split(GATHER_CHUNK)])
        return (found - self.mean) / self.spread

    def _at(self, points: Tensor) -> Tensor:
        parts = [view.at(points) for view in self.views]
        if self.config.fusion == "sum":
            fused = torch.stack(parts).sum(0)
        elif self.config.fusion == "max":
            fused = torch.stack(parts).amax(0)
        else:
            fused = torch.cat(parts, dim=1)
        beside = self.local[:, points[:, 0], points[:, 1], points[:, 2]].T
        return torch.cat([fused, beside], dim=1)


def tissue_box(tissue: np.ndarray) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """First and one-past-last corner of the tissue with its margin, within the grid."""
    found = np.argwhere(tissue)
    low = np.maximum(found.min(0) - CROP_MARGIN, 0)
    high = np.minimum(found.max(0) + 1 + CROP_MARGIN, tissue.shape)
    return (int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2]))


def local_features(volume: np.ndarray, tissue: np.ndarray, config: FeatureConfig, spacing_mm: float) -> Tensor:
    """Smoothed intensities of each channel, then the position in the tissue's bounding box from -1 to 1."""
    parts = []
    for channel in volume:
        image = sitk.GetImageFromArray(np.ascontiguousarray(channel, dtype=np.float32))
        for sigma in config.intensity_sigmas_mm:
            smooth = sitk.SmoothingRecursiveGaussian(image, sigma / spacing_mm) if sigma else image
            parts.append(sitk.GetArrayFromImage(smooth))
    if config.coordinates:
        found = np.argwhere(tissue)
        low, high = found.min(0), found.max(0)
        for axis, size in enumerate(tissue.shape):
            place = 2 * (np.arange(size) - low[axis]) / max(high[axis] - low[axis], 1) - 1
            shape = [size if other == axis else 1 for other in range(3)]
            parts.append(np.broadcast_to(place.reshape(shape).astype(np.float32), tissue.shape))
    return torch.from_numpy(np.stack(parts) if parts else np.zeros((0, *tissue.shape), np.float32))
