"""Segments to and from arrays on a volume's voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer

from DiffusionSegCore.oriented_images import empty_image, oriented_image, resampled, transform_between
from DiffusionSegCore.segment_labels import dress, labels_of
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.labels import Label

BINARY_LABELMAP = "Binary labelmap"


def segment_mask(
    segmentation: slicer.vtkMRMLSegmentationNode, identifier: str, volume: slicer.vtkMRMLVolumeNode
) -> np.ndarray:
    """Which voxels of the volume lie in the segment, bool (I, J, K), whatever grids and transforms either has."""
    geometry = VoxelGeometry.of(volume)
    image = slicer.vtkOrientedImageData()
    found = segmentation.GetBinaryLabelmapRepresentation(identifier, image)
    if not found or image.IsEmpty():
        return np.zeros(geometry.shape, bool)
    return resampled(image, geometry, transform=transform_between(segmentation, volume)) > 0


def painted_labels(segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The label values of all segments on the volume's voxels, uint16 (I, J, K), 0 where there is none.

    Where segments overlap, the later one in the list counts, as in Slicer's own export.
    """
    painted = np.zeros(VoxelGeometry.of(volume).shape, np.uint16)
    for identifier, label in labels_of(segmentation).items():
        painted[segment_mask(segmentation, identifier, volume)] = label.value
    return painted


def overlapping_names(segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> list[str]:
    """The names of segments that claim voxels which another one claims too."""
    labels = labels_of(segmentation)
    if segmentation.GetSegmentation().GetNumberOfLayers() < 2:
        return []
    masks = {identifier: segment_mask(segmentation, identifier, volume) for identifier in labels}
    claims = np.zeros(VoxelGeometry.of(volume).shape, np.uint8)
    for mask in masks.values():
        claims += mask
    return [labels[identifier].name for identifier, mask in masks.items() if (claims[mask] > 1).any()]


def write_labels(
    segmentation: slicer.vtkMRMLSegmentationNode,
    labelmap: np.ndarray,
    geometry: VoxelGeometry,
    labels: Sequence[tuple[str, Label]],
) -> None:
    """Make a label map the content of a segmentation of our own.

    All segments share one image, which costs one copy however many there are. Segments that stay keep their display.

    Args:
        segmentation: what to fill; other segments than those of `labels` are removed.
        labelmap: uint16 (I, J, K).
        geometry: where its voxels lie.
        labels: segment ID and label of each, in order; values that do not occur make empty segments.
    """
    image = oriented_image(labelmap, geometry)
    contents = segmentation.GetSegmentation()
    modifying = segmentation.StartModify()
    wanted = [identifier for identifier, _ in labels]
    for identifier in set(contents.GetSegmentIDs()) - set(wanted):
        contents.RemoveSegment(identifier)
    for identifier, label in labels:
        segment = contents.GetSegment(identifier)
        new = segment is None
        segment = slicer.vtkSegment() if new else segment
        dress(segment, label)
        segment.SetLabelValue(label.value)
        segment.AddRepresentation(BINARY_LABELMAP, image)
        if new:
            contents.AddSegment(segment, identifier)
    contents.InvalidateNonSourceRepresentations()
    segmentation.EndModify(modifying)
    # Views and tables redraw on this event, which replacing a representation does not send by itself.
    segmentation.Modified()
    contents.Modified()


def lies_on_voxels(segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> bool:
    """Whether every segment is made of the volume's own voxels, so that painting in it is painting on the volume."""
    if transform_between(segmentation, volume) is not None:
        return False
    contents = segmentation.GetSegmentation()
    if contents.GetSourceRepresentationName() != BINARY_LABELMAP:
        return contents.GetNumberOfSegments() == 0
    wanted = empty_image(VoxelGeometry.of(volume))
    limits = wanted.GetExtent()
    for identifier in contents.GetSegmentIDs():
        image = contents.GetSegment(identifier).GetRepresentation(BINARY_LABELMAP)
        if image is None or image.IsEmpty():
            continue
        extent = image.GetExtent()
        within = all(limits[at] <= extent[at] and extent[at + 1] <= limits[at + 1] for at in (0, 2, 4))
        if not within or not slicer.vtkOrientedImageDataResample.DoGeometriesMatch(image, wanted):
            return False
    return True
