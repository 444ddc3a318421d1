"""Annotated voxels of a scan with their features."""

from __future__ import annotations

import numpy as np
import torch

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.ensemble_training import TrainingVoxels

# Background that a structure can be taken for lies around it. What a background region adds is mostly far away, easy,
# and several times as much: without a limit of its own it took the place of the rest, and nine slices with a background
# region reached 5 points of Dice less than without.
NEAR_VOXELS = 10
NEAR, FAR = -1, -2
# Voxels gathered between two reports of progress.
CHUNK = 16_384


def gather_training_voxels(
    features: OrthogonalFeatures,
    annotation: Annotation,
    model_grid: ModelGrid,
    config: EnsembleConfig,
    seed: int,
    progress: Progress = silent,
) -> TrainingVoxels:
    """Features of the annotated tissue, one row a voxel of the model's grid.

    An annotated voxel stands for the voxel of the model's grid that is nearest to its centre. Air is never learnt: it
    is background by definition.

    Raises:
        DiffusionSegError: if fewer than two classes are left to tell apart.
    """
    annotated = np.argwhere(annotation.known)
    points = model_grid.nearest_model_voxel(annotated) - np.asarray(features.origin)
    classes = np.searchsorted(annotation.classes, annotation.labelmap[tuple(annotated.T)])
    shape = features.tissue.shape
    inside = ((points >= 0) & (points < shape)).all(1)
    points, classes = points[inside], classes[inside]
    tissue = features.tissue[tuple(points.T)]
    points, classes = points[tissue], classes[tissue]
    # Where voxels are finer than the model's, several fall into one: the first speaks for all.
    _, first = np.unique(np.ravel_multi_index(tuple(points.T), shape), return_index=True)
    points, classes = points[first], classes[first]
    if len(np.unique(classes)) < 2:
        message = "The annotated voxels within the tissue are all of one class."
        raise DiffusionSegError(message, "Paint a second structure, or mark background.")
    structures = np.asarray(annotation.classes)[classes] != 0
    groups = np.where(structures, classes, np.where(_near(points, structures), NEAR, FAR))
    chosen = _limited(groups, config, seed)
    places = torch.from_numpy(points[chosen])
    parts = []
    for start in range(0, len(places), CHUNK):
        progress("gathering", start, len(places))
        parts.append(features.at(places[start : start + CHUNK]).half())
    return TrainingVoxels(torch.cat(parts), torch.from_numpy(classes[chosen]), places, features.view_channels)


def _near(points: np.ndarray, structures: np.ndarray) -> np.ndarray:
    """Which voxels lie in the box around all voxels of structures, with its margin."""
    low, high = points[structures].min(0) - NEAR_VOXELS, points[structures].max(0) + NEAR_VOXELS
    return ((points >= low) & (points <= high)).all(1)


def _limited(groups: np.ndarray, config: EnsembleConfig, seed: int) -> np.ndarray:
    """Indices of at most so many voxels of each structure, of the background near to them and of that far away."""
    random = np.random.default_rng(seed)
    drawn = []
    for group in np.unique(groups):
        most = config.far_voxels if group == FAR else config.voxels_per_class
        drawn.append(random.permutation(np.flatnonzero(groups == group))[:most])
    return np.sort(np.concatenate(drawn))
