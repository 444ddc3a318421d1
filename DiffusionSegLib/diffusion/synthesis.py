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
