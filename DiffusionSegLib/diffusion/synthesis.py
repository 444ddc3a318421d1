"""Images made from label maps, each with a contrast of its own, as a second source of pretraining slices."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def synthesised(labels: Tensor, channels: int, random: torch.Generator) -> Tensor:
    """Images in [-1, 1] of random contrast from slices of label maps (after Billot et al. 2023, SynthSeg).

    Args:
        labels: integer label values, shape (N, 1, H, W); 0 is air.
        channels: how many images of each label map, with contrasts of their own.
        random: where the randomness comes from.

    Returns:
        float32 (N, channels, H, W): a mean and a spread for each label, mixed at the borders by a slight blur.
    """
    count = len(labels)
    size = int(labels.max()) + 1
    means = torch.rand(count, channels, size, generator=random)
    spreads = 0.02 + 0.06 * torch.rand(count, channels, size, generator=random)
    index = labels.long().flatten(2).expand(-1, channels, -1)
    texture = torch.randn(index.shape, generator=random)
    unit = (means.gather(2, index) + spreads.gather(2, index) * texture).unflatten(2, labels.shape[2:])
    unit = torch.where(labels > 0, unit.clamp(0.02, 1), 0.0)
    # Partial volume: a voxel at a border shows some of both sides.
    unit = 0.5 * unit + 0.5 * F.avg_pool2d(unit, 3, stride=1, padding=1)
    return torch.where(labels > 0, 2 * unit - 1, -1.0)


def coarsened(images: Tensor, thickness: float, random: torch.Generator) -> Tensor:
    """Images (N, C, H, W), each as if it had been taken with coarser voxels along one of its axes.

    Args:
        images: as `synthesised` makes them; -1 is air, and stays air.
        thickness: largest extent of these voxels, in pixels; the smallest is 1.
        random: where the randomness comes from.
    """
    extents = 1 + (thickness - 1) * torch.rand(len(images), generator=random)
    axes = torch.randint(2, (len(images),), generator=random)
    found = [
        _averaged(image, float(extent), int(axis)) for image, extent, axis in zip(images, extents, axes, strict=True)
    ]
    return torch.where(images > -1, torch.stack(found), -1.0)


def _averaged(image: Tensor, extent: float, axis: int) -> Tensor:
    """An image (C, H, W) by the means of voxels of that extent along an axis, and what lies between these."""
    height, width = image.shape[1:]
    size = [max(1, round(edge / extent)) if at == axis else edge for at, edge in enumerate((height, width))]
    coarse = F.interpolate(image[None], size=size, mode="area")
    return F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)[0]
