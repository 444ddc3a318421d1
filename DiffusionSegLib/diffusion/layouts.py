"""Denoisers that others have published, and reading their checkpoints."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from DiffusionSegLib.diffusion.unet import UNet, UNetConfig
from DiffusionSegLib.errors import DiffusionSegError

# Dhariwal & Nichol 2021, 256 x 256 without classes: 566 tensors, 552,814,086 parameters; predicts mean and variance.
GUIDED_DIFFUSION_256 = UNetConfig(
    channels_in=3,
    channels_out=6,
    base_channels=256,
    multipliers=(1, 1, 2, 2, 4, 4),
    attention_at=(8, 16, 32),
    head_channels=64,
    groups=32,
)

# Alshenoudy et al. 2023, four MR channels at 128 x 128: 570 tensors, 36,153,604 parameters.
BRAINTUMOR_128 = UNetConfig(
    channels_in=4,
    channels_out=4,
    base_channels=64,
    multipliers=(1, 1, 2, 2, 4, 4),
    residual_blocks=3,
    attention_at=(4,),
    heads=4,
    residual_resampling=False,
    scale_shift=False,
    groups=32,
)


def read_checkpoint(path: Path, config: UNetConfig, *, grey: bool = False) -> UNet:
    """A published checkpoint, a plain state dict in a `.pt` file, as a denoiser.

    Args:
        path: the file; nothing in it is executed.
        config: its layout.
        grey: the denoiser shall take one grey channel in place of its colours: the same as feeding it to all of them.

    Raises:
        DiffusionSegError: if the file is unreadable or of another layout.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise DiffusionSegError(f"{path.name} is no checkpoint that can be read.", "Download it again.") from error
    with torch.device("meta"):
        model = UNet(replace(config, channels_in=1) if grey else config)
    try:
        if grey:
            state = with_grey_input(state)
        model.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    except (RuntimeError, AttributeError, TypeError, KeyError, IndexError) as error:
        message = f"{path.name} holds another kind of denoiser."
        raise DiffusionSegError(message, "Choose the layout that it was trained with.") from error
    return model.eval().requires_grad_(False)


def with_grey_input(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights whose first convolution takes one channel and does what it did for that channel in all of its inputs."""
    first = "input_blocks.0.0.weight"
    return {**state, first: state[first].sum(1, keepdim=True)}
