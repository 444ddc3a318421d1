"""Native-resolution activations of one view: all that is kept of the denoiser's work."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ViewActivations:
    """Decoder activations of the slices of one view.

    Args:
        axis: the axis of the grid that the slices are stacked along.
        levels: for each resolution (edge of its pixels in voxels, coarse to fine) the activations of all its blocks
            and time steps, of shape (slices, rows, columns, channels).
    """

    axis: int
    levels: dict[int, Tensor]

    @property
    def channels(self) -> int:
        return sum(level.shape[-1] for level in self.levels.values())

    def at(self, points: Tensor) -> Tensor:
        """Features (N, channels) at voxels `points` of shape (N, 3), by bilinear interpolation within their slices."""
        rows, columns = (axis for axis in range(3) if axis != self.axis)
        parts = []
        for reduction, level in self.levels.items():
            low_row, high_row, row_share = neighbours(points[:, rows], level.shape[1], reduction)
            low_column, high_column, column_share = neighbours(points[:, columns], level.shape[2], reduction)
            part = torch.zeros(len(points), level.shape[3], device=level.device)
            for row, row_weight in ((low_row, 1 - row_share), (high_row, row_share)):
                for column, column_weight in ((low_column, 1 - column_share), (high_column, column_share)):
                    weight = (row_weight * column_weight)[:, None]
                    part.addcmul_(level[points[:, self.axis], row, column].float(), weight)
            parts.append(part)
        return torch.cat(parts, dim=1)


def neighbours(positions: Tensor, size: int, reduction: int) -> tuple[Tensor, Tensor, Tensor]:
    """The two pixels that a voxel position lies between, and the share of the second (half-pixel centres)."""
    places = ((positions.float() + 0.5) / reduction - 0.5).clamp(0, size - 1)
    low = places.long().clamp(max=max(size - 2, 0))
    return low, (low + 1).clamp(max=size - 1), places - low


def pixels_needed(voxels: int, reduction: int) -> int:
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
