"""How long a scan will take and how much memory, before any of it is computed."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.slice_source import VIEW_AXES
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.model_grid import ModelGrid

# Gathering, training and prediction, as a share of the time that the features take: measured on a brain on two cores.
AFTER_FEATURES = 0.65
# The process itself with torch loaded, a batch of slices at work, and what training gathers.
FIXED_BYTES = 1_500_000_000
# Copies of the scan that exist at a time, float32, and the two results.
BYTES_A_VOXEL = 24


@dataclass(frozen=True)
class Estimate:
    """What to expect of features, training and prediction together; the air of the scan counts as if it were tissue.

    Args:
        seconds: how long it takes.
        bytes: how much memory it needs.
    """

    seconds: float
    bytes: int


def estimate(bundle: ModelBundle, denoisers: Denoisers, grid: Grid) -> Estimate:
    """What a scan on `grid` takes, from one slice of each view that is computed here and now."""
    shape = ModelGrid.for_grid(grid, bundle.config.spacing_mm).grid.shape
    chosen = bundle.config.features
    seconds, size = 0.0, 0
    for view in chosen.views:
        axis = VIEW_AXES[view]
        config = replace(chosen, views=(view,), time_steps=chosen.time_steps[:1])
        extractor = ActivationExtractor(denoisers, bundle.config.schedule, config)
        of_slice = tuple(1 if other == axis else edge for other, edge in enumerate(shape))
        slice_alone = np.zeros((bundle.config.unet.channels_in, *of_slice), np.float32)
        # The first run of a shape also looks for the quickest way to compute it.
        extractor.extract(slice_alone)
        start = time.perf_counter()
        (found,) = extractor.extract(slice_alone)
        repeats = shape[axis] * len(chosen.time_steps)
        seconds += (time.perf_counter() - start) * repeats
        size += sum(level.numel() * level.element_size() for level in found.levels.values()) * repeats
    voxels = int(np.prod(shape)) + int(np.prod(grid.shape))
    return Estimate(seconds * (1 + AFTER_FEATURES), size + BYTES_A_VOXEL * voxels + FIXED_BYTES)
