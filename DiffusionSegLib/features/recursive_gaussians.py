"""ITK's recursive Gaussian filters as products with matrices: the same numbers in a fraction of the time."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from DiffusionSegLib.axis_products import multiplied_along_axes

VALUE, SLOPE, CURVATURE = range(3)


class RecursiveGaussians:
    """Filters of a Gaussian's width for images of one shape.

    They are linear along one axis after the other, and what ITK makes of each single voxel of an axis is the matrix.
    All of a brain's intensities and edges take 0.5 s in place of 2.0 with ITK, on two cores.

    Args:
        shape: of the images (I, J, K), at least 4 voxels each.
        sigma: in voxels.
    """

    def __init__(self, shape: tuple[int, ...], sigma: float) -> None:
        self._matrices = [[_matrix(size, sigma, order) for order in (VALUE, SLOPE, CURVATURE)] for size in shape]

    def smoothed(self, image: Tensor) -> Tensor:
        """The image smoothed."""
        return self._filtered(image, (VALUE, VALUE, VALUE))

    def gradient_magnitude(self, image: Tensor) -> Tensor:
        """The length of the smoothed image's gradient, a voxel."""
        found = torch.zeros_like(image)
        for orders in _along_each_axis(SLOPE):
            slope = self._filtered(image, orders)
            found.addcmul_(slope, slope)
        return found.sqrt_()

    def laplacian(self, image: Tensor) -> Tensor:
        """The sum of the smoothed image's second derivatives, a voxel squared."""
        found = torch.zeros_like(image)
        for orders in _along_each_axis(CURVATURE):
            found += self._filtered(image, orders)
        return found

    def _filtered(self, image: Tensor, orders: tuple[int, ...]) -> Tensor:
        chosen = [of_axis[order] for of_axis, order in zip(self._matrices, orders, strict=True)]
        return multiplied_along_axes(image[None], chosen)[0]


def _along_each_axis(order: int) -> list[tuple[int, ...]]:
    return [tuple(order if axis == other else VALUE for other in range(3)) for axis in range(3)]


def _matrix(size: int, sigma: float, order: int) -> Tensor:
    """The filter along an axis of so many voxels (size, size)."""
    voxels = sitk.GetImageFromArray(np.eye(size, dtype=np.float32))
    # Rows of the image run along ITK's first direction: each shows what becomes of one voxel.
    responses = sitk.RecursiveGaussian(voxels, sigma, normalizeAcrossScale=False, order=order, direction=0)
    return torch.from_numpy(sitk.GetArrayFromImage(responses).T.copy())
