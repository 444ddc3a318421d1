"""Which features describe a voxel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from DiffusionSegLib.diffusion.slice_source import VIEWS, View

Fusion = Literal["sum", "concat", "max"]


@dataclass(frozen=True)
class FeatureConfig:
    """Which features describe a voxel.

    Args:
        time_steps: how noisy the slices are made (Cho et al., section 3.1).
        blocks: decoder blocks whose outputs are taken.
        views: the slices' directions.
        fusion: how the views come together: added up, side by side, or the largest of each (Cho et al., section 3.1).
        activation_weight: how many features of unit spread all activations together weigh. There are about a thousand
            of them beside a few intensities and positions, which a segmenter would hardly notice otherwise.
        intensity_sigmas_mm: Gaussian widths of the smoothed intensities beside them; 0 is the intensity itself.
        edge_sigmas_mm: Gaussian widths at which the gradient's magnitude and the Laplacian are taken.
        coordinates: which position is a feature too: none, that within the tissue's bounding box, or that in the
            bundle's template.
        position_wavelengths_mm: positions in the template are also given as sines and cosines of these wavelengths,
            which let small MLPs tell places that are close to each other (Tancik et al. 2020).
        noise_scale: how much of a time step's noise is added. With 0 the denoiser sees the clean slice, faded as at
            that step: the one noise image of all slices is the same wherever the anatomy lies, which misleads transfer.
        noise_seed: seeds the one noise image that all slices and time steps share.
    """

    time_steps: tuple[int, ...] = (50, 150, 250)
    blocks: tuple[int, ...] = (1, 4, 7, 10)
    views: tuple[View, ...] = VIEWS
    fusion: Fusion = "sum"
    activation_weight: float = 10.0
    intensity_sigmas_mm: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    edge_sigmas_mm: tuple[float, ...] = (1.0, 2.0)
    coordinates: Literal["none", "box", "template"] = "box"
    position_wavelengths_mm: tuple[float, ...] = (80.0, 40.0, 20.0)
    noise_scale: float = 1.0
    noise_seed: int = 0
