"""The first layers of all MLPs, applied before upsampling."""

from __future__ import annotations

import torch
from torch import Tensor

from DiffusionSegLib.features.activations import ViewActivations, interpolation_matrix
from DiffusionSegLib.features.local_features import local_features
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


class FirstLayerProjection:
    """Hidden units of every voxel of a box, at a fraction of the cost of building its features.

    The sum (or the joining) of views and a linear layer change places, and so do bilinear interpolation and a layer
    that acts on channels alone. So the layer, with the standardisation of the features folded into it, acts on the
    few native-resolution pixels, and only its outputs are interpolated and added up. Exact but for rounding.

    Args:
        features: the scan's features, fused by "sum" or "concat"; "max" is computed voxel by voxel instead.
        weight: the first layers' weights, shape (features, hidden units of all members).
        bias: their biases, shape (hidden units,).
    """

    def __init__(self, features: OrthogonalFeatures, weight: Tensor, bias: Tensor) -> None:
        self.features, self.device = features, weight.device
        scaled = weight / features.spread.to(self.device)[:, None]
        self.weight, self.bias = scaled, bias - features.mean.to(self.device) @ scaled
        self.local_weight = scaled[features.view_channels :]
        self.view_weights = [scaled[start:stop] for start, stop in self._view_columns()]

    def hidden(self, box: Box) -> Tensor:
        """Hidden units, before their ReLU, of the voxels of a box: shape (i, j, k, hidden units)."""
        if self.features.config.fusion == "max":
            return self._voxel_by_voxel(box)
        inside = tuple(slice(start, stop) for start, stop in box)
        images = self.features.local[(slice(None), *inside)].to(self.device)
        local = local_features(images.flatten(1), self.features.config)
        total = torch.addmm(self.bias, local, self.local_weight).reshape(*images.shape[1:], -1)
        for view, weight in zip(self.features.views, self.view_weights, strict=True):
            self._add_view(total.movedim(view.axis, 0), view, weight, box)
        return total

    def _add_view(self, total: Tensor, view: ViewActivations, weight: Tensor, box: Box) -> None:
        """Add a view's share to `total`, whose first axis is the view's."""
        (row_start, row_stop), (column_start, column_stop) = (box[axis] for axis in range(3) if axis != view.axis)
        slices = slice(*box[view.axis])
        column = 0
        for reduction, level in view.levels.items():
            rows, row_matrix = interpolation_matrix(row_start, row_stop, level.shape[1], reduction, self.device)
            columns, column_matrix = interpolation_matrix(
                column_start, column_stop, level.shape[2], reduction, self.device
            )
            native = level[slices, rows, columns].to(self.device, torch.float32)
            projected = native @ weight[column : column + level.shape[3]]
            column += level.shape[3]
            # Interpolation as two dense products: the matrices are small, and the units stay side by side in memory.
            count, height, width, units = projected.shape
            widened = torch.matmul(column_matrix, projected.reshape(count * height, width, units))
            heightened = torch.matmul(row_matrix, widened.reshape(count, height, -1))
            total += heightened.reshape(total.shape)

    def _voxel_by_voxel(self, box: Box) -> Tensor:
        points = torch.cartesian_prod(*(torch.arange(start, stop) for start, stop in box))
        standardised = self.features.at(points).to(self.device)
        # `at` standardises already: undo what was folded into the weights.
        raw = standardised * self.features.spread.to(self.device) + self.features.mean.to(self.device)
        return torch.addmm(self.bias, raw, self.weight).reshape(*(stop - start for start, stop in box), -1)

    def _view_columns(self) -> list[tuple[int, int]]:
        channels = self.features.views[0].channels
        step = channels if self.features.config.fusion == "concat" else 0
        return [(index * step, index * step + channels) for index in range(len(self.features.views))]
