"""From features and ensemble to the labels of the whole volume, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.crew import Crew
from DiffusionSegLib.features.native_piece import Box
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.postprocessing import keep_largest_components
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.source_sampling import SourceSampling
from DiffusionSegLib.tile_classifier import SURE, TileClassifier
from DiffusionSegLib.tiles import tiles_of, tiles_of_slice

# Voxels of a tile's edge: on the CPU what is at work of larger tiles leaves the cache (on a GPU, they keep it busy),
# smaller ones project more pixels twice.
TILE = {"cpu": 16, "cuda": 32}
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
    resampler = SourceSampling(model_grid, features.origin)
    classify = TileClassifier(features, segmenter)
    tiles = list(tiles_of(features.tissue, TILE[classify.device.type], features.finest_reduction))

    def fill(tile: Box) -> None:
        target, matrices, needed = resampler.plan(tile, features.tissue.shape)
        if target is not None:
            labelmap[target], uncertainty[target], confidence[target] = classify.mixed(needed, matrices)

    with Crew(classify.device) as crew:
        crew.each(fill, tiles, lambda done: progress("prediction", done, len(tiles)))
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
    resampler = SourceSampling(model_grid, features.origin)
    classify = TileClassifier(features, segmenter)
    found = []
    for number, (source_axis, index) in enumerate(slices):
        axis = [axis_map.source_axis for axis_map in model_grid.axis_maps].index(source_axis)
        thin_shape = tuple(1 if other == axis else size for other, size in enumerate(shape))
        labelmap, uncertainty = np.zeros(thin_shape, np.uint16), np.zeros(thin_shape, np.float32)
        confidence = np.full(thin_shape, SURE, np.uint8)
        on_slice = resampler.only(axis, index)
        place = int(np.floor(on_slice.places[axis][0]))
        for tile in tiles_of_slice(
            features.tissue, SLICE_TILE[classify.device.type], features.finest_reduction, axis, place
        ):
            target, matrices, needed = on_slice.plan(tile, features.tissue.shape)
            if target is not None:
                labelmap[target], uncertainty[target], confidence[target] = classify.mixed(needed, matrices)
                progress("preview", number, len(slices))
        on_scan = (model_grid.to_source_order(array) for array in (labelmap, uncertainty, confidence))
        found.append(SlicePrediction(*(array.take(0, source_axis) for array in on_scan)))
        progress("preview", number + 1, len(slices))
    return found
