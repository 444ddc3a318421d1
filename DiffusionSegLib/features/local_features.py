"""Features of a voxel that need no denoiser: intensities around it, and where in the body it lies."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.recursive_gaussians import RecursiveGaussians
from DiffusionSegLib.template import UNIT_MM

# Positions in the template as multiples of this: a head then spans about -5 to 5, where intensities span -2 to 2.
POSITION_STEP_MM = 15.0


def local_images(
    volume: np.ndarray, tissue: np.ndarray, positions: np.ndarray | None, config: FeatureConfig, spacing_mm: float
) -> Tensor:
    """What is kept of each voxel, (number, I, J, K): intensities, edges, then three positions if any.

    In half precision, as activations are: positions are rounded by at most 0.025 mm within a head.

    Args:
        volume: the normalised scan (channels, I, J, K).
        tissue: which voxels are not air.
        positions: in the template (3, I, J, K) in units of 100 mm, where the configuration wants them.
        config: which features to take.
        spacing_mm: edge of the voxels.
    """
    parts = [_filtered(channel, config, spacing_mm) for channel in volume]
    if config.coordinates == "box":
        parts.append(_box_positions(tissue))
    elif config.coordinates == "template":
        assert positions is not None
        parts.append(iter(torch.from_numpy(positions)))
    # Each is rounded as it comes, so that no more than one of them is there in full.
    kept = [image.half() for part in parts for image in part]
    return torch.stack(kept) if kept else torch.zeros(0, *tissue.shape, dtype=torch.float16)


def local_features(images: Tensor, config: FeatureConfig) -> Tensor:
    """Features, float32 (N, number), from what was kept of N voxels (kept, N)."""
    images = images.float()
    if config.coordinates != "template":
        return images.T
    positions_mm = images[-3:].T * UNIT_MM
    waves = [positions_mm * (2 * math.pi / length) for length in config.position_wavelengths_mm]
    encoded = [part for wave in waves for part in (wave.sin(), wave.cos())]
    return torch.cat([images[:-3].T, positions_mm / POSITION_STEP_MM, *encoded], dim=1)


def unfiltered(images: Tensor, config: FeatureConfig) -> Tensor:
    """The scan's own intensities (channels, I, J, K) among what was kept; no channel where they are no features."""
    if 0.0 not in config.intensity_sigmas_mm:
        return images[:0]
    positions = 0 if config.coordinates == "none" else 3
    of_channel = len(config.intensity_sigmas_mm) + 2 * len(config.edge_sigmas_mm)
    return images[config.intensity_sigmas_mm.index(0.0) : len(images) - positions : of_channel]


def absolute_features(config: FeatureConfig) -> int:
    """How many of the features, the last ones, mean the same in every scan: they are not standardised."""
    return 3 + 6 * len(config.position_wavelengths_mm) if config.coordinates == "template" else 0


def signs_in_a_mirror(features: int, config: FeatureConfig) -> Tensor:
    """1 for each of a voxel's features that stays the same where left and right are exchanged, -1 for the others.

    These change their sign: the position to the right of the template's middle, and its sines.
    """
    signs = torch.ones(features)
    absolute = absolute_features(config)
    if absolute:
        # Three positions, then for each wavelength three sines and three cosines, the position to the right first.
        signs[-absolute] = -1
        signs[features - absolute + 3 :: 6] = -1
    return signs


def _filtered(channel: np.ndarray, config: FeatureConfig, spacing_mm: float) -> Iterator[Tensor]:
    image = torch.from_numpy(np.ascontiguousarray(channel, dtype=np.float32))
    for sigma in config.intensity_sigmas_mm:
        yield RecursiveGaussians(channel.shape, sigma / spacing_mm).smoothed(image) if sigma else image
    for sigma in config.edge_sigmas_mm:
        gaussians = RecursiveGaussians(channel.shape, sigma / spacing_mm)
        yield gaussians.gradient_magnitude(image)
        yield gaussians.laplacian(image)


def _box_positions(tissue: np.ndarray) -> Iterator[Tensor]:
    """The position in the tissue's bounding box, from -1 to 1 along each axis."""
    for axis, (size, (first, past)) in enumerate(zip(tissue.shape, bounding_box(tissue), strict=True)):
        place = 2 * (torch.arange(size, dtype=torch.float32) - first) / max(past - 1 - first, 1) - 1
        yield place.view([size if other == axis else 1 for other in range(3)]).expand(tissue.shape)
