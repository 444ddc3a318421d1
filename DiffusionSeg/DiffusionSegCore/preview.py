"""What the segmenter found, shown in a segmentation of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import slicer

from DiffusionSegCore.node_placement import new_segmentation
from DiffusionSegCore.segment_labels import labels_of
from DiffusionSegCore.segment_voxels import write_labels
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.labels import Label

# See-through, so that the image and the hand-painted seeds stay visible beneath.
FILL_OPACITY = 0.35


def new_preview(volume: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLSegmentationNode:
    """An empty segmentation for what is found in the volume."""
    node = new_segmentation(volume, f"{volume.GetName()} preview")
    node.GetDisplayNode().SetOpacity2DFill(FILL_OPACITY)
    return node


def preview_segments(labels: Sequence[Label], seeds: slicer.vtkMRMLSegmentationNode | None) -> list[tuple[str, Label]]:
    """Segment ID and label of everything that the segmenter knows, as the seeds call it now.

    Args:
        labels: what the segmenter was trained on.
        seeds: segments of it with the same value lend their ID, name, colour and terminology.
    """
    painted = {label.value: (identifier, label) for identifier, label in labels_of(seeds).items()} if seeds else {}
    return [painted.get(label.value, (f"Label_{label.value}", label)) for label in labels]


def show_labelmap(
    preview: slicer.vtkMRMLSegmentationNode,
    labelmap: np.ndarray,
    geometry: VoxelGeometry,
    segments: Sequence[tuple[str, Label]],
) -> None:
    """Put a label map (I, J, K) into the preview in place of what it showed."""
    known = {label.value for _, label in segments}
    unknown = [int(value) for value in np.unique(labelmap) if value and int(value) not in known]
    extra = [(f"Label_{value}", Label.generic(value)) for value in unknown]
    write_labels(preview, labelmap.astype(np.uint16), geometry, [*segments, *extra])


def with_slices(array: np.ndarray, slices: Mapping[tuple[int, int], np.ndarray]) -> np.ndarray:
    """The array (I, J, K) with some of its slices, by axis and index, replaced."""
    result = array.copy()
    for (axis, index), found in slices.items():
        np.moveaxis(result, axis, 0)[index] = found
    return result
