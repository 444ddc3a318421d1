"""The slices that are painted: which they are and how far each has come."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import slicer

from DiffusionSegCore.kept_voxels import moved_place, way_between
from DiffusionSegCore.voxel_geometry import VoxelGeometry

SLICES_ATTRIBUTE = "DiffusionSeg.AnnotationSlices"
# The voxels that the slices are of, as they were when these were kept.
VOXELS_ATTRIBUTE = "DiffusionSeg.AnnotationVoxels"
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

    def is_of(self, geometry: VoxelGeometry) -> bool:
        """Whether the voxels reach so far."""
        return 0 <= self.index < geometry.shape[self.axis]


def nothing_moved_along() -> bool:
    """For painting that stays where it is when its volume gets other voxels."""
    return False


def read_slices(
    seeds: slicer.vtkMRMLSegmentationNode,
    geometry: VoxelGeometry | None = None,
    moved_along: Callable[[], bool] = nothing_moved_along,
) -> list[AnnotationSlice]:
    """The slices kept with the seeds, each "complete" or "to paint".

    Args:
        seeds: what is painted.
        geometry: the voxels that they are wanted in, if the volume is there: it may have been cropped since they were
            kept. Of slices that were cut off, the index lies outside.
        moved_along: whether the painting lies on these voxels; asked where there are as many of them as before, but in
            another place. Then both were moved together, as by hardening a transform.
    """
    try:
        said = json.loads(seeds.GetAttribute(SLICES_ATTRIBUTE) or "[]")
        kept = [AnnotationSlice(int(axis), int(index), COMPLETE if done else TO_PAINT) for axis, index, done in said]
    except (ValueError, TypeError):
        return []
    if geometry is None:
        return kept
    matrix = _from_kept_voxels(seeds, geometry, moved_along)
    return [] if matrix is None else [AnnotationSlice(*moved_place(found.place, matrix), found.state) for found in kept]


def keep_slices(
    seeds: slicer.vtkMRMLSegmentationNode, slices: Iterable[AnnotationSlice], geometry: VoxelGeometry
) -> None:
    """Keep slices of these voxels with the seeds: sorted, each once."""
    said = sorted({(found.axis, found.index, found.state == COMPLETE) for found in slices})
    seeds.SetAttribute(SLICES_ATTRIBUTE, json.dumps(said))
    seeds.SetAttribute(
        VOXELS_ATTRIBUTE, json.dumps({"affine": geometry.affine.tolist(), "shape": list(geometry.shape)})
    )


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


def _from_kept_voxels(
    seeds: slicer.vtkMRMLSegmentationNode, geometry: VoxelGeometry, moved_along: Callable[[], bool]
) -> np.ndarray | None:
    """Whole numbers (4, 4) that lead from indices of the kept voxels to those of `geometry`; None if none do."""
    try:
        said = json.loads(seeds.GetAttribute(VOXELS_ATTRIBUTE) or "")
        kept, shape = np.array(said["affine"], float).reshape(4, 4), tuple(said["shape"])
    except (ValueError, TypeError, KeyError):
        # Kept by a version that only kept indices.
        return np.eye(4, dtype=int)
    matrix = np.linalg.solve(geometry.affine, kept)
    if shape == tuple(geometry.shape) and not np.allclose(matrix, np.eye(4), atol=1e-3) and moved_along():
        return np.eye(4, dtype=int)
    return way_between(kept, geometry.affine)
