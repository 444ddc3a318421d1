"""From features and ensemble to the labels of the whole volume, tile by tile."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.features.projection import Box, FirstLayerProjection
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.memory_shortage import is_memory_shortage
from DiffusionSegLib.model_grid import AxisMap, ModelGrid
from DiffusionSegLib.postprocessing import keep_largest_components
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.segmenter.ensemble import mean_probabilities
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.uncertainty import disagreement

# Voxels of a tile's edge: larger tiles interpolate with larger matrices (their size grows with the square of the area),
# smaller ones project more pixels twice.
TILE = {"cpu": 16, "cuda": 32}
# The confidence that is a probability of 1.
SURE = 255
# A slice is one voxel thin, so that its tiles may be wider.
SLICE_TILE = {"cpu": 48, "cuda": 48}


@dataclass(frozen=True, eq=False)
class Prediction:
    """A segmented volume, on the grid of the scan that was given.

    Args:
        labelmap: label values, uint16 of shape (I, J, K).
        uncertainty: disagreement of the members from 0 to 1, float32 of the same shape.
        confidence: probability of the label in steps of 1 / 255, uint8 of the same shape: a quarter of the memory that
            float32 takes, and finer than any use of it so far.
        grid: where they lie.
        labels: names and colours.
    """

    labelmap: np.ndarray
    uncertainty: np.ndarray
    confidence: np.ndarray
    grid: Grid
    labels: tuple[Label, ...]


@dataclass(frozen=True, eq=False)
class SlicePrediction:
    """A slice of a segmented volume.

    Args:
        labelmap: label values, uint16; the axes are those of the scan's own grid but for the slice's.
        uncertainty: disagreement of the members from 0 to 1, float32 of the same shape.
        confidence: probability of the label in steps of 1 / 255, uint8 of the same shape.
    """

    labelmap: np.ndarray
    uncertainty: np.ndarray
    confidence: np.ndarray


def predict(
    features: OrthogonalFeatures, segmenter: Segmenter, model_grid: ModelGrid, progress: Progress = silent
) -> Prediction:
    """Labels, uncertainty and confidence of all voxels of the scan's own grid; air is background.

    Probabilities, not labels, are interpolated from the model's grid to the scan's. Memory beyond the three outputs is
    that of one tile. What the clean-up takes from a label keeps the confidence that it had.
    """
    shape = model_grid.source_shape_in_model_order()
    labelmap, uncertainty = np.zeros(shape, np.uint16), np.zeros(shape, np.float32)
    confidence = np.full(shape, SURE, np.uint8)
    resampler = _SourceSampling(model_grid, features.origin)
    classify = _TileClassifier(features, segmenter)
    tiles = list(_tiles(features.tissue, TILE[classify.device.type]))
    for number, tile in enumerate(tiles):
        target, matrices, needed = resampler.plan(tile, features.tissue.shape)
        if target is not None:
            labelmap[target], uncertainty[target], confidence[target] = classify.mixed(needed, matrices)
        progress("prediction", number + 1, len(tiles))
    for number, value in enumerate(segmenter.header.keep_largest):
        progress("clean-up", number, len(segmenter.header.keep_largest))
        labelmap = keep_largest_components(labelmap, (value,))
    return Prediction(
        model_grid.to_source_order(labelmap),
        model_grid.to_source_order(uncertainty),
        model_grid.to_source_order(confidence),
        model_grid.source,
        segmenter.labels,
    )


def preview(
    features: OrthogonalFeatures,
    segmenter: Segmenter,
    model_grid: ModelGrid,
    slices: Sequence[tuple[int, int]],
    progress: Progress = silent,
) -> list[SlicePrediction]:
    """Slices (axis, index) of the scan's own grid as `predict` finds them, but for the clean-up.

    Only voxels of the model's grid that these slices are mixed from are classified.
    """
    shape = model_grid.source_shape_in_model_order()
    resampler = _SourceSampling(model_grid, features.origin)
    classify = _TileClassifier(features, segmenter)
    found = []
    for number, (source_axis, index) in enumerate(slices):
        axis = [axis_map.source_axis for axis_map in model_grid.axis_maps].index(source_axis)
        thin_shape = tuple(1 if other == axis else size for other, size in enumerate(shape))
        labelmap, uncertainty = np.zeros(thin_shape, np.uint16), np.zeros(thin_shape, np.float32)
        confidence = np.full(thin_shape, SURE, np.uint8)
        on_slice = resampler.only(axis, index)
        place = int(np.floor(on_slice.places[axis][0]))
        for tile in _slice_tiles(features.tissue, SLICE_TILE[classify.device.type], axis, place):
            target, matrices, needed = on_slice.plan(tile, features.tissue.shape)
            if target is not None:
                labelmap[target], uncertainty[target], confidence[target] = classify.mixed(needed, matrices)
                progress("preview", number, len(slices))
        on_scan = (model_grid.to_source_order(array) for array in (labelmap, uncertainty, confidence))
        found.append(SlicePrediction(*(array.take(0, source_axis) for array in on_scan)))
        progress("preview", number + 1, len(slices))
    return found


class _TileClassifier:
    """Probabilities of the classes, then uncertainty, for the voxels of a tile."""

    def __init__(self, features: OrthogonalFeatures, segmenter: Segmenter) -> None:
        self.tissue, self.ensemble = features.tissue, segmenter.ensemble
        self.values = np.asarray(segmenter.header.values, np.uint16)
        self.background = segmenter.header.values.index(0) if 0 in segmenter.header.values else None
        first, bias = self.ensemble.weights[0], self.ensemble.biases[0]
        self.device = first.device
        self.units = first.shape[2]
        self.projection = FirstLayerProjection(features, first.permute(1, 0, 2).flatten(1), bias.flatten())

    def mixed(self, box: Box, matrices: list[Tensor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Label values, uint16, uncertainty and confidence, uint8, of the voxels that the matrices mix from a box."""
        found = _separably(self(box), matrices)
        shares, classes = found[..., :-1].max(-1)
        labels = self.values[classes.cpu().numpy()]
        # What is mostly air is background, also where background is no class.
        air = 1 - found[..., :-1].sum(-1)
        labels[(air > shares).cpu().numpy()] = 0
        confidence = (torch.maximum(air, shares) * SURE).round().byte().cpu().numpy()
        return labels, found[..., -1].cpu().numpy(), confidence

    def __call__(self, box: Box) -> Tensor:
        """Shape (i, j, k, classes + 1); a box that the memory does not suffice for is halved."""
        try:
            return self._classified(box)
        except (RuntimeError, MemoryError) as error:
            edges = [stop - start for start, stop in box]
            if max(edges) == 1 or not is_memory_shortage(error):
                raise
        torch.cuda.empty_cache()
        message = "The memory is short: smaller pieces are computed at a time, which is slower."
        warnings.warn(message, DiffusionSegWarning, stacklevel=2)
        axis = edges.index(max(edges))
        start, stop = box[axis]
        middle = (start + stop) // 2
        halves = ([*box[:axis], edge, *box[axis + 1 :]] for edge in ((start, middle), (middle, stop)))
        return torch.cat([self((half[0], half[1], half[2])) for half in halves], dim=axis)

    @torch.inference_mode()
    def _classified(self, box: Box) -> Tensor:
        tissue = torch.from_numpy(self.tissue[tuple(slice(*edges) for edges in box)])
        found = torch.zeros(*tissue.shape, self.ensemble.classes + 1, device=self.device)
        if self.background is not None:
            found[..., self.background] = 1
        if tissue.any():
            # At the body's surface much of a tile is air: only the box around its tissue is computed.
            low, high = tissue.nonzero().amin(0).tolist(), (tissue.nonzero().amax(0) + 1).tolist()
            edges = [(start + first, start + last) for (start, _), first, last in zip(box, low, high, strict=True)]
            around = tuple(map(slice, low, high))
            inside = tissue[around].to(self.device)
            found[around][inside] = self._of_tissue((edges[0], edges[1], edges[2]), inside)
        return found

    def _of_tissue(self, box: Box, inside: Tensor) -> Tensor:
        """Probabilities of the classes, then uncertainty, of the voxels `inside` of a box: (N, classes + 1)."""
        projected = self.projection.on(box)
        # Where all is tissue nothing need be copied.
        chosen = None if inside.all() else inside.flatten()
        parts = []
        # One member after the other: as fast as all at once, in a third of the memory (measured: 57 instead of 170 MB).
        for member in range(self.ensemble.members):
            hidden = projected.hidden(slice(member * self.units, (member + 1) * self.units)).flatten(0, 2)
            of_tissue = hidden if chosen is None else hidden[chosen]
            parts.append(self.ensemble.after_first_layer(of_tissue[None], slice(member, member + 1)))
        logits = torch.cat(parts)
        return torch.cat([mean_probabilities(logits), disagreement(logits)[:, None]], dim=1)


class _SourceSampling:
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

    def only(self, axis: int, index: int) -> _SourceSampling:
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


def _separably(values: Tensor, matrices: list[Tensor]) -> Tensor:
    """Values (i, j, k, c) mixed along each of the first three axes by a matrix."""
    for axis, matrix in enumerate(matrices):
        identity = matrix.shape[0] == matrix.shape[1] and torch.equal(matrix, torch.eye(len(matrix)))
        if not identity:
            values = torch.tensordot(matrix.to(values.device), values, dims=([1], [axis])).movedim(0, axis)
    return values


def _slice_tiles(tissue: np.ndarray, edge: int, axis: int, place: int) -> Iterator[Box]:
    """Boxes of `edge` by `edge` by one voxels that cover the crop's voxels at `place` along `axis`."""
    if not 0 <= place < tissue.shape[axis]:
        return
    slab = tissue[(slice(None),) * axis + (slice(place, place + 2),)]
    for tile in _tiles(slab, edge):
        thin = [*tile]
        thin[axis] = (place, place + 1)
        yield thin[0], thin[1], thin[2]


def _tiles(tissue: np.ndarray, edge: int) -> Iterator[Box]:
    """Boxes of `edge` voxels that cover the crop, but for those of air."""
    starts = itertools.product(*(range(0, size, edge) for size in tissue.shape))
    for corner in starts:
        ranges = [(start, min(start + edge, size)) for start, size in zip(corner, tissue.shape, strict=True)]
        # One voxel more at the far side: interpolation reaches into the next tile.
        if tissue[tuple(slice(start, stop + 1) for start, stop in ranges)].any():
            yield ranges[0], ranges[1], ranges[2]
