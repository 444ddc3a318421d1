"""Telling whether structures lie within a part of a scan."""

import numpy as np
import pytest
import torch

from DiffusionSegLib.segmenter.training_draws import TrainingVoxels
from DiffusionSegLib.segmenter.within_part import lie_within

SIZE = 10
PART = np.zeros((SIZE, SIZE, SIZE), bool)
PART[: SIZE // 2] = True


def voxels(classes):
    """All voxels of a cube, of these classes."""
    points = torch.from_numpy(np.argwhere(np.ones_like(PART)))
    return TrainingVoxels(torch.zeros(len(points), 1), torch.from_numpy(classes.ravel()), points, 0)


def test_structures_lie_within_a_part_and_the_background_where_it_likes():
    classes = np.where(PART, 1, 0)
    assert lie_within(voxels(classes), 0, PART)
    assert not lie_within(voxels(classes), None, PART)
    assert not lie_within(voxels(classes), 0, ~PART)


@pytest.mark.parametrize(("beyond", "within"), [(10, True), (20, False)])
def test_one_voxel_in_fifty_may_lie_beyond_it(beyond, within):
    classes = np.where(PART, 1, 0)
    classes[~PART] = np.arange((~PART).sum()) < beyond
    assert lie_within(voxels(classes), 0, PART) == within


def test_a_small_structure_beyond_it_counts_as_much_as_a_large_one():
    classes = np.where(PART, 1, 0)
    classes[-1, -1, -1] = 2
    assert not lie_within(voxels(classes), 0, PART)
