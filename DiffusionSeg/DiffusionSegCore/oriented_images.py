"""Arrays in I, J, K order to and from VTK's images with a position in the body."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from DiffusionSegCore.voxel_geometry import VoxelGeometry


def oriented_image(array: np.ndarray, geometry: VoxelGeometry) -> slicer.vtkOrientedImageData:
    """A copy of the array (I, J, K) as an image that lies at `geometry`."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*array.shape)
    scalars = numpy_to_vtk(array.ravel(order="F"), deep=True)
    scalars.SetName("ImageScalars")
    image.GetPointData().SetScalars(scalars)
    image.SetImageToWorldMatrix(geometry.matrix)
    return image


def cropped_image(mask: np.ndarray, geometry: VoxelGeometry) -> slicer.vtkOrientedImageData:
    """The part of a mask (I, J, K) that holds all of it, as an image at the same voxels of `geometry`."""
    box = []
    for axis in range(3):
        indices = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append((int(indices[0]), int(indices[-1]) + 1) if indices.size else (0, 1))
    image = oriented_image(mask[tuple(slice(*edges) for edges in box)].astype(np.uint8), geometry)
    image.SetExtent(*(edge for first, end in box for edge in (first, end - 1)))
    return image


def image_array(image: vtk.vtkImageData) -> np.ndarray:
    """The voxels of a one-component image, a view of shape (I, J, K)."""
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions(), order="F")


def empty_image(geometry: VoxelGeometry) -> slicer.vtkOrientedImageData:
    """An image without voxel values, which only says where voxels lie."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*geometry.shape)
    image.SetImageToWorldMatrix(geometry.matrix)
    return image


def resampled(
    image: slicer.vtkOrientedImageData,
    geometry: VoxelGeometry,
    *,
    transform: vtk.vtkAbstractTransform | None = None,
    linear: bool = False,
    outside: float = 0.0,
) -> np.ndarray:
    """The image's values at the voxels of `geometry`, shape (I, J, K), as a new array.

    Args:
        image: what to sample.
        geometry: where to.
        transform: applied to the image before; None for none.
        linear: interpolate between voxels instead of taking the nearest.
        outside: the value beyond the image.
    """
    out = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, empty_image(geometry), out, linear, False, transform, outside
    )
    return image_array(out).copy()


def transform_between(
    source: slicer.vtkMRMLTransformableNode, target: slicer.vtkMRMLTransformableNode
) -> vtk.vtkGeneralTransform | None:
    """From the RAS of one node to that of another by their parent transforms; None if both have the same."""
    first, second = source.GetParentTransformNode(), target.GetParentTransformNode()
    if first is second:
        return None
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(first, second, transform)
    return transform
