"""Activations of one level of a view, where some voxel of tissue is interpolated from them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.features.interpolation import interpolation_matrix


@dataclass(frozen=True, eq=False)
class NeededPixels:
    """The pixels of a level that some voxel of tissue is interpolated from; all others count as 0.

    A brain fills a third of the box around it: of all its pixels, these are half.

    Args:
        rows: which row of `values` each pixel is, int32 of shape (slices, rows, columns).
        values: activations, shape (1 + needed pixels, channels); the first row, of all other pixels, is 0.
    """

    rows: Tensor
    values: Tensor

    @classmethod
    def empty(cls, tissue: Tensor, reduction: int, shape: torch.Size, dtype: torch.dtype) -> NeededPixels:
        """Room for the pixels that tissue needs, all of them 0 so far.

        Args:
            tissue: which voxels of the slices are not air, bool (slices, height, width).
            reduction: edge of a pixel in voxels.
            shape: rows, columns and channels of a slice's activations.
            dtype: of these.
        """
        height, width = tissue.shape[1:]
        of_rows = _interpolated_from(height, shape[0], reduction).T
        of_columns = _interpolated_from(width, shape[1], reduction)
        needed = torch.stack([of_rows @ of_slice.float() @ of_columns > 0 for of_slice in tissue])
        rows = needed.flatten().cumsum(0, dtype=torch.int32).view_as(needed) * needed
        return cls(rows, torch.zeros(1 + int(needed.sum()), shape[2], dtype=dtype))

    @property
    def channels(self) -> int:
        return self.values.shape[1]

    @property
    def bytes(self) -> int:
        return sum(part.numel() * part.element_size() for part in (self.rows, self.values))

    def put(self, start: int, activations: Tensor) -> None:
        """Take in what is needed of the activations (slices, rows, columns, channels) of slices from `start` on."""
        rows = self.rows[start : start + len(activations)]
        self.values[rows[rows > 0].long()] = activations[rows > 0]

    def at(self, slices: Tensor | slice, rows: Tensor | slice, columns: Tensor | slice) -> Tensor:
        """Activations of some pixels, chosen as those of an array (slices, rows, columns, channels) would be."""
        chosen = self.rows[slices, rows, columns]
        return self.values.index_select(0, chosen.flatten()).view(*chosen.shape, self.channels)

    def to(self, device: torch.device) -> NeededPixels:
        return NeededPixels(self.rows.to(device), self.values.to(device))


def _interpolated_from(voxels: int, pixels: int, reduction: int) -> Tensor:
    """1 where a voxel is interpolated from a pixel, else 0: shape (voxels, pixels)."""
    found = torch.zeros(voxels, pixels)
    chosen, matrix = interpolation_matrix(0, voxels, pixels, reduction, found.device)
    found[:, chosen] = (matrix != 0).float()
    return found
