"""Where a volume's voxels lie."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import slicer
import vtk


@dataclass(frozen=True, eq=False)
class VoxelGeometry:
    """The voxel grid of a volume.

    Args:
        shape: number of voxels along I, J, K.
        affine: 4 x 4, from voxel indices to RAS millimetres of the volume node, its parent transforms left out.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    @classmethod
    def of(cls, volume: slicer.vtkMRMLVolumeNode) -> VoxelGeometry:
        """The grid of a volume node that has voxels."""
        matrix = vtk.vtkMatrix4x4()
        volume.GetIJKToRASMatrix(matrix)
        return cls(tuple(volume.GetImageData().GetDimensions()), array_from_matrix(matrix))

    @property
    def matrix(self) -> vtk.vtkMatrix4x4:
        """The affine as VTK has it."""
        return matrix_from_array(self.affine)

    @property
    def spacing(self) -> np.ndarray:
        """Distance of neighbouring voxels along each axis in mm, shape (3,)."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    def ras(self, ijk: np.ndarray) -> np.ndarray:
        """RAS millimetres, shape (N, 3), of voxel indices of shape (N, 3)."""
        return np.asarray(ijk, float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def ijk(self, ras: np.ndarray) -> np.ndarray:
        """Voxel indices, shape (N, 3) and not rounded, of RAS millimetres of shape (N, 3)."""
        return np.linalg.solve(self.affine[:3, :3], (np.asarray(ras, float) - self.affine[:3, 3]).T).T

    def slice_centre(self, axis: int, index: int) -> np.ndarray:
        """RAS millimetres of the middle of the slice at `index` along `axis`, shape (3,)."""
        centre = (np.asarray(self.shape) - 1) / 2
        centre[axis] = index
        return self.ras(centre[None])[0]

    def matches(self, other: VoxelGeometry, *, tolerance_mm: float = 1e-3) -> bool:
        """Whether both have the same shape and their corner voxels lie within the tolerance."""
        if self.shape != other.shape:
            return False
        corners = np.asarray(list(itertools.product(*((0, size - 1) for size in self.shape))))
        return bool(np.abs(self.ras(corners) - other.ras(corners)).max() <= tolerance_mm)


def array_from_matrix(matrix: vtk.vtkMatrix4x4) -> np.ndarray:
    """A VTK matrix as float64 (4, 4)."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def matrix_from_array(array: np.ndarray) -> vtk.vtkMatrix4x4:
    """A (4, 4) array as a VTK matrix."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(array, float).ravel().tolist())
    return matrix


def local_to_world(node: slicer.vtkMRMLTransformableNode) -> vtk.vtkGeneralTransform:
    """The transform from a node's own RAS to the world's."""
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, transform)
    return transform
