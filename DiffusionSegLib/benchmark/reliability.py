"""Whether probabilities are what they say, and whether uncertainty finds mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


@dataclass(frozen=True)
class ReliabilityBin:
    """Voxels whose label was given about the same probability.

    Args:
        low: least probability.
        high: largest probability.
        share: share of all voxels.
        confidence: mean probability of the label.
        accuracy: share of these voxels whose label is right.
    """

    low: float
    high: float
    share: float
    confidence: float
    accuracy: float


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> list[ReliabilityBin]:
    """Bins of equal width that hold any voxels (Guo et al. 2017, section 2).

    Args:
        confidence: probability of each voxel's label, shape (N,).
        right: whether the label is right, bool of the same shape.
        bins: how many from 0 to 1; each includes its upper end.
    """
    numbers = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    found = []
    for number in np.unique(numbers):
        inside = numbers == number
        found.append(
            ReliabilityBin(
                low=float(number / bins),
                high=float((number + 1) / bins),
                share=float(inside.mean()),
                confidence=float(confidence[inside].mean(dtype=np.float64)),
                accuracy=float(right[inside].mean()),
            )
        )
    return found


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean distance between probability and share of right labels, bins weighed by their voxels."""
    return float(sum(one.share * abs(one.accuracy - one.confidence) for one in bins))


def error_rates(doubt: np.ndarray, right: np.ndarray) -> list[float]:
    """Share of wrong labels in each tenth of the voxels, from the least doubt to the most.

    Voxels of the same doubt count alike, whichever tenth they come into.
    """
    _, group, counts = np.unique(doubt, return_inverse=True, return_counts=True)
    wrong = np.bincount(group, weights=~right) / counts
    ordered = wrong[np.sort(group)]
    return [float(part.mean()) for part in np.array_split(ordered, 10)]


def error_auroc(doubt: np.ndarray, right: np.ndarray) -> float:
    """How likely a wrong voxel is doubted more than a right one; 0.5 is chance. NaN if there is only one kind."""
    wrong = ~right
    of_wrong, of_right = int(wrong.sum()), int(right.sum())
    if not of_wrong or not of_right:
        return float("nan")
    return float((rankdata(doubt)[wrong].sum() - of_wrong * (of_wrong + 1) / 2) / (of_wrong * of_right))
