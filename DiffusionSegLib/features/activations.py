"""Native-resolution activations of one view: all that is kept of the denoiser's work."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.features.interpolation import neighbours
from DiffusionSegLib.features.needed_pixels import NeededPixels


@dataclass(frozen=True, eq=False)
class ViewActivations:
    """Decoder activations of the slices of one view.

    Args:
        axis: the axis of the grid that the slices are stacked along.
        levels: for each resolution (edge of its pixels in voxels, coarse to fine) the activations of all its blocks
            and time steps.
    """

    axis: int
    levels: dict[int, NeededPixels]

    @property
    def channels(self) -> int:
        return sum(level.channels for level in self.levels.values())

    @property
    def bytes(self) -> int:
        return sum(level.bytes for level in self.levels.values())

    def at(self, points: Tensor) -> Tensor:
        """Features (N, channels) at voxels `points` of shape (N, 3), by bilinear interpolation within their slices."""
        rows, columns = (axis for axis in range(3) if axis != self.axis)
        parts = []
        for reduction, level in self.levels.items():
            _, height, width = level.rows.shape
            low_row, high_row, row_share = neighbours(points[:, rows], height, reduction)
            low_column, high_column, column_share = neighbours(points[:, columns], width, reduction)
            part = torch.zeros(len(points), level.channels, device=level.values.device)
            for row, row_weight in ((low_row, 1 - row_share), (high_row, row_share)):
                for column, column_weight in ((low_column, 1 - column_share), (high_column, column_share)):
                    weight = (row_weight * column_weight)[:, None]
                    part.addcmul_(level.at(points[:, self.axis], row, column).float(), weight)
            parts.append(part)
        return torch.cat(parts, dim=1)
