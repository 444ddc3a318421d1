"""Annotated voxels of a scan with their features."""

from __future__ import annotations

import warnings

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from DiffusionSegLib.annotated_tissue import annotated_tissue, keys_of
from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.crew import Crew
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.steady_draws import steady_draws
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

# Background that a structure can be taken for lies around it. What a background region adds is mostly far away, easy,
# and several times as much: without a limit of its own it took the place of the rest, and nine slices with a background
# region reached 5 points of Dice less than without. All of the box around the structures as "near" was still too much:
# transfer from a whole volume reached 2 to 2.6 points less than within 10 voxels of a structure; 3, 5 and 10 are alike.
NEAR_VOXELS = 5
NEAR, FAR = -1, -2
# Voxels that a core gathers between two reports of progress.
CHUNK = 8_192


def gather_training_voxels(
    features: OrthogonalFeatures,
    annotation: Annotation,
    model_grid: ModelGrid,
    config: EnsembleConfig,
    seed: int,
    progress: Progress = silent,
    known: TrainingVoxels | None = None,
) -> TrainingVoxels:
    """Features of the annotated tissue, one row a voxel of the model's grid.

    What `known` holds already, gathered from the same features, is taken from there.

    An annotated voxel stands for the voxel of the model's grid that is nearest to its centre. Air is never learnt: it
    is background by definition.

    Raises:
        DiffusionSegError: if nothing annotated is tissue.
    """
    found = annotated_tissue(features, annotation, model_grid)
    keys = np.flatnonzero(found >= 0)
    points, classes = np.stack(np.unravel_index(keys, found.shape), axis=1), found.ravel()[keys].astype(np.int64)
    if not len(classes):
        message = "Nothing of what is annotated is tissue: all of it is as dark as air."
        raise DiffusionSegError(message, "Check that the painting lies on the scan's structures.")
    _warn_of_air(annotation, classes)
    structures = np.asarray(annotation.classes)[classes] != 0
    groups = np.where(structures, classes, np.where(_near(points, structures), NEAR, FAR))
    chosen = _limited(groups, steady_draws(keys, seed), config)
    places = torch.from_numpy(points[chosen])
    rows = _gathered(features, places, known, progress)
    return TrainingVoxels(rows, torch.from_numpy(classes[chosen]), places, features.view_channels)


def _warn_of_air(annotation: Annotation, classes: np.ndarray) -> None:
    """Tell of structures none of whose painted voxels is tissue."""
    learnt = {annotation.classes[number] for number in np.unique(classes)}
    missing = [label.name for label in annotation.labels if label.value in set(annotation.classes) - learnt]
    if missing:
        message = f"What is painted as {', '.join(missing)} is as dark as air, and so cannot be learnt."
        warnings.warn(message, DiffusionSegWarning, stacklevel=3)


def _gathered(features: OrthogonalFeatures, places: Tensor, known: TrainingVoxels | None, progress: Progress) -> Tensor:
    """Features (N, features) in half precision at `places` (N, 3), in rising order of their keys."""
    rows = torch.empty(len(places), len(features.mean), dtype=torch.float16)
    new = torch.ones(len(places), dtype=torch.bool)
    if known is not None:
        keys, known_keys = (keys_of(points.numpy(), features.tissue.shape) for points in (places, known.points))
        found = np.minimum(np.searchsorted(known_keys, keys), len(known_keys) - 1)
        old = torch.from_numpy(known_keys[found] == keys)
        rows[old] = known.features[torch.from_numpy(found)[old]]
        new = ~old
    missing = new.nonzero()[:, 0]
    parts = missing.split(CHUNK) if len(missing) else ()

    def gather(part: Tensor) -> None:
        rows[part] = features.at(places[part]).half()

    with Crew(rows.device) as crew:
        crew.each(gather, parts, lambda done: progress("gathering", done, len(parts)))
    return rows


def _near(points: np.ndarray, structures: np.ndarray) -> np.ndarray:
    """Which of the voxels (N, 3) lie no farther than `NEAR_VOXELS` from one of a structure."""
    of_structures = points[structures]
    if not len(of_structures):
        return np.zeros(len(points), bool)
    # Distances are found around the structures alone: in all of a head they take five times as long.
    low = of_structures.min(0) - NEAR_VOXELS
    size = of_structures.max(0) + NEAR_VOXELS + 1 - low
    painted = np.zeros(size, np.uint8)
    painted[tuple((of_structures - low).T)] = 1
    image = sitk.GetImageFromArray(painted)
    distance = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=False)
    places = points - low
    near = ((places >= 0) & (places < size)).all(1)
    near[near] = sitk.GetArrayViewFromImage(distance)[tuple(places[near].T)] <= NEAR_VOXELS
    return near


def _limited(groups: np.ndarray, draws: np.ndarray, config: EnsembleConfig) -> np.ndarray:
    """Indices of at most so many voxels of each structure, of the background near to them and of that far away."""
    chosen = []
    near = min(int((groups == NEAR).sum()), config.voxels_per_class)
    # Nine slices of a brain have 16,000 near voxels, and did best with 20,000 far ones: three times as many cost up to
    # half a point of Dice. A whole volume has 133,000 near ones: with ten times as many far ones, Dice was the same,
    # and HD95 1.5 mm less on one of the two people that this was tried on, as sulci are not taken for ventricles.
    most_far = max(config.far_voxels, round(config.far_share * near))
    for group in np.unique(groups):
        most = most_far if group == FAR else config.voxels_per_class
        of_group = np.flatnonzero(groups == group)
        chosen.append(of_group[np.argsort(draws[of_group])[:most]])
    return np.sort(np.concatenate(chosen))
