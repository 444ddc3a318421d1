"""The slices that are painted: which they are and how far each has come."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import slicer

from DiffusionSegCore.voxel_geometry import VoxelGeometry

SLICES_ATTRIBUTE = "DiffusionSeg.AnnotationSlices"
TO_PAINT, PAINTED, COMPLETE = "to paint", "painted", "complete"


@dataclass(frozen=True, order=True)
class AnnotationSlice:
    """A slice of the volume's own voxels.

    Args:
        axis: 0, 1 or 2: I, J or K.
        index: the voxel index along it.
        state: "to paint", "painted" or "complete"; unpainted voxels of a complete slice are background.
    """

    axis: int
    index: int
    state: str = TO_PAINT

    @property
    def place(self) -> tuple[int, int]:
        """Axis and index."""
        return self.axis, self.index


def read_slices(seeds: slicer.vtkMRMLSegmentationNode) -> list[AnnotationSlice]:
    """The slices kept with the seeds, each "complete" or "to paint"."""
    try:
        said = json.loads(seeds.GetAttribute(SLICES_ATTRIBUTE) or "[]")
        return [AnnotationSlice(int(axis), int(index), COMPLETE if done else TO_PAINT) for axis, index, done in said]
    except (ValueError, TypeError):
        return []


def keep_slices(seeds: slicer.vtkMRMLSegmentationNode, slices: Iterable[AnnotationSlice]) -> None:
    """Keep slices with the seeds: sorted, each once."""
    said = sorted({(found.axis, found.index, found.state == COMPLETE) for found in slices})
    seeds.SetAttribute(SLICES_ATTRIBUTE, json.dumps(said))


def with_states(slices: list[AnnotationSlice], painted: np.ndarray) -> list[AnnotationSlice]:
    """The slices with their states, seen from what is painted.

    A slice that is crossed by painted ones holds paint without having been painted itself: only voxels that lie on no
    other slice of the list count.

    Args:
        slices: as kept.
        painted: label values (I, J, K), 0 = not painted.
    """
    return [
        replace(found, state=PAINTED) if found.state == TO_PAINT and _has_own_paint(found, slices, painted) else found
        for found in slices
    ]


def proposed_slices(
    geometry: VoxelGeometry, centre: np.ndarray, per_axis: int, stride_mm: float
) -> list[AnnotationSlice]:
    """Slices of all three axes around a point.

    Args:
        geometry: the volume's voxels.
        centre: voxel indices, shape (3,).
        per_axis: how many of each axis; fewer where the volume has fewer.
        stride_mm: how far they lie apart; less where the volume is too small for it.
    """
    found = []
    for axis, size in enumerate(geometry.shape):
        count = min(per_axis, size)
        stride = max(1, round(stride_mm / geometry.spacing[axis]))
        # The outermost slices of a volume show nothing: as many as are left keep away from both ends.
        stride = max(1, min(stride, (size - 1) // (count + 1)))
        span = stride * (count - 1)
        first = round(float(centre[axis]) - span / 2)
        first = min(max(first, 0), size - 1 - span)
        found += [AnnotationSlice(axis, first + stride * step) for step in range(count)]
    return found


def complete_slices(slices: Iterable[AnnotationSlice]) -> list[list[int]]:
    """The indices of the complete slices along I, J and K."""
    done: list[list[int]] = [[], [], []]
    for found in slices:
        if found.state == COMPLETE:
            done[found.axis].append(found.index)
    return done


def _has_own_paint(found: AnnotationSlice, slices: list[AnnotationSlice], painted: np.ndarray) -> bool:
    own = np.zeros(painted.shape, bool)
    where: list = [slice(None)] * 3
    where[found.axis] = found.index
    own[tuple(where)] = painted[tuple(where)] > 0
    plane = own[tuple(where)]
    remaining = [axis for axis in range(3) if axis != found.axis]
    for other in slices:
        if other.axis != found.axis:
            np.moveaxis(plane, remaining.index(other.axis), 0)[other.index] = False
    return bool(plane.any())
