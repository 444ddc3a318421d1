"""Smoothing and interpolation by products with matrices, against pooling, convolution and straight lines."""

import pytest
import torch
import torch.nn.functional as F

from DiffusionSegLib.axis_products import gaussian, interpolation, multiplied_along_axes, window_mean

CPU = torch.device("cpu")
SHAPE = (9, 12, 7)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(0))


def test_each_axis_is_multiplied_by_its_own_matrix(images):
    matrices = [torch.randn(size + 2, size, generator=torch.Generator().manual_seed(size)) for size in SHAPE]
    expected = torch.einsum("cijk,ai,bj,dk->cabd", images, *matrices)
    torch.testing.assert_close(multiplied_along_axes(images, matrices), expected, rtol=0, atol=1e-4)


def test_an_axis_without_a_matrix_stays_as_it_is(images):
    matrix = torch.randn(4, SHAPE[1], generator=torch.Generator().manual_seed(0))
    expected = torch.einsum("cijk,bj->cibk", images, matrix)
    torch.testing.assert_close(multiplied_along_axes(images, [None, matrix, None]), expected)


def test_a_window_mean_is_that_of_pooling(images):
    matrices = [window_mean(size, 5, CPU) for size in SHAPE]
    expected = F.avg_pool3d(images, 5, stride=1, padding=2)
    torch.testing.assert_close(multiplied_along_axes(images, matrices), expected)


def test_a_window_mean_of_every_second_voxel_is_every_second_of_all(images):
    matrices = [window_mean(size, 5, CPU, every=2) for size in SHAPE]
    expected = F.avg_pool3d(images, 5, stride=1, padding=2)[:, 1::2, 1::2, 1::2]
    torch.testing.assert_close(multiplied_along_axes(images, matrices), expected)


@pytest.mark.parametrize("size", [2, 7, 8])
def test_what_lies_on_a_line_is_interpolated_exactly_between_the_points(size):
    points = torch.arange(-(-size // 2)) * 2 + 0.5
    expected = 3 * torch.arange(size).clamp(points.min(), points.max()) - 1
    torch.testing.assert_close(interpolation(size, 2, CPU) @ (3 * points - 1), expected)


def test_a_gaussian_is_that_of_a_convolution_that_repeats_the_edge():
    line = torch.randn(11, generator=torch.Generator().manual_seed(0))
    weights = torch.tensor([-2.0, -1, 0, 1, 2]).div(1.5).square().mul(-0.5).exp()
    padded = F.pad(line[None, None], (2, 2), mode="replicate")
    expected = F.conv1d(padded, (weights / weights.sum())[None, None])[0, 0]
    torch.testing.assert_close(gaussian(11, 1.5, 2, CPU) @ line, expected)
