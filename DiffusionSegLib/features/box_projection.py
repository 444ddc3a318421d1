"""What a linear layer makes of a box of voxels, from activations that are projected before they are interpolated.

Its outputs are hidden units, or what activations are along few directions (`FirstLayerProjection`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from DiffusionSegLib.features.native_piece import NativePiece
from DiffusionSegLib.linear_layer import linear


@dataclass(frozen=True, eq=False)
class LevelProjection:
    """A level of a view and its share of the first layers' weights.

    Args:
        reduction: edge of its pixels in voxels.
        piece: its activations around the box.
        weight: shape (channels, units).
        pixels: those of the piece in the order of products, where these are asked for again and again.
    """

    reduction: int
    piece: NativePiece
    weight: Tensor
    pixels: Tensor | None = None

    def halfway(self, units: slice) -> Tensor:
        """Some of the outputs, interpolated along one of the two axes: (k, i, second axis' voxels * units).

        What is left is the first axis for slices across the third one, and the third axis for all others.
        """
        pixels = self.piece.ordered() if self.pixels is None else self.pixels
        projected = torch.matmul(pixels, self.weight[:, units])
        if self.piece.axis == 1:
            return torch.matmul(self.piece.row_matrix, projected.flatten(2))
        second = self.piece.row_matrix if self.piece.axis == 0 else self.piece.column_matrix
        return torch.matmul(second, projected).flatten(2)


@dataclass(frozen=True, eq=False)
class BoxProjection:
    """What the outputs for a box follow from.

    Bilinear interpolation goes one axis at a time, and what several views or levels still have to go through is added
    up or joined before: one product with the dense matrix of both axes was measured to take twice as long.

    Args:
        shape: of the box.
        columns: features of its voxels (voxels, columns), ordered by the third axis, then the first, then the second.
        weights: their share of the layer's weights (columns, units).
        bias: the layer's biases (units,).
        levels: what else there is to add, at native resolution.
    """

    shape: tuple[int, ...]
    columns: Tensor
    weights: Tensor
    bias: Tensor
    levels: tuple[LevelProjection, ...]

    def pieces(self, chosen: Tensor | None, most: int) -> list[tuple[BoxProjection, Tensor | None]]:
        """This for chosen voxels, or all: parts, and which of their voxels are chosen; None for all.

        Where nothing is left to interpolate, parts have at most so many voxels, all of them chosen.
        """
        if self.levels:
            return [(self, chosen)]
        columns = self.columns if chosen is None else self.columns.index_select(0, chosen)
        return [(replace(self, columns=part), None) for part in columns.split(most)]

    def hidden(self, units: slice) -> Tensor:
        """Some of the outputs, before any ReLU, in the order of `columns`: (voxels, units)."""
        total = linear(self.columns, self.weights[:, units].T, self.bias[units])
        self._add_third_view(total, units)
        self._add_other_views(total, units)
        return total

    def _add_third_view(self, total: Tensor, units: slice) -> None:
        levels = [level for level in self.levels if level.piece.axis == 2]
        if levels:
            first, _, third = self.shape
            matrix = _joined([level.piece.row_matrix for level in levels], 1).expand(third, -1, -1)
            parts = _joined([level.halfway(units) for level in levels], 1)
            total.view(third, first, -1).baddbmm_(matrix, parts)

    def _add_other_views(self, total: Tensor, units: slice) -> None:
        parts: dict[int, Tensor] = {}
        matrices: dict[int, Tensor] = {}
        for level in self.levels:
            if level.piece.axis != 2:
                part = level.halfway(units)
                parts[level.reduction] = parts[level.reduction].add_(part) if level.reduction in parts else part
                matrices[level.reduction] = level.piece.column_matrix
        if parts:
            joined = _joined(list(parts.values()), 0).flatten(1)
            total.view(self.shape[2], -1).addmm_(_joined(list(matrices.values()), 1), joined)


def _joined(parts: list[Tensor], axis: int) -> Tensor:
    return torch.cat(parts, dim=axis) if len(parts) > 1 else parts[0]
