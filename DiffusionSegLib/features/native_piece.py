"""What a box of voxels needs of one level of one view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.box import Box
from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.interpolation import interpolation_matrix


@dataclass(frozen=True, eq=False)
class NativePiece:
    """Activations at native resolution, and how the box's voxels are interpolated from them.

    Args:
        axis: the slices are stacked along it.
        pixels: as they are kept, in half precision as a rule, of shape (slices, rows, columns, channels).
        row_matrix: interpolates along the rows' axis, shape (voxels, rows).
        column_matrix: interpolates along the columns' axis, shape (voxels, columns).
    """

    axis: int
    pixels: Tensor
    row_matrix: Tensor
    column_matrix: Tensor

    @classmethod
    def of(cls, view: ViewActivations, reduction: int, box: Box, device: torch.device) -> NativePiece:
        level = view.levels[reduction]
        rows, columns = (edges for axis, edges in enumerate(box) if axis != view.axis)
        _, height, width = level.rows.shape
        row_pixels, row_matrix = interpolation_matrix(*rows, height, reduction, device)
        column_pixels, column_matrix = interpolation_matrix(*columns, width, reduction, device)
        native = level.at(slice(*box[view.axis]), row_pixels, column_pixels)
        return cls(view.axis, native.to(device), row_matrix, column_matrix)

    def ordered(self) -> Tensor:
        """Pixels (k, i, j, channels), float32; along the axis that slices are stacked along, one for each voxel.

        In this order the third axis can be interpolated by one product over all that lies across it.
        """
        moved = self.pixels.movedim(0, self.axis).permute(2, 0, 1, 3)
        return moved.to(torch.float32, memory_format=torch.contiguous_format).contiguous()

    def upsampled(self) -> Tensor:
        """Channels of all voxels of the box, float32: (i, j, k, channels)."""
        along_columns = torch.matmul(self.column_matrix, self.pixels.float())
        found = torch.matmul(self.row_matrix, along_columns.flatten(2)).unflatten(2, along_columns.shape[2:])
        return found.movedim(0, self.axis)
