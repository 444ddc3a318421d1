"""Segmentations of surfaces or contours, turned into voxels for as long as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import slicer

from DiffusionSegCore.oriented_images import empty_image
from DiffusionSegCore.segment_voxels import BINARY_LABELMAP
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.errors import DiffusionSegError


@contextmanager
def made_of_voxels(
    segmentation: slicer.vtkMRMLSegmentationNode, geometry: VoxelGeometry
) -> Iterator[slicer.vtkMRMLSegmentationNode]:
    """The segmentation itself where it holds voxels; otherwise a copy on those of `geometry`, removed afterwards.

    Raises:
        DiffusionSegError: if Slicer cannot turn it into voxels.
    """
    contents = segmentation.GetSegmentation()
    if not contents.GetNumberOfSegments() or contents.ContainsRepresentation(BINARY_LABELMAP):
        yield segmentation
        return
    copy = segmentation.GetScene().AddNewNodeByClass("vtkMRMLSegmentationNode")
    try:
        copy.SetAndObserveTransformNodeID(segmentation.GetTransformNodeID())
        copy.GetSegmentation().DeepCopy(contents)
        converter = slicer.vtkSegmentationConverter
        where = converter.SerializeImageGeometry(empty_image(geometry))
        copy.GetSegmentation().SetConversionParameter(converter.GetReferenceImageGeometryParameterName(), where)
        if not copy.GetSegmentation().CreateRepresentation(BINARY_LABELMAP):
            message = f"{segmentation.GetName()} holds no voxels and cannot be turned into them."
            hint = "Make Binary labelmap its source in the module Segmentations, or choose another one to paint in."
            raise DiffusionSegError(message, hint)
        yield copy
    finally:
        segmentation.GetScene().RemoveNode(copy)
