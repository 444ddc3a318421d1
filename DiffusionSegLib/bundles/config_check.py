"""Whether the values in a bundle's `config.json` can be worked with, told before any work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from DiffusionSegLib.errors import DiffusionSegError

if TYPE_CHECKING:
    from DiffusionSegLib.bundles.bundle import BundleConfig
    from DiffusionSegLib.diffusion.unet import UNetConfig
    from DiffusionSegLib.features.feature_config import FeatureConfig


def check_config(config: BundleConfig) -> None:
    """Raise a DiffusionSegError if a value is out of its range or does not fit the others."""
    problems = [
        *_problems_of_denoiser(config.unet),
        *problems_of_features(config.features),
        *problems_of_time_steps(config.features, config.schedule.steps),
    ]
    if config.schedule.steps < 1:
        problems.append("the schedule has no steps")
    if not _all_positive([config.spacing_mm]):
        problems.append(f"spacing_mm is {config.spacing_mm}")
    if problems:
        message = f"The settings of the bundle {config.name} cannot be used: {'; '.join(problems)}."
        raise DiffusionSegError(message, "The file is damaged or was made by another version.")


def _problems_of_denoiser(unet: UNetConfig) -> Iterator[str]:
    if unet.dims != 2:
        yield f"dims is {unet.dims}, but scans are seen slice by slice"
    for name in ("channels_in", "channels_out", "head_channels", "groups", "patch"):
        if getattr(unet, name) < 1:
            yield f"{name} is {getattr(unet, name)}"
    for name in ("residual_blocks", "heads"):
        if getattr(unet, name) < 0:
            yield f"{name} is {getattr(unet, name)}"
    if unet.base_channels < 2 or unet.base_channels % 2:
        yield f"base_channels is {unet.base_channels}, which is no even number"
    if not unet.multipliers or min(unet.multipliers) < 1:
        yield f"the multipliers are {list(unet.multipliers)}"
    widths = [unet.base_channels * multiplier for multiplier in unet.multipliers]
    if unet.groups > 0 and any(width % unet.groups for width in widths):
        yield f"{unet.groups} groups do not divide the channels {widths}"
    if unet.head_channels > 0 and unet.heads >= 0:
        yield from _problems_of_heads(unet, widths)


def _problems_of_heads(unet: UNetConfig, widths: Sequence[int]) -> Iterator[str]:
    # The middle, which is as wide as the last level, always sees attention.
    attended = [
        width for level, width in enumerate(widths) if 2**level in unet.attention_at or level == len(widths) - 1
    ]
    undivided = [width for width in attended if width > 0 and width % unet.heads_of(width)]
    if undivided:
        yield f"the attention heads do not divide the channels {undivided}"


def problems_of_features(features: FeatureConfig) -> Iterator[str]:
    """What of the choice of features no denoiser could make."""
    for name in ("time_steps", "blocks", "views"):
        if not getattr(features, name):
            yield f"{name} is empty"
    # Blocks that a small denoiser lacks are told where they are taken: others may be chosen instead.
    if any(block < 0 for block in features.blocks):
        yield f"the blocks {list(features.blocks)} are not all counted from 0"
    if not all(0 <= sigma < math.inf for sigma in (*features.intensity_sigmas_mm, features.noise_scale)):
        yield "intensity_sigmas_mm or noise_scale is below 0 or no number"
    positive = (features.activation_weight, *features.edge_sigmas_mm, *features.position_wavelengths_mm)
    if not _all_positive(positive):
        yield "activation_weight, edge_sigmas_mm or position_wavelengths_mm is not above 0"
    if not 0 <= features.noise_seed < 2**63:
        yield f"noise_seed is {features.noise_seed}"


def problems_of_time_steps(features: FeatureConfig, steps: int) -> Iterator[str]:
    """What of the choice of features lies beyond a schedule of so many steps."""
    if not all(0 <= step < steps for step in features.time_steps):
        yield f"the time steps {list(features.time_steps)} are not all within the {steps} of the schedule"


def _all_positive(values: Iterable[float]) -> bool:
    return all(0 < value < math.inf for value in values)
