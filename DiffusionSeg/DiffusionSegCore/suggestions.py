"""The slices that are worth painting next, kept at their volume so that they are saved and found again with it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import slicer

from DiffusionSegCore.kept_voxels import moved_place, way_through
from DiffusionSegCore.voxel_geometry import VoxelGeometry

SUGGESTIONS_ATTRIBUTE = "DiffusionSeg.Suggestions"
# Refers to the volume itself: a copy of it has what is kept there, too, and refers to the first one.
SUGGESTED_FOR = "DiffusionSeg.SuggestedFor"
# Axis and index, and how unsure the segmenter is there.
Suggestion = tuple[tuple[int, int], float]


def keep_suggestions(volume: slicer.vtkMRMLScalarVolumeNode, found: Iterable[Suggestion]) -> None:
    """Keep slices of a volume, best first, in place of those before."""
    geometry = VoxelGeometry.of(volume)
    slices = [[*place, score] for place, score in found]
    said = {"affine": geometry.affine.tolist(), "shape": list(geometry.shape), "slices": slices}
    volume.SetNodeReferenceID(SUGGESTED_FOR, volume.GetID())
    volume.SetAttribute(SUGGESTIONS_ATTRIBUTE, json.dumps(said))


def read_suggestions(volume: slicer.vtkMRMLScalarVolumeNode) -> list[Suggestion]:
    """The slices kept, best first; none where the volume, which may have been cropped, has other voxels since.

    A file may turn its voxels over, and the slices with them.
    """
    if volume.GetNodeReference(SUGGESTED_FOR) is not volume:
        return []
    try:
        said = json.loads(volume.GetAttribute(SUGGESTIONS_ATTRIBUTE) or "")
        there = VoxelGeometry(tuple(said["shape"]), np.array(said["affine"], float).reshape(4, 4))
        found = [((int(axis), int(index)), float(score)) for axis, index, score in said["slices"]]
    except (ValueError, TypeError, KeyError):
        return []
    matrix = way_through(there, VoxelGeometry.of(volume))
    return [] if matrix is None else [(moved_place(place, matrix), score) for place, score in found]
