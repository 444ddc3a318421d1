"""The first layers of all MLPs, applied before upsampling wherever that is cheaper."""

from __future__ import annotations

import torch
from torch import Tensor

from DiffusionSegLib.box import Box, slices_of
from DiffusionSegLib.features.box_projection import BoxProjection, LevelProjection
from DiffusionSegLib.features.device_tier import DEVICE_TIER
from DiffusionSegLib.features.few_directions import few_directions
from DiffusionSegLib.features.local_features import local_features
from DiffusionSegLib.features.native_piece import NativePiece
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures

# Box voxels are numbered along the axes in this order: the last one is interpolated by one product over all others.
VOXEL_ORDER = (2, 0, 1)


class FirstLayerProjection:
    """Hidden units of every voxel of a box, at a fraction of the cost of building its features.

    The sum (or the joining) of views and a linear layer change places, and so do bilinear interpolation and a layer
    that acts on channels alone. So the layer, with the standardisation of the features folded into it, acts on the
    few native-resolution pixels, and only its outputs are interpolated and added up. Where a level is nearly as fine
    as the voxels and has fewer channels than there are hidden units, its channels are interpolated and added up
    instead, and the layer follows. Exact but for rounding either way.

    First layers that learnt along few directions of the activations are split in two: what is interpolated are the
    activations along these directions, a twentieth of the hidden units of ten members.

    Args:
        features: the scan's features, fused by "sum" or "concat"; "max" is computed voxel by voxel instead.
        weight: the first layers' weights, shape (features, hidden units of all members).
        bias: their biases, shape (hidden units,).
    """

    def __init__(self, features: OrthogonalFeatures, weight: Tensor, bias: Tensor) -> None:
        self.features, self.device = features, weight.device
        self.views = DEVICE_TIER.on_device(features.views, self.device)
        spread = features.spread.to(self.device)[:, None]
        channels = features.view_channels
        # Found before the features' scale comes in: one that hardly varies would hide the directions of all others.
        thin = few_directions(weight[:channels]) if features.config.fusion != "max" else None
        self.weight = weight / spread
        self.bias = bias - features.mean.to(self.device) @ self.weight
        self.along_weight: Tensor | None = None
        if thin is None:
            activations, self.beside_weight = self.weight.tensor_split([channels])
        else:
            activations, self.along_weight = thin[0] / spread[:channels], thin[1]
            self.beside_weight = torch.cat([self.weight[channels:], self.along_weight])
            # The largest matrix there is, and not needed any more.
            del self.weight
        widths = [level.channels for level in features.views[0].levels.values()]
        step = sum(widths) if features.config.fusion == "concat" else 0
        # The weights of each view's levels; summed views share them.
        self.level_weights = [
            dict(zip(view.levels, activations[index * step :][: sum(widths)].split(widths), strict=True))
            for index, view in enumerate(features.views)
        ]

    def hidden(self, box: Box) -> Tensor:
        """Hidden units, before their ReLU, of the voxels of a box: shape (i, j, k, hidden units)."""
        first, second, third = (stop - start for start, stop in box)
        return self.on(box).hidden(slice(None)).unflatten(0, (third, first, second)).permute(1, 2, 0, 3)

    def on(self, box: Box) -> BoxProjection:
        """What the hidden units of a box follow from."""
        shape = tuple(stop - start for start, stop in box)
        if self.features.config.fusion == "max":
            return BoxProjection(shape, self._voxel_by_voxel(box), self.weight, self.bias, ())
        images = self.features.local[(slice(None), *slices_of(box))].to(self.device)
        ordered = images.permute(0, *(axis + 1 for axis in VOXEL_ORDER))
        local = local_features(ordered.flatten(1), self.features.config)
        if self.along_weight is None:
            return self._of_levels(box, local, self.beside_weight, self.bias, repeatedly=True)
        directions = len(self.along_weight)
        nothing, no_bias = self.bias.new_zeros(0, directions), self.bias.new_zeros(directions)
        along = self._of_levels(box, local[:, :0], nothing, no_bias, repeatedly=False).hidden(slice(None))
        return BoxProjection(shape, torch.cat([local, along], dim=1), self.beside_weight, self.bias, ())

    def _of_levels(
        self, box: Box, beside: Tensor, beside_weight: Tensor, bias: Tensor, *, repeatedly: bool
    ) -> BoxProjection:
        """What the levels' weights make of a box, with what is beside the activations; asked for once or repeatedly."""
        pieces = [
            {reduction: NativePiece.of(view, reduction, box, self.device) for reduction in view.levels}
            for view in self.views
        ]
        before = [reduction for reduction in pieces[0] if self._is_cheaper_before(reduction, pieces)]
        columns, weights = [beside], [beside_weight]
        for reduction in (reduction for reduction in pieces[0] if reduction not in before):
            upsampled = [of_view[reduction].upsampled().permute(*VOXEL_ORDER, 3).flatten(0, 2) for of_view in pieces]
            if self.features.config.fusion == "sum":
                columns.append(torch.stack(upsampled).sum(0))
                weights.append(self.level_weights[0][reduction])
            else:
                columns += upsampled
                weights += [of_view[reduction] for of_view in self.level_weights]
        levels = tuple(
            LevelProjection(
                reduction,
                of_view[reduction],
                view_weights[reduction],
                of_view[reduction].ordered() if repeatedly else None,
            )
            for reduction in before
            for of_view, view_weights in zip(pieces, self.level_weights, strict=True)
        )
        shape = tuple(stop - start for start, stop in box)
        return BoxProjection(shape, torch.cat(columns, dim=1), torch.cat(weights), bias, levels)

    def _is_cheaper_before(self, reduction: int, pieces: list[dict[int, NativePiece]]) -> bool:
        """Whether a level takes fewer multiplications if it is projected before it is interpolated."""
        channels, units = self.level_weights[0][reduction].shape
        before = after = 0.0
        for piece in (of_view[reduction] for of_view in pieces):
            (height, rows), (width, columns) = piece.row_matrix.shape, piece.column_matrix.shape
            interpolation = rows + rows * columns / height
            before += units * (interpolation + channels * rows * columns / (height * width))
            after += channels * interpolation
        products = 1 if self.features.config.fusion == "sum" else len(pieces)
        return before < after + products * channels * units

    def _voxel_by_voxel(self, box: Box) -> Tensor:
        grid = torch.meshgrid(*(torch.arange(start, stop) for start, stop in box), indexing="ij")
        points = torch.stack(grid, dim=-1).permute(*VOXEL_ORDER, 3).flatten(0, 2)
        standardised = self.features.at(points).to(self.device)
        # `at` standardises already: undo what was folded into the weights.
        return standardised * self.features.spread.to(self.device) + self.features.mean.to(self.device)
