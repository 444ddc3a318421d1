"""The slices that are worth painting next, kept at their volume so that they are saved and found again with it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import slicer

from DiffusionSegCore.voxel_geometry import VoxelGeometry

SUGGESTIONS_ATTRIBUTE = "DiffusionSeg.Suggestions"
# Axis and index, and how unsure the segmenter is there.
Suggestion = tuple[tuple[int, int], float]


def keep_suggestions(volume: slicer.vtkMRMLScalarVolumeNode, found: Iterable[Suggestion]) -> None:
    """Keep slices of a volume, best first, in place of those before."""
    geometry = VoxelGeometry.of(volume)
    slices = [[*place, score] for place, score in found]
    said = {"affine": geometry.affine.tolist(), "shape": list(geometry.shape), "slices": slices}
    volume.SetAttribute(SUGGESTIONS_ATTRIBUTE, json.dumps(said))


def read_suggestions(volume: slicer.vtkMRMLScalarVolumeNode) -> list[Suggestion]:
    """The slices kept, best first; none where the volume, which may have been cropped, has other voxels since."""
    try:
        said = json.loads(volume.GetAttribute(SUGGESTIONS_ATTRIBUTE) or "")
        there = VoxelGeometry(tuple(said["shape"]), np.array(said["affine"], float).reshape(4, 4))
        found = [((int(axis), int(index)), float(score)) for axis, index, score in said["slices"]]
    except (ValueError, TypeError, KeyError):
        return []
    return found if there.matches(VoxelGeometry.of(volume)) else []
