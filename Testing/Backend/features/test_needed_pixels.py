"""Activations of the pixels alone that tissue is interpolated from."""

import numpy as np
import pytest
import torch

from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.interpolation import pixels_along
from DiffusionSegLib.features.needed_pixels import NeededPixels

TISSUE = torch.from_numpy(np.random.default_rng(0).uniform(size=(5, 14, 11)) > 0.8)
TISSUE[:, 7:] = False
TISSUE[2] = False


def a_level(tissue, reduction, channels=3):
    """What is kept of random activations, and all of them: (slices, rows, columns, channels)."""
    shape = [pixels_along(voxels, reduction) for voxels in tissue.shape[1:]]
    full = torch.randn(len(tissue), *shape, channels)
    level = NeededPixels.empty(tissue, reduction, full.shape[1:], torch.float32)
    for start in (3, 0):
        level.put(start, full[start : start + 3])
    return level, full


@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_tissue_is_interpolated_as_from_all_pixels(reduction, axis):
    level, full = a_level(TISSUE, reduction)
    every, _ = a_level(torch.ones_like(TISSUE), reduction)
    for start in (3, 0):
        every.put(start, full[start : start + 3])
    points = torch.argwhere(TISSUE.movedim(0, axis))
    found, expected = (ViewActivations(axis, {reduction: kept}).at(points) for kept in (level, every))
    assert torch.equal(found, expected)
    assert found.any(dim=1).all()


def test_what_no_tissue_needs_is_zero_and_takes_no_room():
    level, full = a_level(TISSUE, 2)
    needed = level.rows > 0
    dense = level.at(slice(None), slice(None), slice(None))
    assert torch.equal(dense, full * needed[..., None])
    assert not needed[2].any()
    assert 0 < needed.sum() < needed.numel() / 2
    assert len(level.values) == needed.sum() + 1
    assert level.bytes == 4 * needed.numel() + 4 * level.values.numel()


def test_a_voxel_needs_the_pixels_around_it_alone():
    tissue = torch.zeros(1, 16, 16, dtype=torch.bool)
    tissue[0, 5, 9] = True
    level, _ = a_level(tissue, 4)
    # The voxel's centre lies at (5.5 / 4 - 0.5, 9.5 / 4 - 0.5) = (0.875, 1.875) in pixels.
    assert torch.argwhere(level.rows[0] > 0).tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]


def test_without_tissue_nothing_is_kept():
    level, _ = a_level(torch.zeros_like(TISSUE), 2)
    assert level.values.shape == (1, 3)
    assert not level.at(slice(0, 2), slice(0, 3), slice(1, 3)).any()
    assert level.at(slice(0, 2), slice(0, 3), slice(1, 3)).shape == (2, 3, 2, 3)


def test_pixels_chosen_one_by_one_are_found():
    level, full = a_level(torch.ones_like(TISSUE), 2)
    slices, rows, columns = torch.tensor([0, 4, 1]), torch.tensor([2, 0, 1]), torch.tensor([1, 3, 0])
    assert torch.equal(level.at(slices, rows, columns), full[slices, rows, columns])
    assert level.at(slices[:0], rows[:0], columns[:0]).shape == (0, 3)
