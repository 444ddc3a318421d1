"""A denoiser small enough to be computed by hand."""

from __future__ import annotations

import torch

from DiffusionSegLib.diffusion.unet import UNet, UNetConfig

SMALL = UNetConfig(base_channels=8, multipliers=(1, 2), residual_blocks=1, attention_at=(2,), head_channels=4, groups=4)


def with_random_weights(config: UNetConfig) -> UNet:
    torch.manual_seed(0)
    model = UNet(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model
