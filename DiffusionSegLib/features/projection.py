"""The first layers of all MLPs, applied before upsampling wherever that is cheaper."""

from __future__ import annotations

from dataclasses import dataclass

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
    few native-resolution pixels, and only its outputs are interpolated and added up. Where a level is nearly as fine
    as the voxels and has fewer channels than there are hidden units, its channels are interpolated and added up
    instead, and the layer follows. Exact but for rounding either way.

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
        widths = [level.shape[-1] for level in features.views[0].levels.values()]
        step = sum(widths) if features.config.fusion == "concat" else 0
        # The weights of each view's levels; summed views share them.
        self.level_weights = [
            dict(zip(view.levels, scaled[index * step :][: sum(widths)].split(widths), strict=True))
            for index, view in enumerate(features.views)
        ]

    def hidden(self, box: Box) -> Tensor:
        """Hidden units, before their ReLU, of the voxels of a box: shape (i, j, k, hidden units)."""
        return self.on(box).hidden(slice(None))

    def on(self, box: Box) -> BoxProjection:
        """What the hidden units of a box follow from."""
        shape = tuple(stop - start for start, stop in box)
        if self.features.config.fusion == "max":
            return BoxProjection(shape, self._voxel_by_voxel(box), self.weight, self.bias, ())
        images = self.features.local[(slice(None), *(slice(*edges) for edges in box))].to(self.device)
        pieces = [
            {reduction: _Piece.of(view, reduction, box, self.device) for reduction in view.levels}
            for view in self.features.views
        ]
        before = [reduction for reduction in pieces[0] if self._is_cheaper_before(reduction, pieces)]
        columns, weights = [local_features(images.flatten(1), self.features.config)], [self.local_weight]
        for reduction in (reduction for reduction in pieces[0] if reduction not in before):
            upsampled = [
                of_view[reduction].upsampled(view.axis, shape)
                for view, of_view in zip(self.features.views, pieces, strict=True)
            ]
            if self.features.config.fusion == "sum":
                columns.append(torch.stack(upsampled).sum(0))
                weights.append(self.level_weights[0][reduction])
            else:
                columns += upsampled
                weights += [of_view[reduction] for of_view in self.level_weights]
        shares = tuple(
            _ViewShare(
                view.axis,
                # One product interpolates all levels of a view along both axes: one for each level and axis has so
                # short rows that it was measured to take four times as long.
                torch.cat([of_view[reduction].matrix for reduction in before], dim=1),
                [of_view[reduction].pixels for reduction in before],
                [view_weights[reduction] for reduction in before],
            )
            for view, of_view, view_weights in zip(self.features.views, pieces, self.level_weights, strict=True)
            if before
        )
        return BoxProjection(shape, torch.cat(columns, dim=1), torch.cat(weights), self.bias, shares)

    def _is_cheaper_before(self, reduction: int, pieces: list[dict[int, _Piece]]) -> bool:
        """Whether a level takes fewer multiplications if it is projected before it is interpolated."""
        units, channels = self.weight.shape[1], pieces[0][reduction].pixels.shape[-1]
        before = after = 0.0
        for piece in (of_view[reduction] for of_view in pieces):
            area, pixels = piece.matrix.shape
            before += channels * units * pixels / area + units * pixels
            after += channels * pixels
        products = 1 if self.features.config.fusion == "sum" else len(pieces)
        return before < after + products * channels * units

    def _voxel_by_voxel(self, box: Box) -> Tensor:
        points = torch.cartesian_prod(*(torch.arange(start, stop) for start, stop in box))
        standardised = self.features.at(points).to(self.device)
        # `at` standardises already: undo what was folded into the weights.
        return standardised * self.features.spread.to(self.device) + self.features.mean.to(self.device)


@dataclass(frozen=True, eq=False)
class BoxProjection:
    """What the hidden units of a box follow from.

    Args:
        shape: of the box.
        columns: features of its voxels (voxels, columns).
        weights: their share of the first layers' weights (columns, hidden units).
        bias: the first layers' biases (hidden units,).
        views: what else each view adds.
    """

    shape: tuple[int, ...]
    columns: Tensor
    weights: Tensor
    bias: Tensor
    views: tuple[_ViewShare, ...]

    def hidden(self, units: slice) -> Tensor:
        """Some of the hidden units, before their ReLU: shape (i, j, k, units)."""
        total = torch.addmm(self.bias[units], self.columns, self.weights[:, units]).reshape(*self.shape, -1)
        for view in self.views:
            across = total.movedim(view.axis, 0)
            across += view.hidden(units).reshape(across.shape)
        return total


@dataclass(frozen=True, eq=False)
class _ViewShare:
    """What a view adds to the hidden units of a box.

    Args:
        axis: the slices are stacked along it.
        matrix: interpolates the pixels of all levels of a slice, shape (voxels of the slice, pixels of all levels).
        pixels: of each level, shape (slices, pixels, channels).
        weights: of each level, shape (channels, hidden units).
    """

    axis: int
    matrix: Tensor
    pixels: list[Tensor]
    weights: list[Tensor]

    def hidden(self, units: slice) -> Tensor:
        """Shape (slices, voxels of the slice, units)."""
        projected = [pixels @ weight[:, units] for pixels, weight in zip(self.pixels, self.weights, strict=True)]
        return torch.matmul(self.matrix, torch.cat(projected, dim=1))


@dataclass(frozen=True, eq=False)
class _Piece:
    """What a box needs of one level of one view.

    Args:
        pixels: shape (slices, pixels, channels).
        matrix: interpolates the pixels of a slice, shape (voxels of the slice, pixels).
    """

    pixels: Tensor
    matrix: Tensor

    @classmethod
    def of(cls, view: ViewActivations, reduction: int, box: Box, device: torch.device) -> _Piece:
        level = view.levels[reduction]
        rows, columns = (edges for axis, edges in enumerate(box) if axis != view.axis)
        row_pixels, row_matrix = interpolation_matrix(*rows, level.shape[1], reduction, device)
        column_pixels, column_matrix = interpolation_matrix(*columns, level.shape[2], reduction, device)
        native = level[slice(*box[view.axis]), row_pixels, column_pixels].to(device, torch.float32)
        return cls(native.flatten(1, 2), torch.kron(row_matrix, column_matrix))

    def upsampled(self, axis: int, shape: tuple[int, ...]) -> Tensor:
        """Channels of all voxels of a box of that shape, whose slices are stacked along `axis`: (voxels, channels)."""
        sizes = [size for other, size in enumerate(shape) if other != axis]
        return torch.matmul(self.matrix, self.pixels).unflatten(1, sizes).movedim(0, axis).flatten(0, 2)
