"""Which pixels of a slice's activations a voxel is interpolated from, bilinearly."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def neighbours(positions: Tensor, size: int, reduction: int) -> tuple[Tensor, Tensor, Tensor]:
    """The two pixels that a voxel position lies between, and the share of the second (half-pixel centres)."""
    places = ((positions.float() + 0.5) / reduction - 0.5).clamp(0, size - 1)
    low = places.long().clamp(max=max(size - 2, 0))
    return low, (low + 1).clamp(max=size - 1), places - low


def pixels_along(voxels: int, reduction: int) -> int:
    """How many pixels along an axis so many voxels are interpolated from: padding beyond them need not be kept."""
    return math.floor((voxels - 0.5) / reduction - 0.5) + 2


def interpolation_matrix(
    start: int, stop: int, size: int, reduction: int, device: torch.device
) -> tuple[slice, Tensor]:
    """Which pixels the voxels `start` to `stop` need, and the matrix (voxels, those pixels) that interpolates them."""
    low, high, share = neighbours(torch.arange(start, stop), size, reduction)
    first, last = int(low[0]), int(high[-1]) + 1
    matrix = torch.zeros(stop - start, last - first)
    rows = torch.arange(stop - start)
    matrix.index_put_((rows, low - first), 1 - share, accumulate=True)
    matrix.index_put_((rows, high - first), share, accumulate=True)
    return slice(first, last), matrix.to(device)
