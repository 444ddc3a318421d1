"""How many features a voxel has."""

from __future__ import annotations

from DiffusionSegLib.diffusion.unet import UNetConfig
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.local_features import absolute_features


def feature_count(config: FeatureConfig, unet: UNetConfig, channels: int) -> int:
    """How many features a voxel has, known before any is made.

    Args:
        config: which features are chosen, of blocks that the denoiser has.
        unet: the denoiser's shape.
        channels: how many the scan has.
    """
    of_view = len(config.time_steps) * sum(unet.decoder_channels[block] for block in set(config.blocks))
    activations = of_view * (len(config.views) if config.fusion == "concat" else 1)
    of_channel = len(config.intensity_sigmas_mm) + 2 * len(config.edge_sigmas_mm)
    positions = 3 if config.coordinates == "box" else absolute_features(config)
    return activations + channels * of_channel + positions
