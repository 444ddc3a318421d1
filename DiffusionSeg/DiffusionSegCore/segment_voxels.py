"""Segments to and from arrays on a volume's voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer

from DiffusionSegCore.oriented_images import empty_image, image_array, oriented_image, resampled, transform_between
from DiffusionSegCore.segment_labels import dress, labels_of
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.labels import Label

BINARY_LABELMAP = "Binary labelmap"
Place = tuple[slice, slice, slice]


def segment_mask(
    segmentation: slicer.vtkMRMLSegmentationNode, identifier: str, volume: slicer.vtkMRMLVolumeNode
) -> np.ndarray:
    """Which voxels of the volume lie in the segment, bool (I, J, K), whatever grids and transforms either has."""
    geometry = VoxelGeometry.of(volume)
    image = slicer.vtkOrientedImageData()
    found = segmentation.GetBinaryLabelmapRepresentation(identifier, image)
    if not found or image.IsEmpty():
        return np.zeros(geometry.shape, bool)
    transform = transform_between(segmentation, volume)
    where = None if transform else _place_in(geometry, image)
    if where is None:
        return resampled(image, geometry, transform=transform) > 0
    # In the order in which VTK keeps voxels: four times as fast to fill.
    mask = np.zeros(geometry.shape, bool, order="F")
    mask[where] = image_array(image) > 0
    return mask


def painted_labels(segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The label values of all segments on the volume's voxels, uint16 (I, J, K), 0 where there is none.

    Where segments overlap, the later one in the list counts, as in Slicer's own export.
    """
    geometry, labels = VoxelGeometry.of(volume), labels_of(segmentation)
    values = np.array([0, *(label.value for label in labels.values())], np.uint16)
    # Positions in the list, counted from 1: so the later of two segments is the larger number.
    ranks, painted = (np.zeros(geometry.shape, np.uint16, order="F") for _ in range(2))
    layers = _layers(segmentation, volume)
    if layers is None:
        for rank, identifier in enumerate(labels, start=1):
            ranks[segment_mask(segmentation, identifier, volume)] = rank
        return values[ranks]
    # This runs after every stroke. Segments share images: each is read once, and only where there is one.
    for where, image, ranks_of_values in layers:
        table = np.zeros(max(int(image.max()), *ranks_of_values) + 1, np.uint16)
        table[list(ranks_of_values)] = list(ranks_of_values.values())
        np.maximum(ranks[where], table[image], out=ranks[where])
    for where, *_ in layers:
        painted[where] = values[ranks[where]]
    return painted


def overlapping_names(segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> list[str]:
    """The names of segments that claim voxels which another one claims too."""
    labels = labels_of(segmentation)
    if segmentation.GetSegmentation().GetNumberOfLayers() < 2:
        return []
    shape = VoxelGeometry.of(volume).shape
    claimed, twice = (np.zeros(shape, bool, order="F") for _ in range(2))
    # Each mask is as large as the volume, and there may be a hundred: they are made again rather than kept.
    for identifier in labels:
        mask = segment_mask(segmentation, identifier, volume)
        twice |= claimed & mask
        claimed |= mask
    if not twice.any():
        return []
    return [
        label.name
        for identifier, label in labels.items()
        if (segment_mask(segmentation, identifier, volume) & twice).any()
    ]


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
    return _layers(segmentation, volume) is not None


def has_voxels_of(segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> bool:
    """Whether it would lie on the volume's voxels, were both under the same transform."""
    return _local_layers(segmentation, volume) is not None


def _layers(
    segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode
) -> list[tuple[Place, np.ndarray, dict[int, int]]] | None:
    """The images that segments are kept in; None unless they are made of the volume's own voxels.

    Of each: where it lies, its voxels, and by their values the segments' positions in the list, counted from 1.
    """
    return None if transform_between(segmentation, volume) else _local_layers(segmentation, volume)


def _local_layers(
    segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode
) -> list[tuple[Place, np.ndarray, dict[int, int]]] | None:
    """The same, parent transforms left out."""
    contents = segmentation.GetSegmentation()
    if contents.GetSourceRepresentationName() != BINARY_LABELMAP:
        return None if contents.GetNumberOfSegments() else []
    images: dict[slicer.vtkOrientedImageData, dict[int, int]] = {}
    for rank, identifier in enumerate(contents.GetSegmentIDs(), start=1):
        segment = contents.GetSegment(identifier)
        image = segment.GetRepresentation(BINARY_LABELMAP)
        if image is not None and not image.IsEmpty():
            images.setdefault(image, {})[segment.GetLabelValue()] = rank
    geometry, found = VoxelGeometry.of(volume), []
    for image, ranks in images.items():
        where = _place_in(geometry, image)
        if where is None:
            return None
        found.append((where, image_array(image), ranks))
    return found


def _place_in(geometry: VoxelGeometry, image: slicer.vtkOrientedImageData) -> Place | None:
    """Which voxels of `geometry` an image's own are; None if they are none of them."""
    wanted, extent = empty_image(geometry), image.GetExtent()
    limits = wanted.GetExtent()
    within = all(limits[at] <= extent[at] and extent[at + 1] <= limits[at + 1] for at in (0, 2, 4))
    if not within or not slicer.vtkOrientedImageDataResample.DoGeometriesMatch(image, wanted):
        return None
    first, second, third = (slice(extent[at], extent[at + 1] + 1) for at in (0, 2, 4))
    return first, second, third
