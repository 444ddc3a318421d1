"""What annotated voxels tell of those beside and between them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from DiffusionSegLib.cross_bilateral import ALIKE

# How far away an annotated voxel still counts. The nearest one on either side of each axis adds 1 to the logarithm of
# how probable its class is, the less by a factor of e every second voxel; four times as much where both sides are
# annotated alike. In the rest of two people's scans 0.7 to 1.4, fading over 2 or 3 voxels, and 3 to 6 times as much are
# all worth the same. Neighbours in all directions, not along the axes alone, gain nothing beside 9 slices.
REACH = 4
WEIGHT, FADING, BETWEEN = 1.0, 2.0, 4.0


def with_annotated_neighbours(probabilities: Tensor, classes: Tensor, intensities: Tensor) -> Tensor:
    """Probabilities (classes, i, j, k) given what is annotated near by, too, the more alike in brightness the more.

    Both are taken for independent evidence and multiplied (Bayes' rule): a doubtful voxel follows its neighbours, one
    that the ensemble is sure of does not.

    Args:
        probabilities: of the voxels in the middle of those that follow; all are 0 where nothing is known.
        classes: numbers of the annotated classes, int64 (i, j, k) with `REACH` more voxels on every side; -1 unknown.
        intensities: of the same voxels, (channels, ...), from -1 to 1.
    """
    evidence = torch.zeros_like(probabilities)
    for axis in range(3):
        (before, one), (after, other) = (_nearest(classes, intensities, axis, side) for side in (-1, 1))
        alike = torch.where(before == after, BETWEEN, 1.0)
        for found, weight in ((before, one * alike), (after, other * alike)):
            evidence.scatter_add_(0, found.clamp(min=0)[None], weight[None])
    both = evidence.exp_().mul_(probabilities)
    return both.div_(both.sum(0).clamp(min=torch.finfo(both.dtype).tiny))


def _nearest(classes: Tensor, intensities: Tensor, axis: int, side: int) -> tuple[Tensor, Tensor]:
    """Class and weight of each voxel's nearest annotated one on a side along an axis; -1 and 0 where there is none."""
    own = _moved(intensities, axis, 0)
    found = torch.full_like(own[0], -1, dtype=torch.int64)
    weights = torch.zeros_like(own[0])
    for distance in range(REACH, 0, -1):
        there = _moved(classes, axis, side * distance)
        difference = (_moved(intensities, axis, side * distance) - own).square().sum(0)
        weight = WEIGHT * math.exp((1 - distance) / FADING) * torch.exp(difference / (-2 * ALIKE**2))
        found, weights = torch.where(there >= 0, there, found), torch.where(there >= 0, weight, weights)
    return found, weights


def _moved(image: Tensor, axis: int, steps: int) -> Tensor:
    """What lies so many voxels along an axis from each voxel in the middle of an image (..., i, j, k)."""
    edges = [(REACH, size - REACH) for size in image.shape[-3:]]
    edges[axis] = (REACH + steps, image.shape[-3:][axis] - REACH + steps)
    first, second, third = (slice(*of_axis) for of_axis in edges)
    return image[..., first, second, third]
