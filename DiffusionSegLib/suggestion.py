"""Which slices are worth painting next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.grid import Grid

VIEW_OF_DIRECTION = {"L": "sagittal", "R": "sagittal", "A": "coronal", "P": "coronal", "S": "axial", "I": "axial"}
# Neighbouring slices show nearly the same: one of them is enough.
LEAST_DISTANCE_MM = 6.0


@dataclass(frozen=True)
class SliceSuggestion:
    """A slice worth painting.

    Args:
        axis: "i", "j" or "k" of the volume's own grid.
        index: the slice's index along it.
        view: the closest anatomical plane.
        score: mean uncertainty of the slice, summed up over its tissue and divided by the largest of all slices.
    """

    axis: str
    index: int
    view: str
    score: float


def suggest_slices(
    uncertainty: np.ndarray, grid: Grid, *, count: int, painted: tuple[tuple[int, ...], ...] = ((), (), ())
) -> list[SliceSuggestion]:
    """The slices of any axis through most disagreement, apart from each other and from those painted.

    Args:
        uncertainty: shape (I, J, K), on `grid`.
        grid: where it lies.
        count: how many slices to name.
        painted: indices of the slices that are complete already, for each axis.
    """
    candidates = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        # Area in mm2, so that slices of different axes compare when voxels are no cubes.
        area = grid.spacing[others[0]] * grid.spacing[others[1]]
        candidates += [(float(total), axis, index) for index, total in enumerate(uncertainty.sum(others) * area)]
    candidates.sort(reverse=True)
    taken = [(axis, index) for axis in range(3) for index in painted[axis]]
    chosen: list[SliceSuggestion] = []
    for total, axis, index in candidates:
        if len(chosen) == count or total <= 0:
            break
        near = [abs(index - other) * grid.spacing[axis] < LEAST_DISTANCE_MM for along, other in taken if along == axis]
        if not any(near):
            taken.append((axis, index))
            view = VIEW_OF_DIRECTION[grid.orientation[axis]]
            chosen.append(SliceSuggestion("ijk"[axis], index, view, total / candidates[0][0]))
    return chosen
