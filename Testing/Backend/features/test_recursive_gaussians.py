"""Filters by matrices against ITK's own."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from DiffusionSegLib.features.recursive_gaussians import RecursiveGaussians

FILTERS = {
    "smoothed": sitk.SmoothingRecursiveGaussian,
    "gradient_magnitude": sitk.GradientMagnitudeRecursiveGaussian,
    "laplacian": sitk.LaplacianRecursiveGaussian,
}


@pytest.mark.parametrize("sigma", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("name", FILTERS)
def test_they_are_those_of_itk_up_to_the_edges(name, sigma):
    image = np.random.default_rng(0).normal(size=(23, 18, 31)).astype(np.float32)
    expected = sitk.GetArrayFromImage(FILTERS[name](sitk.GetImageFromArray(image), sigma))
    found = getattr(RecursiveGaussians(image.shape, sigma), name)(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_image_stays_as_it_is():
    image = torch.ones(6, 5, 4)
    RecursiveGaussians((6, 5, 4), 1.0).gradient_magnitude(image)
    assert (image == 1).all()
