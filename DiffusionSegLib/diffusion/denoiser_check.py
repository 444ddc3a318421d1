"""Whether the settings of a pretraining make a denoiser, told before the images are read and aligned for hours."""

from __future__ import annotations

import torch

from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
from DiffusionSegLib.errors import DiffusionSegError


def check_denoiser(config: PretrainingConfig) -> None:
    """Let a denoiser of that shape see a crop of that size, both without contents.

    Raises:
        DiffusionSegError: if it cannot be built, or does not fit the crops.
    """
    try:
        with torch.device("meta"):
            denoiser = Denoisers(config.unet, shared=config.shared).unet
            crops = torch.zeros(1, config.unet.channels_in, config.crop, config.crop)
            number = torch.zeros(1, dtype=torch.long)
            denoiser(crops, number, number if config.shared else None)
    except (RuntimeError, ValueError) as error:
        message = f"There is no denoiser of {config.unet.base_channels} channels for crops of {config.crop} voxels."
        hint = "Give channels in steps of 32 and crops in steps of 16, such as 32 and 112."
        raise DiffusionSegError(message, hint) from error
