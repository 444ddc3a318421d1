"""Changes of images that features should not mind."""

import torch

from DiffusionSegLib.diffusion.augmentation import AugmentationConfig, moved

STILL = AugmentationConfig(zoom=0, rotation_degrees=0, flip=False)
SIZE = 40


def rows_and_columns():
    """An image whose two channels are each pixel's row and column."""
    return torch.stack(torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")).float()[None]


def displacements(deformation, count=20):
    """How far each pixel of a crop comes from where it was, (count, 2, height, width)."""
    images = rows_and_columns().repeat(count, 1, 1, 1)
    views, random = torch.zeros(count), torch.Generator().manual_seed(1)
    margin = 8
    found = moved(images, views, margin, STILL, random, deformation=deformation)
    return found - images[:, :, margin:-margin, margin:-margin]


def test_a_deformation_stays_within_its_largest_displacement_and_comes_near_to_it():
    assert displacements(0.0).abs().max() < 1e-4
    largest = displacements(4.0).abs().amax((0, 2, 3))
    assert (largest < 4.001).all()
    assert (largest > 2.5).all()


def test_a_deformation_is_smooth_and_folds_nothing():
    steps = displacements(4.0).diff(dim=2)
    assert float(steps.abs().max()) < 0.9


def test_every_image_is_deformed_by_itself():
    first, second = displacements(4.0, count=2)
    assert not torch.allclose(first, second)
