"""From features and ensemble to the labels of the whole volume, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.box import Box
from DiffusionSegLib.crew import Crew
from DiffusionSegLib.devices import give_back_cache
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.smoothing import Smoothing
from DiffusionSegLib.source_sampling import SourceSampling, TileSampling
from DiffusionSegLib.tile_classifier import SURE, TileClassifier
from DiffusionSegLib.tiles import tiles_of, tiles_of_slice

# Voxels of a tile's edge. On the CPU a brain takes a fifth longer in tiles of 16 voxels, of which more pixels are
# projected twice and more voxels classified twice for smoothing, and no less time in tiles of 32 or 48, with which more
# memory is at work. A GPU computes small ones in less time than it takes to tell it of them.
TILE = {"cpu": 24, "cuda": 64}
# A slice is one voxel thin, or three where it is smoothed, so that its tiles may be wider: three slices of a brain take
# a quarter longer in tiles of 48 voxels. On a GPU most slices are a tile each.
SLICE_TILE = {"cpu": 96, "cuda": 256}


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
    features: OrthogonalFeatures,
    segmenter: Segmenter,
    model_grid: ModelGrid,
    progress: Progress = silent,
    region: Box | None = None,
    smoothing: Smoothing | None = None,
) -> Prediction:
    """Labels, uncertainty and confidence of the voxels of the scan's own grid before any clean-up; air is background.

    Probabilities, not labels, are interpolated from the model's grid to the scan's. Memory beyond the three outputs is
    that of one tile.

    Args:
        features: the scan's.
        segmenter: what has learnt.
        model_grid: between the scan's own grid and that of the features.
        progress: told how far the prediction is.
        region: the part of the scan's own grid that is asked for, all else is background; None for all of it.
        smoothing: what probabilities are settled by; None for as the ensemble has them.
    """
    classify, sampling = TileClassifier(features, segmenter, smoothing), _sampling(features, model_grid, region)
    arrays = _Arrays(model_grid.source_shape_in_model_order())
    parts = [
        part
        for tile in tiles_of(features.tissue, TILE[classify.device.type], features.finest_reduction)
        if (part := sampling.of_tile(tile, features.tissue.shape)) is not None
    ]
    with Crew(classify.device) as crew:
        crew.each(
            lambda part: arrays.fill(part, classify), parts, lambda done: progress("prediction", done, len(parts))
        )
    give_back_cache(classify.device)
    return Prediction(*arrays.in_source_order(model_grid), model_grid.source, segmenter.labels)


def preview(
    features: OrthogonalFeatures,
    segmenter: Segmenter,
    model_grid: ModelGrid,
    slices: Sequence[tuple[int, int]],
    progress: Progress = silent,
    region: Box | None = None,
    smoothing: Smoothing | None = None,
) -> list[SlicePrediction]:
    """Slices (axis, index) of the scan's own grid as `predict` finds them.

    Only voxels of the model's grid that these slices are mixed from are classified, and those that smoothing looks at.
    """
    classify, sampling = TileClassifier(features, segmenter, smoothing), _sampling(features, model_grid, region)
    found = []
    for number, (source_axis, index) in enumerate(slices):
        axis = [axis_map.source_axis for axis_map in model_grid.axis_maps].index(source_axis)
        on_slice = sampling.only(axis, index)
        place = on_slice.places[axis][0]
        shape = model_grid.source_shape_in_model_order()
        arrays = _Arrays((*shape[:axis], 1, *shape[axis + 1 :]))
        for tile in tiles_of_slice(
            features.tissue, SLICE_TILE[classify.device.type], features.finest_reduction, axis, place
        ):
            part = on_slice.of_tile(tile, features.tissue.shape)
            if part is not None:
                arrays.fill(part, classify)
            progress("preview", number, len(slices))
        found.append(SlicePrediction(*(array.take(0, source_axis) for array in arrays.in_source_order(model_grid))))
        progress("preview", number + 1, len(slices))
    return found


def _sampling(features: OrthogonalFeatures, model_grid: ModelGrid, region: Box | None) -> SourceSampling:
    """How the scan's own voxels in a region, or all, are mixed from the features' crop."""
    sampling = SourceSampling(model_grid, features.origin)
    return sampling if region is None else sampling.within(model_grid.in_model_order(region))


class _Arrays:
    """What is found, in the model's order of axes: air, until a tile is filled in.

    Args:
        shape: of the scan, or of one slice of it.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.labelmap, self.uncertainty = np.zeros(shape, np.uint16), np.zeros(shape, np.float32)
        self.confidence = np.full(shape, SURE, np.uint8)

    def fill(self, part: TileSampling, classify: TileClassifier) -> None:
        """Find what lies in a tile of the model's grid."""
        found = classify.mixed(part.box, part.matrices)
        self.labelmap[part.target], self.uncertainty[part.target], self.confidence[part.target] = found

    def in_source_order(self, model_grid: ModelGrid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Label map, uncertainty and confidence with the scan's own axes."""
        return (
            model_grid.to_source_order(self.labelmap),
            model_grid.to_source_order(self.uncertainty),
            model_grid.to_source_order(self.confidence),
        )
