"""What is annotated of a scan, as voxels of the model's grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from DiffusionSegLib.annotation import UNKNOWN, Annotation
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.model_grid import ModelGrid

# Slices of the scan that are looked through at a time.
SLAB = 16


def annotated_tissue(features: OrthogonalFeatures, annotation: Annotation, model_grid: ModelGrid) -> np.ndarray:
    """Class numbers of the annotated voxels of the features' crop that are not air, int32; -1 for all others.

    Numbers follow the annotation's `classes`. An annotated voxel of the scan stands for the voxel of the model's grid
    that is nearest to its centre.
    """
    found = np.full(features.tissue.size, -1, np.int32)
    annotated = np.zeros(len(annotation.classes), bool)
    for keys, classes in _annotated_by_slabs(features, annotation, model_grid):
        # Where voxels are finer than the model's, several fall into one: the first speaks for all. Of those that are
        # set at once the last one stays, so they are set from the last to the first.
        new = found[keys] < 0
        found[keys[new][::-1]] = classes[new][::-1]
        annotated[classes] = True
    learnt = np.zeros(len(annotation.classes), bool)
    learnt[found[found >= 0]] = True
    outspoken = np.flatnonzero(annotated & ~learnt)
    if len(outspoken):
        # Structures too thin to be first anywhere would be lost.
        for keys, classes in _annotated_by_slabs(features, annotation, model_grid):
            of_these = np.isin(classes, outspoken)
            found[keys[of_these]] = classes[of_these]
    return found.reshape(features.tissue.shape)


def _annotated_by_slabs(
    features: OrthogonalFeatures, annotation: Annotation, model_grid: ModelGrid
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Keys (N,) of the crop's voxels that the annotated voxels of tissue stand for, and the class numbers of these.

    A slab at a time: with a background region nearly all voxels of a scan are annotated, and the indices of those of a
    CT of 512 x 512 x 400 took 5 GB.
    """
    places = _places_along_axes(features, model_grid)
    # With a margin of air, in which everything lies that the crop does not hold.
    tissue = np.pad(features.tissue, ((0, 1), (0, 1), (0, 1)))
    order = [axis_map.source_axis for axis_map in model_grid.axis_maps]
    for start in range(0, len(annotation.labelmap), SLAB):
        slab = annotation.labelmap[start : start + SLAB]
        of_slab = [places[0][start : start + SLAB], *places[1:]]
        is_tissue = tissue[np.ix_(*(of_slab[axis] for axis in order))].transpose(np.argsort(order))
        known = np.nonzero(is_tissue & (slab != UNKNOWN))
        points = np.stack([of_slab[axis][known[axis]] for axis in order], axis=1)
        yield keys_of(points, features.tissue.shape), np.searchsorted(annotation.classes, slab[known])


def _places_along_axes(features: OrthogonalFeatures, model_grid: ModelGrid) -> list[np.ndarray]:
    """For each axis of the scan the crop's nearest voxel to each of its voxels; -1 where that lies outside the crop."""
    found: list[np.ndarray] = [np.empty(0)] * 3
    for axis, axis_map in enumerate(model_grid.axis_maps):
        indices = np.zeros((model_grid.source.shape[axis_map.source_axis], 3), np.int64)
        indices[:, axis_map.source_axis] = np.arange(len(indices))
        places = model_grid.nearest_model_voxel(indices)[:, axis] - features.origin[axis]
        outside = (places < 0) | (places >= features.tissue.shape[axis])
        found[axis_map.source_axis] = np.where(outside, -1, places)
    return found


def keys_of(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """One number for each voxel (N,) of points (N, 3) in a volume of that shape."""
    return np.ravel_multi_index(tuple(points.T), shape)
