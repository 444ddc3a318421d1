"""Blocks of pixels as channels, in 2D and 3D: the cheap first step of a denoiser on a CPU."""

from __future__ import annotations

from torch import Tensor


def split_patches(images: Tensor, patch: int, dims: int) -> Tensor:
    """(N, C, s1, ..) becomes (N, C * patch**dims, s1 / patch, ..)."""
    if patch == 1:
        return images
    count, channels, *sizes = images.shape
    cut = [part for size in sizes for part in (size // patch, patch)]
    inner = list(range(3, 3 + 2 * dims, 2))
    outer = list(range(2, 2 + 2 * dims, 2))
    blocks = images.reshape(count, channels, *cut).permute(0, 1, *inner, *outer)
    return blocks.reshape(count, channels * patch**dims, *[size // patch for size in sizes])


def merge_patches(images: Tensor, patch: int, dims: int) -> Tensor:
    """The inverse of `split_patches`."""
    if patch == 1:
        return images
    count, channels, *sizes = images.shape
    blocks = images.reshape(count, channels // patch**dims, *[patch] * dims, *sizes)
    order = [axis for index in range(dims) for axis in (2 + dims + index, 2 + index)]
    return blocks.permute(0, 1, *order).reshape(count, -1, *[size * patch for size in sizes])
