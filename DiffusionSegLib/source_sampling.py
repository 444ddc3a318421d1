"""How voxels of the scan's own grid are mixed from those of the model's."""

from __future__ import annotations

from copy import copy

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.features.native_piece import Box
from DiffusionSegLib.model_grid import AxisMap, ModelGrid


class SourceSampling:
    """Which voxels of the scan's own grid lie in a tile of the model's, and how they mix its values."""

    def __init__(self, model_grid: ModelGrid, origin: tuple[int, int, int]) -> None:
        self.places = [
            _places(axis_map, size, model_size) - start
            for axis_map, size, model_size, start in zip(
                model_grid.axis_maps,
                model_grid.source_shape_in_model_order(),
                model_grid.grid.shape,
                origin,
                strict=True,
            )
        ]

    def only(self, axis: int, index: int) -> SourceSampling:
        """The same for the slice `index` across `axis` (in the model's order) alone."""
        chosen = copy(self)
        chosen.places = [
            places[index : index + 1] if other == axis else places for other, places in enumerate(self.places)
        ]
        return chosen

    def plan(self, tile: Box, shape: tuple[int, ...]) -> tuple[tuple[slice, ...] | None, list[Tensor], Box]:
        """Target voxels, a matrix for each axis and the box of the crop that these mix; None if there are none."""
        targets, matrices, needed = [], [], []
        for places, (start, stop), size in zip(self.places, tile, shape, strict=True):
            inside = np.flatnonzero((places >= start) & (places < stop))
            if not len(inside):
                return None, [], tile
            low = np.floor(places[inside]).astype(int)
            share = torch.from_numpy((places[inside] - low).astype(np.float32))
            end = min(stop + bool(share.any()), size)
            matrix = torch.zeros(len(inside), end - start)
            rows = torch.arange(len(inside))
            matrix.index_put_((rows, torch.from_numpy(low - start)), 1 - share, accumulate=True)
            high = torch.from_numpy(np.minimum(low + 1, end - 1) - start)
            matrix.index_put_((rows, high), share, accumulate=True)
            targets.append(slice(int(inside[0]), int(inside[-1]) + 1))
            matrices.append(matrix)
            needed.append((start, end))
        return tuple(targets), matrices, (needed[0], needed[1], needed[2])


def _places(axis_map: AxisMap, size: int, model_size: int) -> np.ndarray:
    places = np.clip(axis_map.scale * np.arange(size) + axis_map.offset, 0, model_size - 1)
    # Grids that differ in order alone must not be interpolated for the sake of a rounding error.
    nearest = np.round(places)
    return np.where(np.abs(places - nearest) < 1e-4, nearest, places)


def mixed_separably(values: Tensor, matrices: list[Tensor]) -> Tensor:
    """Values (c, i, j, k) mixed along each of the last three axes by a matrix."""
    for axis, matrix in enumerate(matrices):
        identity = matrix.shape[0] == matrix.shape[1] and torch.equal(matrix, torch.eye(len(matrix)))
        if not identity:
            values = torch.tensordot(matrix.to(values.device), values, dims=([1], [axis + 1])).movedim(0, axis + 1)
    return values
