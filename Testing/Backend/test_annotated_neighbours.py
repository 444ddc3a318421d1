"""Voxels beside and between annotated ones."""

import math

import numpy as np
import pytest
import torch

from DiffusionSegLib.annotated_neighbours import BETWEEN, FADING, REACH, WEIGHT, with_annotated_neighbours
from DiffusionSegLib.cross_bilateral import ALIKE

SHAPE = (6, 7, 5)
WIDE = tuple(size + 2 * REACH for size in SHAPE)


def one_by_one(probabilities, classes, intensities):
    """As the description has it, a voxel after the other."""
    found = np.zeros_like(probabilities)
    for place in np.ndindex(SHAPE):
        at = np.add(place, REACH)
        total = probabilities[(slice(None), *place)].copy()
        for step in np.eye(3, dtype=int):
            sides = []
            for side in (-1, 1):
                for distance in range(1, REACH + 1):
                    there = tuple(at + side * distance * step)
                    if classes[there] >= 0:
                        difference = ((intensities[(slice(None), *there)] - intensities[(slice(None), *at)]) ** 2).sum()
                        weight = WEIGHT * math.exp((1 - distance) / FADING - difference / (2 * ALIKE**2))
                        sides.append((classes[there], weight))
                        break
            both = len(sides) == 2 and sides[0][0] == sides[1][0]
            for number, weight in sides:
                total[number] *= math.exp(weight * (BETWEEN if both else 1))
        found[(slice(None), *place)] = total / total.sum()
    return found


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("share", [0.05, 0.4])
def test_the_nearest_annotated_voxels_along_each_axis_count_as_described(channels, share):
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), SHAPE).transpose(3, 0, 1, 2).astype(np.float32)
    classes = np.where(random.random(WIDE) < share, random.integers(0, 3, WIDE), -1)
    intensities = random.normal(0, 0.1, (channels, *WIDE)).astype(np.float32)
    given = torch.from_numpy(probabilities.copy())
    found = with_annotated_neighbours(given, torch.from_numpy(classes), torch.from_numpy(intensities)).numpy()
    np.testing.assert_allclose(found, one_by_one(probabilities, classes, intensities), atol=1e-5)
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
    np.testing.assert_array_equal(given, probabilities)


def between_two_slices(first, second, *, probability=0.2, brightness=0.0):
    """How probable class 1 becomes of a voxel between two annotated slices, for which the ensemble says this."""
    classes = torch.full(WIDE, -1)
    classes[:, :, REACH], classes[:, :, REACH + 4] = first, second
    intensities = torch.zeros(1, *WIDE)
    intensities[:, :, :, REACH + 2] = brightness
    probabilities = torch.tensor([1 - probability, probability])[:, None, None, None].expand(2, *SHAPE)
    return with_annotated_neighbours(probabilities, classes, intensities)[1, 3, 3, 2]


def test_a_voxel_between_slices_that_are_annotated_alike_is_taken_for_the_same_if_it_is_as_bright():
    assert between_two_slices(1, 1) > 0.9
    assert between_two_slices(1, 0) == pytest.approx(0.2)
    assert between_two_slices(1, 1, brightness=0.5) == pytest.approx(0.2, abs=0.01)


def test_a_voxel_that_the_ensemble_is_sure_of_is_not_outvoted():
    assert between_two_slices(1, 1, probability=0.001) < 0.2


def test_without_annotated_voxels_near_by_nothing_changes():
    probabilities = torch.rand(3, *SHAPE).softmax(0)
    found = with_annotated_neighbours(probabilities, torch.full(WIDE, -1), torch.zeros(1, *WIDE))
    torch.testing.assert_close(found, probabilities, atol=1e-6, rtol=0)


def test_where_nothing_is_known_nothing_is_found():
    classes = torch.full(WIDE, 1)
    found = with_annotated_neighbours(torch.zeros(3, *SHAPE), classes, torch.zeros(1, *WIDE))
    assert not found.any()
