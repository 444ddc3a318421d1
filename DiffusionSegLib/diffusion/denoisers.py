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
    """One denoiser that is told which view it sees, or one for each view.

    Args:
        unet: the shape of each; its `classes` follow from `shared`.
        shared: whether there is one for all.
    """

    def __init__(self, unet: UNetConfig, *, shared: bool) -> None:
        super().__init__()
        self.shared = shared
        shape = replace(unet, classes=len(VIEWS) if shared else 0)
        self.models = nn.ModuleList(UNet(shape) for _ in range(1 if shared else len(VIEWS)))

    def forward(self, images: Tensor, time_steps: Tensor, views: Tensor) -> Tensor:
        """Predictions for images (N, C, H, W) at time steps (N,), of the views (N,)."""
        if self.shared:
            return self.models[0](images, time_steps, views)
        prediction = images.new_zeros(len(images), self.unet.config.channels_out, *images.shape[2:])
        for view, model in enumerate(self.models):
            chosen = (views == view).nonzero()[:, 0]
            if len(chosen):
                found = model(images[chosen], time_steps[chosen])
                prediction = prediction.index_copy(0, chosen, found.to(images.dtype))
        return prediction

    def activations(self, images: Tensor, time_steps: Tensor, view: int, blocks: Collection[int]) -> dict[int, Tensor]:
        """Outputs of the chosen decoder blocks for images of one view, at time steps of shape (N,), or (1,) for all."""
        if self.shared:
            classes = torch.tensor([view], device=images.device)
            return self.unet.activations(images, time_steps, classes, blocks)
        return cast("UNet", self.models[view]).activations(images, time_steps, None, blocks)

    @property
    def unet(self) -> UNet:
        """One of the denoisers, whose shape is that of all."""
        return cast("UNet", self.models[0])
