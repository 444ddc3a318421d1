"""The deformation that makes two images look alike around every voxel."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from DiffusionSegLib.deformation import FEWEST_VOXELS, MOST_WORK, find_deformation

SHAPE = (40, 36, 32)


def textured(seed: int = 0) -> np.ndarray:
    """Blobs a few voxels wide within a head, from 0 to 1."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 2.0)
    inside = sum(((np.indices(SHAPE)[axis] - size / 2) / (0.45 * size)) ** 2 for axis, size in enumerate(SHAPE)) < 1
    return np.where(inside, 0.5 + 0.15 * noise / noise.std(), 0).clip(0, 1).astype(np.float32)


def voxels() -> np.ndarray:
    return np.indices(SHAPE).astype(np.float32)


def a_bend() -> np.ndarray:
    """A smooth displacement by up to two and a half voxels along the first two axes."""
    waves = np.sin(2 * np.pi * voxels()[2] / SHAPE[2]), np.cos(2 * np.pi * voxels()[0] / SHAPE[0])
    return np.stack([2.5 * waves[0], 2.5 * waves[1], np.zeros(SHAPE)]).astype(np.float32)


def nothing(_work: int) -> None:
    pass


def found(still: np.ndarray, moving: np.ndarray, places: np.ndarray, on_step=nothing) -> np.ndarray:
    return find_deformation(*(torch.from_numpy(array) for array in (still, moving, places)), on_step).numpy()


def test_a_smooth_bend_is_found_to_a_fraction_of_a_voxel():
    moving = textured()
    still = ndimage.map_coordinates(moving, voxels() + a_bend(), order=1)
    inside = ndimage.binary_erosion(still > 0, iterations=3)
    error = np.linalg.norm(found(still, moving, voxels()) - voxels() - a_bend(), axis=0)[inside]
    assert np.linalg.norm(a_bend(), axis=0)[inside].mean() > 2
    assert error.mean() < 0.75


def test_contrast_and_brightness_hardly_matter():
    moving = textured()
    still = ndimage.map_coordinates(moving, voxels() + a_bend(), order=1)
    darker = np.where(still > 0, 0.1 + 0.6 * still, 0).astype(np.float32)
    inside = ndimage.binary_erosion(still > 0, iterations=3)
    apart = np.linalg.norm(found(still, moving, voxels()) - found(darker, moving, voxels()), axis=0)
    # Beside the head the windows see air, which gets no brighter.
    assert apart[inside].mean() < 0.4


def test_the_other_image_may_lie_elsewhere_and_have_another_size():
    moving = textured()
    padded = np.pad(moving, ((5, 0), (0, 3), (7, 2)))
    shift = np.array([5.0, 0.0, 7.0], np.float32).reshape(3, 1, 1, 1)
    inside = ndimage.binary_erosion(moving > 0, iterations=3)
    error = np.linalg.norm(found(moving, padded, voxels() + shift) - voxels() - shift, axis=0)
    # Halved images of the two do not sample the same places.
    assert error[inside].mean() < 0.3


def test_images_of_a_few_voxels_are_left_where_they_are():
    small = np.random.default_rng(0).random((FEWEST_VOXELS - 1,) * 3).astype(np.float32)
    places = np.indices(small.shape).astype(np.float32)
    np.testing.assert_array_equal(found(small, small, places), places)


def test_every_step_is_told_and_can_stop_the_work():
    told = []
    image = textured()[:16, :16, :16].copy()
    found(image, image, voxels()[:, :16, :16, :16].copy(), told.append)
    # At a quarter of the resolution four voxels are left, too few to place.
    assert 0 < sum(told) < MOST_WORK

    def stop(_work: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found(image, image, voxels()[:, :16, :16, :16].copy(), stop)
