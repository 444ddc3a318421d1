"""Which features describe a voxel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from DiffusionSegLib.diffusion.slice_source import VIEWS, View


@dataclass(frozen=True)
class FeatureConfig:
    """Which features describe a voxel.

    Args:
        time_steps: how noisy the slices are made (Cho et al., section 3.1).
        blocks: decoder blocks whose outputs are taken.
        views: the slices' directions.
        fusion: how the views come together: added up, side by side, or the largest of each (Cho et al., section 3.1).
        intensity_sigmas_mm: Gaussian widths of the smoothed intensities beside them; 0 is the intensity itself.
        coordinates: whether the position within the tissue's bounding box is a feature too.
        noise_seed: seeds the one noise image that all slices and time steps share.
    """

    time_steps: tuple[int, ...] = (50, 150, 250)
    blocks: tuple[int, ...] = (1, 4, 7, 10)
    views: tuple[View, ...] = VIEWS
    fusion: Literal["sum", "concat", "max"] = "sum"
    intensity_sigmas_mm: tuple[float, ...] = (0.0, 1.0, 2.0)
    coordinates: bool = True
    noise_seed: int = 0
