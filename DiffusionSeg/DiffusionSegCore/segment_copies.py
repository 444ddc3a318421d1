"""Copies of what segments hold, to compare with and to go back to."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass

import numpy as np
import slicer
import vtk

from DiffusionSegCore.oriented_images import image_array, oriented_image
from DiffusionSegCore.voxel_geometry import VoxelGeometry, array_from_matrix


@dataclass(frozen=True, eq=False)
class SegmentCopy:
    """What a segment holds, on its own voxels.

    Args:
        name: of the segment.
        image: its voxels, cropped to those that are set; None if there are none.
    """

    name: str
    image: slicer.vtkOrientedImageData | None

    @classmethod
    def of(cls, segmentation: slicer.vtkMRMLSegmentationNode, identifier: str) -> SegmentCopy:
        """A copy of a segment."""
        segment = segmentation.GetSegmentation().GetSegment(identifier)
        whole, extent = slicer.vtkOrientedImageData(), [0] * 6
        found = segmentation.GetBinaryLabelmapRepresentation(identifier, whole) and not whole.IsEmpty()
        if not found or not slicer.vtkOrientedImageDataResample.CalculateEffectiveExtent(whole, extent):
            return cls(segment.GetName(), None)
        image = slicer.vtkOrientedImageData()
        slicer.vtkOrientedImageDataResample.CopyImage(whole, image, extent)
        return cls(segment.GetName(), image)

    def holds_the_same(self, other: SegmentCopy) -> bool:
        """Whether the same voxels are set, at the same places."""
        if self.image is None or other.image is None:
            return self.image is other.image
        matched = slicer.vtkOrientedImageDataResample.DoGeometriesMatch(self.image, other.image)
        if not matched or self.image.GetExtent() != other.image.GetExtent():
            return False
        return np.array_equal(image_array(self.image) > 0, image_array(other.image) > 0)

    @property
    def digest(self) -> str:
        """What it holds in a few letters, wherever that lies: saving may count its voxels from another corner."""
        if self.image is None:
            return ""
        voxels = np.packbits(image_array(self.image) > 0)
        return f"{self.image.GetDimensions()} {zlib.crc32(voxels.tobytes()):08x}"

    def beyond(self, geometry: VoxelGeometry) -> SegmentCopy | None:
        """What it holds beyond the voxels of `geometry`; None if there is nothing."""
        if self.image is None or self._lies_within(geometry):
            return None
        covered, everywhere = slicer.vtkOrientedImageData(), oriented_image(np.ones(geometry.shape, np.uint8), geometry)
        slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
            everywhere, self.image, covered, False
        )
        image = slicer.vtkOrientedImageData()
        image.DeepCopy(self.image)
        image_array(image)[image_array(covered) > 0] = 0
        return SegmentCopy(self.name, image) if image_array(image).any() else None

    def _lies_within(self, geometry: VoxelGeometry) -> bool:
        matrix, extent = vtk.vtkMatrix4x4(), self.image.GetExtent()
        self.image.GetImageToWorldMatrix(matrix)
        corners = np.array(list(itertools.product(extent[:2], extent[2:4], extent[4:])), float)
        own = VoxelGeometry(self.image.GetDimensions(), array_from_matrix(matrix))
        voxels = geometry.ijk(own.ras(corners))
        return bool((voxels > -0.5).all() and (voxels < np.array(geometry.shape) - 0.5).all())

    def write_to(self, segmentation: slicer.vtkMRMLSegmentationNode, identifier: str) -> None:
        """Make the segment hold this again, whatever other segments hold there."""
        image = self.image
        if image is None:
            image = slicer.vtkOrientedImageData()
            image.SetDimensions(1, 1, 1)
            image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
            image.GetPointData().GetScalars().Fill(0)
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.SetBinaryLabelmapToSegment(image, segmentation, identifier, logic.MODE_REPLACE)


def copies_of(segmentation: slicer.vtkMRMLSegmentationNode) -> dict[str, SegmentCopy]:
    """A copy of every segment by its ID."""
    return {name: SegmentCopy.of(segmentation, name) for name in segmentation.GetSegmentation().GetSegmentIDs()}
