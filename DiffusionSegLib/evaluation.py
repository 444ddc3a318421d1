"""Agreement of a segmentation with a reference."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.extras import of_extra
from DiffusionSegLib.grid import Grid


@dataclass(frozen=True)
class Score:
    """Agreement on one structure.

    Args:
        dice: overlap from 0 to 1.
        hd95_mm: 95th percentile of the distances between the surfaces, the larger of both directions.
    """

    dice: float
    hd95_mm: float


def evaluate(
    prediction: np.ndarray, reference: np.ndarray, grid: Grid, *, values: Collection[int] | None = None
) -> dict[int, Score]:
    """Scores of each structure of the reference.

    Args:
        prediction: label map (I, J, K).
        reference: label map of the same shape.
        grid: where both lie.
        values: the structures to score; all of the reference's if not given.

    Returns:
        A score for each structure that the reference has. One that is not predicted scores Dice 0 and the diagonal of
        the volume.
    """
    present = [int(value) for value in np.unique(reference) if value != 0 and (values is None or value in values)]
    return {value: _score(prediction == value, reference == value, grid) for value in present}


def mean_score(scores: Mapping[int, Score]) -> Score:
    """Means over structures."""
    return Score(
        float(np.mean([score.dice for score in scores.values()])),
        float(np.mean([score.hd95_mm for score in scores.values()])),
    )


def _score(predicted: np.ndarray, true: np.ndarray, grid: Grid) -> Score:
    with of_extra("benchmark", "Scores need the package MONAI"):
        import torch
        from monai.metrics.hausdorff_distance import compute_hausdorff_distance
        from monai.metrics.meandice import compute_dice
    if not predicted.any():
        return Score(0.0, grid.diagonal_mm)
    # Surfaces do not change beyond one voxel around both: the box makes the distance transforms small.
    box = tuple(slice(max(first - 1, 0), past + 1) for first, past in bounding_box(predicted | true))
    found_box, true_box = (torch.from_numpy(np.pad(mask[box], 1)[None, None]) for mask in (predicted, true))
    with warnings.catch_warnings():
        # MONAI itself passes the argument that it warns of.
        warnings.filterwarnings("ignore", ".*always_return_as_numpy", FutureWarning)
        distance = compute_hausdorff_distance(
            found_box, true_box, include_background=True, percentile=95, spacing=grid.spacing
        )
    return Score(float(compute_dice(found_box, true_box, include_background=True)), float(distance))
