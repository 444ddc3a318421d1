"""Linear maps of images along one axis after the other, as products with matrices."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def multiplied_along_axes(images: Tensor, matrices: Sequence[Tensor | None]) -> Tensor:
    """Images (C, I, J, K) of which each of the three last axes is multiplied by a matrix (new size, size).

    None leaves an axis as it is. Smoothing by dense matrices was measured to be three times as fast as by pooling and
    seven times as fast as by convolution, gradients included, for 81 x 107 x 84 voxels on two cores.
    """
    first, second, third = matrices
    if third is not None:
        images = torch.matmul(images, third.T)
    if second is not None:
        images = torch.matmul(second, images)
    if first is not None:
        images = torch.matmul(first, images.flatten(2)).unflatten(2, images.shape[2:])
    return images


def window_mean(size: int, window: int, device: torch.device, every: int = 1) -> Tensor:
    """The matrix that averages over a window of an odd number of voxels around each, with zeros beyond the edge.

    Of every so many voxels one has a row.
    """
    steps = torch.arange(size, device=device)
    return ((steps[every // 2 :: every, None] - steps).abs() <= window // 2).float() / window


def interpolation(size: int, every: int, device: torch.device) -> Tensor:
    """The matrix that interpolates linearly between points in the middle of every so many voxels."""
    points = -(-size // every)
    places = ((torch.arange(size, device=device) - (every - 1) / 2) / every).clamp(0, points - 1)
    return (1 - (places[:, None] - torch.arange(points, device=device)).abs()).clamp(min=0)


def gaussian(size: int, sigma: float, reach: int, device: torch.device) -> Tensor:
    """The matrix that smooths by a Gaussian cut off at `reach` voxels, as if the last voxel went on beyond the edge."""
    offsets = torch.arange(-reach, reach + 1, device=device)
    weights = torch.exp(-0.5 * (offsets / sigma).square())
    voxels = torch.arange(size, device=device)[:, None].expand(size, len(offsets))
    sources = (voxels + offsets).clamp(0, size - 1)
    shares = (weights / weights.sum()).expand(size, len(offsets))
    return torch.zeros(size, size, device=device).index_put_((voxels, sources), shares, accumulate=True)
