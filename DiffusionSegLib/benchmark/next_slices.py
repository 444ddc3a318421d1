"""Which slices someone paints next, told by what is painted already."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np

from DiffusionSegLib.annotation import CompleteSlices
from DiffusionSegLib.box import Box
from DiffusionSegLib.prediction import Prediction
from DiffusionSegLib.suggestion import suggest_slices


class NextSlices(Protocol):
    """Chooses `count` more slices (axis, index), or as many as are left, from the last prediction and those painted."""

    def __call__(self, prediction: Prediction, painted: CompleteSlices, count: int) -> list[tuple[int, int]]: ...


def with_slices(painted: CompleteSlices, more: Sequence[tuple[int, int]]) -> CompleteSlices:
    """Painted slices and more of them."""
    along = [tuple(sorted({*painted[axis], *(index for on, index in more if on == axis)})) for axis in range(3)]
    return along[0], along[1], along[2]


def suggested(prediction: Prediction, painted: CompleteSlices, count: int) -> list[tuple[int, int]]:
    """The slices that the program names first."""
    found = suggest_slices(prediction.uncertainty, prediction.grid, count=count, painted=painted)
    return [("ijk".index(one.axis), one.index) for one in found]


class EvenlySpaced:
    """Again and again the middle of the widest gap, along any axis, between painted slices or the ends of the box.

    Args:
        box: around all structures.
    """

    def __init__(self, box: Box) -> None:
        self.box = box

    def __call__(self, prediction: Prediction, painted: CompleteSlices, count: int) -> list[tuple[int, int]]:
        chosen: list[tuple[int, int]] = []
        for _ in range(count):
            so_far = with_slices(painted, chosen)
            gaps = []
            for axis, (low, high) in enumerate(self.box):
                edges = sorted({low - 1, high, *(index for index in so_far[axis] if low <= index < high)})
                spacing = prediction.grid.spacing[axis]
                gaps += [((after - before) * spacing, axis, (before + after) // 2) for before, after in pairwise(edges)]
            _, axis, index = max(gaps, key=lambda gap: gap[0])
            chosen.append((axis, index))
        return chosen


class AtRandom:
    """Any slices through the box that are not painted yet.

    Args:
        box: around all structures.
        seed: seeds the choice.
    """

    def __init__(self, box: Box, seed: int) -> None:
        self.box, self.random = box, np.random.default_rng(seed)

    def __call__(self, prediction: Prediction, painted: CompleteSlices, count: int) -> list[tuple[int, int]]:  # noqa: ARG002
        free = [
            (axis, index)
            for axis, (low, high) in enumerate(self.box)
            for index in range(low, high)
            if index not in painted[axis]
        ]
        return [free[number] for number in self.random.permutation(len(free))[:count]]
