"""A bundle so small that tests on any computer finish in seconds."""

from __future__ import annotations

from pathlib import Path

import torch

from DiffusionSegLib.bundles.bundle import BundleConfig, ModelBundle
from DiffusionSegLib.bundles.export import write_bundle
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.diffusion.unet import UNetConfig
from DiffusionSegLib.features.feature_config import FeatureConfig


def write_tiny_bundle(folder: Path, *, channels: int = 1, spacing_mm: float = 1.0) -> ModelBundle:
    """Write a denoiser of random weights, always the same, and load it.

    Random filters tell brightness and edges apart, which suffices for phantoms and for nothing else.

    Args:
        folder: where to.
        channels: how many volumes a scan consists of.
        spacing_mm: of the grid that it works on: real scans take minutes on less than 3 mm.
    """
    unet = UNetConfig(
        channels_in=channels,
        base_channels=8,
        multipliers=(1, 2),
        residual_blocks=1,
        attention_at=(2,),
        head_channels=8,
        groups=4,
    )
    config = BundleConfig(
        name="tiny",
        description="A small denoiser of random weights.",
        licence="CC0",
        unet=unet,
        schedule=NoiseSchedule(),
        target="epsilon",
        shared=True,
        spacing_mm=spacing_mm,
        modality="mr",
        features=FeatureConfig(time_steps=(50, 150), blocks=(0, 1, 2)),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        denoisers = Denoisers(unet, shared=True)
        for parameter in denoisers.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.05)
    write_bundle(folder, config, denoisers.state_dict(), "A card.")
    return ModelBundle.load(folder)
