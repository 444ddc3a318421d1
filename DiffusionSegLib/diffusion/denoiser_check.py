"""Whether the settings make a denoiser and fit its first weights, told before images are read and aligned for hours."""

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


def check_start(start: Denoisers, config: PretrainingConfig) -> None:
    """Raise a DiffusionSegError unless denoisers have the shape of those to train, which may have more outputs."""
    with torch.device("meta"):
        wanted = Denoisers(config.unet, shared=config.shared).state_dict()
    given = start.state_dict()
    for name, value in wanted.items():
        same = name in given and given[name].shape[1:] == value.shape[1:] and len(given[name]) <= len(value)
        if not same or (len(given[name]) < len(value) and ".out." not in name):
            message = "The denoiser to start from has another shape than the one to train."
            raise DiffusionSegError(message, "Choose the same number of channels, or start afresh.")
