"""How voxels of the scan's own grid are mixed from those of the model's."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.axis_products import multiplied_along_axes
from DiffusionSegLib.box import Box
from DiffusionSegLib.model_grid import AxisMap, ModelGrid


@dataclass(frozen=True, eq=False)
class TileSampling:
    """What a tile of the model's grid tells of the scan's own.

    Args:
        target: which of the scan's voxels lie in it.
        matrices: how these are mixed along each axis.
        box: the part of the crop that they are mixed from.
    """

    target: tuple[slice, ...]
    matrices: list[Tensor]
    box: Box


class SourceSampling:
    """Which voxels of the scan's own grid lie in a tile of the model's, and how they mix its values.

    All axes are in the model's order.
    """

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

    def within(self, region: Box) -> SourceSampling:
        """The same for the scan's voxels in a box alone."""
        chosen = copy(self)
        chosen.places = [places.copy() for places in self.places]
        for places, (start, stop) in zip(chosen.places, region, strict=True):
            # What lies nowhere is in no tile.
            places[:start] = places[stop:] = np.nan
        return chosen

    def only(self, axis: int, index: int) -> SourceSampling:
        """The same for the slice `index` across `axis` alone."""
        chosen = copy(self)
        chosen.places = [
            places[index : index + 1] if other == axis else places for other, places in enumerate(self.places)
        ]
        return chosen

    def of_tile(self, tile: Box, shape: tuple[int, ...]) -> TileSampling | None:
        """What a tile of a crop of that shape tells; None if nothing."""
        targets, matrices, box = [], [], []
        for places, (start, stop), size in zip(self.places, tile, shape, strict=True):
            inside = np.flatnonzero((places >= start) & (places < stop))
            if not len(inside):
                return None
            low = np.floor(places[inside]).astype(int)
            share = (places[inside] - low).astype(np.float32)
            high = np.minimum(low + (share > 0), size - 1)
            first = int(low.min())
            matrix = np.zeros((len(inside), int(high.max()) + 1 - first), np.float32)
            rows = np.arange(len(inside))
            matrix[rows, low - first] = 1 - share
            matrix[rows, high - first] += share
            targets.append(slice(int(inside[0]), int(inside[-1]) + 1))
            matrices.append(torch.from_numpy(matrix))
            box.append((first, first + matrix.shape[1]))
        return TileSampling(tuple(targets), matrices, (box[0], box[1], box[2]))


def _places(axis_map: AxisMap, size: int, model_size: int) -> np.ndarray:
    places = np.clip(axis_map.scale * np.arange(size) + axis_map.offset, 0, model_size - 1)
    # Grids that differ in order alone must not be interpolated for the sake of a rounding error.
    nearest = np.round(places)
    return np.where(np.abs(places - nearest) < 1e-4, nearest, places)


def mixed_separably(values: Tensor, matrices: list[Tensor]) -> Tensor:
    """Values (c, i, j, k) mixed along each of the last three axes by a matrix."""
    needed = [None if _changes_nothing(matrix) else matrix.to(values.device) for matrix in matrices]
    return multiplied_along_axes(values, needed)


def _changes_nothing(matrix: Tensor) -> bool:
    return matrix.shape[0] == matrix.shape[1] and torch.equal(matrix, torch.eye(len(matrix)))
