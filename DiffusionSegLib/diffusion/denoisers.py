"""The denoiser of all views, or one for each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from DiffusionSegLib.diffusion.slice_source import VIEWS
from DiffusionSegLib.diffusion.unet import UNet, UNetConfig


class Denoisers(nn.Module):
    """One denoiser for all views, or one for each.

    Args:
        unet: the shape of each; its `classes` follow from what else is said.
        shared: whether there is one for all.
        told_view: whether that one is told which view it sees.
    """

    def __init__(self, unet: UNetConfig, *, shared: bool, told_view: bool = True) -> None:
        super().__init__()
        self.shared, self.told_view = shared, shared and told_view
        shape = replace(unet, classes=len(VIEWS) if self.told_view else 0)
        self.models = nn.ModuleList(UNet(shape) for _ in range(1 if shared else len(VIEWS)))

    def forward(self, images: Tensor, time_steps: Tensor, views: Tensor) -> Tensor:
        """Predictions for images (N, C, H, W) at time steps (N,), of the views (N,)."""
        if self.shared:
            return self.models[0](images, time_steps, views if self.told_view else None)
        prediction = images.new_zeros(len(images), self.unet.config.channels_out, *images.shape[2:])
        for view, model in enumerate(self.models):
            chosen = (views == view).nonzero()[:, 0]
            if len(chosen):
                found = model(images[chosen], time_steps[chosen])
                prediction = prediction.index_copy(0, chosen, found.to(images.dtype))
        return prediction

    def activations(self, images: Tensor, time_steps: Tensor, view: int, blocks: Collection[int]) -> dict[int, Tensor]:
        """Outputs of the chosen decoder blocks for images of one view, at time steps of shape (N,), or (1,) for all."""
        classes = torch.tensor([view], device=images.device) if self.told_view else None
        unet = self.unet if self.shared else cast("UNet", self.models[view])
        return unet.activations(images, time_steps, classes, blocks)

    @property
    def unet(self) -> UNet:
        """One of the denoisers, whose shape is that of all."""
        return cast("UNet", self.models[0])
