"""What the segmenter found, shown in a segmentation of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import slicer

from DiffusionSegCore.learnt_labels import LearntLabel
from DiffusionSegCore.node_placement import new_segmentation
from DiffusionSegCore.segment_labels import SOURCE_TAG, labels_of, tag
from DiffusionSegCore.segment_voxels import write_labels
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.labels import Label

# See-through, so that the image and the hand-painted seeds stay visible beneath.
FILL_OPACITY = 0.35
CLOSED_SURFACE = "Closed surface"


def new_preview(volume: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLSegmentationNode:
    """An empty segmentation for what is found in the volume."""
    node = new_segmentation(volume, f"{volume.GetName()} preview")
    node.GetDisplayNode().SetOpacity2DFill(FILL_OPACITY)
    return node


def show_labelmap(
    preview: slicer.vtkMRMLSegmentationNode,
    labelmap: np.ndarray,
    geometry: VoxelGeometry,
    learnt: Sequence[LearntLabel],
    seeds: slicer.vtkMRMLSegmentationNode | None,
) -> None:
    """Put a label map (I, J, K) into the preview in place of what it showed, called as the seeds call it now."""
    known = {one.label.value for one in learnt}
    unknown = [int(value) for value in np.unique(labelmap) if value and int(value) not in known]
    shown = [*learnt, *(LearntLabel(Label.generic(value)) for value in unknown)]
    segments = [(one.identifier, one.as_called_now(seeds)) for one in shown]
    in_3d = preview.GetSegmentation().ContainsRepresentation(CLOSED_SURFACE)
    write_labels(preview, labelmap.astype(np.uint16), geometry, segments)
    if in_3d:
        # New voxels leave the surfaces behind that the user has switched on.
        preview.CreateClosedSurfaceRepresentation()
    for one in shown:
        preview.GetSegmentation().GetSegment(one.identifier).SetTag(SOURCE_TAG, one.source)


def values_from(preview: slicer.vtkMRMLSegmentationNode, sources: Collection[str]) -> list[int]:
    """The label values of those segments of the preview that were learnt from one of these sources."""
    contents = preview.GetSegmentation()
    labels = labels_of(preview).items()
    return [label.value for name, label in labels if tag(contents.GetSegment(name), SOURCE_TAG) in sources]


def with_slices(array: np.ndarray, slices: Mapping[tuple[int, int], np.ndarray]) -> np.ndarray:
    """The array (I, J, K) with some of its slices, by axis and index, replaced."""
    result = array.copy()
    for (axis, index), found in slices.items():
        np.moveaxis(result, axis, 0)[index] = found
    return result
